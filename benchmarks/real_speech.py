"""Does real speech drive the lips? Best correlation of drawn and tracked jaws and lips, within a lag of ±6 frames.

Protocol ``real_speech-3``. Each clip is a real talking head: its sound is drawn from with a neutral plan as a pipeline draws
(with the idle motion, which slows smiles and spreads lips), its face is tracked by
MediaPipe's landmarker, and jaw, rounding, pressing and width of the lips are compared, averaged over seeds. Beside it stand what the
sound's energy alone would score, and chance: the same score against faces of other people, who say something else, since the best of
thirteen lags of a few seconds is seldom 0. Intervals are bootstrapped over people (95 %), of whom some have several clips.

    python -m benchmarks.real_speech CLIP.mp4 ... --landmarker face_landmarker.task --output out.json

``--manifest clips.csv`` (columns id, person, language) tells which clips show the same person, and gives each language a table.
``--emotions true`` draws every emotion at full strength as well, which must not spoil the jaw. A clip may also be a 16 kHz wave file with
its tracked motion (.npz) beside it, where there is no tracker.
"""

import csv
import statistics
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import bootstrap_interval, environment, prototype_plan, run, table, write_results
from tbd import MOTION_MODEL
from tbd.draw.guidance.base import Guidance
from tbd.draw.motion.diffusion import MotionDiffusion
from tbd.draw.motion.idle import IdleMotion
from tbd.draw.motion.loading import load_motion_model
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.media.rates import SAMPLE_RATE, SAMPLES_PER_FRAME
from tbd.media.wav import read_wave
from tbd.think.emotions import EMOTIONS, Emotion

ARTICULATORS: dict[str, tuple[str, ...]] = {
    "jaw": ("jawOpen",),
    "rounded": ("mouthPucker", "mouthFunnel"),
    "pressed or rolled": ("mouthPressLeft", "mouthPressRight", "mouthRollLower", "mouthRollUpper"),
    "wide": ("mouthStretchLeft", "mouthStretchRight", "mouthSmileLeft", "mouthSmileRight"),
}
"""What a mouth does → the channels whose sum it is."""
OTHERS = 5
"""Faces of other people that chance is averaged over, for each clip."""
LONGEST = 8.4
"""Seconds of a clip that are drawn: two windows of the packaged model."""
_RESAMPLED = 2000


@dataclass(frozen=True)
class SpeechClip:
    """A person who talks.

    Args:
        audio: (N,) samples at 16 kHz.
        tracked: The face's motion.
        person: Who it is; clips of one person are no independent evidence.
        language: Its code; empty where it is not known.
    """

    audio: np.ndarray
    tracked: Motion
    person: str
    language: str = ""


def best_correlation(drawn: np.ndarray, tracked: np.ndarray, lags: int = 6) -> tuple[float, int]:
    """Pearson correlation of two (T,) tracks at the best lag within ±`lags` frames, and that lag.

    A positive lag means that the drawn track comes late.

    Example:
        >>> wave = np.sin(np.arange(50) * 0.4)
        >>> best_correlation(np.roll(wave, 3)[5:45], wave[5:45])[1]
        3
    """
    length = min(len(drawn), len(tracked))
    drawn, tracked = drawn[:length], tracked[:length]
    scores = {}
    for lag in range(-lags, lags + 1):
        a, b = drawn[max(lag, 0) : length + min(lag, 0)], tracked[max(-lag, 0) : length + min(-lag, 0)]
        scores[lag] = float(np.corrcoef(a, b)[0, 1]) if a.std() > 1e-6 and b.std() > 1e-6 else 0.0
    lag = max(scores, key=scores.__getitem__)
    return scores[lag], lag


def read_clip(path: Path, landmarker: Path | None) -> tuple[np.ndarray, Motion]:
    """A clip's sound at 16 kHz and its tracked motion."""
    if path.suffix == ".wav":
        return read_wave(path), Motion.load(path.with_suffix(".npz"))
    if landmarker is None:
        raise InputError("Clips that are videos need --landmarker, MediaPipe's face_landmarker.task, to track their faces.")
    from tbd.face.tracker import FaceLandmarkerTracker
    from tbd.media import read_audio, read_video

    return read_audio(path), FaceLandmarkerTracker(landmarker).track(read_video(path), source=str(path))


def read_manifest(path: Path | None) -> dict[str, tuple[str, str]]:
    """Name of a clip → who it shows, and the first word of the language; nothing without a manifest."""
    if path is None:
        return {}
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return {row["id"]: (row["person"], (row.get("language") or "").split(" ")[0]) for row in csv.DictReader(file)}
    except (OSError, KeyError) as error:
        raise InputError(f"{path} is no table of clips with the columns id, person and language.") from error


