"""A laugh, a sob or a sigh moves the face when it is heard, whatever a text says is felt."""

from collections.abc import Mapping, Sequence

from tbd.think.action_units import ANTAGONISTS, REGIONS, Pull
from tbd.think.plan import RELEASE, RISE, MuscleAction, MusclePlan
from tbd.think.plan_checks import follow
from tbd.think.plan_rules.finding import region_of
from tbd.think.verbalize import describe_actions
from tbd.think.voice.modulation import give_way
from tbd.think.voice.reader import VocalEvent, VocalKind

MUSCLES: Mapping[VocalKind, tuple[Pull, ...]] = {
    "laugh": ((6, "both", 0.7), (12, "both", 0.8), (25, "both", 0.5), (26, "both", 0.5), (53, "both", 0.35)),
    "sob": ((1, "both", 0.75), (4, "both", 0.6), (6, "both", 0.35), (15, "both", 0.6), (17, "both", 0.5), (38, "both", 0.4),
            (54, "both", 0.3)),
    "sigh": ((25, "both", 0.45), (26, "both", 0.3), (43, "both", 0.35), (54, "both", 0.3)),
    "whisper": (),
}  # fmt: skip
"""What shows: of a laugh the smile, the cheeks, the jaw and the head that goes back (Ruch & Ekman 2001, *The expressive pattern of
laughter*); of a sob the brows, corners and chin of grief, nostrils that draw breath, and the head that sinks (Ekman 2003, *Emotions
Revealed*); of a sigh parted lips, heavy lids and a head that sinks as the breath goes."""
_ONSET = {"laugh": 0.2, "sob": 0.3, "sigh": 0.4, "whisper": 0.0}
"""Seconds from the first movement to its full strength; a laugh's face is there when it is heard."""
_MOST = 8
"""Events of a recording of any length that move muscles: the longest."""


def moving_events(events: Sequence[VocalEvent]) -> tuple[VocalEvent, ...]:
    """Choose the events that move muscles.

    Args:
        events: All that are heard.

    Returns:
        Those that do, in order of time.
    """
    moving = sorted((event for event in events if MUSCLES[event.kind]), key=lambda event: event.start - event.end)[:_MOST]
    return tuple(sorted(moving, key=lambda event: event.start))


def add_events(plan: MusclePlan, events: Sequence[VocalEvent], duration: float, ordered: bool = False) -> MusclePlan:
    """Put laughs, sobs and sighs into a plan. What is felt stays what it was.

    Args:
        plan: What the text or the voice says.
        events: What is heard.
        duration: Seconds of the recording.
        ordered: Whether the text orders muscles: these are then not moved against.

    Returns:
        The plan; muscles that pull against those of an event let go while it lasts. The very same plan where nothing moves.
    """
    moving = moving_events(events)
    if not moving:
        return plan
    actions = list(plan.actions)
    added: list[MuscleAction] = []
    for event in moving:
        own = [_action(pull, event, duration) for pull in MUSCLES[event.kind]]
        if ordered:
            at_work = {action.unit for action in plan.actions}
            own = [action for action in own if not at_work & _against(action.unit)]
        opposed = {unit for action in own for unit in _against(action.unit)}
        span = (max(0.0, event.start - RISE), min(duration, event.end + RELEASE))
        actions = [piece for a in actions for piece in (give_way(a, [span], duration) if a.unit in opposed else [a])]
        added += own
    together = tuple(sorted([*actions, *added], key=lambda a: (a.onset or 0.0, a.unit, a.side)))
    followed = follow(plan.model_copy(update={"actions": together}), plan)
    regions = dict(followed.regions)
    for region in REGIONS:
        if region not in regions and any(region_of(action) == region for action in added):
            regions[region] = describe_actions([action for action in together if region_of(action) == region], region)
    return followed.model_copy(update={"regions": regions})


def _against(unit: int) -> set[int]:
    """Units that pull against one."""
    return {b if a == unit else a for a, b in ANTAGONISTS if unit in (a, b)}


def _action(pull: Pull, event: VocalEvent, duration: float) -> MuscleAction:
    unit, side, intensity = pull
    onset = max(0.0, event.start - 0.5 * _ONSET[event.kind])
    apex = min(onset + _ONSET[event.kind], event.end)
    offset = None if event.end >= duration else max(apex, event.end)
    times = {"onset": onset, "apex": apex, "offset": offset}
    return MuscleAction(unit=unit, side=side, intensity=intensity, **{k: None if t is None else round(t, 2) for k, t in times.items()})
