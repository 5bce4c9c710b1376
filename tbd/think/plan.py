"""`MusclePlan` and its parts: what thinking returns, and what a user may read, edit and save."""

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

Emotion = Literal["angry", "contempt", "disgusted", "fear", "happy", "neutral", "sad", "surprised"]
Side = Literal["both", "left", "right"]
Region = Literal["upper", "eyes", "middle", "lower", "head"]

RISE = 0.4
"""Seconds from onset to apex where a plan does not say."""
RELEASE = 0.5
"""Seconds from offset until the muscle is at rest again."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Step(_Part):
    """One named step of the reasoning, in words."""

    title: str
    text: str


class MuscleAction(_Part):
    """One action unit at work.

    `onset` is when it starts to move, `apex` when it is fully there, `offset` when it starts to relax, all in seconds
    from the start of the audio. None is open-ended: no onset means "from before the start", no apex means `RISE` after
    the onset, no offset means "until the end".
    """

    unit: int
    side: Side = "both"
    intensity: float = Field(ge=0, le=1)
    onset: float | None = None
    apex: float | None = None
    offset: float | None = None

    def envelope(self, times: np.ndarray) -> np.ndarray:
        """(T,) intensity at `times` seconds: smooth rise, hold, smooth release."""
        level = np.full(len(times), self.intensity, np.float32)
        if self.onset is not None:
            apex = self.onset + RISE if self.apex is None else max(self.apex, self.onset + 1e-3)
            level *= _smoothstep((times - self.onset) / (apex - self.onset))
        if self.offset is not None:
            level *= 1 - _smoothstep((times - self.offset) / RELEASE)
        return level


class Segment(_Part):
    """A stretch of time with one feeling. `start` is in seconds; no `end` means "until the end"."""

    start: float = 0.0
    end: float | None = None
    emotions: dict[Emotion, float]
    intensity: float = Field(ge=0, le=1)
    description: str = ""


class MusclePlan(_Part):
    """A sentence about a feeling, thought into muscles.

    Args:
        text: the sentence it was thought from.
        reasoning: the chain of thought, step by step.
        emotions: the mix over MEAD's eight emotions; weights sum to 1.
        intensity: 0..1, how strongly it is felt.
        actions: the muscles at work.
        segments: the timeline where feelings follow each other; empty where one feeling lasts.
        description: the global description, for text encoders.
        regions: one local description per region.
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

    def timeline(self) -> tuple[Segment, ...]:
        """The segments; one that lasts throughout where the plan has none."""
        return self.segments or (Segment(emotions=self.emotions, intensity=self.intensity, description=self.description),)


def _smoothstep(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
