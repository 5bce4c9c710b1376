"""A plan follows a voice: stronger where the voice is stronger, softer where it is softer or pauses."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tbd.think.action_units import SPEECH
from tbd.think.plan import RISE, MuscleAction, MusclePlan, Segment
from tbd.think.voice.openness import Openness
from tbd.think.voice.reader import VoiceReading

SURE = 0.75
"""Probability of being aroused from which the whole is felt more strongly."""
LONG_PAUSE = 0.7
"""Seconds of a pause in which a face begins to relax."""
_STRONGEST, _SOFTEST, _RELAXED = 1.35, 0.75, 0.65
"""Factors of a muscle's intensity: in the strongest passage, in the softest, in a long pause."""
_MOUTH = (25, 26, 27)
"""Units that part lips and jaw, and give way in silence: a mouth hangs open for a moment, not for seconds (Ekman 2003, *Emotions
Revealed*: surprise is the briefest of all emotions)."""
_ROOM = 0.8
"""Least factor of all intensities that leaves room for a stressed passage above an expression near its full strength."""
_PER_EMPHASIS = 0.2  # of the factor, for each standard deviation
_WHOLE = 1.2
"""Factor of all intensities where the voice is surely aroused."""
_BRIEF = 1.0
"""Seconds that a muscle must be held for its level to follow the voice: a wink does not."""
_GAP = 0.6
"""Seconds of a plain stretch between two others, below which there is no time to come back."""
_RAREST = 5.0
"""Seconds for which there is one passage at most, on average: the strongest are kept."""
_MOST = 12, 6
"""Passages, and pauses, of a recording of any length: a network attends to every piece of every muscle."""


@dataclass(frozen=True)
class Stretch:
    """A time in which muscles pull by another factor than elsewhere; `apex` is when it is reached."""

    start: float
    end: float
    factor: float
    apex: float
    silent: bool = False


def whole_factor(reading: VoiceReading) -> float:
    """Return by how much all is felt more strongly than a text says: 1 to 1.2, 1 for a voice that is not surely aroused."""
    return 1 + (_WHOLE - 1) * max(0.0, (reading.aroused - SURE) / (1 - SURE))


def find_stretches(reading: VoiceReading, duration: float) -> tuple[Stretch, ...]:
    """Turn passages and long pauses into stretches that do not overlap.

    Args:
        reading: The voice.
        duration: Seconds of the recording.

    Returns:
        The stretches, in order of time.
    """
    count = min(_MOST[0], max(3, int(duration / _RAREST)))
    strongest = sorted(reading.passages, key=lambda passage: -abs(passage.emphasis))[:count]
    found = [
        Stretch(p.start, p.end, min(_STRONGEST, max(_SOFTEST, 1 + _PER_EMPHASIS * p.emphasis)), min(max(p.apex, p.start + 0.15), p.end))
        for p in strongest
    ]
    longest = sorted(reading.pauses, key=lambda pause: pause[0] - pause[1])[: _MOST[1]]
    pauses = [(start, end) for start, end in longest if end - start >= LONG_PAUSE]
    found += [Stretch(start, end, _RELAXED, min(start + RISE, end), silent=True) for start, end in pauses]
    whispers = [event for event in reading.events if event.kind == "whisper"]
    found += [Stretch(e.start, e.end, _SOFTEST, min(e.start + RISE, e.end)) for e in whispers]
    kept: list[Stretch] = []
    for stretch in sorted(found, key=lambda s: (s.start, s.end)):
        if kept and stretch.start < kept[-1].end + (_GAP if (stretch.factor > 1) == (kept[-1].factor > 1) else 0.0):
            continue  # the earlier one goes on
        kept.append(stretch)
    return tuple(kept)


def follow_voice(plan: MusclePlan, reading: VoiceReading, duration: float, openness: Openness) -> MusclePlan:
    """Let a plan follow a voice where its text leaves that open.

    Args:
        plan: What the text says.
        reading: The voice.
        duration: Seconds of the recording.
        openness: What the text leaves open.

    Returns:
        The plan; the very same where nothing is open, nothing moves, or the voice is even and not aroused.
    """
    whole = whole_factor(reading) if openness.strength else 1.0
    stretches = find_stretches(reading, duration) if openness.timing else ()
    if not plan.actions or (whole == 1 and not stretches):
        return plan
    silences = [(stretch.start, stretch.end) for stretch in stretches if stretch.silent]
    actions = []
    for action in plan.actions:
        if action.unit not in SPEECH:
            actions += _follow(_scaled(action, whole), stretches, duration)
        elif action.unit in _MOUTH and openness.muscles:
            actions += give_way(action, silences, duration)
        else:
            actions.append(action)
    updates: dict[str, object] = {"actions": tuple(sorted(actions, key=lambda a: (a.onset or 0.0, a.unit, a.side)))}
    if plan.intensity > 0:
        segments = [piece for segment in plan.timeline() for piece in _split(segment, whole, stretches, duration)]
        updates["segments"] = tuple(segments) if len(segments) > 1 else ()
        updates["intensity"] = round(max(segment.intensity for segment in segments), 3)
    return plan.model_copy(update=updates)


