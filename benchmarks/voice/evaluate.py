"""How well a voice is read: arousal, emotions and their doubt on acted recordings; passages and false alarms on ordinary speech.

    python -m benchmarks.voice --emodb FOLDER --ravdess FOLDER --mead FOLDER --ordinary FOLDER --music FOLDER --output out.json

Any of the folders may be left out. None is part of the weights (`benchmarks.voice.train`), which know synthesizers alone;
what was chosen by looking at EmoDB and RAVDESS is listed in ``docs/voice.md``.

- EmoDB (Burkhardt et al. 2005): 535 sentences of ten actors, German; labels in the names.
- RAVDESS (Livingstone & Russo 2018): 1,440 sentences of 24 actors, English, two intensities; labels in the names.
- MEAD: files whose names are like M030_sad_3_001.
- Ordinary: any recordings of people who talk. Crowds and bad lines are mixed from them.
- Music: any music.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.signal import butter, sosfilt

from benchmarks.common import environment, run, table, write_results
from tbd.errors import InputError
from tbd.media import read_audio
from tbd.media.rates import SAMPLE_RATE
from tbd.think.emotions import EMOTIONS
from tbd.think.voice import ProsodicVoiceReader, VoiceReading
from tbd.think.voice.planning import LEADS

AROUSED = frozenset(("angry", "fear", "happy", "surprised"))
CALM = frozenset(("neutral", "calm", "bored", "sad"))
"""Which labels count as aroused and as not; disgust and contempt are either."""
SOUNDS = (".wav", ".mp4", ".flac", ".ogg", ".m4a", ".g722", ".mp3")
_EMODB = {"W": "angry", "L": "bored", "E": "disgusted", "A": "fear", "F": "happy", "T": "sad", "N": "neutral"}
_RAVDESS = ("neutral", "calm", "happy", "sad", "angry", "fear", "disgusted", "surprised")
BINS = 10


class Judged(NamedTuple):
    """A recording, what it is labelled, and what was read."""

    label: str
    reading: VoiceReading
    part: str = ""


def files(folder: str) -> list[Path]:
    """Sound files of a folder, at any depth, in order."""
    return [path for path in sorted(Path(folder).rglob("*")) if path.suffix.lower() in SOUNDS]


def label_emodb(path: Path) -> tuple[str, str]:
    """Label and part of a name such as 03a01Wa."""
    return _EMODB[path.stem[5]], ""


def label_ravdess(path: Path) -> tuple[str, str]:
    """Label and part of a name such as 03-01-05-02-01-01-16; the other half of the actors, or ""."""
    numbers = [int(number) for number in path.stem.split("-")]
    return _RAVDESS[numbers[2] - 1], f"{'actors 13-24' if numbers[6] > 12 else 'actors 1-12'}, {('normal', 'strong')[numbers[3] - 1]}"


def label_mead(path: Path) -> tuple[str, str]:
    """Label and part of a name such as M030_sad_3_001."""
    _, label, level, *_ = path.stem.split("_")
    return label, f"level {level}"


def hear(folder: str, label: Callable[[Path], tuple[str, str]], reader: ProsodicVoiceReader) -> list[Judged]:
    """Read every recording of a corpus."""
    judged = []
    for path in files(folder):
        name, part = label(path)
        judged.append(Judged(name, reader.read(read_audio(path)), part))
    return judged


def area(scores: np.ndarray, positive: np.ndarray) -> float:
    """Area under the ROC curve: how often a positive one scores above a negative one."""
    ranks = np.argsort(np.argsort(scores, kind="stable"), kind="stable")
    count = int(positive.sum())
    return float((ranks[positive].sum() - count * (count - 1) / 2) / (count * (len(scores) - count)))


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Mean distance between confidence and share of right ones, over ten bins of confidence."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return float(sum((bins == b).mean() * abs(confidence[bins == b].mean() - right[bins == b].mean()) for b in set(bins.tolist())))


def arousal(judged: Iterable[Judged]) -> dict[str, Any]:
    """How well aroused and calm labels are told apart."""
    kept = [j for j in judged if j.label in AROUSED | CALM]
    truth = np.array([j.label in AROUSED for j in kept])
    likely = np.array([j.reading.aroused for j in kept])
    right = (likely > 0.5) == truth
    if not 0 < truth.sum() < len(truth):
        return {"n": len(kept)}
    sure = np.maximum(likely, 1 - likely) >= 0.75
    return {
        "n": len(kept),
        "auc": area(likely, truth),
        "balanced_accuracy": float((right[truth].mean() + right[~truth].mean()) / 2),
        "calibration_error": calibration_error(np.maximum(likely, 1 - likely), right),
        "sure": int(sure.sum()),
        "sure_right": int(right[sure].sum()),
    }


def emotions(judged: Iterable[Judged]) -> dict[str, Any]:
    """How often the likeliest emotion is the label, and how often when it is sure enough to show."""
    kept = [j for j in judged if j.label in EMOTIONS]
    if not kept:
        return {"n": 0}
    right = np.array([j.label == j.reading.leading for j in kept])
    confidence = np.array([j.reading.confidence for j in kept])
    shown = np.array([j.reading.leading != "neutral" and j.reading.confidence >= LEADS for j in kept])
    labels = sorted({j.label for j in kept})
    leading = {label: [j.reading.leading for j in kept if j.label == label] for label in labels}
    confusion = {label: {e: leading[label].count(e) for e in EMOTIONS} for label in labels}
    return {
        "n": len(kept),
        "accuracy": float(right.mean()),
        "recall": float(np.mean([confusion[label][label] / len(leading[label]) for label in labels])),
        "chance": 1 / len(labels),
        "confidence": float(confidence.mean()),
        "calibration_error": calibration_error(confidence, right),
        "shown": int(shown.sum()),
        "shown_right": int(right[shown].sum()),
        "confusion": confusion,
    }


def spoilt(voices: list[np.ndarray], rng: np.random.Generator) -> dict[str, list[np.ndarray]]:
    """What is no single voice, and voices on bad lines, made of ordinary ones."""
    band = butter(6, [300, 3400], "band", fs=SAMPLE_RATE, output="sos")

    def crowd(count: int) -> np.ndarray:
        length = 6 * SAMPLE_RATE
        mixed = np.zeros(length)
        for i in rng.choice(len(voices), min(count, len(voices)), replace=False):
            part = np.roll(np.resize(voices[i], length), int(rng.integers(length)))
            mixed += part / (part.std() + 1e-6)
        return (0.5 * mixed / np.abs(mixed).max()).astype(np.float32)

    def noisy(voice: np.ndarray, ratio: float) -> np.ndarray:
        return (voice + rng.standard_normal(len(voice)) * voice.std() * 10 ** (-ratio / 20)).astype(np.float32)

    return {
        "crowd of 8": [crowd(8) for _ in range(20)],
        "crowd of 24": [crowd(24) for _ in range(20)],
        "silence": [np.zeros(3 * SAMPLE_RATE, np.float32)],
        "0.2 s": [voice[: SAMPLE_RATE // 5] for voice in voices],
        "white noise": [(0.1 * rng.standard_normal(4 * SAMPLE_RATE)).astype(np.float32)],
        "telephone": [sosfilt(band, voice).astype(np.float32) for voice in voices],
        "clipped by 12 dB": [np.clip(voice * 4 / np.abs(voice).max(), -1, 1).astype(np.float32) for voice in voices],
        "noise at 10 dB": [noisy(voice, 10) for voice in voices],
    }


def judge_ordinary(voices: list[np.ndarray], reader: ProsodicVoiceReader) -> dict[str, Any]:
    """What is read in people who talk."""
    readings = [reader.read(voice) for voice in voices]
    seconds = sum(map(len, voices)) / SAMPLE_RATE
    passages = [p for r in readings for p in r.passages]
    leading = [r.leading if r.confidence >= LEADS else "neutral" for r in readings]
    return {
        "n": len(voices),
        "seconds": seconds,
        "obstacles": sum(bool(r.obstacle) for r in readings),
        "aroused, 0.75 sure or more": sum(r.aroused >= 0.75 for r in readings),
        "calm, 0.75 sure or more": sum(r.aroused <= 0.25 for r in readings),
        "an emotion shows": sum(e != "neutral" for e in leading),
        "passages a minute": 60 * len(passages) / seconds,
        "share of time in passages": sum(p.end - p.start for p in passages) / seconds,
    }


def speed(reader: ProsodicVoiceReader, voices: list[np.ndarray]) -> float:
    """Seconds of processor time for a minute of sound."""
    minute = np.resize(np.concatenate(voices), 60 * SAMPLE_RATE)
    reader.read(minute)
    start = time.process_time()
    reader.read(minute)
    return time.process_time() - start


def evaluate(
    emodb: str | None = None,
    ravdess: str | None = None,
    mead: str | None = None,
    ordinary: str | None = None,
    music: str | None = None,
    seed: int = 0,
    output: str | None = None,
) -> None:
    """Read all there is, and write what comes of it.

    Args:
        emodb: EmoDB's wave files.
        ravdess: RAVDESS's speech.
        mead: Clips named as MEAD's.
        ordinary: People who talk.
        music: Music, cut into pieces of 8 s, one every 25 s.
        seed: Of crowds and noise.
        output: A name that ends in .json.
    """
    reader, rng = ProsodicVoiceReader(), np.random.default_rng(seed)
    results: dict[str, Any] = {"protocol": "voice-1", "seed": seed, "environment": environment()}
    lines: list[str] = []
    corpora = {"EmoDB": (emodb, label_emodb), "RAVDESS": (ravdess, label_ravdess), "MEAD": (mead, label_mead)}
    parts: dict[str, list[Judged]] = {}
    for name, (folder, label) in corpora.items():
        if folder is not None:
            judged = hear(folder, label, reader)
            parts[name] = judged
            for part in sorted({j.part for j in judged} - {""}) if name == "RAVDESS" else []:
                parts[f"{name}, {part}"] = [j for j in judged if j.part == part]
    if parts:
        results["arousal"] = {name: arousal(judged) for name, judged in parts.items()}
        results["emotions"] = {name: emotions(judged) for name, judged in parts.items()}
        lines += _acted(results)
    if ordinary is not None:
        voices = [read_audio(path) for path in files(ordinary)]
        results["ordinary"] = judge_ordinary(voices, reader)
        made = spoilt(voices, rng)
        if music is not None:
            made["music"] = _pieces(music)
        results["obstacles"] = {
            kind: {"n": len(sounds), "found": sum(bool(reader.read(sound).obstacle) for sound in sounds)} for kind, sounds in made.items()
        }
        results["seconds_for_a_minute"] = speed(reader, voices)
        lines += _spoken(results)
    if not lines:
        raise InputError("Give at least one folder of recordings; `--help` names them.")
    write_results(output, results, "\n\n".join(lines))


def _pieces(folder: str) -> list[np.ndarray]:
    step, length = 25 * SAMPLE_RATE, 8 * SAMPLE_RATE
    sounds = [read_audio(path) for path in files(folder)]
    return [sound[i : i + length] for sound in sounds for i in range(5 * SAMPLE_RATE, len(sound) - length, step)]


def _acted(results: dict[str, Any]) -> list[str]:
    rows = [
        (name, a["n"], a["auc"], a["balanced_accuracy"], a["calibration_error"], f"{a['sure_right']} of {a['sure']}")
        for name, a in results["arousal"].items()
        if "auc" in a
    ]
    header = ("aroused or calm", "clips", "area under ROC", "balanced accuracy", "calibration error", "right where 0.75 sure")
    tables = [table(header, rows)]
    felt = {name: e for name, e in results["emotions"].items() if e["n"]}
    columns = ("n", "accuracy", "recall", "chance", "confidence", "calibration_error")
    kinds = [(name, *(e[column] for column in columns), f"{e['shown_right']} of {e['shown']}") for name, e in felt.items()]
    header = ("emotion", "clips", "right", "mean recall", "chance", "mean confidence", "calibration error", "right where it shows")
    tables.append(table(header, kinds))
    for name, e in felt.items():
        if "," not in name:
            tables += [f"{name}: label (row), likeliest emotion (column)"]
            tables.append(table((name, *EMOTIONS), [(label, *row.values()) for label, row in e["confusion"].items()]))
    return tables


def _spoken(results: dict[str, Any]) -> list[str]:
    spoken = table(("ordinary speech", ""), list(results["ordinary"].items()))
    kinds = table(("kind", "sounds", "said to be no voice"), [(kind, row["n"], row["found"]) for kind, row in results["obstacles"].items()])
    return [spoken, kinds, f"A minute of sound takes {results['seconds_for_a_minute']:.2f} s of processor time."]


if __name__ == "__main__":
    run(evaluate, many=None)
