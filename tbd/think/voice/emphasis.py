"""Where a speaker departs from how they mostly speak: stressed and softened passages, and pauses."""

from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter1d

from tbd.speech.pitch import RATE
from tbd.speech.prosody import Prosody
from tbd.think.voice.reader import VoicePassage
from tbd.utils.tracks import runs

PAUSE = 0.35
"""Seconds of silence between words that are a pause: shorter ones may be the closure of a stop."""
_SPREAD = 0.35  # seconds, standard deviation of the smoothing: a passage is some words, not a syllable
_SCALES = {"level": 5.0, "semitones": 3.0, "alpha": 6.0}
"""Standard deviations of ordinary speech over such a time: decibels, semitones, decibels."""
_WORDS = {"level": ("louder", "softer"), "semitones": ("higher", "lower"), "alpha": ("tenser", "slacker")}
_PEAK, _EDGE = 1.0, 0.5
"""Emphasis that a passage reaches, and at which it starts and ends."""
_CUE = 0.7  # emphasis of one descriptor that is worth a word
_SHORTEST = 0.4  # seconds of a passage
_SOFT = 0.8  # seconds of a softened one: the voice falls at the end of each phrase
_LEAST = 2.0  # seconds of speech without which nobody knows what is usual


def find_pauses(prosody: Prosody) -> tuple[tuple[float, float], ...]:
    """Find the silences: between words, before the first and after the last.

    Args:
        prosody: Of a recording.

    Returns:
        (start, end) in seconds; none where nothing is said.
    """
    said = runs(prosody.speech)
    if not said:
        return ()
    edges = [(0, 0), *said, (len(prosody.speech), len(prosody.speech))]
    gaps = ((before / RATE, after / RATE) for (_, before), (after, _) in pairwise(edges))
    return tuple((round(start, 2), round(end, 2)) for start, end in gaps if end - start >= PAUSE)


def find_passages(prosody: Prosody) -> tuple[VoicePassage, ...]:
    """Find the stretches that stand out from the rest of the recording.

    Args:
        prosody: Of a recording.

    Returns:
        The passages, in order of time; none where less than two seconds are spoken.
    """
    voiced = prosody.voiced
    if prosody.speech.sum() < _LEAST * RATE or not voiced.any():
        return ()
    tracks = {name: _departure(getattr(prosody, name), voiced) / scale for name, scale in _SCALES.items()}
    emphasis = np.mean(list(tracks.values()), axis=0)
    near = gaussian_filter1d(voiced.astype(float), _SPREAD * RATE) > 0.1  # silence stands out from nothing
    passages = [
        *_stretches(emphasis, near, tracks, 1, _SHORTEST),
        *_stretches(emphasis, near, tracks, -1, _SOFT),
    ]
    return tuple(sorted(passages, key=lambda passage: passage.start))


def _departure(track: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    """(T,) how far a descriptor is from its median over voiced frames, smoothed over them alone."""
    centred = np.where(voiced, track - np.median(track[voiced]), 0.0)
    weight = gaussian_filter1d(voiced.astype(float), _SPREAD * RATE)
    return gaussian_filter1d(centred, _SPREAD * RATE) / np.maximum(weight, 0.05)


def _stretches(emphasis: np.ndarray, near: np.ndarray, tracks: dict[str, np.ndarray], sign: int, shortest: float) -> list[VoicePassage]:
    found = []
    for start, stop in runs((sign * emphasis > _EDGE) & near):
        inside = slice(start, stop)
        apex = int(start + (sign * emphasis[inside]).argmax())
        if sign * emphasis[apex] < _PEAK or stop - start < shortest * RATE:
            continue
        cues = {name: sign * float(track[inside].mean()) for name, track in tracks.items()}
        salient = sorted((name for name, value in cues.items() if value > _CUE), key=lambda name: -cues[name])
        words = tuple(_WORDS[name][sign < 0] for name in salient)
        begin, end = round(float(start) / RATE, 2), round(float(stop) / RATE, 2)
        found.append(VoicePassage(begin, end, round(float(emphasis[apex]), 2), round(apex / RATE, 2), words))
    return found
