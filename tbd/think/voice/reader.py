"""`VoiceReader`: a recording → `VoiceReading`; the component that listens."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from tbd.think.emotions import Emotion

Obstacle = Literal["", "silent", "short", "music", "crowd"]
"""Why nothing can be heard: "" it can; no sound, too little speech, music, or noise and many voices at once."""

VocalKind = Literal["laugh", "sob", "sigh", "whisper"]
"""What a voice does beside speaking, or instead of it."""


@dataclass(frozen=True)
class VocalEvent:
    """A laugh, a sob, a sigh or a whisper.

    Args:
        kind: Which of them.
        start: Seconds.
        end: Seconds.
        confidence: How likely it is one, 0..1.

    Example:
        >>> VocalEvent("laugh", 1.2, 2.6, confidence=0.9).kind
        'laugh'
    """

    kind: VocalKind
    start: float
    end: float
    confidence: float = 1.0


@dataclass(frozen=True)
class VoicePassage:
    """A stretch of speech that differs from how this speaker mostly speaks in this recording.

    Args:
        start: Seconds.
        end: Seconds.
        emphasis: How far from the speaker's usual, in standard deviations of ordinary speech; below 0 softer.
        apex: Seconds at which it is farthest.
        cues: What differs, in words ("louder", "higher").

    Example:
        >>> passage = VoicePassage(1.0, 1.8, emphasis=1.4, apex=1.3, cues=("louder", "higher"))
        >>> passage.start < passage.apex < passage.end
        True
    """

    start: float
    end: float
    emphasis: float
    apex: float
    cues: tuple[str, ...] = ()


@dataclass(frozen=True)
class VoiceWindow:
    """A few words: what is heard in them alone.

    Args:
        start: Seconds.
        end: Seconds.
        probabilities: How likely each emotion leads.
        arousal: -1 calm .. 1 excited.
        valence: -1 unpleasant .. 1 pleasant.
        aroused: How likely they are more aroused than ordinary speech, 0..1.

    Example:
        >>> window = VoiceWindow(0.0, 1.5, {"happy": 0.6, "neutral": 0.4}, arousal=0.5, valence=0.4, aroused=0.8)
        >>> max(window.probabilities, key=window.probabilities.get)
        'happy'
    """

    start: float
    end: float
    probabilities: dict[Emotion, float]
    arousal: float
    valence: float
    aroused: float


@dataclass(frozen=True)
class VoiceReading:
    """How something is said.

    Args:
        probabilities: How likely each emotion leads; they sum to 1.
        arousal: -1 calm .. 1 excited.
        valence: -1 unpleasant .. 1 pleasant. A voice tells little of it.
        aroused: How likely the voice is more aroused than an ordinary one, 0..1.
        cues: What is unusual about the voice as a whole, in words.
        passages: Stretches that stand out, in order of time.
        pauses: (start, end) in seconds of silences between words, before the first and after the last.
        obstacle: Why nothing is heard, if so; the rest is then neutral.
        windows: The same over time, in overlapping stretches with speech in them.
        events: Laughs, sobs, sighs and whispers, in order of time. Laughs, sobs and sighs count for none of the rest.
        spoken: Whether anything is said aloud beside the events; the rest is neutral where nothing is.

    Example:
        >>> VoiceReading(obstacle="silent").leading
        'neutral'
    """

    probabilities: dict[Emotion, float] = field(default_factory=lambda: {"neutral": 1.0})
    arousal: float = 0.0
    valence: float = 0.0
    aroused: float = 0.5
    cues: tuple[str, ...] = ()
    passages: tuple[VoicePassage, ...] = ()
    pauses: tuple[tuple[float, float], ...] = ()
    obstacle: Obstacle = ""
    windows: tuple[VoiceWindow, ...] = ()
    events: tuple[VocalEvent, ...] = ()
    spoken: bool = True

    def aroused_in(self, start: float, end: float) -> float | None:
        """Say how likely a stretch is aroused.

        Args:
            start: Seconds.
            end: Seconds.

        Returns:
            The probability in the window that overlaps with it most; None where no window does by half of itself or of the stretch.
        """
        shared = [(min(w.end, end) - max(w.start, start), w) for w in self.windows]
        overlap, best = max(shared, key=lambda item: item[0], default=(0.0, None))
        if best is None or overlap < 0.5 * min(end - start, best.end - best.start):
            return None
        return best.aroused

    @property
    def leading(self) -> Emotion:
        """The likeliest emotion."""
        return max(self.probabilities, key=lambda emotion: self.probabilities[emotion])

    @property
    def confidence(self) -> float:
        """How likely the likeliest emotion is."""
        return self.probabilities[self.leading]


class VoiceReader(ABC):
    """Hears how something is said.

    To write one, implement `read`. It must never fail on odd sound: say in `VoiceReading.obstacle` why nothing can be heard, and be
    neutral. The same sound must give the same reading.

    Example:
        >>> class Deaf(VoiceReader):
        ...     def read(self, audio):
        ...         return VoiceReading(obstacle="silent")
        >>> Deaf().read(np.zeros(16000, np.float32)).probabilities
        {'neutral': 1.0}
    """

    @abstractmethod
    def read(self, audio: np.ndarray) -> VoiceReading:
        """Listen.

        Args:
            audio: (N,) float32 samples of a voice at 16 kHz in −1..1.

        Returns:
            What is heard.
        """
