"""Measures drawn motion against true motion by a protocol's metrics, clip by clip and without pictures."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.evaluation.clip_inputs import LABEL_FIELDS, label_field
from tbd.evaluation.metric_runner import MetricRunner, SharedValues
from tbd.evaluation.protocol import MetricEntry, Protocol
from tbd.evaluation.references.base import ReferenceClip, build_reference, spread_evenly
from tbd.evaluation.scores import Value
from tbd.face.motion import Motion
from tbd.face.motion_landmarks import landmarks_from_motion
from tbd.think.facs import perform
from tbd.think.plan import MusclePlan

_PICTURES = ("frames", "faces")
"""Fields that need pictures, which an ablation does not render."""


class Truth:
    """A true clip. What is computed for one variant is kept for the next.

    Args:
        clip: The clip of the reference.
    """

    def __init__(self, clip: ReferenceClip) -> None:
        self.clip = clip

    @cached_property
    def motion(self) -> Motion:
        """The true motion; an `InputError` is raised if it is not known."""
        motion = self.clip.motion()
        if motion is None:
            raise InputError(f"The true motion of {self.clip.id} is not known, and an ablation is measured in motion.")
        return motion

    @cached_property
    def points(self) -> np.ndarray:
        """Mesh points of the true motion on the mean face, as `tbd.face.motion_landmarks.landmarks_from_motion` gives them."""
        return landmarks_from_motion(self.motion)

    @cached_property
    def audio(self) -> np.ndarray:
        """(N,) float32 samples at 16 kHz."""
        return self.clip.audio()

    @cached_property
    def plan(self) -> MusclePlan:
        """The plan that a model is given."""
        return self.clip.plan()

    @cached_property
    def plan_motion(self) -> np.ndarray:
        """(T, 58) motion of the plan alone, of a face that does not speak."""
        return perform(self.plan, len(self.motion))


class MotionInputs:
    """A drawn motion and its true clip, without videos. A `tbd.evaluation.clip_inputs.ClipInputs`.

    Args:
        truth: The true clip.
        drawn: The motion under test.
    """

    def __init__(self, truth: Truth, drawn: Motion) -> None:
        self.clip, self._truth, self._drawn = truth.clip, truth, drawn

    def add_issue(self, kind: str, detail: str) -> None:
        """Do nothing: metrics count what they could not measure themselves.

        Args:
            kind: Kind of the issue.
            detail: One sentence.
        """

    def inputs(self, reads: Sequence[str], entry: MetricEntry) -> list[Any]:
        """Collect what a metric's `update` takes.

        Args:
            reads: The metric's fields, in order.
            entry: The metric's line in the protocol.

        Returns:
            One value for each of `reads`.

        Raises:
            Unmeasurable: If the clip lacks one of them.
        """
        return [self._field(*name.split(".", 1)) for name in reads]

    @cached_property
    def _points(self) -> np.ndarray:
        return landmarks_from_motion(self._drawn)

    def _field(self, role: str, what: str) -> Any:
        if what in LABEL_FIELDS:
            return label_field(self.clip, what)
        if what == "motion":
            return (self._drawn if role == "preds" else self._truth.motion).values
        if what == "points":
            return self._points if role == "preds" else self._truth.points
        if what == "seams":
            return self._drawn.metadata.get("seams", ())
        return getattr(self._truth, what)  # audio, plan_motion


def true_clips(protocol: Protocol, root: str | None, count: int | None) -> list[ReferenceClip]:
    """Find a protocol's true clips.

    Args:
        protocol: The protocol.
        root: Where the clips are, if the protocol asks for a folder.
        count: How many of them to take, spread evenly; all by default.

    Returns:
        The clips.

    Raises:
        InputError: If the clips are not there.
    """
    return spread_evenly(build_reference(protocol.reference, root).clips(), count)


def runners(protocol: Protocol) -> list[MetricRunner]:
    """Build a protocol's metrics.

    Args:
        protocol: The protocol.

    Returns:
        A runner for each metric, in the protocol's order.

    Raises:
        InputError: If a metric reads pictures, or cannot be built.
    """
    made = [MetricRunner.of(entry) for entry in protocol.metrics]
    for runner in made:
        field = next((name for name in runner.reads if name.split(".")[1] not in _FIELDS), None)
        if field is not None:
            why = "which needs pictures" if field.split(".")[1] in _PICTURES else "which an ablation does not know"
            raise InputError(
                f"{protocol.id}: the metric {runner.entry.name} reads {field}, {why}; an ablation is measured in motion, as by "
                "procedural-motion-v1."
            )
    return made


_FIELDS = ("motion", "points", "seams", "emotion", "intensity", "audio", "plan_motion", "bilabials")


def measure(protocol: Protocol, truths: Sequence[Truth], drawn: Sequence[Motion]) -> tuple[dict[str, Value], dict[str, dict[str, float]]]:
    """Measure drawn motions.

    Args:
        protocol: Which metrics.
        truths: The true clips.
        drawn: The drawn motion of each true clip.

    Returns:
        Metric → result; and, of metrics that are means over clips, metric → clip → number.
    """
    made = runners(protocol)
    for truth, motion in zip(truths, drawn):
        clip_inputs, shared = MotionInputs(truth, motion), SharedValues()
        for runner in made:
            runner.update(clip_inputs, shared)
    values = {runner.entry.name: runner.value() for runner in made}
    by_clip = {
        runner.entry.name: {clip: numbers[values[runner.entry.name].reported] for clip, numbers in runner.clip_values.items()}
        for runner in made
        if runner.clip_values
    }
    return values, by_clip
