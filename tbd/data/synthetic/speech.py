"""Speech with known phones: `Speech`, the `Voice` and `Delivery` that shape it, and `Engine`, the base class of what makes it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import resample_poly

from tbd.data.splits import Split
from tbd.data.synthetic.sentences import sample_sentence
from tbd.media.rates import SAMPLE_RATE
from tbd.speech.phones import SILENCE, Phone, merge_silences


@dataclass(frozen=True)
class Voice:
    """One voice of one engine.

    Args:
        engine: `Engine.name`.
        name: What the engine calls it.
        language: The one language that it speaks, an ISO 639 code.
        folder: Where the passages of a recorded voice are.

    Example:
        >>> str(Voice("espeak", "en-us+f1"))
        'espeak-en-us+f1'
    """

    engine: str
    name: str
    language: str = "en"
    folder: str = ""

    def __str__(self) -> str:
        return f"{self.engine}-{self.name}"


@dataclass(frozen=True)
class Delivery:
    """How a voice speaks.

    Args:
        rate: Words a minute, relative to the voice's own; 1 is its own.
        pitch: Semitones above the voice's own.
        melody: Range of the intonation, relative to the voice's own.
        tract: Length of the vocal tract, relative to the voice's own: above 1 a larger speaker with lower formants.
    """

    rate: float = 1.0
    pitch: float = 0.0
    melody: float = 1.0
    tract: float = 1.0


@dataclass(frozen=True)
class Speech:
    """Sound and its phones.

    Args:
        audio: (N,) float32 in -1..1 at 16 kHz mono.
        phones: From start to end of the sound, without gaps.
    """

    audio: np.ndarray
    phones: tuple[Phone, ...]

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.audio) / SAMPLE_RATE


class Engine(ABC):
    """A source of speech that reports when each phone sounds. `tbd.data.synthetic.engines` lists those that there are."""

    name: str
    """First word of its voices' names."""

    @abstractmethod
    def voices(self) -> tuple[Voice, ...]:
        """List the voices that are installed; none where the engine is absent. Must not raise."""

    def sample_text(self, voice: Voice, split: Split, rng: np.random.Generator) -> str:
        """Choose a sentence.

        Args:
            voice: Who must be able to say it.
            split: The split that it must belong to.
            rng: Source of randomness.

        Returns:
            The sentence.
        """
        return sample_sentence(voice.language, split, rng)

    @abstractmethod
    def speak(self, sentences: Sequence[str], voice: Voice, delivery: Delivery) -> list[Speech]:
        """Synthesize sentences.

        Args:
            sentences: What to say.
            voice: One of `voices`.
            delivery: How to say it.

        Returns:
            One `Speech` per sentence.

        Raises:
            TBDError: If the engine fails.
        """


def as_speech(audio: np.ndarray, rate: int, phones: Sequence[Phone], tract: float) -> Speech:
    """Bring sound to 16 kHz, with a vocal tract `tract` times as long, and phones to its length.

    Playing slower lowers every formant by the same factor, as a longer tube does; the engines were asked to speak faster and
    higher by as much, so that rate and pitch stay.

    Args:
        audio: (N,) float32 in -1..1.
        rate: Its sample rate in hertz.
        phones: Its phones.
        tract: Length of the vocal tract, relative to the voice's own.

    Returns:
        The speech; silence is appended where the phones end before the sound.
    """
    target = round(SAMPLE_RATE * tract / 100) * 100
    stretch = target / SAMPLE_RATE
    divisor = np.gcd(target, rate)
    audio = np.clip(resample_poly(audio, target // divisor, rate // divisor), -1, 1).astype(np.float32)
    length = len(audio) / SAMPLE_RATE
    moved = [p.moved(0.0, stretch) for p in phones]
    kept = [Phone(p.start, min(p.end, length), p.symbol, p.stress) for p in moved if p.start < length]
    if kept and kept[-1].end < length:
        kept.append(Phone(kept[-1].end, length, SILENCE))
    return Speech(audio, tuple(merge_silences(kept)))
