"""Others laugh, grin or smile, and the one who speaks is there: what is felt then is what they laugh about, not their mirth.

An encoder of whole sentences hears the laughing louder than what it is about: "My uncle grinned when I lost my job" reads as happy. So
what is laughed about is read by itself, and words that are always at somebody's expense say so whatever the rest says.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tbd.think.emotions import EMOTIONS, Emotion
from tbd.think.rules.segmenter import Moment
from tbd.think.situations.classifier import Situation

UNPLEASANT: tuple[Emotion, ...] = ("sad", "angry", "fear", "contempt", "disgusted")
SPEAKER = frozenset(("i", "me", "my", "mine", "we", "us", "our"))
_MINE = frozenset(("my", "our"))
_OTHERS = frozenset(("they", "he", "she", "everyone", "everybody", "others", "nobody", "people", "who", "all"))
_LIKELY = 0.6
"""How likely an unpleasant feeling must be, whichever it is, where what is laughed about is read by itself."""
_DERISIVE = ("snigger", "snicker", "smirk", "sneer", "scoff", "jeer", "titter", "mock")
"""Beginnings of words for mirth at somebody's expense."""
_LAUGHING = ("laugh", "giggl", "chuckl", "cackl", "guffaw", "howl", "chortl", *_DERISIVE)
"""Of words that with "at" are at somebody's expense; who smiles at somebody is kind."""
_BETWEEN = 3
"""Words from "and" to the laughing, itself included: "and then just laughed"."""
_SMILING = ("smil", "grin", "beam")
_MEANT_TO_BE_FUNNY = frozenset(
    (
        "joke", "jokes", "story", "stories", "pun", "puns", "impression", "impressions", "sketch", "jest", "anecdote", "anecdotes", "trick",
        "tricks", "punchline", "toast", "gag", "gags", "wit", "humour", "humor", "riddle", "riddles", "face", "faces", "sides",
    )
)  # fmt: skip
_ABOUT = frozenset(("at", "about", "over"))
_BEGINS_A_CLAUSE = frozenset(("when", "while", "as", "because", "after", "since", "though", "although", "during", "whenever", "until"))
_ENDS_A_CLAUSE = frozenset(".,;:!?…")


def laughing(tokens: Sequence[str], moments: Sequence[Moment]) -> int | None:
    """Find where somebody else than the one who speaks laughs or smiles while the one who speaks is there.

    Args:
        tokens: The text's.
        moments: What the rules make of it.

    Returns:
        Place of the word; None where nobody else does.
    """
    faces = [_word(r.words.split()) for moment in moments for r in moment.readings if r.sense.kind == "expression" and r.words]
    at = next((place for place, token in enumerate(tokens) if token in faces), None)
    if at is None or (at > 0 and tokens[at - 1] in _MINE):
        return None
    # Who does it stands before it, and where no pronoun does, a noun: "my" is part of "my classmates".
    subject = next((token for token in reversed(tokens[:at]) if token in (SPEAKER - _MINE) | _OTHERS), "")
    return at if subject not in SPEAKER and bool(SPEAKER & set(tokens)) else None


def _word(reading: Sequence[str]) -> str:
    """Take "laughed" out of "little brother off the swing and laughed": a reading begins with its degree."""
    return next((word for word in reading if word.startswith(_LAUGHING + _SMILING)), reading[0])


def others_mirth(
    tokens: Sequence[str], moments: Sequence[Moment], situation: Situation, classify: Callable[[Sequence[str]], list[Situation]]
) -> Situation | None:
    """Read what others laugh or smile about.

    Args:
        tokens: The text's.
        moments: What the rules make of it, where `laughing` finds somebody.
        situation: The text as a whole.
        classify: Reads sentences.

    Returns:
        What the one who speaks feels, where it is unpleasant; None where nothing says that it is.
    """
    at = laughing(tokens, moments)
    if at is None:
        return None
    after = list(tokens[at + 1 :])
    if _meant_to_be_funny(after):
        return None
    if tokens[at].startswith(_DERISIVE) or (tokens[at].startswith(_LAUGHING) and _at_the_speaker(after)):
        return _unpleasant(situation)
    about = _circumstance(after) or _joined(tokens[:at])
    if about and SPEAKER & set(about):
        alone = classify([" ".join(about)])[0]
        if sum(alone.probabilities[emotion] for emotion in UNPLEASANT) >= _LIKELY:
            return _unpleasant(alone)
    return None


def meant_to_be_funny(tokens: Sequence[str], moments: Sequence[Moment]) -> bool:
    """Return whether others laugh about what the one who speaks meant them to laugh about.

    Args:
        tokens: The text's.
        moments: What the rules make of it.

    Returns:
        Whether they laugh at a joke, a story and the like.
    """
    at = laughing(tokens, moments)
    return at is not None and _meant_to_be_funny(tokens[at + 1 :])


def _meant_to_be_funny(after: Sequence[str]) -> bool:
    return next(iter(_object(after)), "") in _ABOUT and bool(_MEANT_TO_BE_FUNNY & set(_object(after)))


def _at_the_speaker(after: Sequence[str]) -> bool:
    thing = _object(after)
    return next(iter(thing), "") in _ABOUT and bool(SPEAKER & set(thing))


def _object(after: Sequence[str]) -> list[str]:
    """Take "at my new accent" out of "so loudly at my new accent when I read": from the preposition to the end of the clause."""
    start = next((i for i, token in enumerate(after) if token in _ABOUT), None)
    if start is None:
        return []
    end = next((i for i in range(start, len(after)) if after[i] in _BEGINS_A_CLAUSE | _ENDS_A_CLAUSE), len(after))
    return list(after[start:end])


def _circumstance(after: Sequence[str]) -> list[str]:
    """Take "I lost my job" out of "when I lost my job"."""
    start = next((i for i, token in enumerate(after) if token in _BEGINS_A_CLAUSE), None)
    if start is None:
        return []
    return [token for token in after[start + 1 :] if token not in _ENDS_A_CLAUSE]


def _joined(before: Sequence[str]) -> list[str]:
    """Take "he shoved my brother" out of "he shoved my brother and just", after which he laughs."""
    end = max((i for i, token in enumerate(before) if token == "and"), default=-1)
    return [token for token in before[:end] if token not in _ENDS_A_CLAUSE] if end > 0 and len(before) - end <= _BETWEEN else []


def _unpleasant(situation: Situation) -> Situation:
    """The situation, given that what is felt is unpleasant."""
    total = sum(situation.probabilities[emotion] for emotion in UNPLEASANT)
    probabilities = {e: situation.probabilities[e] / total if e in UNPLEASANT else 0.0 for e in EMOTIONS}
    return replace(situation, probabilities=probabilities, valence=-abs(situation.valence))
