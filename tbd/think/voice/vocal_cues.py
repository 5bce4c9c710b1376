"""Numbers by which laughs, sobs, sighs and whispers differ from speech, in stretches of a second."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import uniform_filter1d

from tbd.speech.pitch import RATE
from tbd.speech.prosody import Prosody
from tbd.speech.rhythm import measure_rhythm
from tbd.utils.tracks import runs

LENGTH, STEP = 1.2, 0.1
"""Seconds of a stretch, and from one to the next."""
SHORTEST = 0.6
"""Seconds of a recording below which there is nothing to measure a rhythm on."""


class VocalCues(NamedTuple):
    """Of one stretch. None depends on the gain or the colour of a microphone."""

    strength: float
    """Of the spectrum's repetition; see `tbd.speech.rhythm`."""
    contrast: float
    period: float
    beat: float
    """The strength of the loudness's repetition."""
    range: float
    """Standard deviation of loudness, decibels."""
    voiced: float
    """Share of the time with a pitch."""
    active: float
    """Share of the time that is loud enough to be the speaker's."""
    pitch: float
    """Median, semitones over 100 Hz; 12 where nothing has a pitch."""
    pitch_deviation: float
    unvoiced: float
    """Share of the active time without a pitch."""
    voiced_median: float
    """Seconds of a voiced stretch, the median."""
    voiced_longest: float
    voiced_count: float
    """Voiced stretches of 30 ms or more."""
    periodicity: float
    """Mean where there is a pitch; 0.5 where there is none."""
    flatness: float
    """Mean of the active time, 0 tone .. 1 noise."""
    flux: float
    """Mean change of the spectrum from frame to frame."""
    contrast_of_bands: float
    """Mean standard deviation of the mel bands, decibels."""


def stretches_of(prosody: Prosody) -> list[tuple[int, int]]:
    """Say where the stretches of a recording lie.

    Args:
        prosody: Of the recording.

    Returns:
        (first frame, frame after the last), one every `STEP`; none of a recording shorter than `SHORTEST`.
    """
    count, length = len(prosody), int(LENGTH * RATE)
    if count < SHORTEST * RATE:
        return []
    return [(start, min(start + length, count)) for start in range(0, max(count - length, 0) + 1, int(STEP * RATE))]


def measure_cues(prosody: Prosody, mels: np.ndarray) -> np.ndarray:
    """Measure all stretches of a recording.

    Args:
        prosody: Of the recording.
        mels: (T, bands) of `tbd.speech.rhythm.mel_levels`.

    Returns:
        (stretches, cues) in the order of `VocalCues`.
    """
    loud = float(np.percentile(prosody.level, 95)) if len(prosody) else 0.0
    level = np.maximum(uniform_filter1d(prosody.level, 3), loud - 45)
    rows = [_cues(prosody.part(start, stop), mels[start:stop], level[start:stop]) for start, stop in stretches_of(prosody)]
    return np.array(rows).reshape(-1, len(VocalCues._fields))


def _cues(part: Prosody, mels: np.ndarray, level: np.ndarray) -> VocalCues:
    rhythm, voiced, active = measure_rhythm(mels), part.voiced, part.speech
    semitones = part.semitones[voiced]
    lengths = np.array([stop - start for start, stop in runs(voiced)], float) / RATE
    lengths = lengths if len(lengths) else np.zeros(1)
    return VocalCues(
        strength=rhythm.strength,
        contrast=rhythm.contrast,
        period=rhythm.period,
        beat=measure_rhythm(level[:, None]).strength,
        range=float(level.std()),
        voiced=float(voiced.mean()),
        active=float(active.mean()),
        pitch=float(np.median(semitones)) if len(semitones) else 12.0,
        pitch_deviation=float(semitones.std()) if len(semitones) > 2 else 0.0,
        unvoiced=float((active & ~voiced).sum() / max(active.sum(), 1)),
        voiced_median=float(np.median(lengths)),
        voiced_longest=float(lengths.max()),
        voiced_count=float((lengths >= 0.03).sum()),
        periodicity=float(part.periodicity[voiced].mean()) if len(semitones) else 0.5,
        flatness=float(part.flatness[active].mean()) if active.any() else 0.1,
        flux=float(part.flux[active].mean()) if active.any() else 0.5,
        contrast_of_bands=float(mels.std(0).mean()),
    )
