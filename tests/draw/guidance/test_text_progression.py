"""Which words are asked when, and how their predictions are combined."""

import pytest
import torch

from tbd.draw.guidance.base import COND, EMOTION, MUSCLES, NOTHING
from tbd.draw.guidance.text_progression import TextProgressionGuidance

PREDS = {NOTHING: torch.tensor(1.0), EMOTION: torch.tensor(3.0), MUSCLES: torch.tensor(5.0), COND: torch.tensor(9.0)}


def combined(guidance: TextProgressionGuidance, progress: float) -> float:
    return guidance({branch: PREDS[branch] for branch in guidance.branches(progress)}, progress).item()


def test_words_are_exchanged_at_the_switch():
    guidance = TextProgressionGuidance("emotion", "muscles", scale=2.0, switch=0.4)
    assert [combined(guidance, progress) for progress in (0.0, 0.39, 0.4, 1.0)] == [5, 5, 9, 9]
    assert guidance.branches(0.39) == (NOTHING, EMOTION) and guidance.branches(0.4) == (NOTHING, MUSCLES)


def test_a_ramp_blends_them():
    guidance = TextProgressionGuidance("muscles", "both", scale=2.0, switch=0.5, width=0.5, schedule="linear")
    assert guidance.branches(0.5) == (NOTHING, MUSCLES, COND)
    assert combined(guidance, 0.5) == pytest.approx(1 + 2 * ((5 + 9) / 2 - 1))


def test_one_text_throughout_is_classifier_free_guidance():
    guidance = TextProgressionGuidance("both", "both", scale=3.5)
    assert guidance.branches(0.5) == (NOTHING, COND) and combined(guidance, 0.7) == pytest.approx(1 + 3.5 * (9 - 1))


def test_unknown_words_are_refused():
    with pytest.raises(ValueError, match="first is emotion, muscles or both"):
        TextProgressionGuidance("label")
    with pytest.raises(ValueError, match="switch"):
        TextProgressionGuidance(switch=2)
