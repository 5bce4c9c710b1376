"""`MusclePlan` and its parts: what thinking returns, and what a user may read, edit and save."""

import json
import math
import os
from collections.abc import Iterable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from tbd.errors import InputError
from tbd.think.action_units import ACTION_UNITS, TOGETHER, Region, Side, describe_unknown
from tbd.think.emotions import Emotion
from tbd.utils.atomic import atomic_output

if TYPE_CHECKING:
    import numpy as np

__all__ = ["RELEASE", "RISE", "TAIL", "Emotion", "MuscleAction", "MusclePlan", "Region", "Segment", "Side", "Step", "mix_over_time"]

RISE = 0.4
"""Seconds from onset to apex where a plan does not say."""
RELEASE = 0.5
"""Seconds from offset until the muscle is at rest again."""
TAIL = 3.0
"""Seconds shown after the last change of a plan that has no end of its own."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Step(_Part):
    """One named step of the reasoning, in words.

    Example:
        >>> Step(title="What is felt", text="She is sad.").title
        'What is felt'
    """

    title: str
    text: str


class MuscleAction(_Part):
    """One action unit at work.

    `onset` is when it starts to move, `apex` when it is fully there, `offset` when it starts to relax, all in seconds
    from the start of the audio. None is open-ended: no onset means "from before the start", no apex means `RISE` after
    the onset, no offset means "until the end".

    Raises:
        pydantic.ValidationError: If an unknown unit, a side that it does not act on, an intensity outside 0..1, or times
            that are not finite or not in order. `MusclePlan.from_json` turns it into one sentence.

    Example:
        >>> smile = MuscleAction(unit=12, intensity=0.6, onset=1.0, offset=3.0)
        >>> import numpy as np
        >>> smile.envelope(np.array([0.0, 2.0, 5.0])).round(2).tolist()
        [0.0, 0.6000000238418579, 0.0]
    """

    unit: int
    side: Side = "both"
    intensity: float = Field(ge=0, le=1)
    onset: float | None = None
    apex: float | None = None
    offset: float | None = None

    @field_validator("unit")
    @classmethod
    def _known(cls, unit: int) -> int:
        if unit not in ACTION_UNITS:
            raise ValueError(describe_unknown(unit))
        return unit

    @model_validator(mode="after")
    def _possible(self) -> "MuscleAction":
        unit = ACTION_UNITS[self.unit]
        if self.side not in unit.sides:
            right = 'both sides at once: give side "both"' if unit.sides == TOGETHER else 'one side only: give side "left" or "right"'
            raise ValueError(f"AU{self.unit} ({unit.name}) acts on {right}.")
        times = [(name, time) for name in ("onset", "apex", "offset") if (time := getattr(self, name)) is not None]
        for (earlier, t0), (later, t1) in pairwise(times):
            if t0 > t1:
                raise ValueError(f"AU{self.unit} has its {earlier} at {t0:g} s after its {later} at {t1:g} s; put the times in order.")
        return self

    def envelope(self, times: "np.ndarray") -> "np.ndarray":
        """(T,) intensity at `times` seconds: smooth rise, hold, smooth release."""
        import numpy as np  # a cold `tbd think` is faster without

        from tbd.utils.tracks import smoothstep

        level = np.full(len(times), self.intensity, np.float32)
        if self.onset is not None:
            apex = self.onset + RISE if self.apex is None else max(self.apex, self.onset + 1e-3)
            level *= smoothstep((times - self.onset) / (apex - self.onset))
        if self.offset is not None:
            level *= 1 - smoothstep((times - self.offset) / RELEASE)
        return level


def _mix(emotions: dict[Emotion, float]) -> dict[Emotion, float]:
    """Weights that sum to 1; refuses those that cannot."""
    for emotion, weight in emotions.items():
        if weight < 0:
            raise ValueError(f"the weight of {emotion} is {weight:g}; weights are 0 or more.")
    total = math.fsum(emotions.values())
    if total <= 0:
        raise ValueError("an emotion mix needs at least one weight above 0.")
    if abs(total - 1) < 1e-6:  # as close as rounded JSON gets; leaving it alone keeps a plan's round trip exact
        return emotions
    return {emotion: weight / total for emotion, weight in emotions.items()}


class Segment(_Part):
    """A stretch of time with one feeling. `start` is in seconds; no `end` means "until the end".

    The weights of `emotions` are scaled to sum to 1.

    Example:
        >>> Segment(start=1, end=3, emotions={"happy": 2, "sad": 2}, intensity=0.5).emotions
        {'happy': 0.5, 'sad': 0.5}
    """

    start: float = Field(default=0.0, ge=0)
    end: float | None = None
    emotions: dict[Emotion, float]
    intensity: float = Field(ge=0, le=1)
    description: str = ""

    _weights = field_validator("emotions")(_mix)

    @model_validator(mode="after")
    def _lasts(self) -> "Segment":
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"a segment from {self.start:g} s to {self.end:g} s has no length; its end must come after its start.")
        return self


def mix_over_time(segments: Iterable[Segment], seconds: float) -> dict[Emotion, float]:
    """Mix the emotions of a timeline, each by its share of the time.

    Args:
        segments: In order.
        seconds: Where the last segment ends if it has no end of its own.

    Returns:
        Weights that sum to 1.

    Example:
        >>> mix_over_time([Segment(end=1.0, emotions={"sad": 1}, intensity=1), Segment(start=1.0, emotions={"happy": 1}, intensity=1)], 4.0)
        {'sad': 0.25, 'happy': 0.75}
    """
    total: dict[Emotion, float] = {}
    for segment in segments:
        for emotion, weight in segment.emotions.items():
            total[emotion] = total.get(emotion, 0.0) + weight * ((seconds if segment.end is None else segment.end) - segment.start)
    return {emotion: weight / sum(total.values()) for emotion, weight in total.items()}


class MusclePlan(_Part):
    """A sentence about a feeling, thought into muscles.

    Args:
        text: The sentence it was thought from.
        reasoning: The chain of thought, step by step.
        emotions: The mix of emotions; weights are scaled to sum to 1.
        intensity: 0..1, how strongly it is felt.
        actions: The muscles at work.
        segments: The timeline where feelings follow each other; empty where one feeling lasts.
        description: The global description, for text encoders.
        regions: One local description per region.
        notes: What the planner wants its user to know (nothing was understood, a word was ambiguous).

    Example:
        >>> plan = MusclePlan.from_json('{"actions": [{"unit": 12, "intensity": 0.4}], "emotions": {"happy": 2}}')
        >>> plan.actions[0].unit, plan.emotions
        (12, {'happy': 1.0})
        >>> MusclePlan.from_json('{"actions": [{"unit": 12, "intensity": 3}]}')
        Traceback (most recent call last):
        tbd.errors.InputError: The plan is not valid: actions[0].intensity is 3; it should be at most 1.
    """

    version: Literal[1] = 1
    text: str = ""
    reasoning: tuple[Step, ...] = ()
    emotions: dict[Emotion, float] = Field(default_factory=lambda: {"neutral": 1.0})
    intensity: float = Field(default=0.0, ge=0, le=1)
    actions: tuple[MuscleAction, ...] = ()
    segments: tuple[Segment, ...] = ()
    description: str = ""
    regions: dict[Region, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()

    _weights = field_validator("emotions")(_mix)

    @field_validator("text")
    @classmethod
    def _whole_characters(cls, text: str) -> str:
        """Half a character, as a terminal in another encoding gives, would not survive JSON."""
        return text.encode("utf-8", "replace").decode()

    @field_validator("segments")
    @classmethod
    def _in_order(cls, segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
        for before, after in pairwise(segments):
            if after.start < before.start or (before.end is not None and after.start < before.end - 1e-6):
                raise ValueError(f"the segment that starts at {after.start:g} s begins before the one ahead of it is over; order them.")
        return segments

    def timeline(self) -> tuple[Segment, ...]:
        """The segments; one that lasts throughout where the plan has none."""
        return self.segments or (Segment(emotions=self.emotions, intensity=self.intensity, description=self.description),)

    def horizon(self) -> float:
        """Seconds that a picture of the plan covers: `TAIL` beyond its last change, or all of a timeline that ends."""
        times = [t for a in self.actions for t in (a.onset, a.apex, a.offset) if t is not None]
        ends = [s.end for s in self.segments if s.end is not None]
        starts = [*(s.start for s in self.segments), *(a.onset for a in self.actions if a.onset is not None)]
        closed = bool(self.segments) and self.segments[-1].end is not None
        return max([*times, *ends, 1.0]) if closed else max([*times, *ends, max(starts, default=0.0) + TAIL])

    @classmethod
    def from_json(cls, text: str | bytes, source: str = "The plan") -> "MusclePlan":
        """Read what `to_json` wrote, or a user did.

        Args:
            text: JSON.
            source: What the error sentence calls it, for instance the file's name.

        Returns:
            The plan.

        Raises:
            InputError: If the plan is not valid; one sentence says what is wrong, and where.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise InputError(f"{source} is not valid: {explain(error)}") from error

    def to_json(self) -> str:
        """Indented JSON that `from_json` reads back exactly."""
        return self.model_dump_json(indent=2)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "MusclePlan":
        """Read a plan file.

        Args:
            path: The JSON file.

        Returns:
            The plan.

        Raises:
            InputError: If the file is missing, unreadable or no valid plan.
        """
        path = Path(path)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise InputError(f"There is no plan file {path}.") from None
        except OSError as error:
            raise InputError(f"Cannot read the plan {path}: {error.strerror}.") from error
        text: str | bytes = content
        with suppress(UnicodeDecodeError):
            text = content.decode(json.detect_encoding(content))  # Windows' shells and editors write UTF-16 and byte order marks
        return cls.from_json(text, source=str(path))

    def save(self, path: str | os.PathLike) -> None:
        """Write the plan as JSON."""
        with atomic_output(path) as temporary:
            temporary.write_text(self.to_json() + "\n", encoding="utf-8")


