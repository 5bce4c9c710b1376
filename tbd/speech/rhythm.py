"""Whether a sound repeats itself, as laughter does and speech does not: the autocorrelation of its spectrum over time.

A syllable is as long as the call of a laugh, and loudness beats at the same rate; but each syllable has other phones, while a laugh says
one vowel again and again (Bachorowski, Smoski & Owren 2001). So the whole spectrum is compared with itself, not the loudness alone.
"""

from typing import NamedTuple

import numpy as np
from scipy import fft

from tbd.media.rates import SAMPLE_RATE
from tbd.speech.pitch import RATE, frames_of

_WINDOW, _SIZE = 400, 512
_BANDS, _LOWEST, _HIGHEST = 20, 150.0, 7000.0
_BLOCK = 4000
_DYNAMIC = 45.0
"""Decibels under each band's loud moments (97th percentile) that count."""
FASTEST, SLOWEST = 0.12, 0.36
"""Seconds from one repetition to the next that are looked at: laughs have 0.15 to 0.3."""


class Rhythm(NamedTuple):
    """How a stretch of sound repeats itself.

    Args:
        strength: Correlation of the spectrum with itself one period later, -1..1.
        contrast: By how much it is above the least correlation at a shorter lag; 0 where the spectrum only drifts.
        period: Seconds.
    """

    strength: float
    contrast: float
    period: float


def mel_levels(audio: np.ndarray) -> np.ndarray:
    """Measure the level of mel bands.

    Args:
        audio: (N,) float samples at 16 kHz.

    Returns:
        (⌈N / 160⌉, 20) decibels, `RATE` frames a second; each band limited to its upper 45 dB.
    """
    frames = frames_of(np.nan_to_num(np.asarray(audio, np.float32)), _WINDOW)
    bank, taper = _bank(), np.hanning(_WINDOW).astype(np.float32)
    blocks = [np.square(np.abs(fft.rfft(frames[i : i + _BLOCK] * taper, _SIZE))) @ bank for i in range(0, len(frames), _BLOCK)]
    if not blocks:
        return np.zeros((0, _BANDS))
    levels = 10 * np.log10(np.concatenate(blocks) + 1e-9)
    return np.maximum(levels, np.percentile(levels, 97, axis=0) - _DYNAMIC)


def _bank() -> np.ndarray:
    """(bins, bands) triangles, evenly spaced in mel (O'Shaughnessy 1987)."""
    hertz = fft.rfftfreq(_SIZE, 1 / SAMPLE_RATE)
    lowest, highest = (2595 * np.log10(1 + edge / 700) for edge in (_LOWEST, _HIGHEST))
    mels = np.linspace(lowest, highest, _BANDS + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    rising = (hertz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz[:, None]) / (edges[2:] - edges[1:-1])
    return np.clip(np.minimum(rising, falling), 0, None)


def measure_rhythm(levels: np.ndarray) -> Rhythm:
    """Measure how a stretch of sound repeats itself.

    Args:
        levels: (T, bands) decibels of `mel_levels`, or (T, 1) of the whole sound; T is at least 0.6 s.

    Returns:
        Strength and period of the repetition.

    Example:
        >>> beat = np.sin(2 * np.pi * 5 * np.arange(120) / RATE)[:, None]
        >>> measure_rhythm(beat).period
        0.2
    """
    centred = levels - levels.mean(0)
    count, energy = len(centred), float(np.square(centred).sum()) + 1e-9
    first, last = int(FASTEST * RATE), int(SLOWEST * RATE)
    correlation = np.array([np.vdot(centred[: count - k], centred[k:]) * count / (count - k) for k in range(last + 1)]) / energy
    period = first + int(correlation[first:].argmax())
    return Rhythm(float(correlation[period]), float(correlation[period] - correlation[3:period].min()), period / RATE)
