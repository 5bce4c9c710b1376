"""Pixels: PSNR, SSIM, LPIPS, sharpness."""

import os
from typing import Literal

from tbd.metrics.base import Array, ClipMean


class PeakSignalNoiseRatio(ClipMean):
    """PSNR in dB, the mean over frames of each frame's, then over clips."""

    reads = ("preds.frames", "target.frames")
    unit = "dB"
    higher_is_better = True

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """(T, 3, H, W) uint8, or float in 0..1, each of the same shape."""
        raise NotImplementedError


class StructuralSimilarity(ClipMean):
    """SSIM as scikit-image's `structural_similarity` with its defaults (7×7 box window, sample covariance)."""

    reads = ("preds.frames", "target.frames")
    unit = ""
    higher_is_better = True

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        raise NotImplementedError


class PerceptualSimilarity(ClipMean):
    """LPIPS; the backbone is in the name, since `alex` and `vgg` are two metrics."""

    reads = ("preds.frames", "target.frames")
    unit = ""
    higher_is_better = False

    def __init__(self, backbone: Literal["alex", "vgg", "squeeze"] = "alex", weights: str | os.PathLike | None = None, **kwargs) -> None:
        super().__init__(**kwargs)

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        raise NotImplementedError


class Sharpness(ClipMean):
    """CPBD: probability that no blur is seen (Narvekar & Karam 2011), 0..1."""

    reads = ("preds.frames",)
    unit = ""
    higher_is_better = True

    def measure(self, frames: Array) -> dict[str, float]:
        raise NotImplementedError
