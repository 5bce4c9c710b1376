"""`Planner`: text → `MusclePlan`; and `KnowledgePlanner`, the offline default."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import islice

from tbd.errors import InputError
from tbd.think import verbalize
from tbd.think.emotions import Emotion
from tbd.think.plan import MusclePlan, Segment, Step
from tbd.think.rules.language_checks import foreign_language, slips
from tbd.think.rules.parser import Text, read
from tbd.think.rules.segmenter import Moment
from tbd.think.rules.timing import TimedMoment, build_actions, schedule


class Planner(ABC):
    """Thinks a sentence about a feeling into facial muscles.

    To write one, implement `plan`. Build the `MusclePlan` from its parts, or parse JSON with `MusclePlan.from_json`;
    either refuses what no face can do. Then:

    - give the reasoning as named steps that a reader can follow from the words to the muscles;
    - set `emotions` (weights over `EMOTIONS`) and `intensity` (how strongly it is felt);
    - list the muscles as `actions`. Intensities run 0..1, sides are the subject's own. Leave times None where nothing
      is said about time, and where there is a timeline give `segments` as well;
    - leave the mouth able to speak: little or nothing of AU18 and AU22 to 28 while someone talks, unless asked for;
    - describe the whole in `description`, and each region in `regions`: text encoders read them;
    - never fail on odd text. Where it says nothing about a feeling return a neutral plan whose `notes` say so and what
      would help. Raise `InputError` only for what the caller controls (a bad duration, a server that is down).

    The same planner must give the same plan for the same text. Everything under `tbd.think` works without torch.

    Example:
        >>> class Stone(Planner):
        ...     def plan(self, text, duration=None):
        ...         return MusclePlan(text=text, description="a neutral face", notes=("Stones feel nothing.",))
        >>> Stone().plan("furious").emotions
        {'neutral': 1.0}
    """

    observes: frozenset[str] = frozenset()
    """What `plan` takes as further keyword arguments: ``"voice"``, (N,) float32 samples at 16 kHz, and ``"portrait"``, (H, W, 3) uint8."""

    @abstractmethod
    def plan(self, text: str, duration: float | None = None) -> MusclePlan:
        """Think.

        Args:
            text: What is felt, in words.
            duration: Seconds of audio that the plan is for, where known; a timeline is laid out over it.

        Returns:
            The plan.

        Raises:
            InputError: If the duration is not a positive number of seconds.
        """


def check_duration(duration: float | None) -> None:
    """Refuse what is not a length of time.

    Args:
        duration: Seconds, or None where they are unknown.

    Raises:
        InputError: If the duration is given and is not a positive number of seconds.
    """
    if duration is not None and not (math.isfinite(duration) and duration > 0):
        raise InputError(f"A plan needs a duration above 0 seconds; {duration:g} was given.")


class KnowledgePlanner(Planner):
    """Thinks with tables and rules: offline, deterministic, in milliseconds. Reads English.

    It finds feelings, expressions, muscles, gaze and head movements (`tbd.think.rules.lexicon`), reads how they are meant, in
    which degree and when (`tbd.think.rules.parser`), turns them into muscles by the FACS prototypes (`tbd.think.rules.expression`)
    and lays them out in time (`tbd.think.rules.timing`).

    Example:
        >>> plan = KnowledgePlanner().plan("she fights back tears, then smiles", duration=4)
        >>> [(round(s.start, 1), max(s.emotions, key=s.emotions.get)) for s in plan.segments]
        [(0.0, 'sad'), (2.0, 'happy')]
        >>> [a.unit for a in plan.actions if a.onset == 2]  # the smile reaches the eyes: AU6 with AU12
        [6, 12]
        >>> KnowledgePlanner().plan("The train leaves at nine.").notes[0][:37]
        'The text names no feeling or movement'
    """

    def plan(self, text: str, duration: float | None = None) -> MusclePlan:
        """Think with tables and rules; see `Planner.plan`.

        Args:
            text: What is felt, in words.
            duration: Seconds of audio that the plan is for, where known.

        Returns:
            The plan; where nothing is understood a neutral one whose notes say what would help.

        Raises:
            InputError: If the duration is not a positive number of seconds.
        """
        check_duration(duration)
        words = read(text)
        return compose(text, words, () if foreign_language(words.tokens) else words.moments, duration)


def compose(text: str, words: Text, moments: Sequence[Moment], duration: float | None, notes: Sequence[str] | None = None) -> MusclePlan:
    """Make a plan of what was read.

    Args:
        text: As the user wrote it.
        words: The same, read.
        moments: What is felt and shown, in order of time.
        duration: Seconds of audio, where known.
        notes: How the text was understood; None: what the rules doubt.

    Returns:
        The plan.
    """
    timed_moments, total, conflicts = schedule(moments, duration)
    doubts = _notes(text, words, timed_moments, duration) if notes is None else [*_late(words, timed_moments, duration), *notes]
    notes = (*words.notes, *conflicts, *doubts)
    steps = verbalize.reasoning(timed_moments, total, nominal=duration is None)
    if not any(timed.face.readings for timed in timed_moments):
        steps = (*steps[:1], Step(title="What would help", text=notes[-1]))
    return MusclePlan(
        text=text,
        reasoning=steps,
        emotions=_overall(timed_moments, total),
        intensity=max(timed.face.intensity for timed in timed_moments),
        actions=build_actions(timed_moments, total),
        segments=_segments(timed_moments) if len(timed_moments) > 1 else (),
        description=_join([verbalize.describe(timed.face) for timed in timed_moments]),
        regions=verbalize.describe_regions(timed_moments),
        notes=notes,
    )


def _join(descriptions: Sequence[str]) -> str:
    text = ", then ".join(descriptions)
    return text[:1].upper() + text[1:] + "."


def _segments(timed_moments: Sequence[TimedMoment]) -> tuple[Segment, ...]:
    def segment(timed: TimedMoment) -> Segment:
        face = timed.face
        return Segment(
            start=timed.start, end=timed.end, emotions=face.emotions, intensity=face.intensity, description=verbalize.describe(face)
        )

    return tuple(map(segment, timed_moments))


def _overall(timed_moments: Sequence[TimedMoment], total: float) -> dict[Emotion, float]:
    """The mix of the whole: the moments' mixes, weighted by how long they last. Stillness around a feeling does not count."""
    timed_moments = [b for b in timed_moments if b.face.intensity > 0] or list(timed_moments)
    mix: dict[Emotion, float] = {}
    for timed in timed_moments:
        length = max(0.1, (timed.end or max(total, timed.start + 0.1)) - timed.start)
        for emotion, weight in timed.face.emotions.items():
            mix[emotion] = mix.get(emotion, 0.0) + weight * length
    whole = sum(mix.values())
    return {emotion: weight / whole for emotion, weight in sorted(mix.items(), key=lambda item: -item[1])}


