"""How something is said, a hundred times a second: loudness, pitch, and the cues of a tense or a lax voice.

The descriptors are those of the Geneva minimalistic parameter set (Eyben et al. 2016, *GeMAPS*) that can be had from a spectrum and an
autocorrelation; levels are relative to the recording, so that no microphone's gain counts.
"""

from dataclasses import dataclass, fields

import numpy as np
from scipy import fft
from scipy.ndimage import median_filter, uniform_filter1d

from tbd.media.rates import SAMPLE_RATE
from tbd.speech.pitch import RATE, frames_of, track_pitch

_WINDOW = 400  # samples, 25 ms
_SIZE = 512
_BLOCK = 6000
_FLOOR = 1e-10
_DYNAMIC = 35.0
"""Decibels under the loud moments (95th percentile) beyond which nothing is the speaker's."""
_HEADROOM = 6.0
"""Decibels over the noise (10th percentile) that speech has at least, where there is as much range."""


@dataclass(frozen=True)
class Prosody:
    """Descriptors of a recording, each (T,) at `RATE` frames a second.

    Args:
        level: Decibels of the sound between 60 Hz and 7 kHz.
        semitones: Pitch, over 100 Hz; NaN where unvoiced.
        periodicity: 0 noise .. 1 a perfect tone.
        alpha: Decibels of 1–5 kHz over 50 Hz–1 kHz: a pressed or loud voice is bright.
        hammarberg: Decibels of the strongest peak below 2 kHz over that of 2–5 kHz.
        tilt: Decibels of 500–1500 Hz over 50–500 Hz.
        centroid: Centre of the spectrum in octaves over 1 kHz.
        flatness: Spectral flatness of 300 Hz–5 kHz, 0 tone .. 1 noise.
        flux: Change of the normalised spectrum from frame to frame.
        speech: Whether the frame is loud enough to be the speaker's.
    """

    level: np.ndarray
    semitones: np.ndarray
    periodicity: np.ndarray
    alpha: np.ndarray
    hammarberg: np.ndarray
    tilt: np.ndarray
    centroid: np.ndarray
    flatness: np.ndarray
    flux: np.ndarray
    speech: np.ndarray

    def __len__(self) -> int:
        return len(self.level)

    @property
    def voiced(self) -> np.ndarray:
        """(T,) whether the frame has a pitch and is the speaker's."""
        return np.isfinite(self.semitones) & self.speech

    def part(self, start: int, stop: int) -> "Prosody":
        """Cut out a stretch.

        Args:
            start: Its first frame.
            stop: The frame after its last.

        Returns:
            The descriptors of these frames.
        """
        return Prosody(*(getattr(self, field.name)[start:stop] for field in fields(self)))


def describe_prosody(audio: np.ndarray) -> Prosody:
    """Measure how something is said.

    Args:
        audio: (N,) float samples at 16 kHz in −1..1.

    Returns:
        ⌈N / 160⌉ frames.

    Example:
        >>> silence = describe_prosody(np.zeros(16000, np.float32))
        >>> len(silence), bool(silence.speech.any())
        (100, False)
    """
    audio = np.nan_to_num(np.asarray(audio, np.float32))
    audio = audio - audio.mean() if len(audio) else audio
    frames = frames_of(audio, _WINDOW)
    blocks = [_spectral(frames[max(0, i - 1) : i + _BLOCK], i > 0) for i in range(0, len(frames), _BLOCK)]
    columns = [np.concatenate(parts) for parts in zip(*blocks)] if blocks else [np.zeros(0)] * 7
    pitch = track_pitch(audio)
    semitones = 12 * np.log2(pitch.hertz / 100)
    level, alpha, hammarberg, tilt, centroid, flatness, flux = columns
    return Prosody(level, semitones, pitch.periodicity, alpha, hammarberg, tilt, centroid, flatness, flux, _speech(level))


def _spectral(frames: np.ndarray, overlaps: bool) -> list[np.ndarray]:
    """The spectral descriptors of a block; its first frame is the one before where it overlaps."""
    power = np.square(np.abs(fft.rfft(frames * np.hanning(_WINDOW).astype(np.float32), _SIZE))) / _WINDOW
    hertz = fft.rfftfreq(_SIZE, 1 / SAMPLE_RATE)

    def band(low: float, high: float) -> np.ndarray:
        return power[:, (hertz >= low) & (hertz < high)]

    def decibels(energy: np.ndarray) -> np.ndarray:
        return 10 * np.log10(energy + _FLOOR)

    whole = band(60, 7000)
    mid = band(300, 5000) + _FLOOR
    weights = hertz[(hertz >= 60) & (hertz < 7000)]
    shape = np.sqrt(whole / (whole.sum(1, keepdims=True) + _FLOOR))
    flux = np.concatenate([[0.0], np.sqrt(np.square(np.diff(shape, axis=0)).sum(1))])
    columns = [
        decibels(whole.sum(1)),
        decibels(band(1000, 5000).sum(1)) - decibels(band(50, 1000).sum(1)),
        decibels(band(0, 2000).max(1)) - decibels(band(2000, 5000).max(1)),
        decibels(band(500, 1500).sum(1)) - decibels(band(50, 500).sum(1)),
        np.log2(np.maximum((whole * weights).sum(1) / (whole.sum(1) + _FLOOR), 60) / 1000),
        np.exp(np.log(mid).mean(1)) / mid.mean(1),
        flux,
    ]
    return [column[1:] if overlaps else column for column in columns]


def _speech(level: np.ndarray) -> np.ndarray:
    """Frames loud enough to be the speaker's, without holes or specks shorter than 50 ms."""
    if not len(level):
        return np.zeros(0, bool)
    smooth = uniform_filter1d(level, 5)
    loud, noise = np.percentile(smooth, 95), np.percentile(smooth, 10)
    threshold = max(loud - _DYNAMIC, min(noise + _HEADROOM, loud - 12))
    if loud < -75:
        return np.zeros(len(level), bool)
    return median_filter((smooth > threshold).astype(np.uint8), RATE // 20).astype(bool)
