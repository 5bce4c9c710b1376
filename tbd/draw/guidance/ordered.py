"""`OrderedGuidance`: emotion first, muscles first, or both throughout, with the same mean weights: what an order does by itself."""

from collections.abc import Mapping
from typing import Literal

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
from tbd.draw.guidance.progressive import Schedule, ramp, require_schedule


class OrderedGuidance(Guidance):
    """One condition first, the other after, or both throughout, at equal mean weights.

        emotion first    ε(∅) + w_g·[ε(g) − ε(∅)] + w_ℓ·[ε(g,ℓ) − ε(g)]
        muscles first    ε(∅) + w_ℓ·[ε(ℓ) − ε(∅)] + w_g·[ε(g,ℓ) − ε(ℓ)]

    The first condition's weight falls from scale·(1 + contrast) to scale·(1 − contrast), the second's rises by as much, symmetrically
    around the middle of the steps. So each weight's mean over the steps is its scale whatever the order, the contrast and the number
    of steps, and so is the mean weight of every branch: orders that differ in a result differ by the order alone. Without an order, or
    with a contrast of 0, and equal scales it is `ClassifierFreeGuidance` in all three.

    ε(ℓ), the muscles without the emotion, is learnt where `ConditioningDropout.emotion_alone` is above 0. (A model whose
    ``uncond_mode`` is ``neutral`` is given the muscles with a neutral emotion instead.)

    Args:
        first: ``emotion``, ``muscles``, or ``neither`` for both throughout.
        emotion_scale: Mean strength of the emotion: 1 as trained.
        muscle_scale: Mean strength of the muscles.
        audio_scale: Strength of the audio: 1 as trained, 0 ignores it.
        contrast: How far the weights move: 1 from twice the scale to nothing.
        width: How much of the progress the change takes; a ``step`` takes none.
        schedule: Shape of the change.
        audio_regions: Where the audio may be exaggerated; everywhere where not given. Elsewhere its scale is at most 1.

    Raises:
        ValueError: If the order, the schedule or a region is unknown.

    Example:
        >>> guidance = OrderedGuidance(first="muscles", emotion_scale=1.5, muscle_scale=1.5)
        >>> [guidance.weights(i / 4) for i in (0, 2, 4)]
        [(0.0, 3.0), (1.5, 1.5), (3.0, 0.0)]
    """

    scale_names = SCALES

    def __init__(
        self,
        first: Literal["emotion", "muscles", "neither"] = "emotion",
        emotion_scale: float = 1.0,
        muscle_scale: float = 1.0,
        audio_scale: float = 1.0,
        contrast: float = 1.0,
        width: float = 0.5,
        schedule: Schedule = "cosine",
        audio_regions: list[str] | None = None,
    ) -> None:
        if first not in ("emotion", "muscles", "neither"):
            raise ValueError(f"first is emotion, muscles or neither, not {first!r}.")
        require_schedule(schedule)
        require_regions("audio_regions", audio_regions)
        self.first, self.contrast, self.width, self.schedule = first, contrast, width, schedule
        self.emotion_scale, self.muscle_scale, self.audio_scale = emotion_scale, muscle_scale, audio_scale
        self.audio_regions = audio_regions

    def weights(self, progress: float) -> tuple[float, float]:
        """Compute w_g and w_ℓ at `progress`."""
        if self.first == "neither":
            return self.emotion_scale, self.muscle_scale
        # from 1 to −1, odd about the middle, so that the mean over evenly spaced steps is 0
        swing = self.contrast * (ramp(1 - progress, 0.5, self.width, self.schedule) - ramp(progress, 0.5, self.width, self.schedule))
        if self.first == "muscles":
            swing = -swing
        return self.emotion_scale * (1 + swing), self.muscle_scale * (1 - swing)

    def branches(self, progress: float) -> tuple[Branch, ...]:
        """Name the wanted branches; see `Guidance.branches`."""
        weights, audio = self._plan_weights(progress), self._audio_weights()
        wanted = {branch: bool(weight) for branch, weight in weights.items()}
        wanted[COND] = any(weights[COND] + audio[place] for place in PLACES)
        wanted[COND_NO_AUDIO] = any(audio.values())
        return tuple(branch for branch, want in wanted.items() if want)

    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        """Combine the predictions of one step; see `Guidance.__call__`."""
        weights: dict[Branch, float | Tensor] = {**self._plan_weights(progress)}
        w_a = over_regions(self._audio_weights(), next(iter(preds.values())), masks)
        return weighted(preds, {**weights, COND: weights[COND] + w_a, COND_NO_AUDIO: -w_a})

    def _plan_weights(self, progress: float) -> dict[Branch, float]:
        """Each branch's weight, that of the audio aside."""
        w_g, w_l = self.weights(progress)
        if self.first == "muscles":
            return {UNCOND: 1 - w_l, MUSCLES: w_l - w_g, COND: w_g}
        return {UNCOND: 1 - w_g, EMOTION: w_g - w_l, COND: w_l}

    def _audio_weights(self) -> dict[str, float]:
        return within(self.audio_regions, self.audio_scale - 1.0, 0.0)
