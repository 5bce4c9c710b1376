"""Sounds made by rule: a voice of given pitch, loudness and tension, and what is none."""

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

RATE = 16000


def voice(
    seconds: float = 4.0,
    hertz: float = 120.0,
    level: float = 0.1,
    tilt: float = 0.96,
    melody: float = 2.0,
    syllables: float = 4.0,
    seed: int = 0,
) -> np.ndarray:
    """A glottal pulse train through two formants, in syllables; the nearer `tilt` is to 1 the slacker it sounds."""
    rng = np.random.default_rng(seed)
    times = np.arange(int(seconds * RATE)) / RATE
    semitones = melody * np.sin(2 * np.pi * 0.6 * times) + 0.15 * np.interp(times, times[::200], rng.standard_normal(len(times[::200])))
    phase = np.cumsum(hertz * 2 ** (semitones / 12) / RATE)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    sound = lfilter([1], [1, -tilt], pulses)
    for formant, width in ((550, 90), (1500, 120), (2600, 180)):
        radius, angle = np.exp(-np.pi * width / RATE), 2 * np.pi * formant / RATE
        sound = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], sound)
    beat = 0.5 - 0.5 * np.cos(2 * np.pi * syllables * times)
    sound = sound - sound.mean()
    sound = sound / np.abs(sound).max() * (0.02 + beat**2)
    return (level * sound / np.abs(sound).max() + 1e-4 * rng.standard_normal(len(sound))).astype(np.float32)


def crowd(count: int = 24, seconds: float = 5.0) -> np.ndarray:
    """Many voices at once."""
    rng = np.random.default_rng(0)
    parts = [
        voice(seconds, rng.uniform(80, 260), 1.0, syllables=rng.uniform(3, 6), seed=i)[np.newaxis] * rng.uniform(0.5, 1)
        for i in range(count)
    ]
    rolled = [np.roll(part[0], int(rng.integers(RATE))) for part in parts]
    return (0.3 * np.sum(rolled, axis=0) / np.abs(np.sum(rolled, axis=0)).max()).astype(np.float32)


def music(seconds: float = 5.0) -> np.ndarray:
    """Chords of half a second, with overtones."""
    times = np.arange(int(seconds * RATE)) / RATE
    chords = ((220, 277, 330), (196, 247, 294), (174, 220, 262), (196, 247, 294))
    sound = np.zeros(len(times))
    for i in range(int(seconds * 2)):
        now = (times >= i / 2) & (times < (i + 1) / 2)
        decay = np.exp(-1.5 * (times - i / 2))
        for tone in chords[i % 4]:
            sound += now * decay * sum(np.sin(2 * np.pi * tone * k * times) / k for k in (1, 2, 3))
    return (0.2 * sound / np.abs(sound).max()).astype(np.float32)


def telephone(sound: np.ndarray) -> np.ndarray:
    """300 to 3400 Hz alone."""
    return sosfilt(butter(6, [300, 3400], "band", fs=RATE, output="sos"), sound).astype(np.float32)
