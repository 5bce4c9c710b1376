"""How conditional predictions are combined at one denoising step.

    ε̂ = ε(∅) + w_g ⊙ [ε(g) − ε(∅)] + w_ℓ ⊙ [ε(g,ℓ) − ε(g)] + w_a ⊙ [ε(g,ℓ) − ε(g,ℓ, no audio)],   w = Σ_r w_r·M_r

∅ is no plan, g the global emotion, ℓ the local muscles; all hear the audio, but for the last term's second. Each weight is one
number or, by the masks M_r of a face's regions, one for each region. The weights' sum over branches is always 1, so the same
call serves predictions of noise, sample or velocity: at one step these are one affine map of each other. `DiffusersGuidance`,
in a module of its own, is the exception: it combines two branches as a guider of diffusers does, which need not be a weighted
sum.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from tbd.think.action_units import REGIONS


class Branch(NamedTuple):
    """One condition set: what a prediction is conditioned on."""

    audio: bool
    emotion: bool
    muscles: bool


UNCOND = Branch(audio=True, emotion=False, muscles=False)
EMOTION = Branch(audio=True, emotion=True, muscles=False)
COND = Branch(audio=True, emotion=True, muscles=True)
COND_NO_AUDIO = Branch(audio=False, emotion=True, muscles=True)


BACKGROUND = "background"
PLACES = (*REGIONS, BACKGROUND)
"""Where a weight may differ: the regions of a face, and what is in none of them, such as a picture's background."""

SCALES = ("emotion_scale", "muscle_scale", "audio_scale")
"""The three knobs of `ProgressiveGuidance`."""


class Guidance(ABC):
    """Combines the predictions of one denoising step.

    An implementation declares which predictions it wants (`branches`) and combines them (`__call__`). Both are pure: the
    place in the denoising loop is passed in, nothing is remembered between calls. One that must remember the earlier steps of
    a window does so in what `for_sampling` returns, and nowhere else. The denoiser never sees a scale.
    """

    def for_sampling(self, timesteps: Tensor) -> "Guidance":
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
        return (COND,)

    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        return preds[COND]


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
    """Σ_r weight_r·M_r with what is left to `BACKGROUND`; a number where all weights are the same."""
    otherwise = weights[BACKGROUND]
    special = {region: weight for region, weight in weights.items() if weight != otherwise}
    if not special:
        return otherwise
    if masks is None:
        raise ValueError("A guidance that tells regions apart needs their masks over the latent.")
    field = torch.full_like(like, otherwise)
    for region, weight in special.items():
        field = field + (weight - otherwise) * masks[REGIONS.index(region)].to(like)
    return field


def weighted(preds: Mapping[Branch, Tensor], weights: Mapping[Branch, float | Tensor]) -> Tensor:
    """Σ weight·prediction over the branches that are there; the others weigh zero."""
    return sum(weights[branch] * pred for branch, pred in preds.items())
