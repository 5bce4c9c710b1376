"""Where an inference stands beside the rules: what it becomes for them, which words it may overrule, which parts of a text it fills."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from tbd.think.emotions import Emotion
from tbd.think.rules.attachment import CUES
from tbd.think.rules.language_checks import is_plain_english
from tbd.think.rules.lexicon import Found, Phrase, Sense
from tbd.think.rules.parser import Text
from tbd.think.rules.segmenter import Moment, Reading
from tbd.think.rules.tokenizer import Tokens
from tbd.think.situations.classifier import Situation, is_unspaced
from tbd.think.situations.derision import UNPLEASANT, laughing, meant_to_be_funny

FILLS = 0.5
"""Confidence from which a part of a timed text is filled, where no word of it says what is felt."""
_SHARE = 0.15
"""Share of the mix from which an emotion beside the leading one shows."""
_HIDDEN = 0.5
"""Probability from which a feeling is kept from showing."""
_OVERRULES = 0.55
"""Confidence from which a situation overrules a word that names another feeling in passing."""
_OVERRULES_STILLNESS = 0.5
"""The same where the words are orders to the face, or name no feeling of the eight."""
OVERRULES_FACE = 0.75
"""The same where the text speaks of a face."""
OVERRULES_NAMED = 0.6
"""The same where a long text in another language names a feeling."""
_OVERRULES_OTHERS = 0.6
"""How likely an unpleasant feeling must be, whichever it is, where somebody else laughs or smiles at the one who speaks."""
_LONG = 6
"""Words from which a sentence can be about a situation and name a feeling in passing."""
_PASSING = 1 / 3
"""Share of a text's words up to which what it names is named in passing."""
_ENDS = frozenset(".!?…")
_FACE = frozenset(
    (
        "face", "mouth", "lip", "lips", "eye", "eyes", "brow", "brows", "eyebrow", "eyebrows", "cheek", "cheeks", "forehead", "chin", "jaw",
        "expression", "grimace", "smile", "grin", "gaze", "heart",
    )
)  # fmt: skip
_SAYING = frozenset(
    (
        "am", "is", "are", "was", "were", "be", "been", "feel", "felt", "feeling", "feels", "look", "looks", "looked", "looking", "seem",
        "seems", "so", "very", "become", "became", "get", "got",
    )
)  # fmt: skip
"""Words shortly before a feeling that say it of somebody: "I am ashamed of what I did"."""
_OWNERS = frozenset(("my", "our", "your", "his", "her", "their"))
_NOUNS = frozenset(
    (
        "fear", "anger", "joy", "sorrow", "grief", "shame", "pride", "rage", "fury", "horror", "terror", "disgust", "contempt", "envy",
        "delight", "regret", "guilt", "panic", "dread", "misery", "despair", "surprise", "relief", "jealousy", "scorn", "boredom",
    )
)  # fmt: skip
_NOUN_ENDINGS = ("ness", "ment", "tion", "sion", "ance", "ence", "ity", "ure")
_NAMES_NO_THING = frozenset(
    (
        "to", "at", "for", "of", "in", "on", "from", "with", "about", "over", "when", "while", "because", "as", "and", "but", "or", "that",
        "than", "is", "was", "has", "had", "can", "could", "will", "would", "does", "did", "never", "always",
    )
)  # fmt: skip
"""Words that may follow a feeling that somebody owns: "her worry about him", but not "her worried neighbour"."""


def sense_of(situation: Situation) -> Sense:
    """Turn what a situation is met with into what the rules take from a word.

    Args:
        situation: As classified; its leading emotion is not neutral.

    Returns:
        A feeling with the mix of the likely emotions.
    """
    felt = {e: p for e, p in situation.probabilities.items() if e != "neutral"}
    likely = {e: p for e, p in felt.items() if p >= _SHARE * sum(felt.values())}
    mix: dict[Emotion, float] = {e: p / sum(likely.values()) for e, p in sorted(likely.items(), key=lambda item: -item[1])}
    return Sense(
        name=next(iter(mix)),
        kind="feeling",
        mix=mix,
        strength=situation.intensity,
        valence=situation.valence,
        arousal=situation.arousal,
        confidence=situation.confidence,
    )


def reading_of(situation: Situation, text: str) -> Reading:
    """Turn what a situation is met with into a reading of the text.

    Args:
        situation: As classified; its leading emotion is not neutral.
        text: What was classified.

    Returns:
        The reading, which quotes the text's beginning.
    """
    quoted = " ".join(text.split())
    quoted = quoted if len(quoted) <= 60 else quoted[:57].rsplit(" ", 1)[0] + " …"
    return Reading(sense_of(situation), quoted, "held" if situation.hidden > _HIDDEN else "felt")


def speaks_of_a_face(words: Text) -> bool:
    """Return whether a text names a face or a part of it.

    Args:
        words: The text, read.

    Returns:
        Whether it does; what is felt is then inferred only where the classifier is sure.
    """
    return bool(_FACE & set(words.tokens))


def says_something(moments: Sequence[Moment]) -> bool:
    """Return whether any word of a text says something about a face.

    Args:
        moments: The text's.

    Returns:
        Whether they have readings.
    """
    return any(moment.readings for moment in moments)


