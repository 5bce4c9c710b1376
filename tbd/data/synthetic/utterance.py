"""A clip's speech: a few sentences with an emotional prosody, with pauses, breaths and a varying loudness."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter1d

from tbd.data.splits import Split
from tbd.data.synthetic.engines import engine_of
from tbd.data.synthetic.speech import Delivery, Speech, Voice
from tbd.media.rates import SAMPLE_RATE
from tbd.speech.phones import BREATH, SILENCE, Phone, merge_silences
from tbd.think.emotions import EMOTION_SPECS

SHORTEST, LONGEST = 4.0, 12.0
"""Seconds of a clip; a single long sentence may go beyond."""


@dataclass(frozen=True)
class Utterance:
    """Speech of one clip.

    Args:
        speech: Sound and phones.
        text: What is said; of a recorded voice the names of its passages.
        effort: Vocal effort, -1 soft .. 1 loud.
    """

    speech: Speech
    text: str
    effort: float


def synthesize_utterance(voice: Voice, habit: Delivery, emotion: str, level: int, split: Split, rng: np.random.Generator) -> Utterance:
    """Synthesize one to three sentences.

    Args:
        voice: Who speaks.
        habit: How this speaker speaks when neutral.
        emotion: One of `EMOTIONS`. How much of it the voice shows is random, since people also speak evenly while they feel, and a model
            must take the emotion from the plan.
        level: 1..3.
        split: Whose sentences.
        rng: Source of randomness.

    Returns:
        The utterance, of `SHORTEST` to about `LONGEST` seconds.
    """
    profile = EMOTION_SPECS[emotion].voice
    strength = level / 3 * float(rng.uniform(0, 1))
    effort = float(np.clip(strength * profile.effort + rng.normal(0, 0.35), -1, 1))
    delivery = Delivery(
        habit.rate * profile.rate**strength * float(rng.lognormal(0, 0.08)),
        habit.pitch + profile.pitch * strength + float(rng.normal(0, 0.8)), habit.melody * profile.melody**strength, habit.tract,
    )  # fmt: skip
    engine = engine_of(voice)
    sentences = _choose(lambda: engine.sample_text(voice, split, rng), delivery.rate, rng)
    spoken = engine.speak(sentences, voice, delivery)
    while len(spoken) > 1 and sum(s.duration for s in spoken) > LONGEST - 1:
        spoken, sentences = spoken[:-1], sentences[:-1]
    return Utterance(_assemble(spoken, effort, rng), " ".join(sentences), effort)


def _choose(sample: Callable[[], str], rate: float, rng: np.random.Generator) -> list[str]:
    """Choose sentences that last about as long as a clip should."""
    wanted, seconds = rng.uniform(SHORTEST, LONGEST - 2.5), 0.0
    sentences: list[str] = []
    while len(sentences) < 3 and (not sentences or seconds < wanted - 1):
        sentences.append(sample())
        seconds += 0.5 + len(sentences[-1]) / 15 / rate
    return sentences


def _assemble(spoken: list[Speech], effort: float, rng: np.random.Generator) -> Speech:
    """Join sentences, with silence before, between and after, some of it breath."""
    pieces: list[np.ndarray] = []
    phones: list[Phone] = []
    time = 0.0

    def add(speech: Speech) -> None:
        nonlocal time
        pieces.append(speech.audio)
        phones.extend(p.moved(time) for p in speech.phones)
        time += speech.duration

    add(_pause(rng.uniform(0.05, 0.9), rng))
    for i, speech in enumerate(spoken):
        add(_with_dynamics(_trimmed(speech), rng))
        add(_pause(rng.uniform(0.15, 0.9) if i + 1 < len(spoken) else rng.uniform(0.1, 0.9), rng))
    if time < SHORTEST:
        add(_silence(SHORTEST - time))
    audio = _with_effort(np.concatenate(pieces), effort)
    audio *= 10 ** (rng.uniform(-27, -19) / 20) / (np.sqrt(np.mean(audio**2)) + 1e-6)
    audio += 10 ** (rng.uniform(-80, -60) / 20) * rng.standard_normal(len(audio)).astype(np.float32)
    return Speech(np.clip(audio, -1, 1).astype(np.float32), tuple(merge_silences(phones)))


def _trimmed(speech: Speech) -> Speech:
    """Cut the engine's own silence but for 30 ms at either end."""
    spoken = [p for p in speech.phones if p.symbol != SILENCE]
    first = max(0.0, spoken[0].start - 0.03) if spoken else 0.0
    last = min(speech.duration, spoken[-1].end + 0.03) if spoken else speech.duration
    start, stop = round(first * SAMPLE_RATE), round(last * SAMPLE_RATE)
    first, length = start / SAMPLE_RATE, (stop - start) / SAMPLE_RATE
    moved = [Phone(max(0.0, p.start - first), min(length, p.end - first), p.symbol, p.stress) for p in speech.phones]
    return Speech(speech.audio[start:stop], tuple(merge_silences(moved)))


def _silence(seconds: float) -> Speech:
    count = round(seconds * SAMPLE_RATE)
    return Speech(np.zeros(count, np.float32), (Phone(0.0, count / SAMPLE_RATE, SILENCE),))


def _pause(seconds: float, rng: np.random.Generator) -> Speech:
    """Make silence; a third of the longer ones end in an audible breath."""
    if seconds < 0.45 or rng.random() > 0.35:
        return _silence(seconds)
    before, after = 0.08, 0.06
    length = int((seconds - before - after) * SAMPLE_RATE)
    noise = rng.standard_normal(length)
    noise = gaussian_filter1d(noise, 1.2) - gaussian_filter1d(noise, 6)  # about 1 to 4 kHz, as breath through an open mouth
    breath = (noise * np.hanning(length) * 10 ** (rng.uniform(-48, -34) / 20) * 2).astype(np.float32)
    lead, tail = _silence(before), _silence(after)
    start, stop = lead.duration, lead.duration + length / SAMPLE_RATE
    phones = (*lead.phones, Phone(start, stop, BREATH), *(p.moved(stop) for p in tail.phones))
    return Speech(np.concatenate([lead.audio, breath, tail.audio]), phones)


def _with_dynamics(speech: Speech, rng: np.random.Generator) -> Speech:
    """Let the loudness wander by 2.5 dB every half second and fall towards the end, which synthesizers lack."""
    knots = np.arange(0, speech.duration + 1, 0.1)
    wander = gaussian_filter1d(rng.standard_normal(len(knots) + 20), 2.5)[10:-10] * 2.5 * np.sqrt(2 * np.sqrt(np.pi) * 2.5)
    fall = -rng.uniform(0, 6) * np.clip(knots / speech.duration, 0, 1) ** 2
    times = np.arange(len(speech.audio)) / SAMPLE_RATE
    gain = 10 ** (np.interp(times, knots, wander + fall) / 20)
    return Speech((speech.audio * gain).astype(np.float32), speech.phones)


def _with_effort(audio: np.ndarray, effort: float) -> np.ndarray:
    """Brighten loud voices: the spectrum tilts by 3 dB an octave at full effort (Traunmüller and Eriksson 2000)."""
    size = fft.next_fast_len(len(audio), real=True)
    octaves = np.log2(np.clip(fft.rfftfreq(size, 1 / SAMPLE_RATE), 200, 6000) / 1000)
    tilted = fft.irfft(fft.rfft(audio, size) * 10 ** (3 * effort * octaves / 20), size)
    return tilted[: len(audio)].astype(np.float32)
