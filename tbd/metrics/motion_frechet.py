"""Distances between sets of motions."""

from typing import Any

import torch
from torch import Tensor

from tbd.face.channels import CHANNELS
from tbd.metrics.base import Array, ClipMetric, tensor
from tbd.metrics.gaussian import GaussianSums


def motion_features(motion: Array) -> Tensor:
    """Describe each frame by its channels, and five times their change since the frame before.

    The change counts five times so that a channel's usual movement weighs about as much as its usual extent (a blink or a
    syllable takes five frames).

    Args:
        motion: (T, 58).

    Returns:
        (T − 1, 116) float64.
    """
    motion = tensor(motion)
    return torch.cat([motion[1:], 5 * (motion[1:] - motion[:-1])], 1)


class FrechetMotionDistance(ClipMetric):
    """Fréchet distance between the Gaussians fitted to the `motion_features` of all frames of both sets (FMD).

    Unlike a distance of frames, it asks whether the motion is one that such a face could make, not whether it is this one.
    Lower is better; its unit is that of the squared channels (0..1 for blendshapes). Needs some hundreds of frames a set.

    Args:
        kwargs: Options of `torchmetrics.Metric`.

    Example:
        >>> import numpy as np
        >>> motion = np.random.default_rng(0).random((300, 58))
        >>> metric = FrechetMotionDistance()
        >>> metric.update(motion, motion + 0.1)
        >>> round(float(metric.compute()), 2)  # 58 channels · 0.1²
        0.58
    """

    reads = ("preds.motion", "target.motion")
    unit = ""
    higher_is_better = False
    plot_lower_bound = 0.0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.preds = GaussianSums(self, "preds", 2 * len(CHANNELS))
        self.target = GaussianSums(self, "target", 2 * len(CHANNELS))

    def update(self, preds: Array | None, target: Array | None) -> None:
        """Add a clip.

        Args:
            preds: (T, 58) under test; None adds to the other set alone.
            target: (T, 58) recorded, of any length; None adds to the other set alone.
        """
        for sums, motion in ((self.preds, preds), (self.target, target)):
            if motion is not None:
                sums.add(motion_features(motion))

    def compute(self) -> Tensor:
        """Compute the distance, () float64."""
        return self.preds.distance(self.target)
