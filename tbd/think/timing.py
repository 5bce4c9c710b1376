"""Moments → seconds: when each starts and ends, and how its muscles come and go."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tbd.think.action_units import Side
from tbd.think.expression import Face, express
from tbd.think.moments import Moment
from tbd.think.plan import MuscleAction

NOMINAL = 3.0
"""Seconds that a moment lasts where neither the text nor the caller says how long the whole is."""
BRIEF = 0.8
"""Seconds of "a flash of": the upper end of a micro-expression with its rise (Ekman & Friesen 1969; Yan et al. 2013)."""
LATE = 0.65
"""Where "at the end" starts, as a share of what is left."""
LINGER = 0.6
"""Seconds by which the brow of a hidden feeling lets go later than the rest: what the will does not hold, it does not
release at once either."""
_PAIRS = {51: 52, 52: 51, 61: 62, 62: 61}


@dataclass(frozen=True)
class Beat:
    """A moment with its face, its times in seconds (no end: until the end of the audio) and its pace."""

    moment: Moment
    face: Face
    start: float
    end: float | None

    @property
    def rest(self) -> bool:
        return not self.face.readings


def schedule(moments: Sequence[Moment], duration: float | None) -> tuple[list[Beat], float]:
    """Give every moment its time.

    Times that the text names stand; the rest is divided evenly between them.

    Args:
        moments: in order.
        duration: seconds of audio, where known.

    Returns:
        the beats, and the length that they were laid out for: `duration`, or a nominal one.
    """
    whole = _with_rests(list(moments), duration)
    total = duration or _nominal(whole)
    starts = _starts(whole, total)
    beats = []
    for moment, start, after in zip(whole, starts, [*starts[1:], None]):
        end = after
        if after is None and (moment.end or moment.length):
            end = max(start + 0.1, moment.end or start + moment.length)
            end = None if duration is not None and end > duration - 0.05 else end
        beats.append(Beat(moment, express(moment), round(start, 2), None if end is None else round(end, 2)))
    return beats, total


def _with_rests(moments: list[Moment], duration: float | None) -> list[Moment]:
    """Add the stillness that a sentence implies: before what comes late, after what is short or has an end."""
    kept = [m for i, m in enumerate(moments) if m.readings or m.start is not None or m.length or (i and moments[i - 1].readings)]
    if not kept:
        return [Moment()]
    whole: list[Moment] = []
    for moment in kept:
        waits = moment.late or moment.halfway or moment.delay or moment.from_end or (moment.brief and len(kept) == 1)
        if moment.start or (not whole and waits):
            last_end = whole[-1].end if whole else 0.0
            if not whole or (last_end is not None and moment.start is not None and moment.start > last_end + 0.05):
                whole.append(Moment(start=last_end))
        whole.append(moment)
    last = whole[-1]
    if last.brief and last.length is None and last.end is None:
        back = whole[-2] if len(whole) > 1 else Moment()
        whole.append(Moment(readings=back.readings))
    elif last.readings and _ends_early(last, duration):
        whole.append(Moment())
    return whole


def _ends_early(last: Moment, duration: float | None) -> bool:
    """Whether something must follow the last moment. A named end is taken for the end of the whole where none is known."""
    if last.end is not None:
        return duration is not None and last.end < duration - 0.05
    return last.length is not None


def _nominal(moments: list[Moment]) -> float:
    named = [m.start for m in moments if m.start] + [m.end for m in moments if m.end]
    lengths = sum(m.length or m.delay or (BRIEF if m.brief else NOMINAL) for m in moments)
    return max([lengths, *(time + NOMINAL for time in named)])


def _starts(moments: list[Moment], total: float) -> list[float]:
    """Where each moment starts: first the times that are named, then what follows from them, then even shares."""
    fixed: list[float | None] = [moments[0].start or 0.0]
    for before, moment in pairwise(moments):
        anchor = moment.start if moment.start is not None else before.end
        if anchor is None and moment.from_end:
            anchor = max(0.0, total - moment.from_end)
        if anchor is None and moment.halfway:
            anchor = total / 2
        fixed.append(anchor)
    starts = [fixed[0]]
    for i in range(1, len(moments)):
        previous, before = starts[-1], moments[i - 1]
        after = before.length or moments[i].delay or (BRIEF if before.brief else None)
        if fixed[i] is not None:
            start = fixed[i]
        elif after is not None:
            start = previous + after
        else:
            goal_at, goal = next(((j, fixed[j]) for j in range(i + 1, len(moments)) if fixed[j] is not None), (len(moments), total))
            share = LATE if moments[i].late and goal_at == i + 1 else 1 / (goal_at - i + 1)
            start = previous + max(0.2, goal - previous) * share
        starts.append(max(start, previous + 0.1))
    return starts


def unfold(beats: Sequence[Beat], total: float) -> tuple[MuscleAction, ...]:
    """Every muscle's action: in with its moment, out with it, carried over where the next moment needs it too."""
    actions: list[MuscleAction] = []
    open_at: dict[tuple[int, Side], int] = {}  # the action of a muscle that the moment before used
    for index, beat in enumerate(beats):
        still = {}
        for key, level in beat.face.levels.items():
            action = _action(beat, key, level, first=index == 0, total=total)
            if key in open_at:
                earlier = actions[open_at[key]]
                if abs(earlier.intensity - level) < 0.03 and beat.moment.pace != "slow":
                    actions[open_at[key]] = earlier.model_copy(update={"offset": action.offset})
                    still[key] = open_at[key]
                    continue
                handover = action.apex if level > earlier.intensity else action.onset
                actions[open_at[key]] = earlier.model_copy(update={"offset": handover})
            still[key] = len(actions)
            actions.append(action)
        open_at = still
        actions += _pulses(beat, total)
    return tuple(sorted(_lingering(actions, beats), key=lambda a: (a.onset or 0.0, a.unit, a.side)))