HELP = (
    "Try a feeling (“quietly furious”, “bittersweet”), what the face does (“a small smile”, “raises one eyebrow”) "
    "or muscles (“AU4 at 0.7”)."
)  # fmt: skip


def _notes(text: str, words: Text, timed_moments: Sequence[TimedMoment], duration: float | None) -> list[str]:
    """What the user should know about how the text was understood."""
    notes = _late(words, timed_moments, duration)
    if not any(timed.face.readings for timed in timed_moments):
        return [*notes, _nothing(text, words)]
    if words.unread:
        quoted = verbalize.listed([f"“{phrase}”" for phrase in words.unread[:6]])
        notes.append(f"Not understood, so left out: {quoted}. Times read like “from 1 to 3 s”, amounts like “70 %” or “twice”.")
    notes += [f"“{written}” is not understood. Did you mean “{meant}”?" for written, meant in islice(slips(words.tokens), 4)]
    return notes


def _late(words: Text, timed_moments: Sequence[TimedMoment], duration: float | None) -> list[str]:
    if duration is not None and (last := _latest(words, timed_moments)) > duration + 0.05:
        return [f"The text names {last:g} s, but the audio lasts {duration:.3g} s; what lies beyond will not be seen."]
    return []


def _latest(words: Text, timed_moments: Sequence[TimedMoment]) -> float:
    """The latest second that the text names or that follows from it."""
    named = [time.seconds for m in words.moments for time in (m.start, m.end, m.length) if time is not None and time.share == 0]
    return max([timed_moments[-1].start, *named])


def _nothing(text: str, words: Text) -> str:
    if not text.strip():
        return f"The text is empty, so the face stays neutral. {HELP}"
    if not any(sign.isalpha() for sign in text):
        return f"The text has no words, nor emoji that this planner knows, so the face stays neutral. {HELP}"
    language = foreign_language(words.tokens)
    if language or not re.search("[A-Za-z]", text):
        guess = f" (this looks like {language})" if language else ""
        return f"This planner reads English and finds none here{guess}, so the face stays neutral; a language model reads others. {HELP}"
    guesses = list(dict.fromkeys(meant for _, meant in islice(slips(words.tokens, generous=True), 4)))
    guess = f" Did you mean {verbalize.listed([f'“{g}”' for g in guesses], 'or')}?" if guesses else ""
    return f"The text names no feeling or movement that this planner knows, so the face stays neutral.{guess} {HELP}"
