"""Text, voice, or both → plan."""

from collections.abc import Callable
from typing import Literal

import numpy as np

from tbd.errors import InputError
from tbd.media.rates import SAMPLE_RATE
from tbd.think.action_units import Pull
from tbd.think.emotions import EMOTION_SPECS, Emotion
from tbd.think.plan import MusclePlan, Step
from tbd.think.plan_checks import follow
from tbd.think.planner import HELP, compose
from tbd.think.rules.lexicon import Sense
from tbd.think.rules.parser import read
from tbd.think.rules.segmenter import Moment, Reading
from tbd.think.voice.event_muscles import add_events, moving_events
from tbd.think.voice.modulation import LONG_PAUSE, SURE, find_stretches, follow_voice, whole_factor
from tbd.think.voice.openness import Openness, find_openness
from tbd.think.voice.reader import VoiceReading
from tbd.think.voice.wording import describe_doubt, describe_events, describe_kinds, describe_passages, describe_voice

EmotionSource = Literal["text", "voice", "both"]
"""Where a feeling is taken from. With "both" the text decides what is felt, and the voice how strongly and when, as far as the text leaves
it open; without a text the voice decides alone."""
SOURCES: tuple[EmotionSource, ...] = ("text", "voice", "both")
LEADS = 0.4
"""Probability from which an emotion that the voice alone tells shows on the face."""
_SHARE = 0.5
"""Of the leading emotion's probability, from which another one shows as well."""
_ANIMATED: tuple[Pull, ...] = ((1, "both", 0.15), (2, "both", 0.2), (5, "both", 0.2))
"""Brows and lids of somebody who is stirred, whatever by: they mark stress in speech (Ekman 1979, *About brows*)."""


def check_source(emotion_from: str) -> EmotionSource:
    """Check where the feeling is to be taken from.

    Args:
        emotion_from: What was passed.

    Returns:
        The same.

    Raises:
        InputError: If it is none of `SOURCES`.
    """
    for source in SOURCES:
        if emotion_from == source:
            return source
    raise InputError(f"The emotion is taken from {', '.join(SOURCES[:-1])} or {SOURCES[-1]}, not from {emotion_from!r}.")


def plan_observed(
    think: Callable[..., MusclePlan],
    observes: frozenset[str],
    text: str,
    audio: np.ndarray,
    portrait: np.ndarray | None,
    hear: Callable[[np.ndarray], VoiceReading],
    emotion_from: EmotionSource = "both",
) -> MusclePlan:
    """Think a text with a planner that may see a portrait and hear the voice itself; hear the voice for one that does not.

    Args:
        think: Text → plan; a planner's. Takes what it observes by name.
        observes: What the planner takes; see `tbd.think.planner.Planner.observes`.
        text: What is felt; may be empty.
        audio: (N,) float32 samples of the voice at 16 kHz.
        portrait: (H, W, 3) uint8 RGB, where there is one.
        hear: Voice → how it is said; a reader's.
        emotion_from: Where the feeling is taken from.

    Returns:
        The plan.
    """
    observed = {"voice": audio, "portrait": portrait}
    shown = {name: observed[name] for name in sorted(observes) if observed[name] is not None}
    by_itself = "voice" in shown or (bool(shown) and not text.strip())  # a planner that hears the voice, or sees enough
    if emotion_from == "text" or (emotion_from == "both" and by_itself):
        return think(text, **shown)
    return plan_with_voice(lambda words: think(words, **shown), text, audio, hear, emotion_from)


def plan_with_voice(
    think: Callable[[str], MusclePlan],
    text: str,
    audio: np.ndarray,
    hear: Callable[[np.ndarray], VoiceReading],
    emotion_from: EmotionSource = "both",
) -> MusclePlan:
    """Think a text, and hear how it is said.

    Args:
        think: Text → plan; a planner's.
        text: What is felt; may be empty.
        audio: (N,) float32 samples of the voice at 16 kHz.
        hear: Voice → how it is said; a reader's.
        emotion_from: Where the feeling is taken from.

    Returns:
        The plan. Its reasoning says what was heard and how sure that is.
    """
    if emotion_from == "text":
        return think(text)
    reading = hear(audio)
    duration = len(audio) / SAMPLE_RATE
    if emotion_from == "voice" or not text.strip():
        return plan_from_voice(reading, duration, text)
    plan = think(text)
    openness = find_openness(text)
    followed = follow_voice(plan, reading, duration, openness)
    followed = followed.model_copy(
        update={"regions": follow(followed, plan).regions, "reasoning": (*plan.reasoning, _added(reading, openness, plan, duration))}
    )
    if reading.obstacle:
        note = f"{describe_voice(reading)} The text decides alone."
        followed = followed.model_copy(update={"notes": (*followed.notes, note)})
    return add_events(followed, reading.events, duration, ordered=not openness.muscles)


def plan_from_voice(reading: VoiceReading, duration: float, text: str = "") -> MusclePlan:
    """Make a plan of what is heard alone.

    Args:
        reading: The voice.
        duration: Seconds of the recording.
        text: Kept in the plan; not read.

    Returns:
        The plan: the emotions that the voice tells, where it tells any; the brows of somebody who is stirred, where it tells no more than
            that; else a neutral face, with a note.
    """
    if not reading.spoken:
        return _only_events(reading, duration, text)
    return add_events(_plan_from_speech(reading, duration, text), reading.events, duration)


