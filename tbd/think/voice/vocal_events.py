"""Laughs, sobs, sighs and whispers: where they are in a recording, and how sure that is.

``benchmarks/voice`` has the sounds and the fit; ``assets/think/vocal_events.safetensors`` what came of it, ``voice.md`` beside it its card.
"""

from pathlib import Path
from typing import Literal, get_args

import numpy as np

from tbd.speech.pitch import RATE
from tbd.speech.prosody import Prosody
from tbd.think.voice.fitted_head import FittedHead
from tbd.think.voice.reader import VocalEvent, VocalKind
from tbd.think.voice.vocal_cues import LENGTH, VocalCues, measure_cues, stretches_of
from tbd.utils.tracks import runs

WEIGHTS = Path(__file__).resolve().parents[2] / "assets" / "think" / "vocal_events.safetensors"
KINDS: tuple[VocalKind, ...] = get_args(VocalKind)
VocalClass = Literal["speech", "laugh", "sob", "sigh", "whisper", "noise"]
CLASSES: tuple[VocalClass, ...] = get_args(VocalClass)
"""What a stretch may be; "noise" is a cough, a click, a breath, a scream, a hiss."""
_EDGE = 0.3
"""Probability down to which an event goes on before and after."""
_ACTIVE = 0.15
"""Share of a stretch that must sound."""
SURE: dict[VocalKind, float] = {"laugh": 0.65, "sob": 0.6, "sigh": 0.6, "whisper": 0.75}
"""Probability that every stretch of an event has at least."""
LASTING: dict[VocalKind, int] = {"laugh": 3, "sob": 4, "sigh": 3, "whisper": 6}
"""Stretches in a row, one every 0.1 s, that an event has at least."""
_VOICED = 0.1
"""Seconds with a pitch that a laugh and a sob have at least: teeth and tongues click as regularly as a laugh beats."""
_SHRILL = 26.0
"""Semitones over 100 Hz, 450 Hz, from which a cry is a scream."""
_CORE = 0.3
"""Seconds around the middle of a stretch that it speaks for."""


class VocalEventHead(FittedHead):
    """A multinomial regression on `VocalCues`.

    Args:
        weights: What ``benchmarks.voice.train_events`` wrote.
    """

    def __init__(self, weights: Path = WEIGHTS) -> None:
        super().__init__(weights)

    def __call__(self, cues: np.ndarray) -> np.ndarray:
        """Judge stretches.

        Args:
            cues: (stretches, cues) of `measure_cues`.

        Returns:
            (stretches, classes) probabilities, in the order of `CLASSES`.
        """
        logits = self.standardize(cues) @ self._tensors["weight"].T + self._tensors["bias"]
        likely = np.exp(logits - logits.max(1, keepdims=True))
        return likely / likely.sum(1, keepdims=True)


def find_events(prosody: Prosody, mels: np.ndarray, head: VocalEventHead) -> tuple[VocalEvent, ...]:
    """Find what a voice does beside speaking.

    Args:
        prosody: Of a recording.
        mels: (T, bands) of `tbd.speech.rhythm.mel_levels`.
        head: Judges stretches.

    Returns:
        The events, in order of time; they do not overlap.
    """
    cues = measure_cues(prosody, mels)
    if not len(cues):
        return ()
    places = stretches_of(prosody)
    likely = head(cues) * (cues[:, VocalCues._fields.index("active")] > _ACTIVE)[:, None]
    found = []
    for kind in KINDS:
        track = likely[:, CLASSES.index(kind)]
        for first, last in runs(track >= _EDGE):
            cores = runs(track[first:last] >= SURE[kind], shortest=min(LASTING[kind], len(places)))
            if not cores:
                continue
            confidence = max(float(track[first + start : first + stop].mean()) for start, stop in cores)
            event = _event(kind, places[first], places[last - 1], prosody, confidence)
            if event is not None:
                found.append(event)
    return _apart(found)


def _event(kind: VocalKind, first: tuple[int, int], last: tuple[int, int], prosody: Prosody, confidence: float) -> VocalEvent | None:
    """The event in frames that sound; None where too little of it has a voice."""
    margin = (int(LENGTH * RATE) - int(_CORE * RATE)) // 2
    start = 0 if first[0] == 0 else first[0] + margin
    stop = len(prosody) if last[1] == len(prosody) else last[1] - margin
    sounding = [(a, b) for a, b in runs(prosody.speech) if b > start and a < stop]
    if not sounding:
        return None
    start, stop = max(start, sounding[0][0]), min(stop, sounding[-1][1])
    if stop <= start or (kind in ("laugh", "sob") and not _has_voice(prosody.part(start, stop), kind)):
        return None
    return VocalEvent(kind, round(start / RATE, 2), round(stop / RATE, 2), round(confidence, 2))


def _has_voice(part: Prosody, kind: VocalKind) -> bool:
    pitches = part.semitones[part.voiced]
    return len(pitches) >= _VOICED * RATE and not (kind == "sob" and float(np.median(pitches)) > _SHRILL)


def _apart(events: list[VocalEvent]) -> tuple[VocalEvent, ...]:
    """Events without overlap: the surer one stays whole, and what is left of another is dropped."""
    kept: list[VocalEvent] = []
    for event in sorted(events, key=lambda e: -e.confidence * (e.end - e.start)):
        if all(event.end <= other.start or event.start >= other.end for other in kept):
            kept.append(event)
    return tuple(sorted(kept, key=lambda event: event.start))
