"""`ClassifierFreeGuidance`: with plan against without, at one strength."""

from collections.abc import Mapping

from torch import Tensor

from tbd.draw.guidance.base import COND, UNCOND, Branch, Guidance, weighted


class ClassifierFreeGuidance(Guidance):
    """ε(∅) + scale·[ε(g,ℓ) − ε(∅)], the same at every step (Ho & Salimans 2022, arXiv 2207.12598).

    Args:
        scale: 0 ignores the plan, 1 follows it, more exaggerates it.

    Example:
        >>> import torch
        >>> ClassifierFreeGuidance(2.0)({UNCOND: torch.tensor([1.0]), COND: torch.tensor([2.0])}, progress=0.0)
        tensor([3.])
    """

    def __init__(self, scale: float = 2.0) -> None:
        self.scale = scale

    def branches(self, progress: float) -> tuple[Branch, ...]:
        """Name the wanted branches; see `Guidance.branches`."""
        return tuple(b for b, w in ((UNCOND, 1 - self.scale), (COND, self.scale)) if w)

    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        """Combine the predictions of one step; see `Guidance.__call__`."""
        return weighted(preds, {UNCOND: 1 - self.scale, COND: self.scale})
