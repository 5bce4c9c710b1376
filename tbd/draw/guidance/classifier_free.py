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
        interval: From where to where in the denoising loop, 0 (noise) to 1 (done), the guidance acts (Kynkäänniemi et al. 2024, arXiv
            2404.07724); elsewhere ε(g,ℓ) is taken as it is, which needs one branch.

    Raises:
        ValueError: If `over` is neither, or the interval is none.

    Example:
        >>> import torch
        >>> ClassifierFreeGuidance(2.0)({UNCOND: torch.tensor([1.0]), COND: torch.tensor([2.0])}, progress=0.0)
        tensor([3.])
    """

    def __init__(
        self, scale: float = 2.0, over: Literal["plan", "everything"] = "plan", interval: tuple[float, float] = (0.0, 1.0)
    ) -> None:
        if over not in ("plan", "everything"):
            raise ValueError(f"over is plan or everything, not {over!r}.")
        first, last = interval
        if not 0 <= first <= last <= 1:
            raise ValueError(f"interval goes from 0 to 1 of the denoising loop, not from {first} to {last}.")
        self.scale, self.over, self.interval = scale, over, (first, last)

    def branches(self, progress: float) -> tuple[Branch, ...]:
        """Name the wanted branches; see `Guidance.branches`."""
        return tuple(b for b, w in self._weights(progress).items() if w)

    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        """Combine the predictions of one step; see `Guidance.__call__`."""
        return weighted(preds, self._weights(progress))

    def _weights(self, progress: float) -> dict[Branch, float]:
        scale = self.scale if self.interval[0] <= progress <= self.interval[1] else 1.0
        return {UNCOND if self.over == "plan" else NOTHING: 1 - scale, COND: scale}
