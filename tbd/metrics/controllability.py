"""Controllability: does the emotion that a model is conditioned on change its motion?

The emotion's accuracy over a sweep is `tbd.metrics.EmotionAccuracy`, one for each intensity.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES
from tbd.metrics.aperture import lagged_correlation, mouth_aperture
from tbd.metrics.base import Array, ClipMean, ClipMetric, Unmeasurable, tensor
from tbd.think.emotions import EMOTIONS


class EmotionSeparation(ClipMetric):
    """How far apart the emotions' faces lie: the mean over pairs of emotions of the distance between their mean blendshapes.

    Each clip counts by its mean over time (52 blendshapes), each emotion by the mean of its clips; the distance is the
    root mean square over blendshapes, 0..1. 0 is a condition without effect; where every clip differs at random it is
    near ``spread / √clips``, so give each emotion the same sentences.

    Args:
        kwargs: Options of `torchmetrics.Metric`.

    Example:
        >>> metric = EmotionSeparation()
        >>> metric.update(np.full((50, 58), 0.2), EMOTIONS.index("happy"))
        >>> metric.update(np.full((50, 58), 0.5), EMOTIONS.index("sad"))
        >>> round(float(metric.compute()), 6)
        0.3
    """

    reads = ("preds.motion", "target.emotion")
    unit = "blendshape"
    higher_is_better = True
    plot_lower_bound = 0.0
    sums: Tensor
    clips: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("sums", torch.zeros(len(EMOTIONS), len(BLENDSHAPES), dtype=torch.float64), "sum")
        self.add_state("clips", torch.zeros(len(EMOTIONS), dtype=torch.int64), "sum")

    def update(self, preds: Array, target: int) -> None:
        """Add one clip.

        Args:
            preds: (T, 58) motion.
            target: The label, an index into `EMOTIONS`.
        """
        self.sums[target] += tensor(preds)[:, : len(BLENDSHAPES)].mean(0).to(self.sums.device)
        self.clips[target] += 1

    def compute(self) -> Tensor:
        """Compute the mean distance, () float64; NaN where fewer than two emotions were seen."""
        here = self.clips > 0
        means = self.sums[here] / self.clips[here, None]
        pairs = [(a - b).square().mean().sqrt() for a, b in combinations(means, 2)]
        return torch.stack(pairs).mean() if pairs else torch.tensor(torch.nan, dtype=torch.float64)


def motion_distance(a: Array, b: Array) -> float:
    """Compute the root mean square difference of the 52 blendshapes of two motions, frame by frame.

    Args:
        a: (T, 58).
        b: (T, 58); the longer motion counts up to the shorter one's length.

    Returns:
        The distance, 0..1.
    """
    length = min(len(a), len(b))
    a, b = (tensor(motion)[:length, : len(BLENDSHAPES)] for motion in (a, b))
    return float((a - b).square().mean().sqrt())


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Compute Spearman's ρ; ties share their rank.

    Args:
        a: N numbers.
        b: N numbers.

    Returns:
        ρ, or 0 where either does not vary.

    Example:
        >>> rank_correlation([0.2, 0.4, 0.6, 0.8], [0.1, 0.3, 0.2, 0.9])
        0.8
    """
    from scipy.stats import rankdata

    ranks = [rankdata(values) - (len(values) + 1) / 2 for values in (a, b)]
    norm = np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum())
    return float(round(ranks[0] @ ranks[1] / norm, 12)) if norm else 0.0


class IntensityMonotonicity(ClipMean):
    """Spearman's ρ between the plans' intensities and the `motion_distance` from the least intense motion of the same sweep.

    One update is one sweep: the same voice, emotion and seed at several intensities. −1..1, 1 where every step up moves the
    face further, 0 for an intensity without effect.

    Example:
        >>> metric = IntensityMonotonicity()
        >>> metric.update([np.full((50, 58), level**2) for level in (0.2, 0.5, 0.9)], [0.2, 0.5, 0.9])
        >>> float(metric.compute())
        1.0
    """

    reads = ("preds.motions", "preds.intensities")
    unit = ""
    higher_is_better = True
    plot_lower_bound, plot_upper_bound = -1.0, 1.0

    def measure(self, motions: Sequence[Array], intensities: Sequence[float]) -> dict[str, float]:
        """Measure one sweep.

        Args:
            motions: K motions, (T, 58) each.
            intensities: Their K intensities, in any order.

        Returns:
            ``value``, Spearman's ρ.

        Raises:
            Unmeasurable: If there are fewer than three different intensities.
            InputError: If there is not one intensity for each motion.
        """
        if len(motions) != len(intensities):
            raise InputError(f"A sweep has an intensity for each motion, not {len(intensities)} for {len(motions)}.")
        if len(set(map(float, intensities))) < 3:
            raise Unmeasurable("A sweep needs at least three intensities.")
        order = np.argsort(intensities, kind="stable")
        # Repeated forward calls of a generator differ in the last bits; what is below that is no movement.
        moved = [round(motion_distance(motions[i], motions[order[0]]), 6) for i in order]
        return {"value": rank_correlation([intensities[i] for i in order], moved)}


class LipDrift(ClipMean):
    """Effect of emotion on the lips: 1 − r of `mouth_aperture` over time, spoken with an emotion and neutrally.

    0..2, 0 where the mouth opens and closes with the emotion exactly as without it. Some drift is right, since an angry
    mouth opens wider; a drift near 1 is a mouth that no longer says the words.

    Example:
        >>> points = np.random.default_rng(0).random((30, 68, 2))
        >>> metric = LipDrift()
        >>> metric.update(points, points)
        >>> round(float(metric.compute()), 6)
        0.0
    """

    reads = ("preds.points", "neutral.points")
    unit = ""
    higher_is_better = False
    plot_lower_bound, plot_upper_bound = 0.0, 2.0

    def measure(self, preds: Array, neutral: Array) -> dict[str, float]:
        """Compare two clips of the same words in the same time.

        Args:
            preds: (T, 478, 3) or (T, 68, 2) pixels, spoken with an emotion.
            neutral: (T, 478, 3) or (T, 68, 2) pixels, spoken without.

        Returns:
            ``value``, the drift.

        Raises:
            Unmeasurable: If fewer than ten frames show a face in both, or either mouth stands still.
        """
        return {"value": 1 - lagged_correlation(mouth_aperture(preds), mouth_aperture(neutral), 0)[0]}
