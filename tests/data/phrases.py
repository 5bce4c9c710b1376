"""Hand-written speech, so that lips and performances are tested where no synthesizer is installed."""

import numpy as np

from tbd.media.rates import SAMPLE_RATE
from tbd.speech.phones import SILENCE, Phone

VOWELS = ("ɑ", "æ", "i", "u", "ə", "oʊ", "aɪ")


def say(*symbols: str, length: float = 0.09, pause: float = 0.4) -> list[Phone]:
    """Phones of `length` seconds each, between pauses."""
    phones = [Phone(0.0, pause, SILENCE)]
    for symbol in (*symbols, SILENCE):
        start = phones[-1].end
        phones.append(Phone(start, start + (pause if symbol == SILENCE else length), symbol))
    return phones


def voice(phones: list[Phone], seed: int = 0) -> np.ndarray:
    """(N,) noise that is loud for vowels, softer for consonants, and nearly silent in pauses."""
    audio = np.random.default_rng(seed).standard_normal(round(phones[-1].end * SAMPLE_RATE)).astype(np.float32)
    for p in phones:
        level = 1e-4 if p.symbol == SILENCE else 0.1 if any(v[0] in p.symbol for v in VOWELS) else 0.03
        audio[round(p.start * SAMPLE_RATE) : round(p.end * SAMPLE_RATE)] *= level
    return audio


_SYMBOLS = "p l i z b ɹ ɪ ŋ m aɪ m ʌ ð ɝ ə b ɪ ɡ b l u ʌ m b ɹ ɛ l ə"
SENTENCE = say(*_SYMBOLS.split())
"""Please bring my mother a big blue umbrella."""
