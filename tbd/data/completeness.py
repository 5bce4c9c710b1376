"""Plans with parts withheld: what a model is given of a plan, while the motion keeps all.

Plans of real footage are guesses: a planner misses muscles, does not know when they move, how strongly, or on which side. `withhold`
leaves the same out of a plan that is known, part by part, so that models can be trained and tested at any completeness.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tbd.data.datasets.motion import uniform
from tbd.draw.conditioning.plan_tensors import OPEN_END, UNITS, PlanTensors
from tbd.errors import InputError
from tbd.think.action_units import ACTION_UNITS, EITHER, REGIONS
from tbd.think.plan import RISE, MuscleAction, MusclePlan

PARTS = ("unit", "times", "side", "intensity")
"""What may be withheld of an action: all of it, or its times, its side, its intensity."""
TYPICAL_INTENSITY = 0.5
"""Stands for an intensity that is withheld: the mean over the plans of a procedural corpus."""
_MOST_ACTIONS = 64
"""Room for the random numbers of one plan's actions."""
_KEEPS_SIDE = torch.tensor([False, *(ACTION_UNITS[unit].sides != EITHER for unit in UNITS)])
"""By `PlanTensors.unit`: units with no side to withhold, since they act on one side or on both by nature."""


@dataclass(frozen=True)
class PlanCompleteness:
    """How much of its plan a training sample is given; the share is drawn for each sample anew.

    Args:
        least: The least share of the parts that is given, 0..1.
        most: The greatest, 0..1.

    Raises:
        InputError: If they are not in order within 0..1.
    """

    least: float = 0.0
    most: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.most <= 1:
            raise InputError(f"completeness goes from least to most within 0 to 1; it is {self.least:g} to {self.most:g}.")

    def apply(self, plans: PlanTensors, numbers: Tensor, seed: int) -> PlanTensors:
        """Withhold parts of the plans of training samples.

        Args:
            plans: B plans.
            numbers: (B,) the samples' numbers, which decide with the seed what is withheld.
            seed: Seed of the run.

        Returns:
            The plans as they are given.
        """
        numbers = numbers.to(plans.unit.device)
        share = self.least + (self.most - self.least) * uniform(numbers, seed + 1)
        return withhold_tensors(plans, share, part_numbers(numbers, plans.unit.shape[1], seed))


def part_numbers(numbers: Tensor, actions: int, seed: int) -> Tensor:
    """Draw what decides about each part of each action.

    Args:
        numbers: (B,) int64, the samples' numbers.
        actions: N, at most 64.
        seed: Another seed decides otherwise.

    Returns:
        (B, N, 4) 0..1, the parts in the order of `PARTS`; a part is withheld where the completeness is not above its number, so that
        less completeness withholds the same parts and more.
    """
    places = torch.arange(actions * len(PARTS), device=numbers.device)
    own = numbers[:, None] * (_MOST_ACTIONS * len(PARTS)) + places  # (B, 4N)
    return uniform(own, seed + 2).unflatten(1, (actions, len(PARTS)))


def withhold_tensors(plans: PlanTensors, completeness: Tensor, numbers: Tensor) -> PlanTensors:
    """Withhold parts of plans as `withhold` does, for a batch.

    Captions are of whole regions: one of a region with anything withheld is left out, so that words do not tell it.

    Args:
        plans: B plans.
        completeness: (B,) 0..1.
        numbers: (B, N, 4) see `part_numbers`.

    Returns:
        The plans as they are given.
    """
    unit, times, side, intensity = (numbers >= completeness[:, None, None]).unbind(-1)  # (B, N) each: whether it is withheld
    side = side & ~_KEEPS_SIDE.to(unit.device)[plans.unit]
    timed = (plans.onset > -OPEN_END / 2) | (plans.apex > -OPEN_END / 2) | (plans.offset < OPEN_END / 2)
    changed = unit | (times & timed) | (side & (plans.side > 0)) | (intensity & (plans.intensity != TYPICAL_INTENSITY))
    changed &= plans.unit > 0
    regions = torch.stack([(changed & (plans.region == r)).any(1) for r in range(len(REGIONS))], 1)  # (B, 5)
    return plans.replaced(
        unit=plans.unit.masked_fill(unit, 0),
        onset=plans.onset.masked_fill(times, -OPEN_END),
        apex=plans.apex.masked_fill(times, RISE - OPEN_END),
        offset=plans.offset.masked_fill(times, OPEN_END),
        side=plans.side.masked_fill(side, 0),
        intensity=plans.intensity.masked_fill(intensity, TYPICAL_INTENSITY),
        region_text=plans.region_text.masked_fill(regions, 0),
    )


def withhold(plan: MusclePlan, completeness: float, number: int, seed: int = 0) -> MusclePlan:
    """Withhold parts of a plan: whole units, and of those that stay times, sides and intensities, each with the same probability.

    An action without times is there throughout, one without a side acts on both, one without an intensity has `TYPICAL_INTENSITY`. The
    emotion and its timeline stay.

    Args:
        plan: The plan.
        completeness: Share of the parts that are given: 1 for the whole plan, 0 for the emotion alone.
        number: Decides with the seed what is withheld; what is withheld at one completeness is withheld at any lower one as well.
        seed: Seed of the run.

    Returns:
        The plan as a model is given it.

    Raises:
        InputError: If the completeness is outside 0..1.

    Example:
        >>> plan = MusclePlan(emotions={"happy": 1}, intensity=0.8, actions=(MuscleAction(unit=12, intensity=0.8, onset=1.0),))
        >>> withhold(plan, 1.0, number=0) == plan, withhold(plan, 0.0, number=0).actions
        (True, ())
    """
    if not 0 <= completeness <= 1:
        raise InputError(f"The completeness of a plan is from 0 to 1, not {completeness:g}.")
    if completeness == 1 or not plan.actions:
        return plan
    numbers = part_numbers(torch.tensor([number]), len(plan.actions), seed)[0].numpy()
    kept, changed = [], set()
    for action, own in zip(plan.actions, numbers >= completeness):
        given = _partly(action, own)
        changed |= {ACTION_UNITS[action.unit].region} if given != action else set()
        kept += [] if given is None else [given]
    regions = {region: text for region, text in plan.regions.items() if region not in changed}
    return plan.model_copy(update={"actions": tuple(kept), "regions": regions})


def _partly(action: MuscleAction, withheld: np.ndarray) -> MuscleAction | None:
    """What is given of an action; None for nothing."""
    unit, times, side, intensity = withheld.tolist()
    if unit:
        return None
    update: dict[str, object] = {"onset": None, "apex": None, "offset": None} if times else {}
    if side and not _KEEPS_SIDE[UNITS.index(action.unit) + 1]:
        update["side"] = "both"
    if intensity:
        update["intensity"] = TYPICAL_INTENSITY
    return action.model_copy(update=update)
