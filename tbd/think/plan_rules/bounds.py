"""Values that validation would refuse, for plans that went around it."""

import math
from typing import Any

from tbd.think.action_units import ACTION_UNITS, describe_unknown
from tbd.think.emotions import EMOTIONS
from tbd.think.plan import MuscleAction, MusclePlan, Segment
from tbd.think.plan_rules.finding import EPSILON, Finding, unit_name


def mend_bounds(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    """Bring every value into its range, and times into order."""
    found: list[Finding] = []
    actions = [mended for action in plan.actions if (mended := _possible(action, found))]
    segments = [_segment(segment, f"segments[{i}]", found) for i, segment in enumerate(plan.segments)]
    updates: dict[str, Any] = _feeling(plan, "", found)
    if not found:
        return plan, found
    return plan.model_copy(update=updates | {"actions": tuple(actions), "segments": tuple(segments)}), found


def _possible(action: MuscleAction, found: list[Finding]) -> MuscleAction | None:
    name = f"AU{action.unit}"
    if action.unit not in ACTION_UNITS:
        found.append(Finding("bounds", describe_unknown(action.unit), (name,), remedy=f"{name} is removed."))
        return None
    updates: dict[str, Any] = {}
    sides = ACTION_UNITS[action.unit].sides
    if action.side not in sides:
        updates["side"] = sides[0]
        sentence = f"{unit_name(action.unit)} does not act on side “{action.side}”."
        found.append(Finding("bounds", sentence, (name,), remedy=f"{name} acts on side “{sides[0]}”."))
    updates |= _clip(action.intensity, name, found)
    times = {field: getattr(action, field) for field in ("onset", "apex", "offset")}
    known = {field: time for field, time in times.items() if time is not None and math.isfinite(time)}
    in_order = dict.fromkeys(times) | dict(zip(known, sorted(known.values())))
    if in_order != times:
        given = ", ".join(f"{field} {time:g} s" for field, time in times.items() if time is not None)
        sentence = f"{unit_name(action.unit)} has its times out of order or without a number: {given}."
        found.append(Finding("bounds", sentence, (name,), remedy=f"The times of {name} are put in order."))
        updates |= in_order
    return action.model_copy(update=updates) if updates else action


def _segment(segment: Segment, place: str, found: list[Finding]) -> Segment:
    updates: dict[str, Any] = _feeling(segment, f"{place}.", found)
    if not (math.isfinite(segment.start) and segment.start >= 0):
        updates["start"] = 0.0
    if segment.end is not None and not math.isfinite(segment.end):
        updates["end"] = None
    if {"start", "end"} & set(updates):
        sentence = f"The times of {place} are no seconds from 0 on: {segment.start} to {segment.end}."
        found.append(Finding("bounds", sentence, (place,), remedy=f"The times of {place} are left open."))
    return segment.model_copy(update=updates) if updates else segment


def _feeling(part: MusclePlan | Segment, place: str, found: list[Finding]) -> dict[str, Any]:
    """What is to be changed in the intensity and the emotions of a plan or a segment."""
    updates: dict[str, Any] = {**_clip(part.intensity, f"{place}intensity", found)}
    mix = {e: w for e, w in part.emotions.items() if e in EMOTIONS and math.isfinite(w) and w > 0}
    total = math.fsum(mix.values())
    if set(part.emotions) - set(EMOTIONS) or any(not w >= 0 for w in part.emotions.values()) or not abs(total - 1) < EPSILON:
        sentence = f"The weights of {place}emotions are no mix of known emotions that sums to 1."
        remedy = f"The weights of {place}emotions are scaled to sum to 1." if mix else f"{place}emotions is set to neutral."
        found.append(Finding("bounds", sentence, (f"{place}emotions",), remedy=remedy))
        updates["emotions"] = {e: w / total for e, w in mix.items()} or {"neutral": 1.0}
    return updates


def _clip(intensity: float, place: str, found: list[Finding]) -> dict[str, float]:
    if 0 <= intensity <= 1:
        return {}
    clipped = 0.0 if math.isnan(intensity) else min(1.0, max(0.0, intensity))
    sentence = f"The intensity of {place} is {intensity:g}; it should be from 0 to 1."
    if place.endswith("intensity"):
        sentence = f"{place} is {intensity:g}; it should be from 0 to 1."
    found.append(Finding("bounds", sentence, (place,), remedy=f"{sentence.split(' is ')[0]} is set to {clipped:g}."))
    return {"intensity": clipped}
