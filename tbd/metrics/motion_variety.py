"""What a set of motions holds: which action units occur, and how much faces differ from clip to clip."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES, INDEX
from tbd.metrics.base import Array, ClipMetric, paired, tensor
from tbd.metrics.inputs import require_known
from tbd.think.action_units import ACTION_UNITS, REGIONS
from tbd.think.facs import CHANNEL_REGIONS
from tbd.think.facs import measure as measure_unit

F1_UNITS = (1, 2, 4, 6, 7, 9, 12, 15)
"""Units that a motion is read for: those of brows, lids, cheeks and nose, and the corners of the mouth, which speech leaves alone."""


def require_units(units: Sequence[int]) -> None:
    """Refuse numbers of action units that this face cannot move."""
    require_known([f"AU{number}" for number in units], [f"AU{number}" for number in ACTION_UNITS], "action unit that this face can move")


class ActionUnitF1(ClipMetric):
    """F1 of action units, frame by frame against the recorded motion: the mean over units of 2·TP / (2·TP + FP + FN) over all frames.

    A unit is active in a frame where its measured intensity reaches a threshold, as detectors of action units are scored (DISFA: intensity
    2 of 5 and more). A unit that neither set shows does not count. 0..1, higher is better.

    Args:
        units: Numbers of action units.
        threshold: Intensity from which a unit is active.
        kwargs: Options of `torchmetrics.Metric`.

    Raises:
        InputError: If a unit is unknown, or the threshold is not between 0 and 1.

    Example:
        >>> import numpy as np
        >>> motion = np.zeros((4, 58), np.float32)
        >>> motion[:2, INDEX["browInnerUp"]] = 0.5  # AU1 in two frames of four
        >>> metric = ActionUnitF1([1, 12])
        >>> metric.update(np.roll(motion, 1, axis=0), motion)  # one frame late: one hit, one miss, one false alarm
        >>> float(metric.compute())
        0.5
    """

    reads = ("preds.motion", "target.motion")
    unit = ""
    higher_is_better = True
    plot_lower_bound, plot_upper_bound = 0.0, 1.0
    tallies: Tensor

    def __init__(self, units: Sequence[int] = F1_UNITS, threshold: float = 0.2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_units(units)
        if not 0 < threshold < 1:
            raise InputError(f"The threshold of an action unit is between 0 and 1, not {threshold:g}.")
        self.units, self.threshold = tuple(units), threshold
        self.add_state("tallies", torch.zeros(len(self.units), 3, dtype=torch.int64), "sum")

    def update(self, preds: Array, target: Array) -> None:
        """Add one clip.

        Args:
            preds: (T, 58) under test.
            target: (T, 58) recorded; the longer of the two counts up to the shorter one's length.
        """
        drawn, true = (values.numpy() for values in paired(preds, target))
        for i, number in enumerate(self.units):
            a, b = (measure_unit(values, number) >= self.threshold for values in (drawn, true))
            found = torch.tensor([int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum())], device=self.tallies.device)
            self.tallies[i] += found

    def by_unit(self) -> dict[int, float]:
        """Compute unit → F1, of the units that occur in either set."""
        hits, alarms, misses = self.tallies.double().unbind(1)
        f1 = 2 * hits / (2 * hits + alarms + misses)
        return {number: float(value) for number, value in zip(self.units, f1) if not value.isnan()}

    def compute(self) -> Tensor:
        """Compute the mean over units, () float64; NaN where none occurs."""
        found = self.by_unit()
        return torch.tensor(sum(found.values()) / len(found) if found else torch.nan, dtype=torch.float64)


class MotionDiversity(ClipMetric):
    """How much faces differ from clip to clip: the root mean square distance between two clips of a set.

    A clip is its blendshapes' mean and standard deviation over time, of some regions. Neither high nor low is good as such: motion that
    regresses to one mean face has less than the recorded clips, a caricature of each emotion more. Compare with their own. It needs two
    clips or more, and is of the same expectation for any number of them.

    Args:
        regions: Regions out of `tbd.think.action_units.REGIONS`, whose blendshapes count.
        kwargs: Options of `torchmetrics.Metric`.

    Raises:
        InputError: If a region is unknown.

    Example:
        >>> import numpy as np
        >>> metric = MotionDiversity(["upper"])
        >>> for level in (0.2, 0.4):  # two faces that stand still, 0.2 apart: 20 % in one of two halves of the features
        ...     metric.update(np.full((50, 58), level))
        >>> round(float(metric.compute()), 2)  # √(20² / 2)
        14.14
    """

    reads = ("preds.motion",)
    unit = "%"
    higher_is_better = None
    plot_lower_bound = 0.0
    total: Tensor
    square: Tensor
    clips: Tensor

    def __init__(self, regions: Sequence[str] = ("upper", "middle", "lower"), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_known(regions, REGIONS, "region")
        self.columns = [INDEX[name] for name in BLENDSHAPES if CHANNEL_REGIONS[name] in regions]
        for name in ("total", "square"):
            self.add_state(name, torch.zeros(2 * len(self.columns), dtype=torch.float64), "sum")
        self.add_state("clips", torch.zeros((), dtype=torch.int64), "sum")

    def update(self, preds: Array) -> None:
        """Add one clip.

        Args:
            preds: (T, 58) motion.
        """
        values = tensor(preds)[:, self.columns].double()
        features = torch.cat([values.mean(0), values.std(0, correction=0)]).to(self.total.device)
        self.total += features
        self.square += features.square()
        self.clips += 1

    def compute(self) -> Tensor:
        """Compute the distance in percent of a full movement, () float64; NaN for fewer than two clips."""
        if self.clips < 2:
            return torch.tensor(torch.nan, dtype=torch.float64)
        variance = (self.square - self.total.square() / self.clips) / (self.clips - 1)
        return 100 * (2 * variance.clamp(min=0)).mean().sqrt()  # two independent clips differ by twice the variance
