"""Does the emotion knob do something? Sweeps of one sentence over emotions and intensities."""

from collections.abc import Sequence

from torch import Tensor

from tbd.metrics.base import Array, ClipMean, ClipMetric


class EmotionSeparation(ClipMetric):
    """Mean distance between the mean motions of different emotions (root mean square over the 52 blendshapes), 0..1."""

    reads = ("preds.motion", "target.emotion")
    unit = "blendshape"
    higher_is_better = True

    def update(self, motion: Array, emotion: int) -> None:
        raise NotImplementedError

    def compute(self) -> Tensor:
        raise NotImplementedError


class IntensityMonotonicity(ClipMean):
    """Spearman's ρ between the intensities asked and how far the face moves from the weakest one; one sweep an update."""

    reads = ("preds.motions", "preds.intensities")
    unit = ""
    higher_is_better = True

    def measure(self, motions: Sequence[Array], intensities: Sequence[float]) -> dict[str, float]:
        raise NotImplementedError


class LipDrift(ClipMean):
    """1 − r of the mouth's opening, said with an emotion and said neutrally: what emotion does to the lips. 0..2, 0 best."""

    reads = ("preds.points", "neutral.points")
    unit = ""
    higher_is_better = False

    def measure(self, emotional: Array, neutral: Array) -> dict[str, float]:
        raise NotImplementedError
