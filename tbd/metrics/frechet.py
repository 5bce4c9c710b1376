"""Distances between sets: FID and KID on frames, FVD on clips."""

import os
from abc import abstractmethod
from typing import Literal

from torch import Tensor, nn

from tbd.metrics.base import Array, ClipMetric

Flavour = Literal["torchmetrics", "pytorch-fid", "eat"]


class FrechetInceptionDistance(ClipMetric):
    """FID between all frames of the clips under test and all recorded ones. Refused under 2,048 frames a side unless allowed.

    `counts()` → (frames under test, recorded frames).
    """

    reads = ("preds.frames", "target.frames")
    unit = ""
    higher_is_better = False

    def __init__(
        self, flavour: Flavour = "torchmetrics", weights: str | os.PathLike | None = None, allow_biased: bool = False, batch_size: int = 32,
        **kwargs,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)

    def update(self, preds: Array | None, target: Array | None) -> None:
        """(T, 3, H, W) uint8 each, lengths may differ; None leaves a side out."""
        raise NotImplementedError

    def compute(self) -> Tensor:
        raise NotImplementedError


class KernelInceptionDistance(ClipMetric):
    """KID (unbiased MMD² with the cubic polynomial kernel) × 1000, on at most `most` frames a side, chosen by content."""

    reads = ("preds.frames", "target.frames")
    unit = "×10⁻³"
    higher_is_better = False

    def __init__(
        self, flavour: Flavour = "torchmetrics", weights: str | os.PathLike | None = None, most: int = 2000, batch_size: int = 32, **kwargs
    ) -> None:
        super().__init__(**kwargs)

    def update(self, preds: Array | None, target: Array | None) -> None:
        raise NotImplementedError

    def compute(self) -> Tensor:
        raise NotImplementedError


class VideoNetwork(nn.Module):
    """A network that sees windows of frames; for FVD."""

    frames: int
    """Frames in a window."""
    features: int
    """D."""

    @abstractmethod
    def embed(self, windows: Tensor) -> Tensor:
        """(B, frames, 3, H, W) uint8 RGB → (B, D) float32."""


class FrechetVideoDistance(ClipMetric):
    """FVD over all windows of `network.frames` frames that do not overlap."""

    reads = ("preds.frames", "target.frames")
    unit = ""
    higher_is_better = False

    def __init__(self, network: VideoNetwork, **kwargs) -> None:
        super().__init__(**kwargs)

    def update(self, preds: Array | None, target: Array | None) -> None:
        raise NotImplementedError

    def compute(self) -> Tensor:
        raise NotImplementedError
