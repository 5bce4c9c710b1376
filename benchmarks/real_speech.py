"""Does real speech drive the lips? Best correlation between drawn and tracked `jawOpen`, within a lag of ±6 frames.

Each clip is a real talking head: its sound is drawn from, its face is tracked by MediaPipe's landmarker, and the two jaws
are compared. ``--emotions`` repeats it with every emotion at full strength, which must not spoil the lips.

    python -m benchmarks.real_speech --clips CLIP.mp4 ... --landmarker face_landmarker.task [--emotions] [--model FOLDER]

A clip may also be a wave file with its tracked motion (.npz) beside it, where there is no tracker.
"""

import argparse
import json
import statistics
import wave
from pathlib import Path

import numpy as np

from tbd.draw.guidance import Guidance, ProgressiveGuidance
from tbd.draw.motion_diffusion import MotionDiffusion
from tbd.draw.pretrained import load_motion_model
from tbd.face.motion import Motion
from tbd.think.facs import EMOTIONS, PROTOTYPES
from tbd.think.plan import MuscleAction, MusclePlan


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


def full_strength(emotion: str) -> MusclePlan:
    """An emotion's canonical prototype as a plan, at full strength."""
    actions = tuple(MuscleAction(unit=u, side=s, intensity=i) for u, s, i in PROTOTYPES[emotion][0])
    return MusclePlan(emotions={emotion: 1.0}, intensity=float(emotion != "neutral"), actions=actions)


def read_clip(path: Path, landmarker: str | None) -> tuple[np.ndarray, Motion]:
    """A clip's sound at 16 kHz and its tracked motion."""
    if path.suffix == ".wav":
        return read_wave(path), Motion.load(path.with_suffix(".npz"))
    from tbd.face.media import read_audio, read_video
    from tbd.face.tracker import FaceLandmarkerTracker

    return read_audio(path), FaceLandmarkerTracker(landmarker).track(read_video(path), source=str(path))


def read_wave(path: str | Path) -> np.ndarray:
    """(N,) float32 of a 16 kHz mono 16-bit wave file, without a media library."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768


def jaw(model: MotionDiffusion, audio: np.ndarray, plan: MusclePlan, seed: int, guidance: Guidance | None = None) -> np.ndarray:
    """(T,) drawn `jawOpen`."""
    return np.concatenate([piece["jawOpen"] for piece in model.draw(audio, plan, seed=seed, guidance=guidance)])


def measure(model: MotionDiffusion, clips: dict[str, tuple[np.ndarray, Motion]], plan: MusclePlan, seeds: int, guidance: Guidance | None = None) -> dict:
    """Mean best correlation over clips and seeds, and each clip's own."""
    rows = {}
    for name, (audio, tracked) in clips.items():
        scores = [best_correlation(jaw(model, audio, plan, seed, guidance), tracked["jawOpen"]) for seed in range(seeds)]
        rows[name] = {"correlation": statistics.mean(s for s, _ in scores), "lag": statistics.median(lag for _, lag in scores)}
    return {"mean": statistics.mean(row["correlation"] for row in rows.values()), "clips": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", nargs="+", required=True, type=Path)
    parser.add_argument("--landmarker", help="face_landmarker.task, for clips that are videos")
    parser.add_argument("--model", default="motion_mini")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--audio-scale", type=float, default=1.0)
    parser.add_argument("--emotions", action="store_true", help="also with every emotion at full strength")
    options = parser.parse_args()
    model = load_motion_model(options.model)
    clips = {path.stem: read_clip(path, options.landmarker) for path in options.clips}
    guidance = ProgressiveGuidance(audio_scale=options.audio_scale)
    report = {
        emotion: measure(model, clips, full_strength(emotion), options.seeds, guidance)
        for emotion in (EMOTIONS if options.emotions else ("neutral",))
    }
    print(json.dumps(report, indent=2))
    for emotion, row in report.items():
        print(f"{emotion:>10}  {row['mean']:.3f}  {row['mean'] / max(report['neutral']['mean'], 1e-6):.0%} of neutral")


if __name__ == "__main__":
    main()
