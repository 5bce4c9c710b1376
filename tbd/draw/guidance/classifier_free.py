"""`ClassifierFreeGuidance`: with conditions against without, at one strength."""

from collections.abc import Mapping
from typing import Literal

from torch import Tensor

from tbd.draw.guidance.base import COND, NOTHING, UNCOND, Branch, Guidance, weighted


class ClassifierFreeGuidance(Guidance):
    """ε(∅) + scale·[ε(g,ℓ) − ε(∅)], the same at every step (Ho & Salimans 2022, arXiv 2207.12598).

    Args:
        scale: 0 ignores what is guided, 1 follows it, more exaggerates it.
        over: What is guided: the ``plan``, so that ε(∅) is given all but the plan; or ``everything``, so that ε(∅) is given nothing, not
            even audio and portrait, as in video models that were trained so.

    Raises:
        ValueError: If `over` is neither.

    Example:
        >>> import torch
        >>> ClassifierFreeGuidance(2.0)({UNCOND: torch.tensor([1.0]), COND: torch.tensor([2.0])}, progress=0.0)
        tensor([3.])
    """

    def __init__(self, scale: float = 2.0, over: Literal["plan", "everything"] = "plan") -> None:
        if over not in ("plan", "everything"):
            raise ValueError(f"over is plan or everything, not {over!r}.")
        self.scale, self.over = scale, over

    def branches(self, progress: float) -> tuple[Branch, ...]:
        """Name the wanted branches; see `Guidance.branches`."""
        return tuple(b for b, w in ((self._without, 1 - self.scale), (COND, self.scale)) if w)

    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        """Combine the predictions of one step; see `Guidance.__call__`."""
        return weighted(preds, {self._without: 1 - self.scale, COND: self.scale})

    @property
    def _without(self) -> Branch:
        return UNCOND if self.over == "plan" else NOTHING