def _only_events(reading: VoiceReading, duration: float, text: str) -> MusclePlan:
    """Nothing but laughs, sobs, sighs or whispers."""
    plan = compose(
        text, read(""), (), duration, [f"Nothing but {describe_kinds(reading)} is heard; what is felt that does not tell. {HELP}"]
    )
    step = Step(title="What is heard", text=f"{describe_events(reading)} Beside that the face stays neutral.")
    return add_events(plan.model_copy(update={"reasoning": (step, *plan.reasoning[1:])}), reading.events, duration)


def _plan_from_speech(reading: VoiceReading, duration: float, text: str) -> MusclePlan:
    said = (describe_voice(reading), "" if reading.obstacle else describe_passages(reading), describe_events(reading))
    observed = " ".join(filter(None, said))
    felt = _felt(reading)
    stirred = reading.aroused >= SURE and not reading.obstacle
    if felt is not None:
        lead = max(felt, key=lambda emotion: felt[emotion])
        sure = f"It sounds like {EMOTION_SPECS[lead].noun} ({reading.confidence:.2f} sure)."
        note = (
            ""
            if reading.confidence >= 0.5
            else f"That the voice sounds like {EMOTION_SPECS[lead].noun} is a guess ({reading.confidence:.2f} sure). {HELP}"
        )
        sense = Sense(lead, "feeling", felt, _strength(reading), EMOTION_SPECS[lead].valence, reading.arousal)
        return _composed(text, Reading(sense, "the voice"), duration, f"{observed} {sure}", note, reading)
    if stirred:
        observed = f"{observed} {describe_doubt(reading)}"
        note = f"The voice is aroused, but does not tell what is felt, so brows and lids alone show it. {HELP}"
        sense = Sense("stirred", "order", {"neutral": 1.0}, 0.0, 0.0, reading.arousal, _ANIMATED)
        shown = f"{observed} So the face stays without a feeling; raised brows and lids show that somebody is stirred."
        return _composed(text, Reading(sense, "the voice"), duration, shown, note, reading)
    why = observed if reading.obstacle else f"{observed} {describe_doubt(reading)}"
    beside = f"Beside {describe_kinds(reading)} the" if moving_events(reading.events) else "The"
    note = f"{observed if reading.obstacle else 'The voice does not tell what is felt.'} {beside} face stays neutral. {HELP}"
    plan = compose(text, read(""), (), duration, [note])
    so = beside if moving_events(reading.events) else "So the"
    return plan.model_copy(update={"reasoning": (Step(title="What is heard", text=f"{why} {so} face stays neutral."), *plan.reasoning[1:])})


def _felt(reading: VoiceReading) -> dict[Emotion, float] | None:
    """The mix that shows; None where the voice does not tell enough."""
    if reading.obstacle or reading.leading == "neutral" or reading.confidence < LEADS:
        return None
    felt = {e: p for e, p in reading.probabilities.items() if e != "neutral" and p >= _SHARE * reading.confidence}
    lead = EMOTION_SPECS[reading.leading].valence
    felt = {
        e: p for e, p in felt.items() if e == reading.leading or EMOTION_SPECS[e].valence * lead > 0
    }  # a face that smiles and frowns says nothing
    return {e: p / sum(felt.values()) for e, p in sorted(felt.items(), key=lambda item: -item[1])}


def _strength(reading: VoiceReading) -> float:
    """How strongly it is felt: as far as the voice is out of the ordinary, and the reading is sure."""
    return round(max(0.2, reading.confidence * abs(2 * reading.aroused - 1)), 3)


def _composed(text: str, reading: Reading, duration: float, observed: str, note: str, voice: VoiceReading) -> MusclePlan:
    plan = compose(text, read(""), (Moment([reading]),), duration, [note] if note else [])
    followed = follow_voice(plan, voice, duration, Openness(strength=False, timing=True))
    steps = (Step(title="What is heard", text=observed), *(step for step in plan.reasoning[1:] if step.title != "How it comes out"))
    return followed.model_copy(update={"regions": follow(followed, plan).regions, "reasoning": steps})


def _added(reading: VoiceReading, openness: Openness, plan: MusclePlan, duration: float) -> Step:
    """The step that says what the voice adds to a text."""
    title = "What the voice adds"
    if reading.obstacle:
        return Step(title=title, text=f"{describe_voice(reading)} The text decides alone.")
    said = [describe_voice(reading) if reading.spoken else "", describe_passages(reading), describe_events(reading)]
    moving = moving_events(reading.events)
    if moving:
        said.append("What is felt stays what the text says.")
    stronger = whole_factor(reading)
    stretches = find_stretches(reading, duration)
    pauses = sum(end - start >= LONG_PAUSE for start, end in reading.pauses)
    if not plan.actions and not moving:
        said.append("There is no muscle that could follow it.")
    elif stronger > 1 and openness.strength:
        said.append(f"So the feeling is made stronger by {stronger - 1:.0%}.")
    elif stronger > 1:
        said.append("The text says how strongly it is felt, and keeps the last word.")
    if plan.actions and stretches and openness.timing:
        said.append(
            f"The muscles follow these passages{' and relax in the pauses' if pauses else ''}."
            if reading.passages
            else "The muscles relax in the pauses."
        )
    elif plan.actions and stretches:
        said.append("The text says when it is felt, and keeps the last word.")
    elif plan.actions and stronger == 1 and not moving:
        said.append("So the plan stays as the text has it.")
    return Step(title=title, text=" ".join(filter(None, said)))
