"""How fast and how large?

Protocol ``speed-1``. The whole way from sound to mp4, its parts, and the memory over a long recording.

Times are seconds after imports and loading, over the duration of the sound; below 1 is faster than it plays. The renderer
alone is given in frames a second. With ``--minutes`` the voice is repeated to that length, and the largest memory after each
tenth of the work shows whether it grows; the jump at every window's seam is compared with those within windows.

    python -m benchmarks.speed [--minutes 10] --output out.json
"""

import resource
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import ASTRONAUT, environment, load_portraits, measure_speed, run, table, write_results
from tbd.face.motion import Motion
from tbd.face.render.renderer import MeshWarpRenderer
from tbd.media import VideoWriter, provenance, read_audio
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.pipeline import TalkingHeadPipeline
from tbd.think import MusclePlan
from tbd.utils.sample_inputs import VOICE


def peak_gigabytes() -> float:
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def seam_jumps(motion: Motion, window: int, past: int) -> dict[str, float]:
    """Largest jump of any channel between frames at the seams, and the 99.9th percentile within windows.

    Jumps are differences between neighbouring frames, in standard deviations of their channel, greatest over channels.
    """
    scale = motion.values.std(0) + 1e-3
    jumps = np.abs(np.diff(motion.values, axis=0) / scale).max(1)
    seams = np.arange(window, len(motion), window - past) - 1
    within = np.delete(jumps, seams)
    return {"seams": len(seams), "median at seams": float(np.median(jumps[seams])), "greatest at seams": float(jumps[seams].max()),
            "median within": float(np.median(within)), "rare within": float(np.percentile(within, 99.9))}  # fmt: skip


class Stopwatch:
    """Seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


def speed(
    portrait: str = ASTRONAUT, audio: Path = VOICE, size: int = 512, minutes: float | None = None, output: Path | None = None
) -> None:
    """Time the way from a sentence and a sound to a video.

    Args:
        portrait: a picture; astronaut is scikit-image's.
        audio: speech; the sample voice where not given.
        size: height and width of the video.
        minutes: repeat the speech to this length.
        output: a .json file for the results; a table goes beside it as .md.
    """
    pipeline, sound = TalkingHeadPipeline(), read_audio(audio)
    if minutes:
        sound = np.resize(sound, int(minutes * 60 * SAMPLE_RATE))
    load_portraits([portrait])  # the wheel's face models are loaded once per process
    stopwatch = Stopwatch()
    with stopwatch.time("think"):
        plan = pipeline.think("she fights back tears, then smiles", sound)
    with stopwatch.time("locate"):
        face = next(iter(load_portraits([portrait], size).values()))
    with stopwatch.time("draw"):
        motion = pipeline.draw(plan, sound)
    with tempfile.TemporaryDirectory() as folder, stopwatch.time("render and write"):
        memory = _write_video(Path(folder) / "a.mp4", sound, plan, pipeline.render(face, motion), len(motion))
    seconds = len(sound) / SAMPLE_RATE
    relative = {name: value / seconds for name, value in stopwatch.seconds.items()}
    results = {
        "protocol": "speed-1",
        "environment": environment(),
        "seconds of sound": seconds,
        "size": size,
        "time over duration": relative | {"whole": sum(relative.values())},
        "renderer alone, frames a second": measure_speed(MeshWarpRenderer(), face, Motion(motion.values[: 10 * FPS]))["frames_per_s"],
        "peak memory, GB": {"at the end": peak_gigabytes(), "after each tenth of the frames": memory},
        "seams": seam_jumps(motion, pipeline.motion_model.window_frames, pipeline.motion_model.past_frames),
    }
    write_results(output, results, report(results))


def _write_video(path: Path, sound: np.ndarray, plan: MusclePlan, frames: Iterable[np.ndarray], total: int) -> list[float]:
    """Write a video and return the peak memory after each tenth of it."""
    memory = []
    with VideoWriter(path, sound, metadata=provenance(plan.model_dump_json(exclude_defaults=True))) as writer:
        for i, frame in enumerate(frames):
            writer.write(frame)
            if i % max(total // 10, 1) == 0:
                memory.append(round(peak_gigabytes(), 3))
    return memory


def report(results: dict[str, Any]) -> str:
    """The results as markdown."""
    place, seams = results["environment"], results["seams"]
    rows = [[name, value] for name, value in results["time over duration"].items()]
    lines = [
        f"Renderer alone: {results['renderer alone, frames a second']:.0f} frames/s at {results['size']}².",
        f"Peak memory: {results['peak memory, GB']['at the end']:.2f} GB.",
        "Jumps at {seams} seams: greatest {greatest at seams:.2f}, median {median at seams:.2f} standard deviations; within windows: "
        "99.9th percentile {rare within:.2f}, median {median within:.2f}.".format(**seams),
        f"{place['cpu']}, {place['cores']} cores, load {place['load']}; commit {place['commit']}, {place['date']}.",
    ]
    title = f"## {results['protocol']}\n\n{results['seconds of sound']:.0f} s of sound."
    return "\n\n".join([title, table(["step", "time over duration"], rows), *lines])


if __name__ == "__main__":
    run(speed, many=None)
