"""When somebody speaks: frames with a phone that is loud enough to be the speaker's."""

import numpy as np

from tbd.media.rates import FPS, SAMPLES_PER_FRAME
from tbd.speech.phones import BREATH, SILENCE
from tbd.speech.recognizer import PhoneRecognizer, SphinxRecognizer

_QUIET = -35.0
"""Decibels under a recording's loud moments (95th percentile) at which a phone is a recognizer's guess at noise."""


def speech_activity(audio: np.ndarray, frames: int, recognizer: PhoneRecognizer | None = None) -> np.ndarray:
    """Find the frames in which somebody speaks.

    Args:
        audio: (N,) float samples at 16 kHz in −1..1.
        frames: T, how many frames of 640 samples to judge; those beyond the recording are silent.
        recognizer: Names the phones; by default the one whose model is in its package, without words.

    Returns:
        (T,) bool.

    Example:
        >>> bool(speech_activity(np.zeros(16000, np.float32), 25).any())
        False
    """
    phones = (recognizer or SphinxRecognizer(words=False)).listen(np.asarray(audio, np.float32))
    active = np.zeros(frames, bool)
    for phone in phones:
        if phone.symbol not in (SILENCE, BREATH):
            active[int(phone.start * FPS) : int(np.ceil(phone.end * FPS))] = True
    padded = np.zeros(frames * SAMPLES_PER_FRAME)
    padded[: min(len(audio), len(padded))] = audio[: len(padded)]
    level = 10 * np.log10(np.square(padded.reshape(frames, SAMPLES_PER_FRAME)).mean(1) + 1e-10)
    return active & (level > np.percentile(level, 95) + _QUIET)
