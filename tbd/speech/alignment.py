"""Phones as numbers on a clock: the form in which a network is conditioned on them."""

from collections.abc import Sequence

import numpy as np

from tbd.errors import InputError
from tbd.media.rates import FPS
from tbd.speech.phones import ARPABET, BREATH, SILENCE, Phone

PHONES_PER_FRAME = 4
"""Numbers of a track per frame of motion, 100 a second: a closure of the lips may last 50 ms."""

SYMBOLS: tuple[str, ...] = (SILENCE, *sorted({symbol for symbol in ARPABET.values() if symbol != SILENCE}))
"""What each number means. Their order is part of every model that was trained on tracks: never change it."""

_NUMBERS = {symbol: i for i, symbol in enumerate(SYMBOLS)} | {BREATH: 0}


def phone_number(symbol: str) -> int:
    """Return the place of a symbol in `SYMBOLS`.

    Args:
        symbol: IPA, `SILENCE` or `BREATH`.

    Returns:
        Its place; 0 for silence and breath.

    Raises:
        InputError: If it is none of `SYMBOLS`.
    """
    if symbol not in _NUMBERS:
        raise InputError(f"{symbol!r} is no phone that models know; there are {' '.join(SYMBOLS[1:])}.")
    return _NUMBERS[symbol]


def phone_track(phones: Sequence[Phone], frames: int) -> np.ndarray:
    """Which phone sounds when.

    Args:
        phones: Of one recording, in order; what none covers is silence.
        frames: Of motion.

    Returns:
        (frames · 4,) uint8, places in `SYMBOLS`.

    Raises:
        InputError: If a symbol is none of `SYMBOLS`.

    Example:
        >>> track = phone_track([Phone(0.01, 0.03, "m"), Phone(0.03, 0.05, "ɑ")], frames=2)
        >>> [SYMBOLS[i] for i in track]
        ['', 'm', 'm', 'ɑ', 'ɑ', '', '', '']
    """
    track = np.zeros(frames * PHONES_PER_FRAME, np.uint8)
    rate = FPS * PHONES_PER_FRAME
    for phone in phones:
        track[round(phone.start * rate) : round(phone.end * rate)] = phone_number(phone.symbol)
    return track
