"""How conditional predictions are combined at one denoising step.

    ε̂ = ε(∅) + w_g ⊙ [ε(g) − ε(∅)] + w_ℓ ⊙ [ε(g,ℓ) − ε(g)] + w_a ⊙ [ε(g,ℓ) − ε(g,ℓ, no audio)],   w = Σ_r w_r·M_r

∅ is no plan, g the global emotion, ℓ the local muscles; all hear the audio, but for the last term's second. Each weight is one
number or, by the masks M_r of a face's regions, one for each region. The weights' sum over branches is always 1, so the same
call serves predictions of noise, sample or velocity: at one step these are one affine map of each other. `DiffusersGuidance`,
in a module of its own, is the exception: it combines two branches as a guider of diffusers does, which need not be a weighted
sum.
"""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from torch import Tensor

from tbd.think.action_units import REGIONS

if TYPE_CHECKING:
    from tbd.draw.diffusers_guidance import DiffusersGuidance as DiffusersGuidance


def __getattr__(name: str) -> Any:
    """`DiffusersGuidance` beside the others, without diffusers, which takes seconds, where nobody asks for it."""
    if name == "DiffusersGuidance":
        from tbd.draw.diffusers_guidance import DiffusersGuidance

        return DiffusersGuidance
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Branch(NamedTuple):
    """One condition set: what a prediction was told."""

    audio: bool
    emotion: bool
    muscles: bool


UNPLANNED = Branch(audio=True, emotion=False, muscles=False)
EMOTION = Branch(audio=True, emotion=True, muscles=False)
FULL = Branch(audio=True, emotion=True, muscles=True)
UNHEARD = Branch(audio=False, emotion=True, muscles=True)


NOWHERE = "nowhere"
PLACES = (*REGIONS, NOWHERE)
"""Where a weight may differ: the regions of a face, and what is in none of them, such as a picture's background."""

SCALES = ("emotion_scale", "muscle_scale", "audio_scale")
"""The three knobs of `ProgressiveGuidance`."""


class Guidance(ABC):
    """Combines the predictions of one denoising step.

    An implementation declares which predictions it wants (`branches`) and combines them (`__call__`). Both are pure: the
    place in the denoising loop is passed in, nothing is remembered between calls. One that must remember the earlier steps of
    a window does so in what `started` returns, and nowhere else. The denoiser never sees a scale.
    """

    def started(self, timesteps: Tensor) -> "Guidance":
        """What combines the steps of one window: itself, where nothing is remembered. The sampling loop calls it first.

        Args:
            timesteps: (N,) of the noise scheduler, from noise to done.
        """
        return self

    @abstractmethod
    def branches(self, progress: float) -> tuple[Branch, ...]:
        """The condition sets wanted at `progress` τ = i/(N−1), 0 (noise) .. 1 (done). One whose weight is zero is left out."""

    @abstractmethod
    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        """Combine.

        Args:
            preds: one prediction per wanted branch, all of one shape (B, ...).
            progress: τ, 0..1.
            masks: (5, ...) weights 0..1 of each region of `REGIONS` over the latent, broadcastable to (5, B, ...).
                None means that every region is everywhere.

        Returns:
            (B, ...) the guided prediction.
        """


class NoGuidance(Guidance):
    """The fully conditioned prediction as it is."""

    def branches(self, progress: float) -> tuple[Branch, ...]:
        return (FULL,)

    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        return preds[FULL]


class ClassifierFreeGuidance(Guidance):
    """ε(∅) + scale·[ε(g,ℓ) − ε(∅)], the same at every step (Ho & Salimans 2022, arXiv 2207.12598).

    Args:
        scale: 0 ignores the plan, 1 follows it, more exaggerates it.
    """

    def __init__(self, scale: float = 2.0) -> None:
        self.scale = scale

    def branches(self, progress: float) -> tuple[Branch, ...]:
        return tuple(b for b, w in ((UNPLANNED, 1 - self.scale), (FULL, self.scale)) if w)

    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        return _weighted(preds, {UNPLANNED: 1 - self.scale, FULL: self.scale})


