"""`ClassifierFreeGuidance`: plan and voice against no plan, at one strength."""

from collections.abc import Mapping

from torch import Tensor

from tbd.draw.guidance.base import COND, UNCOND, Branch, Guidance, weighted


class ClassifierFreeGuidance(Guidance):
    """ε(∅) + scale·[ε(g,ℓ) − ε(∅)], the same at every step (Ho & Salimans 2022, arXiv 2207.12598).

    Args:
        scale: 0 ignores the plan, 1 follows it, more exaggerates it.
    """

    def __init__(self, scale: float = 2.0) -> None:
        self.scale = scale

    def branches(self, progress: float) -> tuple[Branch, ...]:
        return tuple(b for b, w in ((UNCOND, 1 - self.scale), (COND, self.scale)) if w)

    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        return weighted(preds, {UNCOND: 1 - self.scale, COND: self.scale})
