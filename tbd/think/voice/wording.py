"""What was heard, and how sure that is, in sentences."""

from tbd.think.emotions import EMOTION_SPECS, Emotion
from tbd.think.verbalize import listed
from tbd.think.voice.reader import Obstacle, VocalEvent, VocalKind, VoicePassage, VoiceReading

OBSTACLES: dict[Obstacle, str] = {
    "silent": "The recording is silent, so no feeling can be heard in it.",
    "short": "There is too little speech in the recording to hear a feeling in it.",
    "music": "The recording sounds like music rather than one voice, so no feeling is heard in it.",
    "crowd": "The recording sounds like many voices or noise rather than one voice, so no feeling is heard in it.",
}
AROUSED, CALM = 0.65, 0.35
"""Probability of being aroused from which it is said to be, and to which it is said not to be."""
_MOST = 4
"""Passages that are told one by one."""


def describe_voice(reading: VoiceReading) -> str:
    """Say what the voice as a whole tells.

    Args:
        reading: The voice.

    Returns:
        One or two sentences.

    Example:
        >>> describe_voice(VoiceReading(aroused=0.2))
        'The voice is calmer than ordinary speech (0.80 sure).'
    """
    if reading.obstacle:
        return OBSTACLES[reading.obstacle]
    sounds = f"Compared with ordinary speech the voice is {listed(reading.cues)}" if reading.cues else "The voice is like ordinary speech"
    if reading.aroused >= AROUSED:
        return f"{sounds}: aroused ({reading.aroused:.2f} sure)."
    if reading.aroused <= CALM:
        sure = f"({1 - reading.aroused:.2f} sure)"
        return f"{sounds}: calm {sure}." if reading.cues else f"The voice is calmer than ordinary speech {sure}."
    return f"{sounds}; whether it is aroused or calm it does not tell ({reading.aroused:.2f} against {1 - reading.aroused:.2f})."


def describe_doubt(reading: VoiceReading) -> str:
    """Say which emotions the voice may be, and that it does not settle which.

    Args:
        reading: The voice.

    Returns:
        One sentence.
    """
    likely = sorted(reading.probabilities.items(), key=lambda item: -item[1])[:3]
    return f"Which feeling it is the voice does not tell: {listed([f'{_noun(e)} {p:.2f}' for e, p in likely])}."


def _noun(emotion: Emotion) -> str:
    return "none" if emotion == "neutral" else EMOTION_SPECS[emotion].noun


_SHOWN: dict[VocalKind, str] = {
    "laugh": "cheeks and lip corners rise, the jaw drops and the head goes back meanwhile",
    "sob": "brows and lip corners are those of crying, the chin bunches and the nostrils draw breath meanwhile",
    "sigh": "the lips part, the lids grow heavy and the head sinks meanwhile",
    "whisper": "the muscles are held back meanwhile",
}


def describe_events(reading: VoiceReading) -> str:
    """Say which laughs, sobs, sighs and whispers are heard, when, how sure that is, and what they do to the face.

    Args:
        reading: The voice.

    Returns:
        One sentence for each kind; "" where none is heard.

    Example:
        >>> describe_events(VoiceReading(events=(VocalEvent("laugh", 1.2, 2.6, 0.9),)))
        'A laugh is heard from 1.2 s to 2.6 s (0.90 sure): cheeks and lip corners rise, the jaw drops and the head goes back meanwhile.'
    """
    return " ".join(_events(kind, [event for event in reading.events if event.kind == kind]) for kind in _kinds(reading))


def describe_kinds(reading: VoiceReading) -> str:
    """Name the kinds of what is heard: "a laugh and sobs"."""
    counts = {kind: sum(event.kind == kind for event in reading.events) for kind in _kinds(reading)}
    return listed([f"a {kind}" if count == 1 else _plural(kind) for kind, count in counts.items()])


def _kinds(reading: VoiceReading) -> tuple[VocalKind, ...]:
    return tuple(dict.fromkeys(event.kind for event in reading.events))


def _plural(kind: VocalKind) -> str:
    return f"{kind}s"


def _events(kind: VocalKind, events: list[VocalEvent]) -> str:
    longest = sorted(sorted(events, key=lambda event: event.start - event.end)[:_MOST], key=lambda event: event.start)
    when = listed([f"from {event.start:.1f} s to {event.end:.1f} s ({event.confidence:.2f} sure)" for event in longest])
    more = f", and {len(events) - len(longest)} more" if len(events) > len(longest) else ""
    found = f"A {kind} is" if len(events) == 1 else f"{_plural(kind).capitalize()} are"
    return f"{found} heard {when}{more}: {_SHOWN[kind]}."


def describe_passages(reading: VoiceReading) -> str:
    """Say where the voice departs from the speaker's usual.

    Args:
        reading: The voice.

    Returns:
        One sentence; "" where it does nowhere.

    Example:
        >>> describe_passages(VoiceReading(passages=(VoicePassage(1.2, 3.0, 1.5, 2.0, ("louder", "higher")),)))
        "The voice is louder and higher than this speaker's usual from 1.2 s to 3.0 s."
    """
    passages = reading.passages
    if not passages:
        return ""
    strongest = sorted(sorted(passages, key=lambda p: -abs(p.emphasis))[:_MOST], key=lambda p: p.start)
    parts = [_passage(passage, reading.aroused_in(passage.start, passage.end)) for passage in strongest]
    more = len(passages) - len(strongest)
    rest = f", and in {more} more {'places' if more > 1 else 'place'}" if more else ""
    return f"The voice is {'; '.join(parts)}{rest}."


def _passage(passage: VoicePassage, aroused: float | None) -> str:
    sure = f" (aroused, {aroused:.2f} sure)" if aroused is not None and passage.emphasis > 0 and aroused >= AROUSED else ""
    return f"{listed(_cues(passage))} than this speaker's usual from {passage.start:.1f} s to {passage.end:.1f} s{sure}"


def _cues(passage: VoicePassage) -> tuple[str, ...]:
    return passage.cues or ("more stressed",) if passage.emphasis > 0 else passage.cues or ("less stressed",)
