"""Drawn motion against true motion, without pictures: a protocol's metrics, clip by clip."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.evaluation.clip_inputs import LABEL_FIELDS, label_field
from tbd.evaluation.metric_runner import MetricRunner, SharedValues
from tbd.evaluation.protocol import MetricEntry, Protocol
from tbd.evaluation.references.base import ReferenceClip, build_reference
from tbd.evaluation.scores import Value
from tbd.face.mesh_points import points_of
from tbd.face.motion import Motion

UNSEEN = ("frames", "faces")
"""Fields that need pictures, which an ablation does not make."""


class Truth:
    """A true clip; what is worked out for one variant is kept for the next.

    Args:
        clip: of the reference.
    """

    def __init__(self, clip: ReferenceClip) -> None:
        self.clip = clip

    @cached_property
    def motion(self) -> Motion:
        motion = self.clip.motion()
        if motion is None:
            raise InputError(f"The true motion of {self.clip.id} is not known, and an ablation is measured in motion.")
        return motion

    @cached_property
    def points(self) -> np.ndarray:
        return points_of(self.motion)

    @cached_property
    def audio(self) -> np.ndarray:
        return self.clip.audio()

    @cached_property
    def plan(self) -> Any:
        return self.clip.plan()

    @cached_property
    def plan_motion(self) -> np.ndarray:
        from tbd.think.facs import perform

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
            kind: Of the issue.
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
        return points_of(self._drawn)

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
    """A protocol's clips, or `count` of them, spread evenly.

    Raises:
        InputError: they are not there.
    """
    clips = build_reference(protocol.reference, root).clips()
    count = min(count or len(clips), len(clips))
    return [clips[i * len(clips) // count] for i in range(count)]


def runners(protocol: Protocol) -> list[MetricRunner]:
    """A protocol's metrics, ready to be fed.

    Raises:
        InputError: one of them reads pictures, or cannot be built.
    """
    made = [MetricRunner.of(entry) for entry in protocol.metrics]
    for runner in made:
        field = next((name for name in runner.reads if name.split(".")[1] not in _FIELDS), None)
        if field is not None:
            why = "which needs pictures" if field.split(".")[1] in UNSEEN else "which an ablation does not know"
            raise InputError(
                f"{protocol.id}: the metric {runner.entry.name} reads {field}, {why}; an ablation is measured in motion, as by "
                "procedural-motion-v1."
            )
    return made


_FIELDS = ("motion", "points", "seams", "emotion", "intensity", "audio", "plan_motion", "bilabials")


def measure(protocol: Protocol, truths: Sequence[Truth], drawn: Sequence[Motion]) -> tuple[dict[str, Value], dict[str, dict[str, float]]]:
    """Metric → its result; and of means over clips, metric → clip → number."""
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
