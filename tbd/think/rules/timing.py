"""Moments → seconds: when each starts and ends, and how its muscles come and go."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tbd.think.action_units import ANTAGONISTS, MIRRORED, Side
from tbd.think.plan import MuscleAction
from tbd.think.rules.expression import Face, Pulse, express
from tbd.think.rules.segmenter import Moment, Reading
from tbd.think.rules.time_points import Instant

NOMINAL = 3.0
"""Seconds that a moment lasts where neither the text nor the caller says how long the whole is."""
BRIEF = 0.8
"""Seconds of "a flash of": the upper end of a micro-expression with its rise (Ekman & Friesen 1969; Yan et al. 2013)."""
LATE = 0.65
"""Where "at the end" starts, as a share of what is left."""
LINGER = 0.6
"""Seconds by which the brow of a hidden feeling lets go later than the rest: what the will does not hold, it does not
release at once either."""


EARLY = 1 / 3
"""Where "at the start" ends, as a share of the whole."""


@dataclass(frozen=True)
class TimedMoment:
    """A moment with its face, its times in seconds (no end: until the end of the audio) and its pace."""

    moment: Moment
    face: Face
    start: float
    end: float | None

    @property
    def rest(self) -> bool:
        """Whether nothing is expressed."""
        return not self.face.readings


@dataclass
class _Stretch:
    """A moment in seconds; `fixed` where the text itself says when it ends."""

    moment: Moment
    start: float
    end: float
    fixed: bool

    @property
    def moves_only(self) -> bool:
        """Whether it only moves something, so that what is felt goes on: a nod, a glance, a raised brow."""
        readings = self.moment.readings
        return bool(readings) and all(_is_movement(r) for r in readings)


def _is_movement(reading: Reading) -> bool:
    sense = reading.sense
    return not reading.negated and (sense.kind == "order" or (sense.time != "hold" and sense.mix.get("neutral", 0) >= 0.5))


def schedule(moments: Sequence[Moment], duration: float | None) -> tuple[list[TimedMoment], float, list[str]]:
    """Give every moment its time.

    Times that the text names stand; the rest is divided evenly between them. Of two feelings at one time the one that
    starts later shows; movements are added to what is felt.

    Args:
        moments: As the text tells them.
        duration: Seconds of audio, where known.

    Returns:
        The moments with their times, the length that they were laid out for (`duration`, or a nominal one), and notes on
            impossible times.
    """
    kept = [m for i, m in enumerate(moments) if m.readings or m.start is not None or m.is_timed or (i and moments[i - 1].readings)]
    fill = next((m for m in kept if m.fill), Moment())
    kept = [m for m in kept if not m.fill]
    if not kept:
        return [TimedMoment(fill, express(fill), 0.0, None)], duration or NOMINAL, []
    if _waits(kept):
        kept.insert(0, Moment())
    total = duration or _nominal(kept)
    stretches = _stretches(_in_order(kept, total), total, duration is None)
    close = max(stretch.end for stretch in stretches) if duration is None and all(s.end <= total for s in stretches) else math.inf
    spans = _layers(stretches, fill, close, duration)
    timed_moments = [
        TimedMoment(moment, express(moment), round(start, 2), None if end == math.inf else round(end, 2)) for start, end, moment in spans
    ]
    return timed_moments, total, _conflicts(stretches)


def _waits(moments: list[Moment]) -> bool:
    """Whether stillness comes first: before what is late, delayed, or but a flash."""
    first = moments[0]
    if first.start is not None or first.early:
        return False
    return bool(first.late or first.delay or (first.brief and len(moments) == 1))


def _nominal(moments: list[Moment]) -> float:
    named = [time.seconds for m in moments for time in (m.start, m.end) if time is not None and time.seconds > 0]
    lengths = sum(_seconds(m.length or m.delay) or (BRIEF if m.brief else NOMINAL) for m in moments)
    return max([lengths, *(time + NOMINAL for time in named)])


def _seconds(length: Instant | None) -> float:
    return 0.0 if length is None else length.seconds


def _in_order(moments: list[Moment], total: float) -> list[Moment]:
    """By time: what follows a moment that names its start stays with it."""
    groups: list[list[Moment]] = []
    for moment in moments:
        if moment.start is not None or not groups:
            groups.append([])
        groups[-1].append(moment)
    first, *rest = groups
    key = {id(group): group[0].start.at(total) if group[0].start is not None else 0.0 for group in groups}
    return [moment for group in sorted([first, *rest], key=lambda group: key[id(group)]) for moment in group]


def _starts(moments: list[Moment], total: float) -> list[float]:
    """Where each moment starts: first the times that are named, then what follows from them, then even shares."""
    fixed: list[float | None] = []
    for i, moment in enumerate(moments):
        before = moments[i - 1] if i else None
        if moment.start is not None:
            fixed.append(max(0.0, moment.start.at(total)))
        elif before is None:
            fixed.append(0.0)
        else:
            fixed.append(None if before.end is None else before.end.at(total))
    starts = [fixed[0] or 0.0]
    for i in range(1, len(moments)):
        previous, before, moment, named = starts[-1], moments[i - 1], moments[i], fixed[i]
        if named is not None:
            start = named
        elif moment.delay is not None:
            start = _delayed(moment.delay.at(total), previous, before, total)
        elif before.length is not None or before.brief:
            start = previous + (before.length.at(total) if before.length is not None else BRIEF)
        elif before.early and not moment.late:
            start = max(previous + 0.1, EARLY * total)
        else:
            ahead = ((j, time) for j, time in enumerate(fixed[i + 1 :], i + 1) if time is not None)
            goal_at, goal = next(ahead, (len(moments), total))
            share = LATE if moment.late and goal_at == i + 1 else 1 / (goal_at - i + 1)
            start = previous + max(0.2, goal - previous) * share
        starts.append(start if moment.start is not None else max(start, previous + 0.1))
    return starts


def _delayed(delay: float, previous: float, before: Moment, total: float) -> float:
    """“After three seconds” is a point of time where that lies ahead, and else counts from what went before."""
    ended = previous + (before.length.at(total) if before.length is not None else 0.0)
    return delay if delay > ended + 0.05 and before.delay is not None else ended + delay


def _stretches(moments: list[Moment], total: float, nominal: bool) -> list[_Stretch]:
    starts = _starts(moments, total)
    stretches = []
    for i, (moment, start) in enumerate(zip(moments, starts)):
        end, fixed = math.inf, True
        if moment.end is not None:
            end = max(start + 0.1, moment.end.at(total))
        elif moment.length is not None:
            end = start + max(0.1, moment.length.at(total))
        elif moment.brief and i == len(moments) - 1:
            end = start + BRIEF
        elif moment.early and i == len(moments) - 1:
            end = start + EARLY * total
        else:
            fixed = False
        stretches.append(_Stretch(moment, start, end, fixed))
    for stretch, later in _ends_with(stretches):
        stretch.end = later.start
    return stretches


def _ends_with(stretches: list[_Stretch]) -> Iterator[tuple[_Stretch, _Stretch]]:
    """Each stretch without an end of its own, and the one that ends it."""
    for i, stretch in enumerate(stretches):
        if stretch.fixed:
            continue
        for later in stretches[i + 1 :]:
            passing = later.moment.brief and later is stretches[-1] and later.fixed
            goes_on = later.moves_only and (not stretch.moves_only or _apart(stretch.moment, later.moment))
            if later.start > stretch.start and not goes_on and not passing:
                yield stretch, later
                break


def _apart(first: Moment, second: Moment) -> bool:
    """Whether two movements at named times can both last: the left brow from one second on, the right from two."""
    ours, theirs = ({(u, r.side or s) for r in m.readings for u, s, _ in r.sense.muscles} for m in (first, second))
    units = [{unit for unit, _ in pulls} for pulls in (ours, theirs)]
    opposed = any((a in units[0] and b in units[1]) or (b in units[0] and a in units[1]) for a, b in ANTAGONISTS)
    return first.start is not None and second.start is not None and not opposed and not ours & theirs


def _layers(stretches: list[_Stretch], fill: Moment, close: float, duration: float | None) -> list[tuple[float, float, Moment]]:
    """What shows from one change to the next: the feeling that started last, and every movement."""
    last = close if duration is None else math.inf
    times = {0.0, *(s.start for s in stretches), *(s.end for s in stretches if s.end < (duration or math.inf) - 0.05)}
    edges = [*sorted(time for time in times if time < last), last]
    spans: list[tuple[float, float, Moment]] = []
    for start, end in pairwise(edges):
        here = [s for s in stretches if s.start <= start < s.end]
        felt = max((s for s in here if not s.moves_only), key=lambda s: s.start, default=None)
        moving = [s for s in here if s.moves_only]
        shown = _together(felt, moving, fill, start)
        same = bool(spans) and spans[-1][2].readings == shown.readings and not any(s.start == start for s in here)
        if same:
            spans[-1] = (spans[-1][0], end, spans[-1][2])
        else:
            spans.append((start, end, shown))
    return [(start, end, moment) for start, end, moment in spans if end - start > 0.04] or spans[:1]


def _together(felt: _Stretch | None, moving: list[_Stretch], fill: Moment, now: float) -> Moment:
    """One moment of what is felt and what moves; a short movement is made once, where it starts."""
    parts = [*([felt] if felt else []), *moving]
    readings = [] if felt else list(fill.readings)
    for part in parts:
        readings += [r for r in part.moment.readings if part.start == now or part.moment.every or (r.sense.time == "hold" and not r.count)]
    new = next((p.moment for p in parts if p.start == now), None) or Moment()
    every = next((p.moment.every for p in parts if p.moment.every), None)
    return Moment(readings, new.start, pace=new.pace, brief=new.brief, rise=new.rise, every=every)


def _conflicts(stretches: list[_Stretch]) -> list[str]:
    """One note for feelings whose named times overlap without one being inside the other."""
    felt = [s for s in stretches if s.fixed and not s.moves_only and s.moment.start is not None and s.moment.readings]
    for before, after in pairwise(felt):
        if before.start <= after.start < before.end - 0.05 and (after.end > before.end or before.start == after.start):
            words = [" and ".join(f"“{r.words}”" for r in s.moment.readings) for s in (before, after)]
            until = min(before.end, after.end)
            return [f"{words[0]} and {words[1]} overlap from {after.start:g} to {until:g} s, where only {words[1]} shows."]
    return []


def build_actions(timed_moments: Sequence[TimedMoment], total: float) -> tuple[MuscleAction, ...]:
    """Build every muscle's action: in with its moment, out with it, carried over where the next moment needs it too.

    Args:
        timed_moments: The moments in order of time.
        total: Seconds that the plan covers.

    Returns:
        The actions, by onset, unit and side.
    """
    actions: list[MuscleAction] = []
    open_at: dict[tuple[int, Side], int] = {}  # the action of a muscle that the moment before used
    for index, timed in enumerate(timed_moments):
        still = {}
        for key, level in timed.face.levels.items():
            action = _action(timed, key, level, first=index == 0, total=total)
            if key in open_at:
                earlier = actions[open_at[key]]
                if abs(earlier.intensity - level) < 0.03 and timed.moment.pace != "slow":
                    actions[open_at[key]] = earlier.model_copy(update={"offset": action.offset})
                    still[key] = open_at[key]
                    continue
                handover = action.apex if level > earlier.intensity else action.onset
                actions[open_at[key]] = earlier.model_copy(update={"offset": handover})
            still[key] = len(actions)
            actions.append(action)
        open_at = still
        actions += _pulses(timed, total)
    return tuple(sorted(_lingering(actions, timed_moments), key=lambda a: (a.onset or 0.0, a.unit, a.side)))


def rise(timed: TimedMoment, total: float) -> float:
    """Time the rise of a moment's muscles: quicker where arousal is high, slow where the sentence says so.

    Args:
        timed: The moment.
        total: Seconds that the plan covers.

    Returns:
        Seconds from onset to apex.
    """
    length = (timed.end or max(total, timed.start + 0.5)) - timed.start
    if timed.moment.rise is not None:
        return min(max(0.1, timed.moment.rise.at(total)), length)
    if timed.moment.pace == "slow":
        return 0.8 * length
    wanted = 0.16 if timed.moment.pace == "sudden" or timed.moment.brief else 0.45 - 0.15 * timed.face.arousal
    return min(wanted, 0.8 * length)


def _action(timed: TimedMoment, key: tuple[int, Side], level: float, first: bool, total: float) -> MuscleAction:
    there_already = first and timed.start == 0 and timed.moment.pace == "normal" and timed.moment.rise is None
    onset = None if there_already else timed.start
    apex = None if there_already else round(timed.start + rise(timed, total), 2)
    return MuscleAction(unit=key[0], side=key[1], intensity=level, onset=onset, apex=apex, offset=timed.end)


def _pulses(timed: TimedMoment, total: float) -> list[MuscleAction]:
    """Winks and nods: they start a little into their moment."""
    actions = []
    for pulse in timed.face.pulses:
        gap, times = _beginnings(timed, pulse, total)
        slow = min(1.6 if timed.moment.pace == "slow" else 1.0, gap / 0.45)
        for i, time in enumerate(times):
            for (unit, side), level in pulse.levels.items():
                mover = MIRRORED.get(unit, unit) if pulse.repeat and i % 2 else unit
                up = (0.1 if unit in (45, 46) else 0.2) * min(1.0, slow) if gap < 0.45 else (0.1 if unit in (45, 46) else 0.2) * slow
                hold = 0.0 if pulse.repeat else 0.1 if unit in (45, 46) else 0.4 if len(times) == 1 else max(0.0, min(0.4, gap - up - 0.35))
                apex = round(time + up, 2)
                times_of = {"onset": round(time, 2), "apex": apex, "offset": round(apex + hold, 2)}
                actions.append(MuscleAction(unit=mover, side=side, intensity=level, **times_of))
    return actions


def _beginnings(timed: TimedMoment, pulse: Pulse, total: float) -> tuple[float, list[float]]:
    """Seconds from one movement to the next, and where each starts; closer together where the moment is short."""
    length = (timed.end or max(total, timed.start + 1.5)) - timed.start
    named = timed.moment.start is not None  # "blinks at 2 s" starts there
    begin = timed.start + (0.0 if named else min(0.3, 0.2 * length))
    if timed.moment.every:
        return timed.moment.every, [begin + i * timed.moment.every for i in range(max(1, math.ceil((length - 0.3) / timed.moment.every)))]
    alternates = any(unit in MIRRORED for unit, _ in pulse.levels)
    gap = 0.6 * (1.6 if timed.moment.pace == "slow" else 1.0) + (0.0 if pulse.repeat or (45, "both") in pulse.levels else 0.4)
    if pulse.count is None:
        return gap, [begin + i * gap for i in range(3 if pulse.repeat else 1) if i == 0 or i * gap + 0.5 < length]
    count = pulse.count * (2 if pulse.repeat and alternates else 1)  # a shake goes there and back
    gap = min(gap, max(0.25, (length - (begin - timed.start) - 0.2) / count))
    return gap, [begin + i * gap for i in range(count)]


def _lingering(actions: list[MuscleAction], timed_moments: Sequence[TimedMoment]) -> list[MuscleAction]:
    """The brow of a feeling that was held back lets go last."""
    ends = {b.end for b in timed_moments if b.end is not None and any(r.manner == "held" and r.sense.valence < 0 for r in b.face.readings)}
    return [a.model_copy(update={"offset": round(a.offset + LINGER, 2)}) if a.unit == 1 and a.offset in ends else a for a in actions]
