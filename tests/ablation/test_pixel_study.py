"""An ablation of predictors: what is drawn, measured and written; and the one that ships, on tiny random networks."""

import json
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest
import yaml

from tbd.ablation.pixel_study import is_pixel_study, load_pixel_study, run_pixel_study
from tbd.cli.main import main
from tbd.errors import InputError
from tbd.media import read_audio
from tbd.utils.sample_inputs import PORTRAIT, VOICE
from tests.draw.video.hallo.tiny_published import write_published

SHIPPED = Path(__file__).resolve().parents[2] / "benchmarks/ablations/text_progression.yaml"
STILL = {"class_path": "tbd.evaluation.predictors.StillPortrait"}


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> Path:
    """One portrait that says half a second with each of eight emotions."""
    root = tmp_path_factory.mktemp("zero-shot")
    (root / "portraits").mkdir(), (root / "speech").mkdir()
    shutil.copy(PORTRAIT, root / "portraits" / Path(PORTRAIT).name)
    with wave.open(str(root / "speech/voice.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes((read_audio(VOICE)[: 12 * 640] * 32767).astype(np.int16).tobytes())
    return root


def test_variants_are_drawn_measured_and_compared(reference, tmp_path):
    study = {
        "name": "stillness",
        "protocol": "portraits-v1",
        "metrics": ["jerk", "sharpness"],
        "baseline": "one",
        "variants": [{"name": "one", "predictor": STILL, "about": "a picture"}, {"name": "two", "predictor": STILL}],
    }
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(study))
    assert is_pixel_study(file) and not is_pixel_study(SHIPPED.parent / "guidance.yaml")
    assert not main(["ablate", str(file), "--reference", str(reference), "--output", str(tmp_path / "out"), "--limit", "2"])
    page = (tmp_path / "out/README.md").read_text()
    assert "| one (baseline) |" in page and "| two |" in page and "2 clips" in page and "- one: a picture" in page
    found = json.loads((tmp_path / "out/results.json").read_text())["variants"]
    assert found["one"]["metrics"] == found["two"]["metrics"] and len(list((tmp_path / "out/two").glob("*.mp4"))) == 2


def test_wrong_studies_are_named(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump({"name": "x", "protocol": "portraits-v1", "variants": [{"name": "a", "predictor": STILL, "colour": 1}]}))
    with pytest.raises(InputError, match=r"variants\.0\.colour"):
        load_pixel_study(file)
    file.write_text(
        yaml.safe_dump({"name": "x", "protocol": "portraits-v1", "baseline": "b", "variants": [{"name": "a", "predictor": STILL}]})
    )
    with pytest.raises(InputError, match="the baseline is one of them"):
        load_pixel_study(file)
    with pytest.raises(InputError, match="portraits-v1 has no metric fame"):
        load_pixel_study(SHIPPED).model_copy(update={"metrics": ("fame",)}).chosen_protocol()


def test_the_progression_of_words_runs(reference, tmp_path, monkeypatch):
    """Two of its variants, on random networks and one clip: to see that it runs."""
    monkeypatch.setenv("TBD_WEIGHTS", str(write_published(tmp_path / "weights", "emocast")))
    study = load_pixel_study(SHIPPED)
    assert len(study.variants) == 9 and {"plan-f1", "acc-emo-8", "sync-c"} <= {entry.name for entry in study.chosen_protocol().metrics}
    assert "fid" in {entry.name for entry in study.chosen_protocol("mead-actor-v1").metrics}
    variants = []
    for variant in (study.variants[0], study.variants[4]):
        arguments = {**variant.predictor.init_args, "num_inference_steps": 1}
        variants.append(variant.model_copy(update={"predictor": variant.predictor.model_copy(update={"init_args": arguments})}))
    small = study.model_copy(update={"variants": tuple(variants), "metrics": ("sharpness", "sync-c"), "extra": ()})
    monkeypatch.setattr("tbd.ablation.pixel_study.load_protocol", _at_64_pixels)
    scores = run_pixel_study(small, tmp_path / "out", reference=str(reference), limit=1)
    assert list(scores) == ["the emotion", "emotion then muscles at 0.5"]
    assert all(one.metrics["sharpness"].number is not None for one in scores.values())
    assert "tbd weights fetch syncnet_v2" in (tmp_path / "out/README.md").read_text()


def _at_64_pixels(name: str):
    from tbd.evaluation.protocol import load_protocol

    return load_protocol(name).model_copy(update={"size": 64})
