"""Does real speech drive the lips? Best correlation between drawn and tracked `jawOpen`, within a lag of ±6 frames.

Protocol ``real_speech-1``. Each clip is a real talking head: its sound is drawn from, its face is tracked by MediaPipe's
landmarker, and the two jaws are compared, averaged over seeds. Beside it stands what the sound's energy alone would score.
``--emotions true`` repeats it with every emotion at full strength, which must not spoil the lips.

    python -m benchmarks.real_speech CLIP.mp4 ... --landmarker face_landmarker.task --output out.json

A clip may also be a 16 kHz wave file with its tracked motion (.npz) beside it, where there is no tracker.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import environment, prototype_plan, run, table, write_results
from tbd import MOTION_MODEL
from tbd.draw.export import load_motion_model
from tbd.draw.guidance.base import Guidance
from tbd.draw.motion.diffusion import MotionDiffusion
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.media.rates import SAMPLES_PER_FRAME
from tbd.media.wav import read_wave
from tbd.think.emotions import EMOTIONS
from tbd.think.plan import MusclePlan


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


def energy(audio: np.ndarray) -> np.ndarray:
    """(T,) root mean square of each frame's sound."""
    frames = audio[: len(audio) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME].reshape(-1, SAMPLES_PER_FRAME)
    return np.sqrt(np.square(frames).mean(1))


def measure(
    model: MotionDiffusion, clips: dict[str, tuple[np.ndarray, Motion]], plan: MusclePlan, seeds: int, guidance: Guidance | None = None
) -> dict:
    """Mean best correlation over clips and seeds, and each clip's own."""
    rows = {}
    for name, (audio, tracked) in clips.items():
        scores = []
        for seed in range(seeds):
            jaw = np.concatenate([piece["jawOpen"] for piece in model.generate(audio, plan, seed=seed, guidance=guidance)])
            scores.append(best_correlation(jaw, tracked["jawOpen"]))
        rows[name] = {"correlation": statistics.mean(s for s, _ in scores), "lag": statistics.median(lag for _, lag in scores)}
    return {"mean": statistics.mean(row["correlation"] for row in rows.values()), "clips": rows}


def real_speech(
    clips: Sequence[Path],
    landmarker: Path | None = None,
    model: str = MOTION_MODEL,
    seeds: int = 3,
    audio_scale: float | None = None,
    emotions: bool = False,
    output: Path | None = None,
) -> None:
    """Measure a motion model on real clips.

    Args:
        clips: videos, or wave files with a motion beside them.
        landmarker: MediaPipe's face_landmarker.task, for videos.
        model: packaged name, folder, or hub repository of a motion model.
        seeds: drawings per clip, averaged.
        audio_scale: strength of the articulation; the model's own where not given.
        emotions: also with every emotion at full strength.
        output: a .json file for the results; a table goes beside it as .md.
    """
    if not clips:
        raise InputError("Name one or more clips of a person who talks.")
    drawer = load_motion_model(model)
    guidance = None if audio_scale is None else drawer.guidance.scaled(audio_scale=audio_scale)
    material = {Path(clip).stem: read_clip(Path(clip), landmarker) for clip in clips}
    results = {
        emotion: measure(drawer, material, prototype_plan(emotion, 1.0), seeds, guidance)
        for emotion in (EMOTIONS if emotions else ("neutral",))
    }
    loud = {name: best_correlation(energy(audio), tracked["jawOpen"])[0] for name, (audio, tracked) in material.items()}
    neutral = max(results["neutral"]["mean"], 1e-6)
    rows = [["sound's energy alone", statistics.mean(loud.values()), "", *loud.values()]]
    for emotion, row in results.items():
        rows.append([emotion, row["mean"], f"{row['mean'] / neutral:.0%}", *(clip["correlation"] for clip in row["clips"].values())])
    report = f"## real_speech-1\n\n{seeds} seeds a clip.\n\n" + table(["emotion", "mean r", "of neutral", *material], rows)
    write_results(output, {"protocol": "real_speech-1", "environment": environment(), "energy": loud, "emotions": results}, report)


if __name__ == "__main__":
    run(real_speech, many="clips", default=())
