"""A set of motions against the true ones: the numbers that tests and validations of a motion model log."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.face.motion_landmarks import landmarks_from_motion
from tbd.metrics.aperture import ApertureCorrelation
from tbd.metrics.base import ClipMean, ClipMetric
from tbd.metrics.dynamics import SeamJump
from tbd.metrics.motion_emotion import MotionEmotionAccuracy
from tbd.metrics.motion_frechet import FrechetMotionDistance
from tbd.metrics.plan_following import ActionUnitGain, ChannelCorrelation, LipClosure, RegionError
from tbd.metrics.unit_fidelity import ActionUnitFidelity
from tbd.think.facs import perform
from tbd.think.plan import MusclePlan

MOTION_METRICS: dict[str, Callable[..., ClipMetric]] = {
    "muscle_error": lambda **k: RegionError(["upper", "middle"], **k),
    "au_r": ActionUnitFidelity,
    "au_gain": lambda **k: ActionUnitGain(["upper", "middle"], **k),
    "mouth_error": lambda **k: RegionError(["lower"], **k),
    "mouth_r": lambda **k: ApertureCorrelation(max_lag=6, **k),
    "jaw_r": lambda **k: ChannelCorrelation("jawOpen", **k),
    "lips_closed": LipClosure,
    "emotion": MotionEmotionAccuracy,
    "fmd": FrechetMotionDistance,
    "seams": SeamJump,
}
"""Name → metric, as the protocol procedural-motion-v1 has them."""


class MotionSuite:
    """A set of metrics that are updated together, as far as each clip has the fields that they read.

    Args:
        names: Names out of `MOTION_METRICS`.

    Example:
        >>> suite = MotionSuite(["muscle_error"])
        >>> suite.update(Motion.zeros(50), Motion.zeros(50), MusclePlan())
        >>> suite.compute()
        {'muscle_error': 0.0}
    """

    def __init__(self, names: Sequence[str] = tuple(MOTION_METRICS)) -> None:
        # what processes have is merged by `merged`; torchmetrics would do it once more
        self.metrics = {name: MOTION_METRICS[name](sync_on_compute=False) for name in names}
        self.clips = {name: 0 for name in names}

    def update(
        self,
        drawn: Motion,
        true: Motion,
        plan: MusclePlan | None,
        emotion: int | None = None,
        bilabials: np.ndarray | None = None,
        seams: Sequence[int] = (),
    ) -> None:
        """Measure one clip, by the metrics whose fields it has.

        Args:
            drawn: The motion under test.
            true: The recorded motion.
            plan: The plan; None where it is not known.
            emotion: The label, an index into `EMOTIONS`; None where there is none.
            bilabials: (K, 2) seconds in which b, p and m are spoken; None where that is not known.
            seams: First frames of later windows.
        """
        fields: dict[str, Any] = {
            "preds.motion": drawn.values,
            "target.motion": true.values,
            "target.emotion": emotion,
            "target.bilabials": bilabials,
        }
        fields |= {"target.plan_motion": None if plan is None else perform(plan, len(true)), "preds.seams": seams}
        if any("preds.points" in metric.reads for metric in self.metrics.values()):
            fields |= {"preds.points": landmarks_from_motion(drawn), "target.points": landmarks_from_motion(true)}
        for name, metric in self.metrics.items():
            inputs = [fields[read] for read in metric.reads]
            if all(value is not None for value in inputs):
                metric.update(*inputs)
                self.clips[name] += 1

    def state(self) -> dict[str, Any]:
        """Return what this process has measured, for `merged`."""
        return {name: (self.clips[name], metric.metric_state) for name, metric in self.metrics.items()}

    @classmethod
    def merged(cls, states: Sequence[dict[str, Any]]) -> "MotionSuite":
        """Merge what several processes have measured, each other clips."""
        suite = cls(tuple(states[0]))
        for state in states:
            for name, (clips, sums) in state.items():
                if clips:
                    suite._add(name, clips, sums)
        return suite

    def _add(self, name: str, clips: int, sums: dict[str, Any]) -> None:
        metric = self.metrics[name]
        metric._update_count = max(metric._update_count, 1)  # as if it had been updated, which torchmetrics asks for
        metric.merge_state(sums)
        self.clips[name] += clips

    def compute(self) -> dict[str, float]:
        """Compute name → number for those metrics that could measure something."""
        found = {}
        for name, metric in self.metrics.items():
            if not self.clips[name] or (isinstance(metric, ClipMean) and not metric.clips):
                continue
            try:
                found[name] = float(metric.compute())
            except InputError:  # too few clips to learn emotions from, too few frames for a covariance
                continue
        return found
