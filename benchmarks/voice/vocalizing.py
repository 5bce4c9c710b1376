"""Synthesizers that laugh, sob, sigh, whisper, cough and breathe: bouts by published acoustics, no two alike.

- Laughs: calls of a breathed onset and one vowel, four or five a second, with high, falling pitch and falling energy; a third to a half
  of the calls have no voice (Bachorowski, Smoski & Owren 2001, *The acoustic features of human laughter*: calls 0.17 s, gaps 0.13 s,
  pitch 272 Hz of men and 405 Hz of women, with standard deviations of half that).
- Sobs: long, high, tremulous cries of one vowel that fall, between breaths that are heard, drawn in at once or in two or three jerks.
- Sighs: one long breath, hardly voiced, that dies away.
- Whispers: speech whose source is noise, with formants raised by 10 to 20 % (Ito, Takeda & Itakura 2005, *Analysis and recognition of
  whispered speech*) and a flatter spectrum.
- What is none of them: coughs, quick breaths, clicks, screams, hissing.

A source goes through formants that stay, since these sounds have one articulation; `benchmarks.voice.acting.record` records them.
"""

from typing import Literal, get_args

import numpy as np
from scipy import signal
from scipy.ndimage import gaussian_filter1d

from tbd.media.rates import SAMPLE_RATE

