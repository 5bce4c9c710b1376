"""Whether what is heard is a voice, while it goes on: music, hum, noise and knocks move no mouth.

In a second of speech the spectrum's shape moves, since the mouth does, whether it is voiced or whispered; the pitch glides, and loudness
comes and goes with syllables. Noise and engines keep their shape, instruments their pitch, and beats of a drum are over at once.
"""

import numpy as np

from tbd.speech.pitch import HIGHEST, HOP, RATE, track_pitch
from tbd.speech.rhythm import mel_levels

COLUMN = HOP
"""Samples of a column."""
_BLOCK = RATE // 10
"""Columns after which it is decided anew: a tenth of a second."""
_DELAY = 3
"""Columns that are waited for, so that no frame of the pitch reaches beyond what is known."""
_CONTEXT = 15
"""Columns before a block that are measured with it."""
_MEMORY = RATE
"""Columns that are judged: a second."""
_LOUD = 30.0
"""Decibels under the loudest moment of the last seconds up to which a column counts; pauses are neither voice nor noise."""
_FADES = 3.0 / RATE
"""Decibels by which that moment fades in a column."""
_FEW = 12
"""Columns of a second that must be voiced for it to be judged by its pitch."""
_PERIODIC = 0.5
_GLIDE = 0.03
"""Semitones a column by which a voice's pitch glides, at the median; a note's stays."""
_SHAPE, _MODULATION = 3.7, 4.2
"""Decibels by which the shape of voiced columns varies, and their level."""
_FREER, _FREE_GLIDE = 3.0, 0.25
"""Decibels by which the level may vary less for each semitone that the pitch glides more, up to so many."""
_BREATHY, _SUSTAINED = 5.5, 35
"""The same for whispers: the shape's, and how many columns must be loud: those of a clap are few."""
_PATIENCE = 35
"""Blocks without a voice after which nothing is let through: a mouth that stands still while somebody speaks is worse than one that
moves with noise for a while. After 15, parts of 7 of 107 filmed clips of people who talk were taken for noise; after 35, of one."""
_HELD = 0.2
"""How much of a block counts in which the vowel of somebody who has spoken is held."""
_RAMP = 1 / (0.1 * RATE)
"""How fast it opens and closes, in shares of the way a column."""


class VoiceGate:
    """Says how much of a sound to listen to. Until it has heard three and a half seconds of what is no voice, all of it.

    Example:
        >>> gate = VoiceGate()
        >>> gate.feed(np.random.default_rng(0).normal(0, 0.1, 6 * 16000).astype(np.float32))
        >>> gate.gains(50, 51).tolist(), gate.gains(590, 591).tolist()
        ([1.0], [0.0])
    """

    def __init__(self) -> None:
        self._sound = np.zeros(0, np.float32)
        self._measured = 0  # columns
        self._samples = 0  # samples
        self._columns = np.zeros((0, 3 + 20), np.float32)  # pitch, whether it has one, level, mel levels
        self._peak, self._waited, self._open, self._spoken = -200.0, 0.0, True, False
        self._gains, self._first, self._gain = np.zeros(0, np.float32), 0, 1.0

    def feed(self, audio: np.ndarray) -> None:
        """Listen on.

        Args:
            audio: (N,) float32 samples at 16 kHz in −1..1, which follow those before.
        """
        self._sound, self._samples = np.concatenate([self._sound, np.nan_to_num(audio)]), self._samples + len(audio)
        while self._samples >= (self._measured + _BLOCK + _DELAY) * HOP:
            self._measure()
            self._judge()

    def gains(self, start: int, stop: int) -> np.ndarray:
        """Say how much of the sound counts.

        Args:
            start: First column, a hundred a second.
            stop: The column after the last; what is not decided yet is as the last that is.

        Returns:
            (stop − start,) float32, 0 nothing … 1 all.
        """
        places = np.arange(start, stop) - self._first
        if not len(self._gains):
            return np.ones(stop - start, np.float32)
        return self._gains[np.clip(places, 0, len(self._gains) - 1)]

    def _measure(self) -> None:
        """Measure a block, and forget the sound before it."""
        kept = self._samples - len(self._sound)
        low = max(self._measured - _CONTEXT, 0)
        part = self._sound[low * HOP - kept : (self._measured + _BLOCK + _DELAY) * HOP - kept]
        rows = slice(self._measured - low, self._measured - low + _BLOCK)
        pitch, levels = track_pitch(part), mel_levels(part)[rows]
        hertz = pitch.hertz[rows]
        voiced = np.isfinite(hertz) & (pitch.periodicity[rows] > _PERIODIC) & (hertz < 0.8 * HIGHEST)
        level = 10 * np.log10((10 ** (levels / 10)).sum(1) + 1e-9)
        semitones = 12 * np.log2(np.nan_to_num(hertz, nan=100.0) / 100)
        block = np.column_stack([semitones, voiced, level, levels]).astype(np.float32)
        self._columns = np.concatenate([self._columns, block])[-_MEMORY:]
        self._measured += _BLOCK
        keep = (self._measured - _CONTEXT) * HOP - kept
        self._sound = self._sound[max(keep, 0) :]

    def _judge(self) -> None:
        for level in self._columns[-_BLOCK:, 2]:
            self._peak = max(self._peak - _FADES, float(level))
        said = self._verdict(self._columns)
        if said is False and not self._open:
            said = self._verdict(self._columns[-_MEMORY // 2 :])  # who begins to speak is heard at once
        if said is not None:
            held = self._spoken and self._columns[-_BLOCK:, 1].all()
            self._waited = 0.0 if said else self._waited + (_HELD if held else 1.0)
            self._open = said or (self._open and self._waited < _PATIENCE)
            self._spoken = said or (self._spoken and self._open)
        gains = np.empty(_BLOCK, np.float32)
        for i in range(_BLOCK):
            self._gain = min(max(self._gain + (_RAMP if self._open else -_RAMP), 0.0), 1.0)
            gains[i] = self._gain
        self._gains = np.concatenate([self._gains, gains])
        excess = len(self._gains) - 4 * _MEMORY
        if excess > 0:
            self._gains, self._first = self._gains[excess:], self._first + excess

    def _verdict(self, columns: np.ndarray) -> bool | None:
        """Whether columns are of a voice; None in a pause."""
        semitones, voiced, level, levels = columns[:, 0], columns[:, 1] > 0, columns[:, 2], columns[:, 3:]
        loud = level > self._peak - _LOUD
        if not loud.any():
            return None
        spoken = voiced & loud
        if spoken.sum() > _FEW:
            steps = np.abs(np.diff(semitones))[spoken[1:] & spoken[:-1]]
            glide = float(np.median(steps)) if len(steps) > 4 else 0.0
            modulated = level[loud].std() > _MODULATION - _FREER * (min(glide, _FREE_GLIDE) - _GLIDE)
            return bool(glide > _GLIDE and modulated and _variation(levels[spoken]) > _SHAPE)
        return bool(loud.sum() > _SUSTAINED and _variation(levels[loud]) > _BREATHY)


def _variation(levels: np.ndarray) -> float:
    """Decibels by which the shape of spectra varies, whatever their level."""
    return float((levels - levels.mean(1, keepdims=True)).std(0).mean())
