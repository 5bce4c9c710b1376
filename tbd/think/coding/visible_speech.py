"""Speech that is seen rather than heard, for video without sound: the jaw goes up and down with the syllables."""

import numpy as np
from scipy.ndimage import binary_closing, binary_opening, uniform_filter1d
from scipy.signal import butter, sosfiltfilt

from tbd.face.motion import Motion
from tbd.media.rates import FPS

_SYLLABLES = (2.0, 8.0)
"""Hertz: syllables come three to six times a second (Greenberg 1999), and the jaw follows each (Chandrasekaran et al. 2009)."""
_OPENS = 0.018
"""Root mean square of the jaw's movement at that rate from which a face talks. Over a second, it is 0.02 to 0.09 in filmed people who talk
(both trackers, the median of a clip; 0.008 where they mumble), and 0 to 0.013 in those who smile, wink or look about."""
_SPAN = FPS
"""Frames over which it is taken."""
_SHORTEST = 40
"""Frames below which there is no telling."""


def visible_speech(motion: Motion) -> np.ndarray:
    """Find the frames in which a face talks.

    Args:
        motion: A tracked motion.

    Returns:
        (T,) bool.

    Example:
        >>> motion = Motion.zeros(100)
        >>> motion["jawOpen"] = 0.15 + 0.15 * np.sin(np.arange(100) / 25 * 2 * np.pi * 4)
        >>> bool(visible_speech(motion).all()), bool(visible_speech(Motion.zeros(100)).any())
        (True, False)
    """
    if len(motion) < _SHORTEST:
        return np.zeros(len(motion), bool)
    band = butter(2, _SYLLABLES, "bandpass", fs=FPS, output="sos")
    moves = np.sqrt(uniform_filter1d(sosfiltfilt(band, motion["jawOpen"].astype(np.float64)) ** 2, _SPAN, mode="nearest"))
    half = _SPAN // 2
    talks = binary_closing(np.pad(moves > _OPENS, half, mode="edge"), np.ones(half))
    return binary_opening(talks, np.ones(half))[half:-half]
