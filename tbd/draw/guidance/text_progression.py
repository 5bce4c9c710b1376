"""`TextProgressionGuidance`: which words about a feeling a network is given as the denoising goes on."""

from collections.abc import Mapping
from typing import Literal, get_args

from torch import Tensor

from tbd.draw.guidance.base import COND, EMOTION, MUSCLES, NOTHING, Branch, Guidance, weighted
from tbd.draw.guidance.progressive import Schedule, ramp, require_schedule

Words = Literal["emotion", "muscles", "both"]
"""What of a plan is put into words."""
_BRANCHES: dict[str, Branch] = {"emotion": EMOTION, "muscles": MUSCLES, "both": COND}


class TextProgressionGuidance(Guidance):
    """ε(nothing) + scale·[(1 − r)·ε(first) + r·ε(then) − ε(nothing)], where r rises from 0 to 1 around the switch.

    For networks that read one text at a time and were trained without any condition as well (Hallo's kind of classifier-free guidance).
    With a step the words are exchanged between two steps, at no cost; otherwise both are asked while the weight moves.

    Args:
        first: What the network is given at the beginning: the ``emotion``'s sentence, the ``muscles``' sentences, or ``both``.
        then: What it is given at the end.
        scale: Strength of all conditions together; 1 as trained.
        switch: Progress at the middle of the change.
        width: How much of the progress the change takes; a ``step`` takes none.
        schedule: Shape of the change.

    Raises:
        ValueError: If words or schedule are unknown, or the switch is outside 0..1.

    Example:
        >>> guidance = TextProgressionGuidance("emotion", "muscles", switch=0.5)
        >>> [[branch.muscles for branch in guidance.branches(p)] for p in (0.0, 0.49, 0.5, 1.0)]
        [[False, False], [False, False], [False, True], [False, True]]
    """

    def __init__(
        self,
        first: Words = "emotion",
        then: Words = "muscles",
        scale: float = 3.5,
        switch: float = 0.5,
        width: float = 0.2,
        schedule: Schedule = "step",
    ) -> None:
        for name, words in (("first", first), ("then", then)):
            if words not in get_args(Words):
                raise ValueError(f"{name} is emotion, muscles or both, not {words!r}.")
        require_schedule(schedule)
        if not 0 <= switch <= 1:
            raise ValueError(f"switch is a progress from 0 to 1, not {switch}.")
        self.first, self.then, self.scale = first, then, scale
        self.switch, self.width, self.schedule = switch, width, schedule

    def weights(self, progress: float) -> dict[Branch, float]:
        """Compute each branch's weight at `progress`; the sum is 1."""
        r = ramp(progress, self.switch, self.width, self.schedule)
        found = {NOTHING: 1 - self.scale}
        for words, share in ((self.first, 1 - r), (self.then, r)):
            branch = _BRANCHES[words]
            found[branch] = found.get(branch, 0.0) + self.scale * share
        return found

    def branches(self, progress: float) -> tuple[Branch, ...]:
        """Name the wanted branches; see `Guidance.branches`."""
        return tuple(branch for branch, weight in self.weights(progress).items() if weight)

    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        """Combine the predictions of one step; see `Guidance.__call__`."""
        return weighted(preds, self.weights(progress))
