"""What a plan does not tell of its performance: one plan, many performances.

People who follow the same direction do not do the same: muscles come in early or late, some that were asked for do not move and others
go along, one side is stronger than the other, and each person has a way of their own. `PerformanceVariation` says how much of each, and
`perform_variation` makes of a plan the muscles that are really performed, as another plan.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from tbd.errors import InputError
from tbd.think.action_units import ACTION_UNITS, ANTAGONISTS, EITHER, Side
from tbd.think.plan import RELEASE, RISE, MuscleAction, MusclePlan

_COMPANIONS: dict[int, tuple[int, ...]] = {
    1: (2,), 2: (1,), 4: (7, 9), 5: (1, 2), 6: (7,), 9: (4, 10), 10: (9,), 12: (6,), 14: (12,), 15: (17,), 16: (25,), 17: (15,), 20: (25,),
    26: (25,),
}  # fmt: skip
"""Unit → units that often contract with it, since they share a muscle's neighbourhood or a habit (FACS lists them as combinations)."""
_ADDABLE = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 38)
"""Units that people add without meaning anything by it."""
_LEAST_FADE = 0.05


@dataclass(frozen=True)
class PerformanceVariation:
    """How much performances differ from their plan and from each other. All 0 performs plans as they stand.

    Args:
        timing: Standard deviation in seconds by which onsets and offsets come early or late.
        entrance: Probability that an action without an onset of its own comes in during the clip, instead of being there from the start.
        intensity: Standard deviation of the logarithm of each action's intensity.
        dropped: Probability that an action is not performed.
        added: Mean number of actions that the plan does not have.
        coactivation: Probability that a unit takes one along that often contracts with it.
        asymmetry: Standard deviation of the difference between the two sides of an action, as a share of its intensity.
        style: Size of what is a speaker's own in all of the above, from clip to clip alike: reaction, strength, favourite muscles, side.

    Raises:
        InputError: If a number is negative, or a probability above 1.

    Example:
        >>> PerformanceVariation().scaled(0.5).timing
        0.09
    """

    timing: float = 0.18
    entrance: float = 0.35
    intensity: float = 0.25
    dropped: float = 0.12
    added: float = 0.6
    coactivation: float = 0.35
    asymmetry: float = 0.2
    style: float = 0.2

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value < 0 or (name in ("entrance", "dropped", "coactivation") and value > 1):
                raise InputError(f"{name} of a performance's variation is {value:g}; it is 0 or more, and a probability at most 1.")

    def scaled(self, strength: float) -> "PerformanceVariation":
        """Scale the variation.

        Args:
            strength: 0 for none, 1 for as much as here; probabilities stay at most 1.

        Returns:
            The scaled variation.
        """
        scaled = {name: value * strength for name, value in asdict(self).items()}
        return PerformanceVariation(**{n: min(v, 1.0) if n in ("entrance", "dropped", "coactivation") else v for n, v in scaled.items()})


@dataclass(frozen=True)
class PersonalStyle:
    """A speaker's own way with a plan's muscles, in standard deviations; `PerformanceVariation.style` says how much it counts.

    How much the speaker moves beside the plan is `tbd.data.synthetic.spontaneous.Liveliness`.

    Args:
        reaction: How late all muscles come.
        strength: How strong all muscles are.
        units: Unit → how strong it is with this speaker.
        lean: Which side is stronger: positive for the left.
    """

    reaction: float = 0.0
    strength: float = 0.0
    units: Mapping[int, float] | None = None
    lean: float = 0.0

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "PersonalStyle":
        """Sample a speaker's style."""
        reaction, strength, lean = (float(x) for x in rng.standard_normal(3))
        return cls(reaction, strength, {unit: float(rng.standard_normal()) for unit in ACTION_UNITS}, lean)


def perform_variation(
    plan: MusclePlan, duration: float, variation: PerformanceVariation, style: PersonalStyle, rng: np.random.Generator
) -> MusclePlan:
    """Sample one performance of a plan.

    Args:
        plan: What is asked for.
        duration: Seconds of the clip.
        variation: How far performances go.
        style: The speaker's own way.
        rng: Source of randomness; the same one gives the same performance.

    Returns:
        A plan with the same emotions whose actions are those that are performed.

    Example:
        >>> plan = MusclePlan(actions=(MuscleAction(unit=12, intensity=0.6, onset=1.0),))
        >>> perform = lambda seed: perform_variation(plan, 4.0, PerformanceVariation(), PersonalStyle(), np.random.default_rng(seed))
        >>> perform(0) == perform(0) != perform(1)
        True
    """
    actions = [a for a in plan.actions if rng.random() >= variation.dropped]
    actions += _companions(actions, variation, rng)
    actions += _added(actions, duration, variation, rng)
    performed: list[MuscleAction] = []
    for action in actions:
        timed = _timed(action, duration, variation, style, rng)
        level = _level(timed, variation, style, rng)
        performed += _sided(timed, level, variation, style, rng)
    return plan.model_copy(update={"actions": tuple(performed)})


