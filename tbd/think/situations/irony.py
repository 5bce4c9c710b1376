"""Praise ahead of what deserves none: “Oh great, the train is late again” is no joy.

The opening is a form of words (Gibbs 2000, *Irony in talk among friends*: sarcasm praises what is bad). Whether it is meant is told by
what follows, read by itself: “Wonderful, she said yes” is meant.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from tbd.think.emotions import Emotion
from tbd.think.situations.classifier import CHARACTER_LIMIT, Situation
from tbd.think.situations.derision import UNPLEASANT

_PRAISE = (
    "great|wonderful|lovely|brilliant|fantastic|perfect|terrific|marvell?ous|fabulous|excellent|splendid|superb|awesome|nice|charming|super|"
    "delightful|joy|hooray|hurray|bravo|congratulations|congrats|beautiful|amazing|magnificent"
)
_LEADING = "oh|well|ah|wow|yay|yeah|just|how|that(?:'|’)?s|that is|isn(?:'|’)?t that|this is|absolutely|simply|really|so|very"
_FORMS = (
    r"(?:just )?what (?:i|we) (?:needed|wanted)|all (?:i|we) need(?:ed)?|(?:well|nicely) done|(?:good|nice|great) (?:job|work|one|going)|"
    r"way to go|lucky (?:me|us)|how (?:kind|nice|thoughtful|sweet|good) of (?:you|him|her|them|it)|thank you (?:so|very) much|"
    r"thanks (?:a lot|so much|a bunch)|big surprise"
)
_OPENING = rf"(?i)^\W*(?:(?:{_LEADING})[\s,]+)*(?:{_PRAISE}|{_FORMS})\b\s*[,.!…:;–—-]+\s*(?P<rest>\S+(?:\s+\S+)+)$"
_WEARY = r"(?i)\b(?:another|again|yet|more|as usual|as always|once more|still)\b"
"""Words that say that it is not the first time."""
_SARCASTIC = r"(?i)\b(?:what (?:i|we) (?:needed|wanted)|all (?:i|we) need|lucky (?:me|us)|big surprise|of (?:you|him|her|them|it))\b"
"""Forms of words that are seldom meant."""
_LIKELY = 0.6
"""How likely an unpleasant feeling must be, whichever it is, where what follows is read by itself."""
_UNLIKELY = 0.15
"""The most that happiness may be where the form says that it is not meant."""
_AIMED: dict[Emotion, float] = {"contempt": 0.25, "angry": 0.25}
"""What irony itself is met with."""


def follows_praise(text: str) -> tuple[str, str] | None:
    """Find what follows a word of praise that opens a text.

    Args:
        text: As the user wrote it.

    Returns:
        The opening and what follows; None where no word of praise is set off.

    Example:
        >>> follows_praise("Oh great, another Monday."), follows_praise("A great day")
        (('Oh great, ', 'another Monday.'), None)
    """
    text = " ".join(text.split())
    match = re.match(_OPENING, text) if len(text) <= CHARACTER_LIMIT and re.search(r"[,.!…:;–—-] ", text) else None
    return (text[: match.start("rest")], match["rest"]) if match is not None else None


def ironic(praised: tuple[str, str], classify: Callable[[Sequence[str]], list[Situation]]) -> Situation | None:
    """Read what follows a word of praise by itself.

    Args:
        praised: The opening and what follows, as `follows_praise` finds them.
        classify: Reads sentences.

    Returns:
        What is felt, where the praise cannot be meant; None elsewhere.
    """
    opening, rest = praised
    situation = classify([rest])[0]
    unpleasant = sum(situation.probabilities[emotion] for emotion in UNPLEASANT)
    formed = re.search(_WEARY, rest) or re.search(_SARCASTIC, opening)
    if unpleasant < _LIKELY and not (formed and situation.probabilities["happy"] <= min(_UNLIKELY, unpleasant)):
        return None
    felt = {e: situation.probabilities[e] for e in UNPLEASANT if e != "fear"}  # who is afraid does not mock
    total = sum(felt.values())
    probabilities = {e: 0.5 * felt.get(e, 0.0) / total + _AIMED.get(e, 0.0) for e in situation.probabilities}
    return replace(
        situation,
        probabilities=probabilities,
        valence=min(situation.valence, -0.4),
        intensity=max(situation.intensity, 0.4),
    )
