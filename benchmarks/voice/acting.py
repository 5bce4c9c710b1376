"""Synthesizers that act: what emotions do to a voice, by rules from the literature, on every voice that is installed.

The directions are those of Juslin & Laukka 2003 (*Communication of emotions in vocal expression and music performance*, table 7, which
sums up 104 studies), Scherer 2003 (*Vocal communication of emotion*, table 2) and Banse & Scherer 1996 (*Acoustic profiles in vocal
emotion expression*, table 6, which has the sizes, and tells hot from cold anger, panic from anxiety and despair from sadness); for the
smile's shorter tract Tartter 1980. Words, speaker, microphone, room and noise vary at random, as in recordings.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import fft, signal
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from tbd.data.synthetic.engines import engine_of
from tbd.data.synthetic.speech import Delivery, Voice
from tbd.media.rates import SAMPLE_RATE
from tbd.think.emotions import Emotion


@dataclass(frozen=True)
class Act:
    """What an emotion at full strength does to a voice. The defaults are those of a neutral one."""

    share: float = 1.0
    """How many of ten portrayals of its emotion are of this kind."""
    rate: float = 1.0
    """Speaking rate, relative."""
    pitch: float = 0.0
    """Semitones."""
    melody: float = 1.0
    """Range of the pitch, relative."""
    effort: float = 0.0
    """Vocal effort: -1 soft .. 1 shouted; brightens the spectrum and widens the range of loudness."""
    breath: float = 0.0
    """0 .. 1 of a whispery voice."""
    rough: float = 0.0
    """0 .. 1 of irregular periods."""
    rise: float = 0.0
    """Semitones by which the pitch rises from start to end."""
    tract: float = 1.0
    """Length of the vocal tract: a smile shortens it."""


ACTS: Mapping[Emotion, tuple[Act, ...]] = {
    "angry": (
        Act(7, rate=1.12, pitch=5.5, melody=1.5, effort=1.0, rough=0.5, rise=0.5),  # hot
        Act(3, rate=1.02, pitch=0.5, melody=1.1, effort=0.5, rough=0.2),  # cold
    ),
    "contempt": (Act(10, rate=0.93, pitch=-1.5, melody=0.9, effort=-0.1, rise=-0.5),),
    "disgusted": (
        Act(6, rate=0.85, pitch=-0.5, melody=1.1, effort=0.15, rough=0.4, rise=-0.5),
        Act(4, rate=0.95, pitch=1.5, melody=1.2, effort=0.4, rough=0.4),
    ),
    "fear": (
        Act(5, rate=1.12, pitch=5.0, melody=0.8, effort=0.4, breath=0.2, rough=0.4, rise=0.8),  # panic
        Act(5, rate=1.08, pitch=2.5, melody=0.7, effort=-0.3, breath=0.5, rough=0.3, rise=0.5),  # anxiety
    ),
    "happy": (
        Act(6, rate=1.07, pitch=4.5, melody=1.7, effort=0.55, rise=0.8, tract=0.96),  # elation
        Act(4, rate=1.03, pitch=2.0, melody=1.4, effort=0.15, rise=0.5, tract=0.96),  # enjoyment
    ),
    "neutral": (Act(10),),
    "sad": (
        Act(7, rate=0.82, pitch=-1.5, melody=0.6, effort=-0.8, breath=0.5, rough=0.2, rise=-1.0),
        Act(3, rate=0.9, pitch=3.0, melody=0.9, effort=0.0, breath=0.4, rough=0.5, rise=-0.5),  # despair
    ),
    "surprised": (Act(10, rate=1.0, pitch=4.5, melody=2.0, effort=0.4, rise=4.0),),
}


def act(voice: Voice, kind: Act, strength: float, seed: int) -> np.ndarray:
    """Let a voice act. The same seed gives the same speaker, words, microphone and room, whatever is acted.

    Args:
        voice: Who speaks.
        kind: What is acted.
        strength: 0..1.
        seed: Of the words, the speaker's habits, and the recording.

    Returns:
        (N,) float32 samples at 16 kHz.
    """
    rng = np.random.default_rng([seed, 0])

    def felt(full: float, rest: float = 0.0, spread: float = 0.0) -> float:
        """One cue; each actor uses some cues more than others."""
        return rest + strength * (full - rest) * float(rng.uniform(0.4, 1.4)) + float(rng.normal(0, spread))

    habit = float(rng.normal(0, 2.0))
    delivery = Delivery(
        rate=float(np.clip(felt(kind.rate, 1.0, 0.10), 0.6, 1.6)),
        pitch=habit + felt(kind.pitch, 0.0, 0.6),
        melody=float(np.clip(np.exp(felt(np.log(kind.melody), 0.0, 0.2)) * rng.uniform(0.8, 1.3), 0.3, 2.6)),
        tract=float(np.clip(rng.normal(1, 0.07), 0.84, 1.18)) * felt(kind.tract, 1.0),
    )
    engine = engine_of(voice)
    spoken = engine.speak([engine.sample_text(voice, "train", rng)], voice, delivery)[0].audio
    rise, rough = felt(kind.rise, 0.0, 0.8), max(0.0, felt(kind.rough, 0.0, 0.12))
    effort, dynamics = felt(kind.effort, 0.0, 0.2), 1 + 0.35 * felt(kind.effort, 0.0, 0.25)
    breath = float(np.clip(felt(kind.breath, 0.0, 0.1), 0, 1))
    audio = _effort(_contour(spoken, rise, rough, rng), effort)
    audio = _breath(_dynamics(audio, dynamics, np.random.default_rng([seed, 1])), breath, rng)
    return record(audio, np.random.default_rng([seed, 2]))


def _contour(audio: np.ndarray, rise: float, rough: float, rng: np.random.Generator) -> np.ndarray:
    """Let the pitch rise, tremble and jitter, by playing faster and slower."""
    count = len(audio)
    times = np.linspace(-0.5, 0.5, count)
    knots = gaussian_filter1d(rng.standard_normal(count // 80 + 8), 0.8) * 0.7 * rough  # every 5 ms
    tremor = 0.35 * rough * np.sin(2 * np.pi * rng.uniform(4, 8) * np.arange(count) / SAMPLE_RATE)
    semitones = rise * times + tremor + np.interp(np.arange(count), np.arange(len(knots)) * 80, knots)
    place = np.cumsum(2 ** (semitones / 12))
    place = place / place[-1] * (count - 1)
    return np.interp(place, np.arange(count), audio).astype(np.float32)


def _effort(audio: np.ndarray, effort: float) -> np.ndarray:
    """Tilt the spectrum by 4.5 dB an octave at full effort (Traunmüller & Eriksson 2000: shouts at 40 m), as `tbd synthesize` does."""
    size = fft.next_fast_len(len(audio), real=True)
    octaves = np.log2(np.clip(fft.rfftfreq(size, 1 / SAMPLE_RATE), 200, 5000) / 1000)
    return fft.irfft(fft.rfft(audio, size) * 10 ** (4.5 * effort * octaves / 20), size)[: len(audio)].astype(np.float32)


def _dynamics(audio: np.ndarray, ratio: float, rng: np.random.Generator) -> np.ndarray:
    """Widen or narrow the range of loudness, let it wander as synthesizers do not, and fall towards the end."""
    envelope = _envelope(audio) + 1e-4
    gain = np.clip(envelope / np.percentile(envelope, 90), 0.05, 2) ** (np.clip(ratio, 0.5, 1.8) - 1)
    knots = gaussian_filter1d(rng.standard_normal(len(audio) // 1600 + 20), 2.5)[10:-9] * 7
    wander = np.interp(np.arange(len(audio)) / 1600, np.arange(len(knots)), knots) - rng.uniform(0, 6) * np.linspace(0, 1, len(audio)) ** 2
    return (audio * gain * 10 ** (wander / 20)).astype(np.float32)


def _breath(audio: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Add the noise of a half-open glottis, as loud as the voice is."""
    noise = signal.lfilter([1, -0.7], [1], rng.standard_normal(len(audio)))
    return (audio + _envelope(audio) * noise * 10 ** ((-34 + 26 * amount) / 20)).astype(np.float32)


