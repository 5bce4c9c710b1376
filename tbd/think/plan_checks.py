"""Is this a plan that a face can carry out while it speaks? Findings, and how to mend them.

One list of rules does both: a rule takes a plan and gives it back mended, with a finding for everything that it mended.
`check` keeps the findings and `repair` the plan, so the two cannot disagree.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any, Literal, TypedDict

from tbd.think.action_units import ACTION_UNITS, ANTAGONISTS, REGIONS, SPEECH, TOGETHER, TRACE, Side, describe_unknown
from tbd.think.emotions import EMOTION_SPECS, EMOTIONS
from tbd.think.plan import RISE, MuscleAction, MusclePlan, Segment
from tbd.think.verbalize import describe_actions, is_drawn_from_muscles, listed

Kind = Literal["bounds", "timeline", "intensity", "antagonists", "speech", "regions"]

HELD = 1.0
"""Seconds for which a mouth may be busy with something else than speech: the length of a pause between two phrases."""
SHORTEST = 0.2
"""Seconds of action that are worth keeping: less is over before a muscle is seen to move."""
EPSILON = 1e-6
"""Seconds that count as no time at all."""


@dataclass(frozen=True)
class Finding:
    """Something that a face cannot do, or that contradicts itself.

    Args:
        kind: "bounds" (a value that validation would refuse), "timeline" (gaps; muscles beyond its end), "intensity"
            (odd though in range), "antagonists", "speech" (a mouth that could not talk) or "regions" (not described).
        sentence: What is found.
        where: What it is about: units (``"AU12"``), regions (``"lower"``) or fields (``"segments[1]"``).
        start: Seconds from which it holds.
        end: Seconds until which; None for "until the end".
        remedy: What `repair` does about it, in one sentence; empty where another finding's remedy settles it as well.
    """

    kind: Kind
    sentence: str
    where: tuple[str, ...]
    start: float = 0.0
    end: float | None = None
    remedy: str = ""


def check(plan: MusclePlan) -> tuple[Finding, ...]:
    """What is wrong with a plan, in the order in which `repair` mends it.

    A plan that names no feeling may move muscles at intensity 0: an order ("AU4 at 0.7") means nothing by itself.

    Args:
        plan: Any plan, also one whose values `model_copy` or `model_construct` kept from validation.

    Returns:
        The findings; none for a sound plan.

    Example:
        >>> smile = {"unit": 12, "intensity": 0.6}
        >>> plan = MusclePlan.model_validate({"actions": [smile, {"unit": 15, "intensity": 0.3}], "regions": {"lower": "a smile"}})
        >>> [finding.sentence for finding in check(plan)]
        ['AU12 (Lip Corner Puller) and AU15 (Lip Corner Depressor) pull against each other throughout.']
    """
    return tuple(_mend(plan)[1])


def repair(plan: MusclePlan) -> tuple[MusclePlan, tuple[str, ...]]:
    """Mend every finding as gently as can be.

    The weaker antagonist lets go, on the side and for the time that the stronger needs; units that speech needs are
    lowered to what it leaves; gaps in the timeline are closed. Descriptions that quote what the muscles do follow them,
    anyone's own words stay.

    Args:
        plan: Any plan, also one whose values `model_copy` or `model_construct` kept from validation.

    Returns:
        A plan without findings, which repairing again leaves as it is, and one sentence for each change. A sound plan
        comes back as it was.

    Example:
        >>> plan = MusclePlan.model_validate({"actions": [{"unit": 24, "intensity": 1}]})
        >>> mended, changes = repair(plan)
        >>> mended.actions[0].intensity, mended.regions
        (0.5, {'lower': 'The lips are pressed together, markedly.'})
        >>> changes[0]
        'AU24 is lowered from 1.00 to 0.50.'
    """
    mended, findings = _mend(plan)
    return follow(mended, plan) if findings else plan, tuple(finding.remedy for finding in findings if finding.remedy)


def follow(plan: MusclePlan, before: MusclePlan) -> MusclePlan:
    """Let the descriptions of regions follow muscles that have changed.

    Args:
        plan: The plan as it is now.
        before: The plan before its muscles changed.

    Returns:
        The plan; descriptions that quoted the muscles of `before` quote its own, a user's own words stay.
    """
    regions = dict(plan.regions)
    for region, words in plan.regions.items():
        now, then = ([a for a in p.actions if _region(a) == region] for p in (plan, before))
        if now != then and words == before.regions.get(region) and is_drawn_from_muscles(words, region):
            regions[region] = describe_actions(now, region)
    return plan.model_copy(update={"regions": regions})


def _mend(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    findings: list[Finding] = []
    for rule in _RULES:
        plan, found = rule(plan)
        findings += found
    return plan, findings


def _region(action: MuscleAction) -> str:
    return ACTION_UNITS[action.unit].region if action.unit in ACTION_UNITS else ""


def _name(unit: int, side: Side = "both") -> str:
    return f"AU{unit} ({ACTION_UNITS[unit].name}{'' if side == 'both' else f', {side}'})"


def _span(start: float, end: float) -> str:
    """When, in words; infinite times are open ends."""
    if math.isinf(end):
        return "throughout" if start <= 0 else f"from {start:.1f} s on"
    return f"until {end:.1f} s" if start <= 0 else f"from {start:.1f} s to {end:.1f} s"


class _Times(TypedDict):
    start: float
    end: float | None


def _times(start: float, end: float) -> _Times:
    """`start` and `end` of a finding; infinite times are open ends."""
    return {"start": max(0.0, start), "end": None if math.isinf(end) else end}


def _active(action: MuscleAction) -> tuple[float, float]:
    """From when until when the muscle pulls. Its release, in which the next takes over, does not count."""
    return -math.inf if action.onset is None else action.onset, math.inf if action.offset is None else action.offset


# -- bounds: what validation refuses, for plans that went around it ----------------------------------------------------


def _bounds(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
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
        sentence = f"{_name(action.unit)} does not act on side “{action.side}”."
        found.append(Finding("bounds", sentence, (name,), remedy=f"{name} acts on side “{sides[0]}”."))
    updates |= _clip(action.intensity, name, found)
    times = {field: getattr(action, field) for field in ("onset", "apex", "offset")}
    known = {field: time for field, time in times.items() if time is not None and math.isfinite(time)}
    in_order = dict.fromkeys(times) | dict(zip(known, sorted(known.values())))
    if in_order != times:
        given = ", ".join(f"{field} {time:g} s" for field, time in times.items() if time is not None)
        sentence = f"{_name(action.unit)} has its times out of order or without a number: {given}."
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


# -- timeline ------------------------------------------------------------------------------------------------------------


def _timeline(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    """Feelings follow each other from 0 on, without a gap."""
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
            times = _times(after.start, math.inf if before.end is None else before.end) if late else _times(before.end or 0.0, after.start)
            found.append(
                Finding("timeline", sentence, (f"segments[{i}]",), **times, remedy=f"segments[{i}] lasts until {after.start:g} s.")
            )
            segments[i] = segments[i].model_copy(update={"end": after.start})
    return (plan.model_copy(update={"segments": tuple(segments)}) if found else plan), found


def _end(plan: MusclePlan) -> float:
    """Seconds at which the timeline ends; infinite where it is open."""
    return math.inf if not plan.segments or plan.segments[-1].end is None else plan.segments[-1].end


def _inside(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    """No muscle moves after a timeline that ends."""
    end = _end(plan)
    found, actions = [], []
    for action in plan.actions:
        times = {field: time for field in ("onset", "apex", "offset") if (time := getattr(action, field)) is not None}
        if max(times.values(), default=0.0) <= end + EPSILON:
            actions.append(action)
            continue
        starts_late = action.onset is not None and action.onset >= end
        sentence = f"{_name(action.unit, action.side)} {'starts' if starts_late else 'moves'} after the timeline's end at {end:g} s."
        remedy = f"AU{action.unit} {'is removed' if starts_late else f'ends at {end:g} s'}."
        found.append(Finding("timeline", sentence, (f"AU{action.unit}",), end, None, remedy))
        if not starts_late:
            actions.append(action.model_copy(update={field: min(time, end) for field, time in times.items()}))
    return (plan.model_copy(update={"actions": tuple(actions)}) if found else plan), found


# -- muscles -------------------------------------------------------------------------------------------------------------


def _trace(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    """A unit that is planned can be seen."""
    found = []
    for action in plan.actions:
        if action.intensity < TRACE:
            sentence = f"{_name(action.unit, action.side)} at {action.intensity:.2f} is below trace ({TRACE:g}): nobody sees it."
            found.append(
                Finding(
                    "intensity",
                    sentence,
                    (f"AU{action.unit}",),
                    **_times(*_active(action)),
                    remedy=f"AU{action.unit} at {action.intensity:.2f} is removed.",
                )
            )
    return (plan.model_copy(update={"actions": tuple(a for a in plan.actions if a.intensity >= TRACE)}) if found else plan), found


def _conflict(a: MuscleAction, b: MuscleAction) -> tuple[float, float] | None:
    """From when until when two actions pull against each other."""
    if not any({a.unit, b.unit} == set(pair) for pair in ANTAGONISTS) or {a.side, b.side} == {"left", "right"}:
        return None
    (a0, a1), (b0, b1) = _active(a), _active(b)
    start, end = max(a0, b0), min(a1, b1)
    return (start, end) if end - start > EPSILON else None


def _antagonists(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    """The strongest acts first; each next one keeps what those before it leave."""
    spans: dict[tuple[int, int], tuple[float, float]] = {}
    for a, b in combinations(plan.actions, 2):
        if span := _conflict(a, b):
            key = (min(a.unit, b.unit), max(a.unit, b.unit))
            earlier = spans.get(key, span)
            spans[key] = min(earlier[0], span[0]), max(earlier[1], span[1])
    if not spans:
        return plan, []
    until = _end(plan)
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
        sentence = f"{_name(first)} and {_name(second)} pull against each other {_span(*span)}."
        found.append(Finding("antagonists", sentence, (f"AU{first}", f"AU{second}"), **_times(*span), remedy=" ".join(remedies)))
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
    (onset, offset), (start, end) = _active(action), span
    apex = action.apex
    if start - max(onset, 0.0) >= SHORTEST:
        yield action.model_copy(update={"apex": None if apex is None else min(apex, start), "offset": start})
    if min(offset, until) - end >= SHORTEST:
        late = end + RISE if apex is None or apex < end else apex
        yield action.model_copy(update={"onset": end, "apex": min(late, offset, until)})


def _speech(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    """The mouth can talk: what is left of a unit at full strength is the most that it may be held at."""
    found: list[Finding] = []
    lowered: set[int] = set()
    for unit, limit in SPEECH.items():
        strong = sorted(
            (i for i, a in enumerate(plan.actions) if a.unit == unit and a.intensity > limit), key=lambda i: _active(plan.actions[i])
        )
        for run in _runs(plan.actions, strong):
            start, end = _active(plan.actions[run[0]])[0], max(_active(plan.actions[i])[1] for i in run)
            if end - max(start, 0.0) <= HELD:
                continue
            level = max(plan.actions[i].intensity for i in run)
            sentence = f"{_name(unit)} at {level:.2f} {_span(start, end)} leaves the mouth no room to speak."
            found.append(
                Finding(
                    "speech", sentence, (f"AU{unit}",), **_times(start, end), remedy=f"AU{unit} is lowered from {level:.2f} to {limit:.2f}."
                )
            )
            lowered.update(run)
    actions = tuple(a.model_copy(update={"intensity": SPEECH[a.unit]}) if i in lowered else a for i, a in enumerate(plan.actions))
    return (plan.model_copy(update={"actions": actions}) if found else plan), found


def _runs(actions: tuple[MuscleAction, ...], indices: list[int]) -> Iterator[list[int]]:
    """Actions that follow each other without time to speak between them; `indices` are in order of time."""
    run: list[int] = []
    for i in indices:
        if run and _active(actions[i])[0] - max(_active(actions[j])[1] for j in run) > SHORTEST:
            yield run
            run = []
        run.append(i)
    if run:
        yield run


# -- feelings and words --------------------------------------------------------------------------------------------------


def _felt(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    """What is named is felt."""
    found: list[Finding] = []
    segments: list[Segment] = []
    for i, segment in enumerate(plan.segments):
        end = math.inf if segment.end is None else segment.end
        at_work = [a for a in plan.actions if _active(a)[0] < end and _active(a)[1] > segment.start]
        segments.append(segment.model_copy(update=_feel(segment, f"segments[{i}].", at_work, 0.0, found)))
    strongest = max((s.intensity for s in segments), default=0.0)
    updates = _feel(plan, "", plan.actions, strongest, found)
    return (plan.model_copy(update=updates | {"segments": tuple(segments)}) if found else plan), found


def _feel(part: MusclePlan | Segment, place: str, actions, strongest: float, found: list[Finding]) -> dict[str, Any]:
    """What is to be changed where an emotion is named at intensity 0, or parts are felt of a whole that is not."""
    named = [EMOTION_SPECS[e].noun for e, weight in part.emotions.items() if weight > 0 and e != "neutral"]
    if part.intensity > 0 or not (named or strongest):
        return {}
    level = strongest or max((a.intensity for a in actions), default=0.0)
    muscles = f", though muscles act at up to {level:.2f}" if actions else ""
    what = f"names {listed(named)}" if named else "has segments that are felt"
    remedy = f"{place}intensity is set to {level:.2f}." if level else f"{place}emotions is set to neutral, as nothing shows."
    found.append(
        Finding("intensity", f"{place.rstrip('.') or 'The plan'} {what} at intensity 0{muscles}.", (f"{place}intensity",), remedy=remedy)
    )
    return {"intensity": level} if level else {"emotions": {"neutral": 1.0}}


def _described(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    """Every region that moves has words, which text encoders read."""
    found, regions = [], dict(plan.regions)
    for region in REGIONS:
        units = sorted({a.unit for a in plan.actions if _region(a) == region})
        if units and not plan.regions.get(region, "").strip():
            regions[region] = describe_actions(plan.actions, region)
            names = listed([f"AU{unit}" for unit in units])
            sentence = f"The {region} region moves ({names}), but nothing describes it."
            found.append(Finding("regions", sentence, (region,), remedy=f"The {region} region is described from its muscles."))
    return (plan.model_copy(update={"regions": regions}) if found else plan), found


_RULES: tuple[Callable[[MusclePlan], tuple[MusclePlan, list[Finding]]], ...] = (
    _bounds, _timeline, _inside, _trace, _antagonists, _speech, _felt, _described,
)  # fmt: skip
"""In this order, so that none undoes what one before it mended."""
