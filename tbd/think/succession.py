"""One plan after another: what a face that is already talking does when somebody changes what it feels."""

from tbd.think.plan import RELEASE, MuscleAction, MusclePlan, Segment

RISE = 0.25
"""Seconds in which the muscles of a plan that takes over rise."""
_SLOWEST = 1.0
"""Seconds after which a muscle is there whose plan does not say when."""
_KEPT = 2.0
"""Seconds that feelings which are over stay in the plan; nothing reads earlier ones."""


def hand_over(before: MusclePlan, after: MusclePlan, at: float) -> MusclePlan:
    """Let a plan take over from another.

    The muscles of the one relax while those of the other rise, and their feelings cross-fade. What is long over is left out, so that
    plans that take over from each other for hours stay short.

    Args:
        before: The plan so far, its times in seconds of the performance.
        after: The plan that takes over, its times in seconds from then on.
        at: When it takes over, in seconds of the performance.

    Returns:
        One plan in seconds of the performance; its words are those of `after`.

    Example:
        >>> sad, happy = (MusclePlan(emotions={name: 1.0}, intensity=1.0) for name in ("sad", "happy"))
        >>> [(segment.start, segment.end, list(segment.emotions)) for segment in hand_over(sad, happy, at=3.0).segments]
        [(0.0, 3.0, ['sad']), (3.0, None, ['happy'])]
    """
    ended = [action for action in (_ended(action, at) for action in before.actions) if action is not None]
    begun = [_begun(action, at) for action in after.actions]
    return after.model_copy(update={"actions": tuple(ended + begun), "segments": (*_past(before, at), *_later(after, at))})


def _ended(action: MuscleAction, at: float) -> MuscleAction | None:
    """An action that relaxes at the latest when the other plan takes over; None if nothing of it is seen any more."""
    if (action.onset is not None and action.onset >= at) or (action.offset is not None and action.offset < at - RELEASE):
        return None
    times = {name: min(time, at) for name, time in _times(action).items() if name != "onset"}
    return action.model_copy(update={**times, "offset": times.get("offset", at)})


def _begun(action: MuscleAction, at: float) -> MuscleAction:
    if action.onset is None:  # there from before the start
        apex = at + RISE if action.offset is None else at + min(RISE, max(action.offset, 0.0))
        return action.model_copy(
            update={"onset": at, "apex": apex, "offset": None if action.offset is None else max(at + action.offset, apex)}
        )
    return action.model_copy(update={name: at + time for name, time in _times(action).items()})


def _times(action: MuscleAction) -> dict[str, float]:
    """The times that an action names."""
    return {name: time for name in ("onset", "apex", "offset") if (time := getattr(action, name)) is not None}


def _past(plan: MusclePlan, at: float) -> list[Segment]:
    """The segments until the other plan takes over; the last of them lasts until then."""
    if at <= 0:
        return []
    segments = [segment for segment in plan.timeline() if segment.start < at]
    if not segments:
        return []
    segments[-1] = segments[-1].model_copy(update={"end": at})
    return [segment for segment in segments if segment.end is None or segment.end > at - _KEPT]


def _later(plan: MusclePlan, at: float) -> list[Segment]:
    """The segments of the plan that takes over; the last of them has no end, since nobody knows how long the performance lasts."""
    segments = [
        segment.model_copy(update={"start": at + segment.start, "end": None if segment.end is None else at + segment.end})
        for segment in plan.timeline()
    ]
    segments[0] = segments[0].model_copy(update={"start": at})
    segments[-1] = segments[-1].model_copy(update={"end": None})
    return segments


def rebase(plan: MusclePlan, seconds: float) -> MusclePlan:
    """Count a plan's times from a later moment; what is over by then is left out.

    Args:
        plan: The plan, in seconds from the old start.
        seconds: The new start, in seconds from the old one.

    Returns:
        The plan in seconds from the new start.

    Example:
        >>> plan = MusclePlan(actions=(MuscleAction(unit=12, intensity=0.5, onset=1.0), MuscleAction(unit=4, intensity=0.5, offset=2.0)))
        >>> [(action.unit, action.onset) for action in rebase(plan, 60.0).actions]
        [(12, None)]
    """
    actions = []
    for action in plan.actions:
        times = {name: time - seconds for name, time in _times(action).items()}
        if times.get("offset", 0.0) < -RELEASE:
            continue
        if "onset" in times and times.get("apex", times["onset"] + _SLOWEST) <= 0:  # long there
            times = {"offset": times["offset"]} if "offset" in times else {}
            action = action.model_copy(update={"onset": None, "apex": None})
        actions.append(action.model_copy(update=times))
    segments = [
        segment.model_copy(
            update={"start": max(segment.start - seconds, 0.0), "end": None if segment.end is None else segment.end - seconds}
        )
        for segment in plan.segments
        if segment.end is None or segment.end > seconds
    ]
    if plan.segments and not segments:  # a timeline that is over: its last feeling stays
        segments = [plan.segments[-1].model_copy(update={"start": 0.0, "end": None})]
    return plan.model_copy(update={"actions": tuple(actions), "segments": tuple(segments)})