def _companions(actions: list[MuscleAction], variation: PerformanceVariation, rng: np.random.Generator) -> list[MuscleAction]:
    """Units that go along with those that are performed, weaker and at the same times."""
    taken, found = {a.unit for a in actions}, []
    for action in actions:
        for unit in _COMPANIONS.get(action.unit, ()):
            along, share = rng.random() < variation.coactivation, rng.uniform(0.2, 0.6)
            if along and unit not in taken and _compatible(unit, taken):
                taken.add(unit)
                side = action.side if action.side in ACTION_UNITS[unit].sides else "both"
                found.append(action.model_copy(update={"unit": unit, "side": side, "intensity": action.intensity * share}))
    return found


def _added(actions: list[MuscleAction], duration: float, variation: PerformanceVariation, rng: np.random.Generator) -> list[MuscleAction]:
    """Units that nobody asked for, each for a while."""
    taken, found = {a.unit for a in actions}, []
    for _ in range(rng.poisson(variation.added)):
        unit = int(rng.choice(_ADDABLE))
        onset, hold = float(rng.uniform(0, 0.8 * duration)), float(rng.uniform(0.5, 2.5))
        intensity = float(rng.uniform(0.1, 0.5))
        if unit not in taken and _compatible(unit, taken):
            taken.add(unit)
            found.append(MuscleAction(unit=unit, intensity=intensity, onset=onset, apex=onset + RISE, offset=onset + RISE + hold))
    return found


def _compatible(unit: int, taken: Iterable[int]) -> bool:
    """Whether no unit of `taken` pulls against this one."""
    return not any((unit, other) in ANTAGONISTS or (other, unit) in ANTAGONISTS for other in taken)


def _timed(
    action: MuscleAction, duration: float, variation: PerformanceVariation, style: PersonalStyle, rng: np.random.Generator
) -> MuscleAction:
    """An action whose times are the performer's."""
    early = variation.timing * rng.standard_normal() + 0.5 * variation.style * style.reaction
    late = variation.timing * rng.standard_normal()
    pace = float(np.exp(0.3 * min(variation.timing / 0.18, 2.0) * rng.standard_normal()))
    enters, entrance = rng.random() < variation.entrance, float(rng.uniform(0, 0.4 * duration))
    onset, offset = action.onset, action.offset
    rise = RISE if action.apex is None or onset is None else action.apex - onset
    if onset is not None:
        onset = max(0.0, onset + early)
    elif enters:
        onset, rise = entrance, 2 * RISE
    apex = None if onset is None else onset + max(rise * pace, _LEAST_FADE)
    if offset is not None:
        offset = max(offset + late, 0.0 if apex is None else apex + _LEAST_FADE)
    elif enters and rng.random() < 0.3 and apex is not None and apex + RELEASE < 0.8 * duration:
        offset = float(rng.uniform(apex + RELEASE, duration))
    return action.model_copy(update={"onset": onset, "apex": apex if onset is not None else action.apex, "offset": offset})


def _level(action: MuscleAction, variation: PerformanceVariation, style: PersonalStyle, rng: np.random.Generator) -> float:
    """Intensity of an action, 0..1."""
    own = variation.style * (style.strength + (style.units or {}).get(action.unit, 0.0))
    return float(np.clip(action.intensity * np.exp(variation.intensity * rng.standard_normal() + own), 0, 1))


def _sided(
    action: MuscleAction, level: float, variation: PerformanceVariation, style: PersonalStyle, rng: np.random.Generator
) -> list[MuscleAction]:
    """An action on both sides as one on each, of different intensities; one that acts on one side stays one."""
    lean = float(np.clip(variation.asymmetry * rng.standard_normal() + 0.5 * variation.style * style.lean, -0.8, 0.8))
    if action.side != "both" or ACTION_UNITS[action.unit].sides != EITHER or lean == 0:
        return [action.model_copy(update={"intensity": level})]
    sides: dict[Side, float] = {"left": level * (1 + lean / 2), "right": level * (1 - lean / 2)}
    return [action.model_copy(update={"side": side, "intensity": min(share, 1.0)}) for side, share in sides.items()]