def rise(beat: Beat, total: float) -> float:
    """Seconds from onset to apex: quicker where arousal is high, slow where the sentence says so."""
    length = (beat.end or max(total, beat.start + 0.5)) - beat.start
    if beat.moment.pace == "slow":
        return 0.8 * length
    wanted = 0.16 if beat.moment.pace == "sudden" or beat.moment.brief else 0.45 - 0.15 * beat.face.arousal
    return min(wanted, 0.8 * length)


def _action(beat: Beat, key: tuple[int, Side], level: float, first: bool, total: float) -> MuscleAction:
    there_already = first and beat.start == 0 and beat.moment.pace == "normal"
    onset = None if there_already else beat.start
    apex = None if there_already else round(beat.start + rise(beat, total), 2)
    return MuscleAction(unit=key[0], side=key[1], intensity=level, onset=onset, apex=apex, offset=beat.end)


def _pulses(beat: Beat, total: float) -> list[MuscleAction]:
    """Winks and nods: they start a little into their moment."""
    actions = []
    length = (beat.end or max(total, beat.start + 1.5)) - beat.start
    begin = beat.start + min(0.3, 0.2 * length)
    slow = 1.6 if beat.moment.pace == "slow" else 1.0
    for pulse in beat.face.pulses:
        times = [begin + i * 0.6 * slow for i in range(3) if i == 0 or i * 0.6 * slow + 0.5 < length] if pulse.repeat else [begin]
        for i, time in enumerate(times):
            for (unit, side), level in pulse.levels.items():
                mover = _PAIRS.get(unit, unit) if pulse.repeat and i % 2 else unit
                up = (0.1 if unit in (45, 46) else 0.2) * slow
                hold = 0.0 if pulse.repeat else 0.1 if unit in (45, 46) else 0.4
                apex = round(time + up, 2)
                times_of = {"onset": round(time, 2), "apex": apex, "offset": round(apex + hold, 2)}
                actions.append(MuscleAction(unit=mover, side=side, intensity=level, **times_of))
    return actions


def _lingering(actions: list[MuscleAction], beats: Sequence[Beat]) -> list[MuscleAction]:
    """The brow of a feeling that was held back lets go last."""
    ends = {b.end for b in beats if b.end is not None and any(r.manner == "held" and r.sense.valence < 0 for r in b.face.readings)}
    return [a.model_copy(update={"offset": round(a.offset + LINGER, 2)}) if a.unit == 1 and a.offset in ends else a for a in actions]
