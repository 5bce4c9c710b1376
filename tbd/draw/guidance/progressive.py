"""`ProgressiveGuidance`: from the global emotion to local muscles along the denoising steps."""

import math
from collections.abc import Mapping
from typing import Literal, get_args

from torch import Tensor

from tbd.draw.guidance.base import (
    COND,
    COND_NO_AUDIO,
    EMOTION,
    MUSCLES,
    PLACES,
    SCALES,
    UNCOND,
    Branch,
    Guidance,
    over_regions,
    require_regions,
    weighted,
    within,
)

Schedule = Literal["step", "linear", "cosine"]
"""Shapes of a change along the denoising steps."""


class ProgressiveGuidance(Guidance):
    """Global emotion first, local muscles after: w_g falls and w_ℓ rises around the switch point.

    The three scales are three separate knobs; each at 1 follows its condition as trained. Knobs that act on the same channels
    pull on each other through the denoiser, whatever the formula says; give each its own regions to keep them apart.

    Args:
        emotion_scale: Strength of the global emotion.
        muscle_scale: Strength of the local muscles.
        audio_scale: Strength of the audio: 1 as trained, 0 ignores it. (w_a of the formula is `audio_scale` − 1, since the
            other branches are given the audio already.)
        switch: τ_s, the progress 0..1 where global gives way to local.
        width: How much of the progress the change takes; a ``step`` takes none.
        schedule: Shape of the change.
        emotion_floor: Fraction of the emotion's weight that stays after the switch.
        muscle_floor: Fraction of the muscles' weight that is there before it.
        region_scales: An extra factor on the muscles of a region, 1 where it is not named.
        emotion_regions: Where the emotion may be exaggerated; everywhere where not given. Elsewhere its weight is at most 1, as
            trained: an emotion that is exaggerated in all regions but the ``lower`` leaves the mouth to the audio.
        muscle_regions: The same for the muscles. Those that are not exaggerated in the ``eyes`` and the ``head`` leave gaze and
            posture to the emotion, so that one scale hardly moves what the other does.
        audio_regions: The same for the audio. If it is exaggerated in the ``lower`` face alone, articulation grows while gaze and
            head, which express the emotion, stay.
        alone: The condition whose term is formed without the other. ``emotion``: ε(g) − ε(∅), and ε(g,ℓ) − ε(g) for the muscles.
            ``muscles``: ε(ℓ) − ε(∅), and ε(g,ℓ) − ε(ℓ) for the emotion. A model that is told a feeling alone guesses its muscles, and the
            first form takes that guess back, the more of it the higher the muscles' scale; the second leaves it where it is.

    Raises:
        ValueError: If a region or the schedule is unknown, `alone` is neither, or the switch is outside 0..1.

    Example:
        >>> guidance = ProgressiveGuidance(switch=0.5, schedule="step", emotion_floor=0.0)
        >>> guidance.weights(0.0), guidance.weights(1.0)
        ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
        >>> guidance.scaled(audio_scale=1.5).scales()
        {'emotion_scale': 1.0, 'muscle_scale': 1.0, 'audio_scale': 1.5}
    """

    scale_names = SCALES

    def __init__(
        self,
        emotion_scale: float = 1.0,
        muscle_scale: float = 1.0,
        audio_scale: float = 1.0,
        switch: float = 0.3,
        width: float = 0.4,
        schedule: Schedule = "cosine",
        emotion_floor: float = 0.5,
        muscle_floor: float = 0.0,
        region_scales: dict[str, float] | None = None,
        emotion_regions: list[str] | None = None,
        muscle_regions: list[str] | None = None,
        audio_regions: list[str] | None = None,
        alone: Literal["emotion", "muscles"] = "emotion",
    ) -> None:
        require_regions("region_scales", region_scales)
        require_regions("emotion_regions", emotion_regions)
        require_regions("muscle_regions", muscle_regions)
        require_regions("audio_regions", audio_regions)
        require_schedule(schedule)
        if not 0 <= switch <= 1:
            raise ValueError(f"switch is a progress from 0 to 1, not {switch}.")
        if alone not in ("emotion", "muscles"):
            raise ValueError(f"alone is emotion or muscles, not {alone!r}.")
        self.emotion_scale, self.muscle_scale, self.audio_scale = emotion_scale, muscle_scale, audio_scale
        self.switch, self.width, self.schedule = switch, width, schedule
        self.emotion_floor, self.muscle_floor = emotion_floor, muscle_floor
        self.region_scales = dict(region_scales or {})
        self.emotion_regions, self.muscle_regions, self.audio_regions = emotion_regions, muscle_regions, audio_regions
        self.alone = alone

    def ramp(self, progress: float) -> float:
        """Compute the change: 0 before the switch, 1 after it."""
        return ramp(progress, self.switch, self.width, self.schedule)

    def weights(self, progress: float) -> tuple[float, float, float]:
        """Compute w_g, w_ℓ and w_a at `progress`, before any region differs."""
        r = self.ramp(progress)
        emotion = self.emotion_scale * (1 - (1 - self.emotion_floor) * r)
        muscles = self.muscle_scale * (self.muscle_floor + (1 - self.muscle_floor) * r)
        return emotion, muscles, self.audio_scale - 1.0

    def branches(self, progress: float) -> tuple[Branch, ...]:
        """Name the wanted branches; see `Guidance.branches`."""
        emotion, muscles, audio = self._weights_over_face(progress)
        first, last = (emotion, muscles) if self.alone == "emotion" else (muscles, emotion)
        wanted = {
            UNCOND: any(weight != 1 for weight in first.values()),
            self._alone: first != last,
            COND: any(last[place] + audio[place] for place in PLACES),
            COND_NO_AUDIO: any(audio.values()),
        }
        return tuple(branch for branch, want in wanted.items() if want)

    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        """Combine the predictions of one step; see `Guidance.__call__`."""
        like = next(iter(preds.values()))
        w_g, w_l, w_a = (over_regions(weights, like, masks) for weights in self._weights_over_face(progress))
        first, last = (w_g, w_l) if self.alone == "emotion" else (w_l, w_g)
        return weighted(preds, {UNCOND: 1 - first, self._alone: first - last, COND: last + w_a, COND_NO_AUDIO: -w_a})

    @property
    def _alone(self) -> Branch:
        return EMOTION if self.alone == "emotion" else MUSCLES

    def _weights_over_face(self, progress: float) -> tuple[dict[str, float], ...]:
        """w_g, w_ℓ and w_a at each of `PLACES`."""
        w_g, w_l, w_a = self.weights(progress)
        muscles = within(self.muscle_regions, w_l, 1.0)
        scaled = {place: weight * self.region_scales.get(place, 1.0) for place, weight in muscles.items()}
        return within(self.emotion_regions, w_g, 1.0), scaled, within(self.audio_regions, w_a, 0.0)


def require_schedule(schedule: str) -> None:
    """Refuse a shape that is none of `Schedule`."""
    if schedule not in get_args(Schedule):
        raise ValueError(f"schedule is step, linear or cosine, not {schedule!r}.")


def ramp(progress: float, switch: float, width: float, schedule: str) -> float:
    """Compute a change from 0 to 1 along the denoising steps.

    Args:
        progress: τ, 0..1.
        switch: The progress at the middle of the change.
        width: How much of the progress the change takes.
        schedule: Its shape: ``step``, ``linear`` or ``cosine``.

    Returns:
        0 before the change, 1 after it.

    Example:
        >>> [ramp(progress, 0.5, 0.5, "linear") for progress in (0.25, 0.375, 0.5, 0.75)]
        [0.0, 0.25, 0.5, 1.0]
    """
    if schedule == "step" or width <= 0:
        return float(progress >= switch)
    x = min(max((progress - switch) / width + 0.5, 0.0), 1.0)
    return x if schedule == "linear" else (1 - math.cos(math.pi * x)) / 2
