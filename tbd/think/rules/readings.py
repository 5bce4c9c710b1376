"""What the readings of one moment make of each other: the lesser of two that are compared, a smile beside a hidden pain."""

from collections.abc import Sequence
from dataclasses import replace

from tbd.think.rules.segmenter import Reading

_SMILES = 0.45
"""Share of happiness from which an expression is a smile; a forced one has as much."""
_THE_LESSER = 0.3
"""The degree of what there is less of."""


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
