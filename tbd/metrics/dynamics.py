"""How a face moves: fidelity to the asked muscles, blinks, head, stillness in silence, smoothness, seams."""

from collections.abc import Sequence

from torch import Tensor

from tbd.metrics.base import Array, ClipMean, ClipMetric


class ActionUnitFidelity(ClipMean):
    """Mean Pearson's r, over action units that the plan moves, between the intensity asked and seen; also `error` (0..1)."""

    reads = ("preds.motion", "preds.asked")
    names = ("correlation", "error")
    reported = "correlation"
    unit = ""
    higher_is_better = True

    def measure(self, motion: Array, asked: Array) -> dict[str, float]:
        raise NotImplementedError


class FrechetMotionDistance(ClipMetric):
    """Fréchet distance between motions' coefficients and velocities (116 dimensions)."""

    reads = ("preds.motion", "target.motion")
    unit = ""
    higher_is_better = False

    def update(self, preds: Array, target: Array) -> None:
        raise NotImplementedError

    def compute(self) -> Tensor:
        raise NotImplementedError


class HeadMotionDiversity(ClipMean):
    """Standard deviation over time of pitch, yaw and roll, averaged over the three. Unit: degrees."""

    reads = ("preds.motion",)
    unit = "degrees"
    higher_is_better = None

    def measure(self, motion: Array) -> dict[str, float]:
        raise NotImplementedError


class BlinkRate(ClipMean):
    """Blinks a minute, both eyes; clips weigh by their length."""

    reads = ("preds.motion",)
    unit = "1/min"
    higher_is_better = None

    def measure(self, motion: Array) -> dict[str, float]:
        raise NotImplementedError


class SilenceLipEnergy(ClipMean):
    """Root mean square of the mouth opening's speed while nobody speaks. Unit: inter-ocular distances a second."""

    reads = ("preds.points", "preds.audio")
    unit = "inter-ocular/s"
    higher_is_better = False

    def measure(self, points: Array, audio: Array) -> dict[str, float]:
        raise NotImplementedError


class Jerk(ClipMean):
    """Mean length of the points' third derivative with the head's pose taken out. Unit: inter-ocular distances per s³."""

    reads = ("preds.points",)
    unit = "inter-ocular/s³"
    higher_is_better = False

    def measure(self, points: Array) -> dict[str, float]:
        raise NotImplementedError


class SeamJump(ClipMean):
    """Step of the motion at a generator's window seams over the clip's median step; 1 where a seam cannot be seen."""

    reads = ("preds.motion", "preds.seams")
    unit = "×"
    higher_is_better = False

    def measure(self, motion: Array, seams: Sequence[int]) -> dict[str, float]:
        raise NotImplementedError
