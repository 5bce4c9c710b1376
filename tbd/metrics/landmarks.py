"""Where the face's points are: landmark distances and the mouth's opening."""

from typing import Literal

from tbd.metrics.base import Array, ClipMean

LandmarkForm = Literal["eat-px128", "inter-ocular"]


class _LandmarkDistance(ClipMean):
    def __init__(self, form: LandmarkForm = "inter-ocular", **kwargs) -> None:
        super().__init__(**kwargs)
        self.form = form

    reads = ("preds.points", "target.points")
    higher_is_better = False

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """(T, 478, 3) or (T, 68, 2) pixels each; frames where either is NaN are left out."""
        raise NotImplementedError


class MouthLandmarkDistance(_LandmarkDistance):
    """M-LMD. Unit: pixels of the 128 crop or % of the inter-ocular distance, by `form`."""

    unit = "px or % inter-ocular"


class FaceLandmarkDistance(_LandmarkDistance):
    """F-LMD."""

    unit = "px or % inter-ocular"


class ApertureCorrelation(ClipMean):
    """Pearson's r of the mouth's opening over time at its best lag within ±`max_lag` frames; also `lag` (frames)."""

    reads = ("preds.points", "target.points")
    names = ("correlation", "lag")
    reported = "correlation"
    unit = ""
    higher_is_better = True

    def __init__(self, max_lag: int = 15, **kwargs) -> None:
        super().__init__(**kwargs)

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        raise NotImplementedError
