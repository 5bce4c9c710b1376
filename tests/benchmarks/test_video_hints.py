"""What the benchmark of hints measures, on a tiny model."""

import dataclasses

import pytest
import torch

from benchmarks.video_hints import CHOICES, errors, markdown
from benchmarks.video_small import ClipsDataModule, fit_steps
from tests.draw.tiny_video import clip, tiny_video_model, wake


@pytest.mark.parametrize("choice", CHOICES)
def test_errors_with_and_without_the_plan(choice):
    held = [dataclasses.replace(one, neutral_coarse=255 - one.coarse) for one in (clip(1, frames=6), clip(2, frames=6))]
    found = errors(wake(tiny_video_model(hints=CHOICES[choice])), held, torch.device("cpu"))
    same = found["no tokens, upper face"] == pytest.approx(found["no plan, upper face"], rel=1e-5)
    assert same == (CHOICES[choice].without_plan == "same")  # then only the tokens differ
    assert found["plan, upper face"] > 0 and found["gap, upper face"] > 0 and found["plan, upper face"] != found["no tokens, upper face"]
    page = markdown({"rows": {choice: found}, "about": {"steps": 1}})
    assert f"| {choice} |" in page and "%" in page


def test_a_number_of_steps_is_trained():
    """From the same weights, so that choices differ by the choice alone."""
    held = [dataclasses.replace(clip(i, frames=12), neutral_coarse=clip(i, frames=12).coarse) for i in range(4)]
    model = tiny_video_model(hints=CHOICES["lips and head"])
    data = ClipsDataModule(held, window_frames=6, batch_size=2, num_workers=0)
    assert len(fit_steps(model, data, 3, torch.device("cpu"))) == 3
