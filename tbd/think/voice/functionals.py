"""Numbers that say how a stretch of speech is spoken: means, ranges and rates of the descriptors of `tbd.speech.prosody`."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.ndimage import uniform_filter1d

from tbd.speech.pitch import RATE
from tbd.speech.prosody import Prosody
from tbd.utils.scipy_signal import find_peaks
from tbd.utils.tracks import runs

FEWEST = 15
"""Voiced frames, 0.15 s, below which a stretch says nothing."""


class Functionals(NamedTuple):
    """One number for each cue of a stretch. Semitones are over 100 Hz, levels in decibels, times in seconds.

    The sound's own level is none of them: nobody knows the microphone's gain.
    """

    pitch: float
    pitch_low: float
    pitch_high: float
    pitch_range: float
    pitch_deviation: float
    pitch_slope: float
    """Mean change of pitch, semitones a second."""
    pitch_rising: float
    """Share of frames in which the pitch rises."""
    level_deviation: float
    level_range: float
    level_slope: float
    """Mean change of level, decibels a second."""
    alpha: float
    alpha_deviation: float
    hammarberg: float
    tilt: float
    tilt_deviation: float
    centroid: float
    centroid_unvoiced: float
    flatness: float
    flux: float
    harmonicity: float
    harmonicity_low: float
    jitter: float
    """Logarithm of the second difference of pitch from frame to frame."""
    shimmer: float
    """Second difference of level from frame to frame."""
    rate: float
    """Syllables a second, as peaks of loudness in voiced frames (de Jong & Wempe 2009)."""
    voiced_length: float
    """Logarithm of the mean length of a voiced stretch."""
    unvoiced: float
    """Share of speech without a pitch."""
    pausing: float
    """Share of time between the first and the last word in which nothing is said."""
    alpha_loud: float
    onset: float
    """Steepest rises of level (90th percentile), decibels a second."""


def summarize(prosody: Prosody) -> Functionals | None:
    """Summarize a stretch of speech.

    Args:
        prosody: Its descriptors.

    Returns:
        The functionals; None where fewer than `FEWEST` frames are voiced.
    """
    voiced = prosody.voiced
    if voiced.sum() < FEWEST:
        return None
    return Functionals(*_pitch(prosody, voiced), *_level(prosody, voiced), *_spectrum(prosody, voiced), *_time(prosody, voiced))


def _pitch(prosody: Prosody, voiced: np.ndarray) -> list[float]:
    """The first seven: the pitch."""
    semitones = prosody.semitones[voiced]
    low, middle, high = np.percentile(semitones, [10, 50, 90])
    changes = np.diff(prosody.semitones) * RATE
    kept = changes[voiced[1:] & voiced[:-1] & (np.abs(np.nan_to_num(changes, nan=np.inf)) < 200)]
    change = kept if len(kept) > 5 else np.zeros(1)
    return [middle, low, high, high - low, semitones.std(), np.abs(change).mean(), (change > 0).mean()]


def _level(prosody: Prosody, voiced: np.ndarray) -> list[float]:
    """The next three: the range of loudness."""
    level = prosody.level[voiced]
    loud, soft = np.percentile(level, [95, 20])
    change = np.abs(np.diff(uniform_filter1d(prosody.level, 5)) * RATE)[prosody.speech[1:]]
    return [level.std(), loud - soft, change.mean()]


def _spectrum(prosody: Prosody, voiced: np.ndarray) -> list[float]:
    """From alpha to shimmer: the voice's quality."""
    alpha, tilt = prosody.alpha[voiced], prosody.tilt[voiced]
    periodicity = np.clip(prosody.periodicity[voiced], 0.5, 0.999)
    harmonicity = 10 * np.log10(periodicity / (1 - periodicity))
    unvoiced = prosody.speech & ~voiced
    centroid = prosody.centroid[voiced].mean()
    jitter = np.abs(np.diff(prosody.semitones, 2))
    jitter = jitter[np.nan_to_num(jitter, nan=np.inf) < 2]
    shimmer = np.abs(np.diff(prosody.level, 2))[voiced[2:] & voiced[1:-1] & voiced[:-2]]
    return [
        alpha.mean(),
        alpha.std(),
        prosody.hammarberg[voiced].mean(),
        tilt.mean(),
        tilt.std(),
        centroid,
        prosody.centroid[unvoiced].mean() if unvoiced.sum() > 3 else centroid + 1,
        prosody.flatness[voiced].mean(),
        prosody.flux[voiced].mean(),
        harmonicity.mean(),
        np.percentile(harmonicity, 20),
        np.log(jitter.mean() + 1e-3) if len(jitter) else -3.0,
        shimmer.mean() if len(shimmer) else 1.0,
    ]


def _time(prosody: Prosody, voiced: np.ndarray) -> list[float]:
    """From rate to onset: tempo."""
    smooth = uniform_filter1d(prosody.level, 5)
    peaks, _ = find_peaks(np.where(prosody.speech, smooth, smooth.min()), prominence=2.0, distance=8)
    spoken = prosody.speech.sum() / RATE
    lengths = np.array([stop - start for start, stop in runs(voiced)]) / RATE
    lengths = lengths[lengths >= 0.03]
    words = runs(prosody.speech)
    silent = sum(after - before for (_, before), (after, _) in pairwise(words)) / RATE
    level = prosody.level[voiced]
    loud = prosody.alpha[voiced][level > np.percentile(level, 60)]
    change = (np.diff(smooth) * RATE)[prosody.speech[1:]]
    return [
        voiced[peaks].sum() / max(spoken, 0.3),
        np.log(lengths.mean()) if len(lengths) else -2.0,
        (prosody.speech & ~voiced).sum() / max(prosody.speech.sum(), 1),
        silent / max(spoken + silent, 0.1),
        loud.mean() if len(loud) else prosody.alpha[voiced].mean(),
        np.percentile(change, 90),
    ]