def may_be_named_in_passing(words: Text, moments: Sequence[Moment]) -> bool:
    """Return whether a situation may overrule the rules.

    It may in a long sentence of which few words were read, without times, sides, figures or denials.

    Args:
        words: The text, read.
        moments: What the rules make of it.

    Returns:
        Whether it is worth asking what the sentence as a whole is met with.
    """
    letters = [token for token in words.tokens if token[0].isalpha()]
    telling = [moment for moment in moments if moment.readings]
    if len(telling) != 1 or any(token.startswith(("@t", "@au")) for token in words.tokens) or not letters:
        return False
    if {("the", "left"), ("the", "right")} & set(pairwise(words.tokens)):
        return False
    if not is_plain_english(words.tokens):
        return True
    if laughing(words.tokens, moments) is not None:
        return True
    readings = telling[0].readings
    read = sum(len(reading.words.split()) for reading in readings)
    plain = all(r.manner == "felt" and not r.negated and r.level is r.count is r.side is None for r in readings)
    return plain and len(letters) >= _LONG and read <= _PASSING * len(letters) and not _says_it_of_somebody(words.tokens, telling[0])


def _says_it_of_somebody(tokens: Sequence[str], moment: Moment) -> bool:
    """Whether a feeling or a face is said to be somebody's: "is sad", "how sad I am", "his fear", "her smile froze"."""
    felt = {word for reading in moment.readings if reading.sense.kind == "feeling" for word in reading.words.split()}
    named = {word for reading in moment.readings for word in reading.words.split()} - _OWNERS
    if felt & _SAYING:
        return True
    for at, token in enumerate(tokens):
        before, after = tokens[max(0, at - 2) : at], tokens[at + 1 : at + 4]
        if token in felt and (_SAYING & set(before) or ("how" in before and _SAYING & set(after))):
            return True
        if token in named and before[-1:] and before[-1] in _OWNERS and _stands_for_itself(token, after, token in felt):
            return True
    return False


def _stands_for_itself(token: str, after: Sequence[str], is_feeling: bool) -> bool:
    """Whether a word that somebody owns is a noun: it is no adjective of what follows."""
    if not is_feeling or token in _NOUNS or token.endswith(_NOUN_ENDINGS):
        return True
    return not after or not after[0].isalpha() or after[0] in _NAMES_NO_THING


def overrules(situation: Situation, words: Text, moments: Sequence[Moment], leading: Emotion) -> bool:
    """Return whether what a situation is met with replaces what its words name in passing.

    Args:
        situation: The whole text, classified.
        words: The text, read.
        moments: What the rules make of it.
        leading: The emotion that leads by the rules.

    Returns:
        Whether the classifier is sure enough to be believed.
    """
    if situation.leading == leading:
        return False
    needed = _OVERRULES_STILLNESS if leading == "neutral" else _OVERRULES
    if speaks_of_a_face(words):
        needed = OVERRULES_FACE
    if situation.leading == "neutral" and (needed == OVERRULES_FACE or words.tokens[-1] not in _ENDS):
        return False  # a description, not a statement
    if laughing(words.tokens, moments) is not None:
        if meant_to_be_funny(words.tokens, moments):
            return False
        if leading == "happy" and situation.leading in UNPLEASANT:
            return sum(situation.probabilities[emotion] for emotion in UNPLEASANT) >= _OVERRULES_OTHERS
    return situation.confidence >= needed


def filler(classify: Callable[[Sequence[str]], list[Situation]]) -> Callable[[Tokens, list[Found]], list[Found]]:
    """Make what fills the parts of a timed text that name no feeling; for `tbd.think.rules.parser.read`.

    Args:
        classify: Reads sentences.

    Returns:
        A function that adds a cue for each such part.
    """

    def fill(tokens: Tokens, found: list[Found]) -> list[Found]:
        parts = [part for part in _parts(tokens.words, found) if not any(f.phrase.role in CUES and part.contains(f) for f in found)]
        for part, situation in zip(parts, classify([part.text for part in parts]) if parts else ()):
            if situation.leading != "neutral" and situation.confidence >= FILLS:
                cue = Found(Phrase(tuple(part.words), "cue", sense_of(situation)), part.start, part.end)
                found = sorted([cue, *(f for f in found if not part.contains(f))], key=lambda f: f.start)
        return found

    return fill


class _Part:
    """Tokens between two marks of time or sequence."""

    def __init__(self, tokens: Sequence[str], start: int, end: int) -> None:
        self.words, self.start, self.end = list(tokens[start:end]), start, end
        self.text = " ".join(self.words)

    def contains(self, found: Found) -> bool:
        return self.start <= found.start and found.end <= self.end


def _parts(tokens: Sequence[str], found: Sequence[Found]) -> list[_Part]:
    """The parts of a text between its marks of time that are long enough to tell of something; none in a text without such marks."""
    marks = {i for i, token in enumerate(tokens) if token.startswith("@t") or token == "→"}
    marks |= {i for f in found if f.phrase.role == "then" for i in range(f.start, f.end)}
    if not marks:
        return []
    ends = marks | {i for i, token in enumerate(tokens) if token in ".,;:!?…()[]"}
    edges = [-1, *sorted(ends), len(tokens)]
    parts = [_Part(tokens, start + 1, end) for start, end in pairwise(edges) if end > start + 1]
    return [part for part in parts if sum(len(word) if is_unspaced(word) else 2 for word in part.words) >= 6]
