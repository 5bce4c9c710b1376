"""Lip sync by SyncNet: confidence (LSE-C), distance (LSE-D) and offset."""

import os
from typing import Literal

from tbd.metrics.base import Array, ClipMean

CropProtocol = Literal["official", "official-short", "wav2lip", "eat", "cropped"]


class _LipSync(ClipMean):
    """All three numbers come of one pass: metrics of equal `group` share what `measure` gives."""

    reads = ("preds.frames", "preds.audio", "preds.points")
    names = ("confidence", "distance", "offset")

    def __init__(
        self, protocol: CropProtocol = "official-short", weights: str | os.PathLike = "syncnet_v2", batch_size: int = 32, **kwargs
    ) -> None:
        super().__init__(**kwargs)

    def measure(self, frames: Array, audio: Array, points: Array | None = None) -> dict[str, float]:
        raise NotImplementedError


class SyncNetConfidence(_LipSync):
    """LSE-C: median − minimum over ±15 frames of the mean distance."""

    reported = "confidence"
    unit = ""
    higher_is_better = True


class SyncNetDistance(_LipSync):
    """LSE-D: the minimum of the mean distance."""

    reported = "distance"
    unit = ""
    higher_is_better = False


class SyncNetOffset(_LipSync):
    """Frames by which the audio leads the video; the mean of |offset|."""

    reported = "offset"
    unit = "frames"
    higher_is_better = False
