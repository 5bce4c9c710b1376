"""Edits of a plan in one line each: a muscle, a region's words, the intensity."""

import json
import math
import re

from tbd.errors import InputError
from tbd.think.action_units import ACTION_UNITS, REGIONS, Region, Side
from tbd.think.plan import MuscleAction, MusclePlan
from tbd.think.plan_checks import follow
from tbd.think.planner import Planner

_UNIT = re.compile(r"AU\s*(\d{1,3})\s*([LR]?)", re.IGNORECASE)
_SIDES: dict[str, Side] = {"": "both", "L": "left", "R": "right"}


def edit(plan: MusclePlan, assignment: str, planner: Planner) -> MusclePlan:
    """The plan with one thing set.

    Args:
        plan: What to start from.
        assignment: ``AU12=0.4`` (both sides; 0 removes the unit), ``AU12L=0.4`` (one side, the other stays), a region's
            description (``lower=lips pressed together``) or ``intensity=0.5``. A unit that acts keeps its times, one that
            did not acts throughout. Words that name muscles of their region replace those at work there.
        planner: Reads muscles from a region's words.

    Raises:
        InputError: If there is nothing of that name to set, or not to that value.

    Returns:
        The edited plan; the given one stays as it is.

    Example:
        >>> from tbd.think.planner import KnowledgePlanner
        >>> plan = edit(MusclePlan(), "AU12L=0.4", KnowledgePlanner())
        >>> [(a.unit, a.side, a.intensity) for a in edit(plan, "lower=lips pressed together", KnowledgePlanner()).actions]
        [(24, 'both', 0.5)]
    """
    key, equals, value = (part.strip() for part in assignment.partition("="))
    unit = _UNIT.fullmatch(key)
    if not equals or not (unit or key in REGIONS or key == "intensity"):
        known = f"a unit (AU12, AU12L), a region ({', '.join(REGIONS)}) or intensity"
        raise InputError(f"“{assignment}” sets nothing; write {known}, then = and the value.")
    if key in REGIONS:
        return _set_region(plan, key, value, planner)
    level = _level(assignment, value)
    if unit:
        edited = _set_unit(plan, int(unit[1]), _SIDES[unit[2].upper()], level, assignment)
        return follow(edited, plan)
    return _set_intensity(plan, level)


def _level(assignment: str, value: str) -> float:
    try:
        level = float(value)
    except ValueError:
        level = math.nan
    if not 0 <= level <= 1:
        raise InputError(f"“{assignment}” needs a number from 0 to 1 after the =.")
    return level


def _set_unit(plan: MusclePlan, unit: int, side: Side, level: float, assignment: str) -> MusclePlan:
    wanted = {"actions": [{"unit": unit, "side": side, "intensity": level}]}
    throughout = MusclePlan.from_json(json.dumps(wanted), source=f"“{assignment}”").actions[0]  # refuses what cannot act
    actions: list[MuscleAction] = []
    changed: list[MuscleAction] = []
    for action in plan.actions:
        if action.unit != unit or {action.side, side} == {"left", "right"}:
            actions.append(action)
            continue
        if action.side == "both" and side != "both":
            actions.append(action.model_copy(update={"side": "left" if side == "right" else "right"}))
        changed.append(action.model_copy(update={"side": side, "intensity": level}))
    if level > 0:
        actions += dict.fromkeys(changed or [throughout])  # two sides that are set together become one action
    return plan.model_copy(update={"actions": tuple(sorted(actions, key=lambda a: (a.onset or 0.0, a.unit, a.side)))})


def _set_region(plan: MusclePlan, region: Region, words: str, planner: Planner) -> MusclePlan:
    if not words:
        raise InputError(f"“{region}=” needs a description after the =.")
    read = [action for action in planner.plan(words).actions if ACTION_UNITS[action.unit].region == region]
    others = [action for action in plan.actions if ACTION_UNITS[action.unit].region != region]
    actions = tuple(sorted(others + read, key=lambda a: (a.onset or 0.0, a.unit, a.side))) if read else plan.actions
    return plan.model_copy(update={"regions": {**plan.regions, region: words}, "actions": actions})


def _set_intensity(plan: MusclePlan, level: float) -> MusclePlan:
    """Segments keep their proportions, so that the strongest is felt at `level`."""
    strongest = max((segment.intensity for segment in plan.segments), default=0.0)
    scaled = [s.model_copy(update={"intensity": s.intensity * level / strongest if strongest else level}) for s in plan.segments]
    return plan.model_copy(update={"intensity": level, "segments": tuple(scaled)})
