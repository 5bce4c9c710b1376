"""Orders of guidance that differ in nothing but the order."""

import pytest
import torch

from tbd.draw.guidance.base import COND, EMOTION, MUSCLES, UNCOND
from tbd.draw.guidance.classifier_free import ClassifierFreeGuidance
from tbd.draw.guidance.ordered import OrderedGuidance

SCHEDULES = ["step", "linear", "cosine"]
BRANCHES = (UNCOND, EMOTION, MUSCLES, COND)


def branch_weights(guidance: OrderedGuidance, progress: float) -> torch.Tensor:
    """(4,) weight of each branch, read from what the guidance makes of one-hot predictions."""
    wanted = guidance.branches(progress)
    preds = {branch: torch.eye(4)[BRANCHES.index(branch)] for branch in wanted}
    return guidance(preds, progress)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [4, 5, 25, 50])
@pytest.mark.parametrize("contrast", [0.3, 1.0])
def test_every_order_has_the_same_mean_weights(schedule, steps, contrast):
    """Of the conditions' scales in any case, and of every branch, where the scales are equal."""
    means = {}
    for first in ("emotion", "muscles", "neither"):
        guidance = OrderedGuidance(first, 1.5, 1.5, contrast=contrast, schedule=schedule)
        conditions = torch.tensor([guidance.weights(i / (steps - 1)) for i in range(steps)])
        assert torch.allclose(conditions.mean(0), torch.tensor([1.5, 1.5]), atol=1e-6)
        means[first] = torch.stack([branch_weights(guidance, i / (steps - 1)) for i in range(steps)]).mean(0)
    assert torch.allclose(means["emotion"], means["neither"], atol=1e-6)
    assert torch.allclose(means["muscles"], means["neither"], atol=1e-6)
    assert torch.allclose(means["neither"], torch.tensor([-0.5, 0.0, 0.0, 1.5]))


def test_each_order_begins_with_its_own_condition():
    emotion, muscles = OrderedGuidance("emotion", 1.5, 1.5), OrderedGuidance("muscles", 1.5, 1.5)
    assert branch_weights(emotion, 0.0).tolist() == [-2, 3, 0, 0] and branch_weights(emotion, 1.0).tolist() == [1, -3, 0, 3]
    assert branch_weights(muscles, 0.0).tolist() == [-2, 0, 3, 0] and branch_weights(muscles, 1.0).tolist() == [1, 0, -3, 3]


@pytest.mark.parametrize("first", ["emotion", "muscles", "neither"])
def test_without_contrast_it_is_classifier_free(first):
    preds = {branch: torch.randn(2, 3, generator=torch.Generator().manual_seed(i)) for i, branch in enumerate(BRANCHES)}
    for progress in (0.0, 0.4, 1.0):
        guidance = OrderedGuidance(first, 2.0, 2.0, contrast=0.0)
        found = guidance({branch: preds[branch] for branch in guidance.branches(progress)}, progress)
        assert torch.allclose(found, ClassifierFreeGuidance(2.0)({UNCOND: preds[UNCOND], COND: preds[COND]}, progress), atol=1e-5)


def test_what_is_no_order_is_refused():
    with pytest.raises(ValueError, match="first is emotion, muscles or neither"):
        OrderedGuidance("audio")
    with pytest.raises(ValueError, match="schedule is step"):
        OrderedGuidance(schedule="square")
    with pytest.raises(ValueError, match="audio_regions names hair"):
        OrderedGuidance(audio_regions=["hair"])
