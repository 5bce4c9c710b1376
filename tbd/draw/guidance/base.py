"""How conditional predictions are combined at one denoising step.

    ε̂ = ε(∅) + w_g ⊙ [ε(g) − ε(∅)] + w_ℓ ⊙ [ε(g,ℓ) − ε(g)] + w_a ⊙ [ε(g,ℓ) − ε(g,ℓ, no audio)],   w = Σ_r w_r·M_r

∅ is no plan, g the global emotion, ℓ the local muscles; all are given the audio, but for the last term's second. Each weight is one
number or, by the masks M_r of a face's regions, one for each region. The weights' sum over branches is always 1, so the same
call serves predictions of noise, sample or velocity: at one step these are one affine map of each other. `DiffusersGuidance`,
in a module of its own, is the exception: it combines two branches as a guider of diffusers does, which need not be a weighted
sum.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar, NamedTuple, TypeVar

import torch
from torch import Tensor

from tbd.think.action_units import REGIONS


class Branch(NamedTuple):
    """One condition set: what a prediction is conditioned on."""

    audio: bool
    emotion: bool
    muscles: bool
    portrait: bool = True
    """Whose face it is; only video models that were trained without it draw anything of use where it is withheld."""


UNCOND = Branch(audio=True, emotion=False, muscles=False)
EMOTION = Branch(audio=True, emotion=True, muscles=False)
MUSCLES = Branch(audio=True, emotion=False, muscles=True)
COND = Branch(audio=True, emotion=True, muscles=True)
COND_NO_AUDIO = Branch(audio=False, emotion=True, muscles=True)
NOTHING = Branch(audio=False, emotion=False, muscles=False, portrait=False)


BACKGROUND = "background"
PLACES = (*REGIONS, BACKGROUND)
"""Where a weight may differ: the regions of a face, and what is in none of them, such as a picture's background."""

SCALES = ("emotion_scale", "muscle_scale", "audio_scale")
"""The scales that a user sets by name (``--audio-scale``); a guidance says which of them it has."""

G = TypeVar("G", bound="Guidance")


class Guidance(ABC):
    """Combines the predictions of one denoising step.

    An implementation declares which predictions it wants (`branches`) and combines them (`__call__`). Both are pure: the
    place in the denoising loop is passed in, nothing is remembered between calls. One that must remember the earlier steps of
    a window does so in what `for_sampling` returns, and nowhere else. The denoiser never sees a scale.
    """

    scale_names: ClassVar[tuple[str, ...]] = ()
    """Which of `SCALES` it has, each an attribute of that name."""

    def scales(self) -> dict[str, float]:
        """Its scales: name → strength."""
        return {name: getattr(self, name) for name in self.scale_names}

    def scaled(self: G, **scales: float) -> G:
        """Copy the guidance with other scales.

        Args:
            scales: Name → strength; those that are not named stay.

        Returns:
            The copy.

        Raises:
            ValueError: If the guidance has no scale of a name.
        """
        other = copy.copy(self)
        for name, scale in scales.items():
            if name not in self.scale_names:
                known = ", ".join(self.scale_names) or "none"
                raise ValueError(f"{type(self).__name__} has no {name}; its scales are: {known}.")
            setattr(other, name, scale)
        return other

    def for_sampling(self, timesteps: Tensor) -> "Guidance":
        """Prepare for one window; called at the start of the sampling loop.

        Args:
            timesteps: (N,) timesteps of the noise scheduler, from noise to done.

        Returns:
            What combines the steps of the window: this guidance itself, where nothing is remembered.
        """
        return self

    @abstractmethod
    def branches(self, progress: float) -> tuple[Branch, ...]:
        """The condition sets wanted at `progress` τ = i/(N−1), 0 (noise) .. 1 (done). One whose weight is zero is left out."""

    @abstractmethod
    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        """Combine the predictions of one step.

        Args:
            preds: One prediction per wanted branch, all of one shape (B, ...).
            progress: τ, 0..1.
            masks: (5, ...) weights 0..1 of each region of `REGIONS` over the latent, broadcastable to (5, B, ...).
                None means that every region is everywhere.

        Returns:
            (B, ...) the guided prediction.
        """


class NoGuidance(Guidance):
    """The fully conditioned prediction as it is."""

    def branches(self, progress: float) -> tuple[Branch, ...]:
        """The one branch; see `Guidance.branches`."""
        return (COND,)

    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        """Return the one prediction; see `Guidance.__call__`."""
        return preds[COND]


def require_regions(argument: str, names: Iterable[str] | None) -> None:
    """Refuse names that are no region's.

    Args:
        argument: The argument that the names were given for, as messages call it.
        names: Names of regions; None passes.

    Raises:
        ValueError: If a name is unknown.
    """
    unknown = set(names or ()) - set(REGIONS)
    if unknown:
        raise ValueError(f"{argument} names {', '.join(sorted(unknown))}; the regions are {', '.join(REGIONS)}.")


def within(regions: list[str] | None, weight: float, most: float) -> dict[str, float]:
    """Limit a weight to regions.

    Args:
        regions: The regions that have the full weight; all places where None.
        weight: The weight.
        most: The greatest weight elsewhere.

    Returns:
        Place of `PLACES` → weight.
    """
    return {place: weight if regions is None or place in regions else min(weight, most) for place in PLACES}


def over_regions(weights: Mapping[str, float], like: Tensor, masks: Tensor | None) -> float | Tensor:
    """Compute Σ_r weight_r·M_r over the latent.

    Args:
        weights: Place of `PLACES` → weight; `BACKGROUND`'s acts where no region is.
        like: (B, ...) a tensor of the latent's shape, type and device.
        masks: (5, ...) weights 0..1 of each region of `REGIONS`.

    Returns:
        The weight at each place of the latent; a number where all weights are equal.

    Raises:
        ValueError: If weights differ and there are no masks.
    """
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
    """Compute Σ weight·prediction.

    Args:
        preds: Branch → prediction (B, ...); a branch that is missing has weight 0.
        weights: Branch → weight.

    Returns:
        (B, ...) the sum.
    """
    first, *rest = (weights[branch] * pred for branch, pred in preds.items())
    return sum(rest, torch.as_tensor(first))
