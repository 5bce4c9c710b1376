"""Drawn motion against true motion, without pictures: a protocol's metrics, clip by clip."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.evaluation.metric_runner import MetricRunner
from tbd.evaluation.protocol import MetricEntry, Protocol
from tbd.evaluation.references.base import ReferenceClip
from tbd.evaluation.references.sources import build_reference
from tbd.evaluation.scores import Value
from tbd.face.motion import Motion
from tbd.face.motion_landmarks import landmarks_from_motion
from tbd.metrics.base import Unmeasurable
from tbd.think.action_units import EMOTIONS

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
        return landmarks_from_motion(self.motion)

    @cached_property
    def audio(self) -> np.ndarray:
        return self.clip.audio()

    @cached_property
    def plan(self) -> Any:
        return self.clip.plan()

    @cached_property
    def asked(self) -> np.ndarray:
        from tbd.think.facs import perform

        return perform(self.plan, len(self.motion))

    @cached_property
    def bilabials(self) -> np.ndarray:
        times = self.clip.bilabials()
        if times is None:
            raise Unmeasurable(f"nobody says when the lips of {self.clip.id} should close")
        return times


class Comparison:
    """One drawn clip and its truth, in the fields that metrics read (see `tbd.metrics.base`). `MetricRunner` reads it.

    Args:
        truth: the clip.
        drawn: of it.
    """

    def __init__(self, truth: Truth, drawn: Motion) -> None:
        self.clip, self._truth, self._drawn = truth.clip, truth, drawn

    def note(self, kind: str, detail: str) -> None:
        """Metrics count what they could not measure themselves."""

    def inputs(self, reads: Sequence[str], entry: MetricEntry) -> list[Any]:
        """What a metric's `update` takes."""
        return [self._field(*name.split(".", 1)) for name in reads]

    @cached_property
    def _points(self) -> np.ndarray:
        return landmarks_from_motion(self._drawn)

    def _field(self, side: str, what: str) -> Any:
        if what == "motion":
            return (self._drawn if side == "preds" else self._truth.motion).values
        if what == "points":
            return self._points if side == "preds" else self._truth.points
        if what == "seams":
            return self._drawn.metadata.get("seams", ())
        if what == "emotion":
            if self.clip.emotion is None:
                raise Unmeasurable(f"nobody says what {self.clip.id} feels")
            return EMOTIONS.index(self.clip.emotion)
        if what == "intensity":
            return (self.clip.level or 3) / 3
        return getattr(self._truth, what)  # audio, asked, bilabials


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


_FIELDS = ("motion", "points", "seams", "emotion", "intensity", "audio", "asked", "bilabials")


def measure(protocol: Protocol, truths: Sequence[Truth], drawn: Sequence[Motion]) -> tuple[dict[str, Value], dict[str, dict[str, float]]]:
    """Metric → its result; and of means over clips, metric → clip → number."""
    made = runners(protocol)
    for truth, motion in zip(truths, drawn):
        comparison, shared = Comparison(truth, motion), {}
        for runner in made:
            runner.update(comparison, shared)
    values = {runner.entry.name: runner.value() for runner in made}
    by_clip = {
        runner.entry.name: {clip: numbers[values[runner.entry.name].reported] for clip, numbers in runner.found.items()}
        for runner in made
        if runner.found
    }
    return values, by_clip
