"""Laughs, sobs, sighs and whispers: where they are in a recording, and how sure that is.

``benchmarks/voice`` has the sounds and the fit; ``assets/think/vocal_events.safetensors`` what came of it, ``voice.md`` beside it its card.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from tbd.speech.pitch import RATE
from tbd.speech.prosody import Prosody
from tbd.think.voice.fitted_head import FittedHead
from tbd.think.voice.reader import VocalEvent, VocalKind
from tbd.think.voice.vocal_cues import LENGTH, STEP, VocalCues, measure_cues, stretches_of
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
_NO_SPEECH, _FAINT = 0.6, 0.2
"""Probability of being neither speech nor a whisper, and of being of a kind, from which a laugh or a sob goes on that is sure elsewhere: it
fades into breath."""
_LIKELY_FOR = 5
"""Stretches in a row that go on like that after a breath."""
_BREATH = 0.8
"""Seconds between two bouts of one laugh, in which breath is drawn (Bachorowski, Smoski & Owren 2001, *The acoustic features of human
laughter*)."""
_IN_BOUTS: tuple[VocalKind, ...] = ("laugh", "sob")
_GAP, _SCRAP = 0.1, 0.2
"""Seconds of silence that part what sounds, and of sound at an edge behind one that belong to what comes next."""
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
    silent = likely.sum(1) == 0
    wordless = np.where(silent, 0.0, 1 - likely[:, [CLASSES.index("speech"), CLASSES.index("whisper")]].sum(1))
    found = [event for kind in KINDS for event in of_kind(kind, likely[:, CLASSES.index(kind)], wordless, places, prosody)]
    return _apart(found)


@dataclass(frozen=True)
class _Bout:
    """Stretches in a row that may be of one kind; `confidence` where they are so by themselves."""

    first: int
    last: int
    confidence: float | None


def of_kind(
    kind: VocalKind, track: np.ndarray, wordless: np.ndarray, places: Sequence[tuple[int, int]], prosody: Prosody
) -> Iterator[VocalEvent]:
    """Find the events of one kind: bouts, with a breath between, of which one is sure.

    Args:
        kind: The kind.
        track: (stretches,) its probability.
        wordless: (stretches,) the probability of being neither speech nor a whisper.
        places: Frames of the stretches; see `tbd.think.voice.vocal_cues.stretches_of`.
        prosody: Of the recording.

    Yields:
        The events, in order of time.
    """
    goes_on = track >= _EDGE
    if kind in _IN_BOUTS:
        goes_on |= (wordless >= _NO_SPEECH) & (track >= _FAINT)
    for group in _grouped(list(_bouts(kind, track, goes_on)), kind):
        sure = [bout.confidence for bout in group if bout.confidence is not None and _event(kind, bout, places, prosody) is not None]
        if sure:
            event = _event(kind, _Bout(group[0].first, group[-1].last, max(sure)), places, prosody)
            if event is not None:
                yield event


def _bouts(kind: VocalKind, track: np.ndarray, goes_on: np.ndarray) -> Iterator[_Bout]:
    for first, last in runs(goes_on):
        cores = runs(track[first:last] >= SURE[kind], shortest=min(LASTING[kind], len(track)))
        if cores:
            yield _Bout(first, last, max(float(track[first + start : first + stop].mean()) for start, stop in cores))
        elif kind in _IN_BOUTS and last - first >= _LIKELY_FOR:
            yield _Bout(first, last, None)


def _grouped(bouts: Sequence[_Bout], kind: VocalKind) -> list[list[_Bout]]:
    """Bouts with at most a breath between."""
    groups: list[list[_Bout]] = []
    for bout in bouts:
        if groups and kind in _IN_BOUTS and (bout.first - groups[-1][-1].last + 1) * STEP - _CORE <= _BREATH:
            groups[-1].append(bout)
        else:
            groups.append([bout])
    return groups


def _event(kind: VocalKind, bout: _Bout, places: Sequence[tuple[int, int]], prosody: Prosody) -> VocalEvent | None:
    """The event in frames that sound; None where too little of it has a voice."""
    first, last = places[bout.first], places[bout.last - 1]
    margin = (int(LENGTH * RATE) - int(_CORE * RATE)) // 2
    start = 0 if first[0] == 0 else first[0] + margin
    stop = len(prosody) if last[1] == len(prosody) else last[1] - margin
    sounding = [(a, b) for a, b in _joined(runs(prosody.speech)) if b > start and a < stop]
    if len(sounding) > 1 and stop - sounding[-1][0] < _SCRAP * RATE < sounding[-1][1] - sounding[-1][0]:
        sounding.pop()  # what begins within the last stretch is what comes next
    if not sounding:
        return None
    start, stop = max(start, sounding[0][0]), min(stop, sounding[-1][1])
    if stop <= start or (kind in ("laugh", "sob") and not _has_voice(prosody.part(start, stop), kind)):
        return None
    return VocalEvent(kind, round(start / RATE, 2), round(stop / RATE, 2), round(bout.confidence or 0.0, 2))


def _joined(sounding: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches that sound, those with hardly a gap between as one."""
    joined: list[tuple[int, int]] = []
    for start, stop in sounding:
        if joined and start - joined[-1][1] < _GAP * RATE:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined


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
