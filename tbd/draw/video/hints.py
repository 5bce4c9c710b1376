"""What coarse frames may tell: a hint that was made under the whole plan gives the answer away in every branch, ε(∅) included."""

from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor

from tbd.errors import InputError

HintContent = Literal["all", "lips_and_head", "none"]
"""What of a motion coarse frames show: all of it, the articulation and the head's pose alone, or nothing."""


@dataclass(frozen=True)
class HintConfig:
    """What the coarse frames of a branch show, by whether the branch is given a plan.

    Args:
        with_plan: In branches that are given emotion or muscles: ``all`` of the motion that the plan's muscles make,
            ``lips_and_head`` alone, or ``none``.
        without_plan: In branches that are given neither: the same choices, of a motion that a neutral plan makes; or the ``same``
            frames as with a plan. By default the articulation and the head alone: on a small trained model the error is as low as with the
            same frames, and guidance has 4.5 times as much to work with (``benchmarks.video_hints``).

    Raises:
        InputError: If a choice is unknown.
    """

    with_plan: HintContent = "all"
    without_plan: Literal["all", "lips_and_head", "none", "same"] = "lips_and_head"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("with_plan", self.with_plan, get_args(HintContent)),
            ("without_plan", self.without_plan, (*get_args(HintContent), "same")),
        ):
            if value not in known:
                raise InputError(f"hints.{name} is {', '.join(known[:-1])} or {known[-1]}, not {value!r}.")

    @property
    def own_without_plan(self) -> bool:
        """Whether branches without a plan read coarse frames of their own, which those with a plan do not."""
        return self.without_plan in ("all", "lips_and_head")

    @property
    def needs_neutral(self) -> bool:
        """Whether coarse frames of a neutral plan, or of lips and head alone, are read."""
        return self.with_plan == "lips_and_head" or self.own_without_plan

    def choose(self, hint: Tensor, neutral: Tensor | None, planned: bool) -> Tensor:
        """Choose the coarse frames of a branch.

        Args:
            hint: (B, T, C, h, w) coarse frames with a plan.
            neutral: (B, T, C, h, w) coarse frames of a neutral plan; None stands for `hint`.
            planned: Whether the branch is given emotion or muscles.

        Returns:
            (B, T, C, h, w) coarse frames; zeros where they show nothing.
        """
        shared = planned or self.without_plan == "same"
        if (self.with_plan if shared else self.without_plan) == "none":
            return hint.new_zeros(hint.shape)
        return hint if shared or neutral is None else neutral

    def of_batch(self, coarse: Tensor, neutral: Tensor | None, planned: Tensor) -> Tensor:
        """Choose the coarse frames of training samples, whose motion was filmed or drawn under the whole plan.

        Lips and head of that motion stand for the motion of a neutral plan.

        Args:
            coarse: (B, T, C, h, w) coarse frames of the whole motion.
            neutral: (B, T, C, h, w) coarse frames of its lips and head; None where the data have none.
            planned: (B,) 1 where emotion or muscles are given.

        Returns:
            (B, T, C, h, w) coarse frames.

        Raises:
            InputError: If frames of lips and head are needed and there are none.
        """
        if self.needs_neutral and neutral is None:
            raise InputError(
                f"hints {self.with_plan} with a plan and {self.without_plan} without need coarse frames of lips and head alone "
                "(neutral_coarse), which these data do not hold; `tbd preprocess features … --coarse` makes a cache's."
            )
        sources = {"all": coarse, "lips_and_head": neutral, "none": coarse.new_zeros(())}
        with_plan = sources[self.with_plan]
        without = {**sources, "all": neutral, "same": with_plan}[self.without_plan]
        assert with_plan is not None and without is not None  # as checked above
        given = planned.view(-1, *[1] * (coarse.ndim - 1)) > 0
        return with_plan.where(given, without).expand_as(coarse)
