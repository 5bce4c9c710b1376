"""What the readings of one moment make of each other: the lesser of two that are compared, a smile beside a hidden pain."""

import re
from collections.abc import Sequence
from dataclasses import replace

from tbd.think.emotions import Emotion
from tbd.think.rules.segmenter import Reading

_SMILES = 0.45
"""Share of happiness from which an expression is a smile; a forced one has as much."""
_THE_LESSER = 0.3
"""The degree of what there is less of."""
_I_PRETEND = r"\b(?:i|we) (?:\w+ ){0,2}?(?:pretend|pretending|act as if|act like)\b"


def is_smile(reading: Reading) -> bool:
    """Return whether a reading is a smile, or a feeling that shows as one.

    Args:
        reading: Any; a denied one is none.

    Returns:
        Whether it is.
    """
    return not reading.negated and reading.sense.mix.get("happy", 0) >= _SMILES


def compared(readings: list[Reading], tokens: Sequence[str]) -> list[Reading]:
    """Weigh what is compared: of “more annoyed than sad”, "less sad than angry" the lesser is only hinted at, and the greater leads.

    Args:
        readings: Those of one moment.
        tokens: The moment's.

    Returns:
        The readings, with other degrees where two are compared.
    """
    word = next((token for token in tokens if token in ("more", "less")), None)
    if word is None or "than" not in tokens[tokens.index(word) :] or len(readings) != 2 or any(r.negated for r in readings):
        return readings
    if tokens[tokens.index(word) + 1] in ("than", "and"):  # "sad more than angry"
        return readings
    lesser = 1 if word == "more" else 0
    if readings[1 - lesser].sense.mix == readings[lesser].sense.mix:  # "more furious than angry"
        return readings
    return [replace(r, degree=_THE_LESSER if i == lesser else max(1.0, r.degree)) for i, r in enumerate(readings)]


def beneath(readings: list[Reading], tokens: Sequence[str]) -> list[Reading]:
    """Add what the one who speaks hides: who says “I pretend to be happy” is not.

    Args:
        readings: Those of one moment.
        tokens: The moment's.

    Returns:
        The readings, with a displeasure that is held back where a pleasant feeling alone is put on.
    """
    joyful = [r for r in readings if r.manner == "shown" and not r.negated and r.sense.kind == "feeling" and r.sense.valence > 0]
    if len(readings) != 1 or not joyful or not re.search(_I_PRETEND, " ".join(tokens)):
        return readings
    displeased: dict[Emotion, float] = {"sad": 0.8, "angry": 0.2}
    sense = replace(joyful[0].sense, name="displeased", mix=displeased, strength=0.55, valence=-0.5, arousal=-0.1, muscles=())
    return [*readings, Reading(sense, "I pretend", manner="held")]


def settle(readings: list[Reading]) -> list[Reading]:
    """Make a mask of a smile beside a hidden pain, or without joy, wherever the sentence puts it.

    Args:
        readings: Those of one moment.

    Returns:
        The readings, with such smiles shown and not felt.
    """
    hidden = any(r.manner == "held" and r.sense.valence < 0 and not r.negated for r in readings)
    hidden |= any(r.negated and r.sense.kind == "feeling" and r.sense.mix.get("happy", 0) >= 0.5 for r in readings)
    return [replace(r, manner="shown") if hidden and r.manner == "felt" and is_smile(r) else r for r in readings]
