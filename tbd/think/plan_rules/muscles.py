"""Muscles that can be seen, do not pull against each other, and leave the mouth room to speak."""

from collections.abc import Iterator
from itertools import combinations

from tbd.think.action_units import ACTION_UNITS, ANTAGONISTS, SPEECH, TOGETHER, TRACE
from tbd.think.plan import RISE, MuscleAction, MusclePlan
from tbd.think.plan_rules.finding import EPSILON, SHORTEST, Finding, active_span, finding_times, time_span, timeline_end, unit_name

HELD = 1.0
"""Seconds for which a mouth may be busy with something else than speech: the length of a pause between two phrases."""


def mend_traces(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    """Remove units that are planned too weak to be seen."""
    found = []
    for action in plan.actions:
        if action.intensity < TRACE:
            sentence = f"{unit_name(action.unit, action.side)} at {action.intensity:.2f} is below trace ({TRACE:g}): nobody sees it."
            found.append(
                Finding(
                    "intensity",
                    sentence,
                    (f"AU{action.unit}",),
                    **finding_times(*active_span(action)),
                    remedy=f"AU{action.unit} at {action.intensity:.2f} is removed.",
                )
            )
    return (plan.model_copy(update={"actions": tuple(a for a in plan.actions if a.intensity >= TRACE)}) if found else plan), found


def _conflict(a: MuscleAction, b: MuscleAction) -> tuple[float, float] | None:
    """From when until when two actions pull against each other."""
    if not any({a.unit, b.unit} == set(pair) for pair in ANTAGONISTS) or {a.side, b.side} == {"left", "right"}:
        return None
    (a0, a1), (b0, b1) = active_span(a), active_span(b)
    start, end = max(a0, b0), min(a1, b1)
    return (start, end) if end - start > EPSILON else None


def mend_antagonists(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    """Let the strongest act first; each next one keeps what those before it leave."""
    spans: dict[tuple[int, int], tuple[float, float]] = {}
    for a, b in combinations(plan.actions, 2):
        if span := _conflict(a, b):
            key = (min(a.unit, b.unit), max(a.unit, b.unit))
            earlier = spans.get(key, span)
            spans[key] = min(earlier[0], span[0]), max(earlier[1], span[1])
    if not spans:
        return plan, []
    until = timeline_end(plan)
    kept: list[MuscleAction] = []
    yielded: dict[tuple[int, int], list[int]] = {}
    for action in sorted(plan.actions, key=lambda a: (a.intensity, a.unit == 12), reverse=True):  # a smile wins a tie
        pieces = [action]
        for stronger in kept:
            if any(_conflict(piece, stronger) for piece in pieces):
                yielded.setdefault((min(action.unit, stronger.unit), max(action.unit, stronger.unit)), []).append(action.unit)
                pieces = [rest for piece in pieces for rest in _leave(piece, stronger, until)]
        kept += pieces
    found: list[Finding] = []
    for (first, second), span in spans.items():
        weaker = yielded.get((first, second), ())
        remedies = [f"AU{unit} lets go where the stronger AU{first + second - unit} acts." for unit in dict.fromkeys(weaker)]
        sentence = f"{unit_name(first)} and {unit_name(second)} pull against each other {time_span(*span)}."
        found.append(Finding("antagonists", sentence, (f"AU{first}", f"AU{second}"), **finding_times(*span), remedy=" ".join(remedies)))
    return plan.model_copy(update={"actions": tuple(sorted(kept, key=lambda a: (a.onset or 0.0, a.unit, a.side)))}), found


def _leave(action: MuscleAction, stronger: MuscleAction, until: float) -> Iterator[MuscleAction]:
    """What is left of an action beside a stronger antagonist: its other side, and the time before and after, up to `until`."""
    span = _conflict(action, stronger)
    if span is None:
        yield action
        return
    if action.side == "both" and stronger.side != "both" and ACTION_UNITS[action.unit].sides != TOGETHER:
        yield action.model_copy(update={"side": "right" if stronger.side == "left" else "left"})
        action = action.model_copy(update={"side": stronger.side})
    (onset, offset), (start, end) = active_span(action), span
    apex = action.apex
    if start - max(onset, 0.0) >= SHORTEST:
        yield action.model_copy(update={"apex": None if apex is None else min(apex, start), "offset": start})
    if min(offset, until) - end >= SHORTEST:
        late = end + RISE if apex is None or apex < end else apex
        yield action.model_copy(update={"onset": end, "apex": min(late, offset, until)})


def mend_speech(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    """Let the mouth talk: what is left of a unit at full strength is the most that it may be held at."""
    found: list[Finding] = []
    lowered: set[int] = set()
    for unit, limit in SPEECH.items():
        strong = sorted(
            (i for i, a in enumerate(plan.actions) if a.unit == unit and a.intensity > limit), key=lambda i: active_span(plan.actions[i])
        )
        for run in _runs(plan.actions, strong):
            start, end = active_span(plan.actions[run[0]])[0], max(active_span(plan.actions[i])[1] for i in run)
            if end - max(start, 0.0) <= HELD:
                continue
            level = max(plan.actions[i].intensity for i in run)
            sentence = f"{unit_name(unit)} at {level:.2f} {time_span(start, end)} leaves the mouth no room to speak."
            found.append(
                Finding(
                    "speech",
                    sentence,
                    (f"AU{unit}",),
                    **finding_times(start, end),
                    remedy=f"AU{unit} is lowered from {level:.2f} to {limit:.2f}.",
                )
            )
            lowered.update(run)
    actions = tuple(a.model_copy(update={"intensity": SPEECH[a.unit]}) if i in lowered else a for i, a in enumerate(plan.actions))
    return (plan.model_copy(update={"actions": actions}) if found else plan), found


def _runs(actions: tuple[MuscleAction, ...], indices: list[int]) -> Iterator[list[int]]:
    """Actions that follow each other without time to speak between them; `indices` are in order of time."""
    run: list[int] = []
    for i in indices:
        if run and active_span(actions[i])[0] - max(active_span(actions[j])[1] for j in run) > SHORTEST:
            yield run
            run = []
        run.append(i)
    if run:
        yield run