def _envelope(audio: np.ndarray) -> np.ndarray:
    """Loudness (root mean square) over 20 ms."""
    return np.sqrt(np.maximum(uniform_filter1d(np.square(audio, dtype=np.float64), SAMPLE_RATE // 50), 0))


def record(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Record a voice: a microphone's colour, a room, noise, sometimes a telephone, any level."""
    if rng.random() < 0.5:
        decay = np.exp(-np.arange(int(0.25 * SAMPLE_RATE)) / (SAMPLE_RATE * rng.uniform(0.02, 0.08)))
        room = rng.standard_normal(len(decay)) * decay * rng.uniform(0.01, 0.06)
        room[0] = 1
        audio = signal.fftconvolve(audio, room)[: len(audio)]
    size = fft.next_fast_len(len(audio), real=True)
    hertz = fft.rfftfreq(size, 1 / SAMPLE_RATE)
    octaves = np.log2(np.clip(hertz, 60, 8000) / 1000)
    colour = rng.normal(0, 1.2) * octaves + sum(rng.normal(0, 1.0) * np.cos(np.pi * k * (octaves + 4) / 7) for k in range(1, 5))
    if rng.random() < 0.12:
        colour = colour - 40 * ((hertz < 300) | (hertz > 3400))
    audio = fft.irfft(fft.rfft(audio, size) * 10 ** (colour / 20), size)[: len(audio)]
    audio = audio / (np.sqrt(np.mean(np.square(audio))) + 1e-6)
    noise = fft.irfft(fft.rfft(rng.standard_normal(len(audio)), size) * 2.0 ** (-octaves * rng.uniform(0, 1)), size)[: len(audio)]
    audio = audio + noise / (noise.std() + 1e-9) * 10 ** (-rng.uniform(12, 60) / 20)
    return (0.9 * audio / np.abs(audio).max() * 10 ** (-rng.uniform(0, 30) / 20)).astype(np.float32)