def read_clips(clips: Sequence[Path], landmarker: Path | None, manifest: Path | None, seconds: float) -> dict[str, SpeechClip]:
    """Read clips.

    Args:
        clips: Videos, or wave files with a motion beside them.
        landmarker: MediaPipe's face_landmarker.task, for videos.
        manifest: See `read_manifest`.
        seconds: How much of each is read at most.

    Returns:
        Name → clip.

    Raises:
        InputError: If there is none, or one cannot be read.
    """
    if not clips:
        raise InputError("Name one or more clips of a person who talks.")
    known, found = read_manifest(manifest), {}
    for path in map(Path, clips):
        audio, tracked = read_clip(path, landmarker)
        audio = audio[: int(seconds * SAMPLE_RATE)]
        tracked = Motion(tracked.values[: -(-len(audio) // SAMPLES_PER_FRAME)])
        found[path.stem] = SpeechClip(audio, tracked, *known.get(path.stem, (path.stem, "")))
    return found


def energy(audio: np.ndarray) -> np.ndarray:
    """(T,) root mean square of each frame's sound."""
    frames = audio[: len(audio) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME].reshape(-1, SAMPLES_PER_FRAME)
    return np.sqrt(np.square(frames).mean(1))


def articulation(motion: np.ndarray, name: str) -> np.ndarray:
    """(T,) what a mouth does, of `ARTICULATORS`, in a motion (T, 58)."""
    return np.sum([Motion(motion)[channel] for channel in ARTICULATORS[name]], axis=0)


def drawings_of(folder: Path | None, model: str, audio_scale: float | None = None) -> Path | None:
    """The part of a folder of drawings that one model fills at one strength of the articulation, so that no other's are taken for its own.

    Example:
        >>> drawings_of(Path("drawn"), "runs/mine", 1.0).as_posix(), drawings_of(None, "mine")
        ('drawn/mine, audio 1', None)
    """
    return None if folder is None else folder / (Path(model).name + ("" if audio_scale is None else f", audio {audio_scale:g}"))


def draw_all(
    model: MotionDiffusion,
    clips: Mapping[str, SpeechClip],
    seeds: int,
    emotion: Emotion = "neutral",
    guidance: Guidance | None = None,
    kept: Path | None = None,
) -> dict[str, list[np.ndarray]]:
    """Draw clips from their sound.

    Args:
        model: The motion model.
        clips: Name → clip.
        seeds: Drawings of each; the noise is that of clip and seed, whatever other clips there are.
        emotion: At full strength.
        guidance: How branches are combined; None for the model's own.
        kept: A folder where drawings are kept, and from which those that are there are taken; see `drawings_of`.

    Returns:
        Clip → a motion (T, 58) for every seed.
    """
    plan, drawn = prototype_plan(emotion, 1.0), {}
    for name, clip in clips.items():
        drawn[name] = []
        for seed in range(seeds):
            path = None if kept is None else kept / f"{name}_{len(clip.audio)}_{emotion}_{seed}.npz"
            if path is None or not path.exists():
                noise = zlib.crc32(f"{name} {seed}".encode())
                motion = Motion(np.concatenate([p.values for p in model.generate(clip.audio, plan, seed=noise, guidance=guidance)]))
                if path is not None:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    motion.save(path)
            drawn[name].append(motion.values if path is None else Motion.load(path).values)
    return drawn


def with_idle_motion(drawn: Mapping[str, Sequence[np.ndarray]], emotion: Emotion = "neutral") -> dict[str, list[np.ndarray]]:
    """Add to each drawing what a pipeline adds; see `draw_all`."""
    idle, plan = IdleMotion(), prototype_plan(emotion, 1.0)
    return {clip: [idle(values, plan, seed) for seed, values in enumerate(motions, 1)] for clip, motions in drawn.items()}


def score(clips: Mapping[str, SpeechClip], drawn: Mapping[str, Sequence[np.ndarray]], name: str) -> dict[str, dict[str, float]]:
    """Compare one articulator of each clip with what was tracked.

    Args:
        clips: The clips.
        drawn: Motions (T, 58) of each, one for every seed.
        name: Of `ARTICULATORS`.

    Returns:
        Clip → its mean correlation and median lag over seeds, what the sound's energy scores, and chance (not a number where all clips show
        one person).
    """
    rows, tracked = {}, {clip: articulation(found.tracked.values, name) for clip, found in clips.items()}
    for number, (clip, found) in enumerate(clips.items()):
        own = [best_correlation(articulation(motion, name), tracked[clip]) for motion in drawn[clip]]
        others = [other for other in clips if clips[other].person != found.person]
        chosen = np.random.default_rng(number).permutation(len(others))[:OTHERS]
        by_others = [best_correlation(articulation(drawn[clip][0], name), tracked[others[k]])[0] for k in chosen]
        rows[clip] = {
            "correlation": statistics.mean(r for r, _ in own),
            "lag": statistics.median(lag for _, lag in own),
            "energy": best_correlation(energy(found.audio), tracked[clip])[0],
            "chance": statistics.mean(by_others) if by_others else float("nan"),
        }
    return rows


def interval(values: Sequence[float], people: Sequence[str]) -> tuple[float, float]:
    """95 % interval of a mean over clips, from samples of people with replacement.

    Args:
        values: One for each clip.
        people: Whose clip it is.

    Returns:
        Its ends.

    Example:
        >>> low, high = interval([0.4, 0.5, 0.6], ["a", "b", "b"])
        >>> low >= 0.4, high <= 0.6
        (True, True)
    """
    names = sorted(set(people))
    groups = [[value for value, who in zip(values, people) if who == name] for name in names]
    sums, counts = np.array([sum(group) for group in groups]), np.array([len(group) for group in groups])
    return bootstrap_interval(lambda chosen: sums[chosen].sum(1) / counts[chosen].sum(1), len(names), _RESAMPLED)


def summarize(clips: Mapping[str, SpeechClip], rows: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Means over clips of what `score` found, and the interval of the first."""
    values = [row["correlation"] for row in rows.values()]
    return {
        "mean": statistics.mean(values),
        "interval": interval(values, [clips[clip].person for clip in rows]),
        **{name: statistics.mean(row[name] for row in rows.values()) for name in ("chance", "energy")},
        "clips": dict(rows),
    }


def real_speech(
    clips: Sequence[Path],
    landmarker: Path | None = None,
    manifest: Path | None = None,
    model: str = MOTION_MODEL,
    seeds: int = 3,
    seconds: float = LONGEST,
    audio_scale: float | None = None,
    emotions: bool = False,
    drawings: Path | None = None,
    output: Path | None = None,
) -> None:
    """Measure a motion model on real clips.

    Args:
        clips: videos, or wave files with a motion beside them.
        landmarker: MediaPipe's face_landmarker.task, for videos.
        manifest: a table of clips with the columns id (the clip's name), person and language.
        model: packaged name, folder, or hub repository of a motion model.
        seeds: drawings per clip, averaged; each clip has noise of its own.
        seconds: what is drawn of each clip at most.
        audio_scale: strength of the articulation; the model's own where not given.
        emotions: also with every emotion at full strength.
        drawings: a folder where drawings are kept, and from which those that are there are taken.
        output: a .json file for the results; a table goes beside it as .md.
    """
    found, drawer = read_clips(clips, landmarker, manifest, seconds), load_motion_model(model)
    kept = drawings_of(drawings, model, audio_scale)
    guidance = None if audio_scale is None else drawer.guidance.scaled(audio_scale=audio_scale)
    results: dict[str, Any] = {"protocol": "real_speech-3", "environment": environment(), "seeds": seeds, "languages": {}}
    parts = [f"## real_speech-3\n\n{seeds} seeds a clip, {seconds:g} s of each at most."]
    plain = with_idle_motion(draw_all(drawer, found, seeds, "neutral", guidance, kept))
    for language in sorted({clip.language for clip in found.values()}):
        group = {name: clip for name, clip in found.items() if clip.language == language}
        figures = {name: summarize(group, score(group, plain, name)) for name in ARTICULATORS}
        results["languages"][language] = figures
        people = len({clip.person for clip in group.values()})
        rows = [
            [name, row["mean"], "{:.2f} to {:.2f}".format(*row["interval"]), row["chance"], row["energy"]] for name, row in figures.items()
        ]
        head = ["", "mean r", "95 % over people", "chance", "sound's energy"]
        parts.append(f"{language or 'Clips'}: {len(group)} clips, {people} people.\n\n" + table(head, rows))
    if emotions:
        neutral = statistics.mean(row["correlation"] for row in score(found, plain, "jaw").values())
        results["emotions"] = {
            emotion: statistics.mean(
                row["correlation"]
                for row in score(found, with_idle_motion(draw_all(drawer, found, seeds, emotion, guidance, kept), emotion), "jaw").values()
            )
            for emotion in EMOTIONS
            if emotion != "neutral"
        }
        rows = [[emotion, mean, f"{mean / max(neutral, 1e-6):.0%}"] for emotion, mean in results["emotions"].items()]
        parts.append("The jaw, all clips:\n\n" + table(["emotion", "mean r", "of neutral"], [["neutral", neutral, "100%"], *rows]))
    write_results(output, results, "\n\n".join(parts))


if __name__ == "__main__":
    run(real_speech, many="clips", default=())