def explain(error: ValidationError) -> str:
    """The first of pydantic's complaints as one sentence, with the count of the rest."""
    complaints = error.errors()
    first = complaints[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"] if part != "[key]").lstrip(".")
    place += ": " if first["type"] == "value_error" and place else " " * bool(place)
    reason = _reason(first)
    more = f" ({len(complaints) - 1} more like it)" if len(complaints) > 1 else ""
    return f"{place}{reason}".rstrip(".") + more + "."


def _reason(complaint: ErrorDetails) -> str:
    kind, given, context = complaint["type"], complaint["input"], complaint.get("ctx", {})
    if kind == "json_invalid":
        return f"it holds no JSON ({context['error']})"
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is no part of a plan; remove it or correct its name"
    if kind == "value_error":
        return str(context["error"])
    shown = repr(given) if len(repr(given)) <= 60 else f"{repr(given)[:57]}..."
    if kind in ("less_than_equal", "greater_than_equal"):
        bound = f"at most {context['le']:g}" if kind == "less_than_equal" else f"at least {context['ge']:g}"
        return f"is {shown}; it should be {bound}"
    if kind == "literal_error":
        return f"is {shown}; it should be {context['expected']}"
    return f"is {shown}; {complaint['msg'][0].lower()}{complaint['msg'][1:]}"
