"""`ProsodicVoiceReader`: hears loudness, pitch, tempo and tension; the default."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from typing_extensions import override

from tbd.speech.pitch import RATE
from tbd.speech.prosody import Prosody, describe_prosody
from tbd.speech.rhythm import mel_levels
from tbd.think.voice.emphasis import find_passages, find_pauses
from tbd.think.voice.functionals import summarize
from tbd.think.voice.head import VoiceEstimate, VoiceHead
from tbd.think.voice.obstacles import find_obstacle
from tbd.think.voice.reader import VocalEvent, VoiceReader, VoiceReading, VoiceWindow
from tbd.think.voice.vocal_events import VocalEventHead, find_events

_CUES = {
    "effort": ("tense", "slack"),
    "height": ("high", "low"),
    "melody": ("lively", "flat"),
    "tempo": ("quick", "slow"),
}
_CUE = 0.9
"""Standard deviations from ordinary speech that are worth a word."""
_WINDOW, _STEP = 2.0, 0.5
"""Seconds of a window and from one to the next; sentences of which the head learnt last two to four."""
_MOSTLY = 0.6
"""Share of what sounds that laughs, sobs and sighs must be where the whole is like music or a crowd."""
_SPOKEN = 0.5
"""Seconds of a window that must have a pitch."""


class ProsodicVoiceReader(VoiceReader):
    """Hears how something is said from loudness, pitch, tempo and tension, in any language; what the words are does not count.

    It tells how aroused a voice is, and where it departs from the speaker's usual. Which emotion it is the voice hardly tells, and
    valence least of all: the probabilities say so. ``docs/voice.md`` has the figures.

    Example:
        >>> from tbd.media import read_audio
        >>> from tbd.utils.sample_inputs import VOICE
        >>> reading = ProsodicVoiceReader().read(read_audio(VOICE))
        >>> reading.obstacle, reading.leading, round(sum(reading.probabilities.values()), 6)
        ('', 'neutral', 1.0)
    """

    def __init__(self) -> None:
        self._head, self._event_head = VoiceHead(), VocalEventHead()

    @override
    def read(self, audio: np.ndarray) -> VoiceReading:
        prosody = describe_prosody(audio)
        obstacle = find_obstacle(prosody)
        events = find_events(prosody, mel_levels(audio), self._event_head)
        if obstacle in ("music", "crowd") and _share(events, prosody) < _MOSTLY:
            events = ()  # what is taken for a laugh or a sob is a tune, or somebody in the crowd
        spoken = _without(prosody, events)
        obstacle = find_obstacle(spoken) if events else obstacle
        cues = None if obstacle else summarize(spoken)
        if cues is None:
            if events:
                return VoiceReading(pauses=find_pauses(prosody), events=events, spoken=False)
            return VoiceReading(obstacle=obstacle or "short")
        estimate = self._head(cues)
        return VoiceReading(
            estimate.probabilities,
            round(estimate.arousal, 3),
            round(estimate.valence, 3),
            round(estimate.aroused, 3),
            _in_words(estimate),
            find_passages(spoken),
            find_pauses(prosody),
            windows=self._windows(spoken),
            events=events,
        )

    def _windows(self, prosody: Prosody) -> tuple[VoiceWindow, ...]:
        length, step = int(_WINDOW * RATE), int(_STEP * RATE)
        windows = []
        for start in range(0, max(len(prosody) - length, 0) + 1, step):
            part = prosody.part(start, start + length)
            cues = summarize(part) if part.voiced.sum() >= _SPOKEN * RATE else None
            if cues is not None:
                estimate = self._head(cues)
                scales = (round(value, 3) for value in (estimate.arousal, estimate.valence, estimate.aroused))
                windows.append(VoiceWindow(start / RATE, (start + len(part)) / RATE, estimate.probabilities, *scales))
        return tuple(windows)


def _without(prosody: Prosody, events: Sequence[VocalEvent]) -> Prosody:
    """The descriptors with nothing said where somebody laughs, sobs or sighs."""
    speech = prosody.speech.copy()
    for event in events:
        if event.kind != "whisper":
            speech[int(event.start * RATE) : int(event.end * RATE) + 1] = False
    return replace(prosody, speech=speech)


def _share(events: Sequence[VocalEvent], prosody: Prosody) -> float:
    """Of the time that sounds, the share of events."""
    return 1 - float(_without(prosody, events).speech.sum()) / max(float(prosody.speech.sum()), 1.0)


def _in_words(estimate: VoiceEstimate) -> tuple[str, ...]:
    """What is unusual about the voice, the most unusual first."""
    unusual = sorted((axis for axis, value in estimate.axes.items() if abs(value) > _CUE), key=lambda axis: -abs(estimate.axes[axis]))
    return tuple(_CUES[axis][estimate.axes[axis] < 0] for axis in unusual)