class ProgressiveGuidance(Guidance):
    """Global emotion first, local muscles after: w_g falls and w_ℓ rises around the switch point.

    The three scales are three separate knobs; each at 1 follows its condition as trained. Knobs that act on the same channels
    pull on each other through the denoiser, whatever the formula says; give each its own regions to keep them apart.

    Args:
        emotion_scale: strength of the global emotion.
        muscle_scale: strength of the local muscles.
        audio_scale: strength of the voice: 1 as trained, 0 unheard. (w_a of the formula is `audio_scale` − 1, since the
            other branches hear the audio already.)
        switch: τ_s, the progress 0..1 where global gives way to local.
        width: how much of the progress the change takes; a ``step`` takes none.
        schedule: shape of the change.
        emotion_floor: fraction of the emotion's weight that stays after the switch.
        muscle_floor: fraction of the muscles' weight that is there before it.
        region_scales: an extra factor on the muscles of a region, 1 where it is not named.
        emotion_regions: where the emotion may be exaggerated; everywhere where not given. Elsewhere its weight is at most 1, as
            trained: a face that feels strongly in all regions but the ``lower`` leaves the mouth to the voice.
        muscle_regions: the same for the muscles. Those that are not exaggerated in the ``eyes`` and the ``head`` leave gaze and
            posture to the emotion, so that one scale hardly moves what the other does.
        audio_regions: the same for the voice. One that is exaggerated in the ``lower`` face alone articulates more and leaves
            gaze and head, which tell the feeling, alone.

    Example:
        >>> guidance = ProgressiveGuidance(switch=0.5, schedule="step", emotion_floor=0.0)
        >>> guidance.weights(0.0), guidance.weights(1.0)
        ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    """

    def __init__(
        self,
        emotion_scale: float = 1.0,
        muscle_scale: float = 1.0,
        audio_scale: float = 1.0,
        switch: float = 0.3,
        width: float = 0.4,
        schedule: Literal["step", "linear", "cosine"] = "cosine",
        emotion_floor: float = 0.5,
        muscle_floor: float = 0.0,
        region_scales: dict[str, float] | None = None,
        emotion_regions: list[str] | None = None,
        muscle_regions: list[str] | None = None,
        audio_regions: list[str] | None = None,
    ) -> None:
        require_regions("region_scales", region_scales)
        require_regions("emotion_regions", emotion_regions)
        require_regions("muscle_regions", muscle_regions)
        require_regions("audio_regions", audio_regions)
        if schedule not in ("step", "linear", "cosine"):
            raise ValueError(f"schedule is step, linear or cosine, not {schedule!r}.")
        if not 0 <= switch <= 1:
            raise ValueError(f"switch is a progress from 0 to 1, not {switch}.")
        self.emotion_scale, self.muscle_scale, self.audio_scale = emotion_scale, muscle_scale, audio_scale
        self.switch, self.width, self.schedule = switch, width, schedule
        self.emotion_floor, self.muscle_floor = emotion_floor, muscle_floor
        self.region_scales = dict(region_scales or {})
        self.emotion_regions, self.muscle_regions, self.audio_regions = emotion_regions, muscle_regions, audio_regions

    def scaled(self, **scales: float) -> "ProgressiveGuidance":
        """The same guidance with other scales.

        Example:
            >>> ProgressiveGuidance(muscle_scale=2.0).scaled(audio_scale=1.5).muscle_scale
            2.0
        """
        other = copy.copy(self)
        for name, scale in scales.items():
            if name not in SCALES:
                raise ValueError(f"A scale is one of {', '.join(SCALES)}, not {name}.")
            setattr(other, name, scale)
        return other

    def ramp(self, progress: float) -> float:
        """0 before the switch, 1 after it."""
        if self.schedule == "step" or self.width <= 0:
            return float(progress >= self.switch)
        x = min(max((progress - self.switch) / self.width + 0.5, 0.0), 1.0)
        return x if self.schedule == "linear" else (1 - math.cos(math.pi * x)) / 2

    def weights(self, progress: float) -> tuple[float, float, float]:
        """w_g, w_ℓ and w_a at `progress`, before any region differs."""
        r = self.ramp(progress)
        emotion = self.emotion_scale * (1 - (1 - self.emotion_floor) * r)
        muscles = self.muscle_scale * (self.muscle_floor + (1 - self.muscle_floor) * r)
        return emotion, muscles, self.audio_scale - 1.0

    def branches(self, progress: float) -> tuple[Branch, ...]:
        emotion, muscles, voice = self._weights_over_face(progress)
        wanted = {
            UNPLANNED: any(weight != 1 for weight in emotion.values()),
            EMOTION: emotion != muscles,
            FULL: any(muscles[place] + voice[place] for place in PLACES),
            UNHEARD: any(voice.values()),
        }
        return tuple(branch for branch, want in wanted.items() if want)

    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        like = next(iter(preds.values()))
        w_g, w_l, w_a = (over_regions(weights, like, masks) for weights in self._weights_over_face(progress))
        return _weighted(preds, {UNPLANNED: 1 - w_g, EMOTION: w_g - w_l, FULL: w_l + w_a, UNHEARD: -w_a})

    def _weights_over_face(self, progress: float) -> tuple[dict[str, float], ...]:
        """w_g, w_ℓ and w_a at each of `PLACES`."""
        w_g, w_l, w_a = self.weights(progress)
        muscles = within(self.muscle_regions, w_l, 1.0)
        scaled = {place: weight * self.region_scales.get(place, 1.0) for place, weight in muscles.items()}
        return within(self.emotion_regions, w_g, 1.0), scaled, within(self.audio_regions, w_a, 0.0)


def require_regions(argument: str, names: Iterable[str] | None) -> None:
    """Refuse names that are no region's.

    Raises:
        ValueError: `argument` names some.
    """
    unknown = set(names or ()) - set(REGIONS)
    if unknown:
        raise ValueError(f"{argument} names {', '.join(sorted(unknown))}; the regions are {', '.join(REGIONS)}.")


def within(regions: list[str] | None, weight: float, most: float) -> dict[str, float]:
    """Place of `PLACES` → `weight` in `regions` and at most `most` elsewhere; `weight` everywhere where these are None."""
    return {place: weight if regions is None or place in regions else min(weight, most) for place in PLACES}


def over_regions(weights: Mapping[str, float], like: Tensor, masks: Tensor | None) -> float | Tensor:
    """Σ_r weight_r·M_r with what is left to `NOWHERE`; a number where all weights are the same."""
    otherwise = weights[NOWHERE]
    special = {region: weight for region, weight in weights.items() if weight != otherwise}
    if not special:
        return otherwise
    if masks is None:
        raise ValueError("A guidance that tells regions apart needs their masks over the latent.")
    field = torch.full_like(like, otherwise)
    for region, weight in special.items():
        field = field + (weight - otherwise) * masks[REGIONS.index(region)].to(like)
    return field


def _weighted(preds: Mapping[Branch, Tensor], weights: Mapping[Branch, float | Tensor]) -> Tensor:
    """Σ weight·prediction over the branches that are there; the others weigh zero."""
    return sum(weights[branch] * pred for branch, pred in preds.items())