Kind = Literal["laugh", "sob", "sigh", "whisper", "noise"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_ORDER = 18  # of the prediction that tells a voice's formants from its source
_FRAME, _HOP = 400, 100


def vocalize(kind: Kind, rng: np.random.Generator, speech: np.ndarray | None = None) -> np.ndarray:
    """Make one vocalization.

    Args:
        kind: What is made.
        rng: Decides on everything else.
        speech: (N,) samples at 16 kHz that are whispered; only a whisper needs them.

    Returns:
        (M,) float32 samples at 16 kHz with a peak of 0.5.
    """
    if kind == "whisper":
        assert speech is not None, "a whisper needs speech"
        made = whisper(speech, rng)
    else:
        made = {"laugh": _laugh, "sob": _sob, "sigh": _sigh, "noise": _noise}[kind](rng)
    return (0.5 * made / np.abs(made).max()).astype(np.float32)


def whisper(speech: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Let speech be whispered: its formants stay, a little higher, and noise is their source.

    Args:
        speech: (N,) samples at 16 kHz.
        rng: Draws the noise.

    Returns:
        (N,) samples.
    """
    taper = np.hanning(_FRAME)
    padded = np.pad(signal.lfilter([1, -0.95], [1], speech), (_FRAME, _FRAME))
    made, weight = np.zeros(len(padded)), np.full(len(padded), 1e-3)
    raised = rng.uniform(1.08, 1.2)
    for start in range(0, len(padded) - _FRAME, _HOP):
        frame = padded[start : start + _FRAME] * taper
        power = float(np.square(frame).mean())
        if power < 1e-12:
            continue
        spectrum = _envelope(frame, raised)
        noise = np.fft.rfft(rng.standard_normal(_FRAME))
        piece = np.fft.irfft(noise * spectrum, _FRAME)
        piece *= (power / (np.square(piece).mean() + 1e-20)) ** 0.4  # a whisper has less range than a voice
        made[start : start + _FRAME] += piece * taper
        weight[start : start + _FRAME] += taper**2
    return (made / weight)[_FRAME:-_FRAME]


def _envelope(frame: np.ndarray, raised: float) -> np.ndarray:
    """(bins,) gain of the vocal tract by linear prediction, its formants raised."""
    correlation = np.correlate(frame, frame, "full")[len(frame) - 1 : len(frame) + _ORDER]
    correlation[0] *= 1.001
    from scipy.linalg import solve_toeplitz

    coefficients = np.concatenate([[1.0], -solve_toeplitz(correlation[:-1], correlation[1:])])
    gain = 1 / (np.abs(np.fft.rfft(coefficients, len(frame))) + 1e-6)
    bins = np.arange(len(gain))
    return np.interp(bins / raised, bins, gain)


def _formants(rng: np.random.Generator) -> list[tuple[float, float]]:
    """(hertz, width) of a central or open vowel of some speaker."""
    tract = rng.uniform(0.85, 1.2)
    means = rng.uniform(450, 900), rng.uniform(1150, 1900), rng.uniform(2400, 2900), rng.uniform(3300, 3900)
    return [(tract * mean, 60 + 0.05 * mean * rng.uniform(0.8, 1.6)) for mean in means]


def _through(source: np.ndarray, formants: list[tuple[float, float]]) -> np.ndarray:
    """A source through resonances that lie side by side, the upper ones softer."""
    made = 0.1 * source
    for number, (hertz, width) in enumerate(formants):
        pole = np.exp(-np.pi * width / SAMPLE_RATE) * np.exp(2j * np.pi * hertz / SAMPLE_RATE)
        gain = abs((1 - pole) * (1 - np.conj(pole)))
        made = made + (-1) ** number * 0.75**number * 3 * signal.lfilter([gain], [1, -2 * pole.real, abs(pole) ** 2], source)
    return made


def _voiced(hertz: np.ndarray, rng: np.random.Generator, breath: float) -> np.ndarray:
    """A glottal source of a given pitch, tremulous by nature, with some breath."""
    wander = gaussian_filter1d(rng.standard_normal(len(hertz) // 160 + 20), 3)[10:-9]
    semitones = 1.2 * np.interp(np.arange(len(hertz)) / 160, np.arange(len(wander)), wander)
    phase = np.cumsum(hertz * 2 ** (semitones / 12) / SAMPLE_RATE)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    smooth = signal.lfilter([1], [1, -rng.uniform(0.85, 0.97)], signal.lfilter([1], [1, -rng.uniform(0.5, 0.95)], pulses))
    smooth = smooth - gaussian_filter1d(smooth, 400)
    return smooth / (smooth.std() + 1e-9) + breath * rng.standard_normal(len(hertz))


def _count(seconds: float) -> int:
    return max(32, int(seconds * SAMPLE_RATE))


def _swell(count: int, attack: float, power: float = 1.0) -> np.ndarray:
    """A rise within the first part, and a fall over the rest."""
    up = max(8, int(count * attack))
    return np.concatenate([np.sin(np.linspace(0, np.pi / 2, up)), np.cos(np.linspace(0, np.pi / 2, count - up)) ** power])


def _changed(formants: list[tuple[float, float]], rng: np.random.Generator) -> list[tuple[float, float]]:
    """The formants of another call of the same bout: nearly the same."""
    return [(hertz * float(np.exp(rng.normal(0, 0.05))), width) for hertz, width in formants]


def _breath(seconds: float, formants: list[tuple[float, float]], rng: np.random.Generator, attack: float = 0.35) -> np.ndarray:
    count = _count(seconds)
    noise = signal.lfilter([1], [1, -rng.uniform(0.2, 0.9)], rng.standard_normal(count))
    made = _through(noise, formants) * _swell(count, attack)
    return made / (np.abs(made).max() + 1e-9)


def _rest(seconds: float) -> np.ndarray:
    return np.zeros(_count(seconds))


def _laugh(rng: np.random.Generator) -> np.ndarray:
    formants, raised = _formants(rng), rng.uniform(0, 0.35)
    base = float(np.clip(rng.lognormal(np.log(rng.choice([230.0, 360.0])), 0.35), 110, 620))
    calls, period = int(rng.integers(4, 14)), 1 / rng.uniform(3.6, 6.5)
    unvoiced, duty = rng.choice([0.0, 0.1, 0.3, 0.6, 0.9], p=[0.25, 0.25, 0.2, 0.2, 0.1]), rng.uniform(0.3, 0.65)
    irregular, slowing, hushed = rng.uniform(0.05, 0.25), rng.uniform(0.0, 0.6), rng.uniform(8, 30)
    decay, ends_low = rng.uniform(0.0, 14.0), rng.uniform(0.0, 7.0)
    parts = []
    for number in range(calls):
        share = number / calls
        length = period * float(np.exp(rng.normal(0, irregular))) * (1 + slowing * share)
        aspirated = length * (1 - duty) * rng.uniform(0.5, 1.0)
        hertz = base * 2 ** (-(ends_low * share) / 12) * float(np.exp(rng.normal(0, 0.04)))
        count = _count(length * duty)
        glide = hertz * np.linspace(1 + 0.1 * rng.uniform(-0.5, 1.5), 0.95, count)
        source = rng.standard_normal(count) if rng.random() < unvoiced else _voiced(glide, rng, raised)
        own = _changed(formants, rng)
        vowel = _through(source, own) * _swell(count, rng.uniform(0.15, 0.35), 0.7)
        vowel = vowel / (np.abs(vowel).max() + 1e-9)
        onset = 10 ** (-(hushed + rng.uniform(-4, 4)) / 20) * _breath(aspirated, own, rng, 0.6)
        level = 10 ** (-(decay * share + rng.uniform(0, 3)) / 20)
        parts += [_rest(max(0.0, length * (1 - duty) - aspirated)), level * onset, level * vowel]
    if rng.random() < 0.4:
        parts += [_rest(0.1), 10 ** (-rng.uniform(6, 18) / 20) * _breath(rng.uniform(0.2, 0.6), formants, rng, 0.7)]
    return np.concatenate(parts)


def _sob(rng: np.random.Generator) -> np.ndarray:
    formants, breathy = _formants(rng), rng.uniform(0.02, 0.3)
    base = float(np.clip(rng.lognormal(np.log(rng.choice([260.0, 380.0])), 0.25), 160, 620))
    parts: list[np.ndarray] = []
    for _ in range(int(rng.integers(2, 5))):
        seconds = rng.uniform(0.35, 1.3)
        count = _count(seconds)
        times = np.arange(count) / SAMPLE_RATE
        fall = np.interp(times / seconds, [0, rng.uniform(0.1, 0.4), 1], [-rng.uniform(0, 3), 0, -rng.uniform(2, 7)])
        tremor = rng.uniform(0.1, 0.7) * np.sin(2 * np.pi * rng.uniform(5, 9) * times)
        source = _voiced(base * float(np.exp(rng.normal(0, 0.08))) * 2 ** ((fall + tremor) / 12), rng, breathy)
        wail = _through(source, formants) * _swell(count, rng.uniform(0.1, 0.4), rng.uniform(0.5, 1.2))
        wail *= 1 + rng.uniform(0, 0.5) * np.sin(2 * np.pi * rng.uniform(5, 9) * times)
        parts += [wail / (np.abs(wail).max() + 1e-9), _rest(rng.uniform(0.03, 0.25))]
        jerks = int(rng.choice([1, 1, 2, 3]))
        for _ in range(jerks):
            gasp = _breath(rng.uniform(0.12, 0.35) / jerks**0.5, formants, rng, 0.7)
            parts += [10 ** (-rng.uniform(6, 22) / 20) * gasp, _rest(rng.uniform(0.03, 0.12))]
    return np.concatenate(parts)


def _sigh(rng: np.random.Generator) -> np.ndarray:
    formants = _formants(rng)
    parts = []
    if rng.random() < 0.5:
        parts += [10 ** (-rng.uniform(4, 16) / 20) * _breath(rng.uniform(0.4, 1.0), formants, rng, 0.75), _rest(rng.uniform(0.05, 0.3))]
    seconds = rng.uniform(0.6, 2.0)
    made = _breath(seconds, formants, rng, rng.uniform(0.1, 0.35))
    if rng.random() < 0.5:  # some begin with a voice that gives way
        count = int(len(made) * rng.uniform(0.1, 0.45))
        source = _voiced(rng.uniform(110, 300) * np.linspace(1.1, 0.75, count), rng, 0.4)
        voice = _through(source, formants) * _swell(count, 0.3)
        made[:count] += 10 ** (-rng.uniform(0, 14) / 20) * voice / (np.abs(voice).max() + 1e-9)
    return np.concatenate([*parts, made])


def _noise(rng: np.random.Generator) -> np.ndarray:
    return {"cough": _coughs, "breaths": _breaths, "clicks": _clicks, "scream": _scream, "hiss": _hiss}[
        str(rng.choice(["cough", "breaths", "clicks", "clicks", "scream", "hiss"]))
    ](rng)


def _coughs(rng: np.random.Generator) -> np.ndarray:
    """One to four bursts that break off at once, some with a rough voice."""
    formants, parts = _formants(rng), []
    for _ in range(int(rng.integers(1, 5))):
        burst = _breath(rng.uniform(0.12, 0.35), formants, rng, 0.05)
        count = int(len(burst) * rng.uniform(0.2, 0.8))
        voice = _through(_voiced(rng.uniform(100, 350) * np.linspace(1.2, 0.8, count), rng, 1.0), formants) * _swell(count, 0.3)
        burst[-count:] += rng.uniform(0, 0.5) * voice / (np.abs(voice).max() + 1e-9)
        parts += [burst, _rest(rng.uniform(0.05, 0.5))]
    return np.concatenate(parts)


def _breaths(rng: np.random.Generator) -> np.ndarray:
    """In and out, quickly."""
    formants, parts = _formants(rng), []
    for _ in range(int(rng.integers(1, 6))):
        parts += [_breath(rng.uniform(0.2, 0.45), formants, rng, rng.uniform(0.3, 0.7)), _rest(rng.uniform(0.04, 0.4))]
    return np.concatenate(parts)


def _clicks(rng: np.random.Generator) -> np.ndarray:
    """Teeth, tongue and lips; some as regular as a laugh, none with a voice."""
    formants, parts = _formants(rng), []
    period, irregular, length = rng.uniform(0.12, 0.5), rng.choice([0.03, 0.1, 0.5]), rng.uniform(0.01, 0.08)
    for _ in range(int(rng.integers(3, 14))):
        parts += [_breath(length, formants, rng, 0.1), _rest(max(0.02, period * float(np.exp(rng.normal(0, irregular))) - length))]
    return np.concatenate(parts)


def _scream(rng: np.random.Generator) -> np.ndarray:
    """One or two long, loud, high tones that hardly fall."""
    formants, parts = _formants(rng), []
    for _ in range(int(rng.integers(1, 3))):
        count = _count(rng.uniform(0.5, 1.8))
        hertz = rng.uniform(450, 1100) * np.interp(np.linspace(0, 1, count), [0, 0.15, 0.9, 1], [0.85, 1, 1, 0.9])
        tone = np.maximum(_through(_voiced(hertz, rng, 0.1), formants), -0.6)  # pressed
        parts += [_swell(count, 0.1, 0.4) * tone / (np.abs(tone).max() + 1e-9), _rest(rng.uniform(0.05, 0.4))]
    return np.concatenate(parts)


def _hiss(rng: np.random.Generator) -> np.ndarray:
    """A nose that blows, a long s: bright noise."""
    parts = []
    for _ in range(int(rng.integers(1, 3))):
        count = _count(rng.uniform(0.3, 1.5))
        noise = signal.lfilter([1, -rng.uniform(0.3, 0.9)], [1], rng.standard_normal(count)) * _swell(count, rng.uniform(0.1, 0.5))
        parts += [noise / (np.abs(noise).max() + 1e-9), _rest(rng.uniform(0.05, 0.4))]
    return np.concatenate(parts)
