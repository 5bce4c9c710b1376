"""What is no single voice: silence, too little speech, music, a crowd. A feeling read into any of these would be made up."""

import numpy as np
from scipy.ndimage import uniform_filter1d

from tbd.speech.pitch import RATE
from tbd.speech.prosody import Prosody
from tbd.think.voice.reader import Obstacle
from tbd.utils.scipy_signal import butter, sosfiltfilt
from tbd.utils.tracks import runs

_SPOKEN = 0.4
"""Seconds of speech below which nothing is said of it."""
_VOICED = 0.25
"""Seconds of it that have a pitch."""
_SYLLABLES = 2.1
"""Decibels by which loudness must beat at 2.5 to 8 Hz, as syllables do.

Of 107 filmed voices 95 % have 2.7 or more, of 16 voices at once 95 % have 1.4 or less.
"""
_RANGE = 3.3
"""Decibels of standard deviation below which such a sound is no single voice; of the filmed ones 95 % have 3.9 or more."""
_NOTES = 0.06
"""Share of the pitch that may be held as notes are, within 3 semitones a second for 0.12 s; of the filmed voices 95 % have none."""
_NOTE = 12  # frames


def find_obstacle(prosody: Prosody) -> Obstacle:
    """Say why nothing can be heard in a recording.

    Args:
        prosody: Its descriptors.

    Returns:
        The reason, or "" where somebody speaks.
    """
    if not prosody.speech.any():
        return "silent"
    if _share_of_notes(prosody) > _NOTES:
        return "music"
    if len(prosody) > RATE and _beat(prosody) < _SYLLABLES and _deviation(prosody) < _RANGE:
        return "music" if np.median(prosody.periodicity[prosody.speech]) > 0.6 else "crowd"
    if prosody.speech.sum() < _SPOKEN * RATE or prosody.voiced.sum() < _VOICED * RATE:
        return "short"
    return ""


def _share_of_notes(prosody: Prosody) -> float:
    steady = np.abs(np.diff(prosody.semitones)) * RATE < 3
    lengths = np.array([stop - start for start, stop in runs(steady)], int)
    return float(lengths[lengths >= _NOTE].sum()) / max(int(prosody.voiced.sum()), 1)


def _level(prosody: Prosody) -> np.ndarray:
    level = uniform_filter1d(prosody.level, 3)
    return np.maximum(level, np.percentile(level, 95) - 40)


def _beat(prosody: Prosody) -> float:
    return float(sosfiltfilt(butter(2, [2.5, 8], "band", fs=RATE, output="sos"), _level(prosody)).std())


def _deviation(prosody: Prosody) -> float:
    return float(_level(prosody)[prosody.speech].std())
