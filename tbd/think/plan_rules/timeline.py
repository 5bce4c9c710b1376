"""Feelings and muscles lie on one timeline without gaps."""

import math
from itertools import pairwise

from tbd.think.plan import MusclePlan
from tbd.think.plan_rules.finding import EPSILON, Finding, finding_times, timeline_end, unit_name


def mend_timeline(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    """Let feelings follow each other from 0 on, without a gap."""
    if not plan.segments:
        return plan, []
    found: list[Finding] = []
    # of two that start at once the later listed would hide the other
    segments = list({s.start: s for s in sorted(plan.segments, key=lambda s: s.start)}.values())
    if len(segments) < len(plan.segments):
        found.append(
            Finding(
                "timeline", "Two segments start at once.", ("segments",), remedy="The first of two segments that start at once is removed."
            )
        )
    if segments[0].start > 0:
        sentence = f"The timeline starts at {segments[0].start:g} s, so nothing is said about the time before."
        found.append(Finding("timeline", sentence, ("segments[0]",), 0.0, segments[0].start, "The first segment starts at 0 s."))
        segments[0] = segments[0].model_copy(update={"start": 0.0})
    for i, (before, after) in enumerate(pairwise(segments)):
        if before.end is None or abs(before.end - after.start) > EPSILON:
            late = before.end is None or before.end > after.start
            until = "the end" if before.end is None else f"{before.end:g} s"
            gap = f"Nothing is said about {before.end or 0:g} s to {after.start:g} s."
            sentence = f"segments[{i}] lasts until {until}, but the next starts at {after.start:g} s." if late else gap
            times = (
                finding_times(after.start, math.inf if before.end is None else before.end)
                if late
                else finding_times(before.end or 0.0, after.start)
            )
            found.append(
                Finding("timeline", sentence, (f"segments[{i}]",), **times, remedy=f"segments[{i}] lasts until {after.start:g} s.")
            )
            segments[i] = segments[i].model_copy(update={"end": after.start})
    return (plan.model_copy(update={"segments": tuple(segments)}) if found else plan), found


def mend_late_actions(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    """Let no muscle move after a timeline that ends."""
    end = timeline_end(plan)
    found, actions = [], []
    for action in plan.actions:
        times = {field: time for field in ("onset", "apex", "offset") if (time := getattr(action, field)) is not None}
        if max(times.values(), default=0.0) <= end + EPSILON:
            actions.append(action)
            continue
        starts_late = action.onset is not None and action.onset >= end
        sentence = f"{unit_name(action.unit, action.side)} {'starts' if starts_late else 'moves'} after the timeline's end at {end:g} s."
        remedy = f"AU{action.unit} {'is removed' if starts_late else f'ends at {end:g} s'}."
        found.append(Finding("timeline", sentence, (f"AU{action.unit}",), end, None, remedy))
        if not starts_late:
            actions.append(action.model_copy(update={field: min(time, end) for field, time in times.items()}))
    return (plan.model_copy(update={"actions": tuple(actions)}) if found else plan), found