def _scaled(action: MuscleAction, factor: float) -> MuscleAction:
    """The action at another strength; units that speech needs keep theirs."""
    if action.unit in SPEECH or factor == 1:
        return action
    return action.model_copy(update={"intensity": round(min(1.0, action.intensity * factor), 3)})


def give_way(action: MuscleAction, spans: Sequence[tuple[float, float]], duration: float) -> list[MuscleAction]:
    """Let an action rest for some time.

    Args:
        action: The action.
        spans: (start, end) in seconds in which it rests, in order.
        duration: Seconds of the recording.

    Returns:
        The action outside of these spans alone, in pieces.
    """
    begin = action.onset if action.onset is not None else 0.0
    end = action.offset if action.offset is not None else duration
    spans = [(first, last) for first, last in spans if first < end and last > begin]
    if not spans:
        return [action]
    edges = [begin, *(edge for span in spans for edge in span), end]
    at_work = [(max(start, begin), min(stop, end)) for start, stop in zip(edges[::2], edges[1::2])]
    pieces: list[MuscleAction] = []
    for start, stop in at_work:
        if stop - start < RISE:
            continue
        first, last = start == begin, stop == end
        # open when the voice begins
        times = (action.onset, action.apex) if first else (round(max(begin, start - RISE), 2), round(start, 2))
        apex = None if times[1] is None else min(times[1], stop)
        offset = action.offset if last else round(stop, 2)
        pieces.append(action.model_copy(update={"onset": times[0], "apex": apex, "offset": offset}))
    return pieces


def _follow(action: MuscleAction, stretches: Sequence[Stretch], duration: float) -> list[MuscleAction]:
    """The action in pieces, one after another."""
    start = action.onset if action.onset is not None else 0.0
    held = (action.apex if action.apex is not None else start + RISE) if action.onset is not None else 0.0
    end = action.offset if action.offset is not None else duration
    inside = [s for s in stretches if s.end > held + 0.2 and s.start < end - 0.2]
    if end - held < _BRIEF or not inside:
        return [action]
    room = max(_ROOM, 1 / max(1.0, action.intensity * max(stretch.factor for stretch in inside)))
    pieces: list[MuscleAction] = []
    for stretch in _tile(inside, start, end):
        level = round(min(1.0, action.intensity * room * stretch.factor), 3)
        if not pieces:
            pieces.append(action.model_copy(update={"intensity": level, "offset": stretch.end}))
            continue
        before = pieces[-1]
        rising = level > before.intensity
        onset = stretch.start if rising else max(before.onset or 0.0, stretch.start - RISE)  # there when the stronger one lets go
        apex = max(stretch.apex if rising else stretch.start, onset)
        pieces[-1] = before.model_copy(update={"offset": round(max(apex if rising else stretch.start, before.apex or 0.0), 2)})
        pieces.append(MuscleAction(unit=action.unit, side=action.side, intensity=level, onset=round(onset, 2), apex=round(apex, 2)))
        pieces[-1] = pieces[-1].model_copy(update={"offset": round(max(stretch.end, apex), 2)})
    pieces[-1] = pieces[-1].model_copy(update={"offset": action.offset})
    return pieces


def _tile(stretches: Sequence[Stretch], start: float, end: float) -> list[Stretch]:
    """The stretches and what lies between them, from start to end."""
    clipped = [Stretch(max(s.start, start), min(s.end, end), s.factor, min(max(s.apex, start), end)) for s in stretches]
    edges = [Stretch(start, start, 1.0, start), *clipped, Stretch(end, end, 1.0, end)]
    tiles: list[Stretch] = []
    for before, after in pairwise(edges):
        if before.end > before.start:
            tiles.append(before)
        if after.start > before.end:
            tiles.append(Stretch(before.end, after.start, 1.0, before.end))
    return tiles


def _split(segment: Segment, whole: float, stretches: Sequence[Stretch], duration: float) -> list[Segment]:
    """A segment in pieces whose intensity follows the voice."""
    end = segment.end if segment.end is not None else duration
    if segment.intensity == 0 or end <= segment.start:
        return [segment]
    inside = [s for s in stretches if s.end > segment.start + 0.2 and s.start < end - 0.2]
    tiles = _tile(inside, segment.start, end)
    pieces = [
        segment.model_copy(
            update={"start": tile.start, "end": tile.end, "intensity": round(min(1.0, segment.intensity * whole * tile.factor), 3)}
        )
        for tile in tiles
    ]
    pieces[-1] = pieces[-1].model_copy(update={"end": segment.end})
    return pieces
