"""Does a stream keep up? Protocol ``live-2``: lips, cost, delay, memory and drift of `TalkingHeadPipeline.stream`, and many at once.

Lips: best correlation of the drawn jaw with the tracked one (`benchmarks.real_speech`), of a stream and of the whole recording. Cost:
seconds of processor time for a second of video. Delay: from the start of a frame's sound until it can be shown, on two cores that nobody
else uses, computed from the processor time that each hop and each frame took: one core draws motion, the other frames. Memory: the
process after each minute. Drift: how much later the jaw moves in the last round of a recording that is repeated than in the second, by
the peak of their correlation. Speakers: so many streams at once in real time, with a `LiveScheduler` and JPEG as `tbd live` has them,
each speaking the recording from another place on; wall clock, so give the process precedence (``nice -n -20``) on a busy machine.

    python -m benchmarks.live [CLIP.mp4 ...] [--landmarker face_landmarker.task] [--minutes 10] [--speakers 4] --output out.json
"""

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import ASTRONAUT, environment, load_portraits, run, table, write_results
from benchmarks.real_speech import best_correlation, read_clip
from tbd.draw.motion.streaming import MotionStream, StreamingOptions
from tbd.face.channels import INDEX
from tbd.live.load import LEVELS
from tbd.live.scheduler import LiveScheduler
from tbd.live.sources import CHUNK_SECONDS
from tbd.live.visit import encode_jpeg
from tbd.media import read_audio
from tbd.media.rates import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from tbd.pipeline import TalkingHeadPipeline
from tbd.think.plan import MusclePlan
from tbd.utils.sample_inputs import VOICE

JAW = INDEX["jawOpen"]


def stream_motion(stream: MotionStream, audio: np.ndarray, cheaply: bool = False) -> tuple[np.ndarray, list[float]]:
    """The motion of a recording that is fed frame by frame, and the processor time of each hop."""
    pieces, times = [], []

    def draw() -> None:
        while stream.ready():
            start = time.process_time()
            pieces.append(stream.draw(cheaply))
            times.append(time.process_time() - start)

    for i in range(0, len(audio), SAMPLES_PER_FRAME):
        stream.feed(audio[i : i + SAMPLES_PER_FRAME])
        draw()
    stream.finish()
    draw()
    return np.concatenate(pieces), times


def lips(pipeline: TalkingHeadPipeline, clips: dict[str, tuple[np.ndarray, Any]], seeds: int) -> dict[str, dict[str, float]]:
    """Each clip's correlation of the jaw, mean over seeds: of the whole recording, and of a stream."""
    rows = {}
    for name, (audio, tracked) in clips.items():
        scores: dict[str, list[float]] = {"whole recording": [], "stream": []}
        for seed in range(1, seeds + 1):
            whole = np.concatenate([piece.values for piece in pipeline.motion_model.generate(audio, MusclePlan(), seed)])
            streamed, _ = stream_motion(MotionStream(pipeline.motion_model, MusclePlan(), seed), audio)
            for kind, values in (("whole recording", whole), ("stream", streamed)):
                scores[kind].append(best_correlation(values[:, JAW], tracked["jawOpen"])[0])
        rows[name] = {kind: statistics.mean(values) for kind, values in scores.items()}
    return rows


def simulated_delays(hops: Sequence[float], frames: Sequence[float], hop: int, lookahead: int, stride: int = 1) -> np.ndarray:
    """Seconds from the start of each frame's sound until it can be shown, on two cores.

    Args:
        hops: Processor time of the motion of each hop.
        frames: Processor time of a frame, which are taken in turn.
        hop: Frames of a hop.
        lookahead: Frames of sound behind them that are waited for.
        stride: Every how many frames one is drawn.

    Example:
        >>> simulated_delays([0.05, 0.05], [0.02], hop=2, lookahead=1).round(2).tolist()
        [0.19, 0.17, 0.19, 0.17]
    """
    motion_free = frame_free = 0.0
    delays = []
    for k, took in enumerate(hops):
        motion_free = max(motion_free, (k * hop + hop + lookahead) / FPS) + took
        for i in range(k * hop, (k + 1) * hop):
            start = max(motion_free, frame_free)
            frame_free = start + (frames[i % len(frames)] if i % stride == 0 else 0.0)
            delays.append(frame_free - i / FPS)
    return np.array(delays)


class PacedVoice:
    """A recording, repeated, at the pace at which it plays; knows when each piece was there.

    Args:
        audio: (N,) samples at 16 kHz.
        seconds: How long it is spoken.
    """

    def __init__(self, audio: np.ndarray, seconds: float) -> None:
        self._audio, self._pieces, self.begun, self.arrived = audio, round(seconds / CHUNK_SECONDS), float("nan"), 0.0

    def __iter__(self) -> Iterator[np.ndarray]:
        """Iterate over pieces of 20 ms."""
        length, self.begun = round(CHUNK_SECONDS * SAMPLE_RATE), time.monotonic()
        for i in range(self._pieces):
            self.arrived = self.begun + (i + 1) * CHUNK_SECONDS
            time.sleep(max(self.arrived - time.monotonic(), 0))
            yield np.take(self._audio, range(i * length, (i + 1) * length), mode="wrap")


def crowd(
    pipeline: TalkingHeadPipeline, audio: np.ndarray, speakers: int, seconds: float, size: int, processes: int | None
) -> dict[str, Any]:
    """Let many speak at once in real time.

    Args:
        pipeline: Draws.
        audio: (N,) samples at 16 kHz.
        speakers: How many.
        seconds: How long each.
        size: Height and width of the frames.
        processes: Processes that render; None for as many as `LiveScheduler` takes.

    Returns:
        Frames a second that are new and delays, after the first five seconds, and processor seconds a second.
    """
    face = next(iter(load_portraits([ASTRONAUT], size).values()))
    prepared, plan = pipeline.prepare(face), pipeline.planner.plan("quietly furious")

    def speak(number: int) -> tuple[np.ndarray, float]:
        time.sleep(0.37 * number)
        voice = PacedVoice(np.roll(audio, -number * SAMPLE_RATE), seconds)
        delays, fresh, before = [], 0, None
        with pipeline.stream(voice, face, plan, seed=number, realtime=True, prepared=prepared, scheduler=scheduler) as stream:
            for i, piece in enumerate(stream):
                if piece.frame is not before:
                    encode_jpeg(piece.frame)
                    fresh += i >= 5 * FPS
                before = piece.frame
                delays.append(time.monotonic() - voice.begun - i / FPS)
        return np.array(delays), fresh / (len(delays) / FPS - 5)

    with LiveScheduler(processes) as scheduler, ThreadPoolExecutor(speakers) as pool:
        scheduler.processes.load(prepared)
        scheduler.processes.wait()
        start, before = time.monotonic(), processor_seconds(scheduler)
        found = [*pool.map(speak, range(speakers))]
        elapsed, after = time.monotonic() - start, processor_seconds(scheduler)
    settled = [delays[5 * FPS :] for delays, _ in found]
    halves = [np.concatenate([delays[part * len(delays) // 2 : (part + 1) * len(delays) // 2] for delays in settled]) for part in (0, 1)]
    return {
        "speakers": speakers, "seconds": seconds, "frames a second": [rate for _, rate in found], "processes": scheduler.processes.count,
        "processor, motion": (after[0] - before[0]) / elapsed, "processor, frames": (after[1] - before[1]) / elapsed,
        **{f"delay p{q}": float(np.percentile(np.concatenate(settled), q)) for q in (50, 95)},
        "delay p95, first half": float(np.percentile(halves[0], 95)), "delay p95, second half": float(np.percentile(halves[1], 95)),
    }  # fmt: skip


def processor_seconds(scheduler: LiveScheduler) -> tuple[float, float]:
    """Processor time of this process so far, and of those that render."""
    stats = (Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split() for number in scheduler.processes.running)
    return time.process_time(), sum(int(fields[11]) + int(fields[12]) for fields in stats) / os.sysconf("SC_CLK_TCK")


def cost(pipeline: TalkingHeadPipeline, audio: np.ndarray, size: int) -> dict[str, Any]:
    """Processor seconds a second of video, and delays, with each level's motion; rendering is measured once."""
    draw = pipeline.prepare(next(iter(load_portraits([ASTRONAUT], size).values())))
    plan = pipeline.planner.plan("quietly furious")
    out: dict[str, Any] = {}
    rendered: list[float] = []
    for cheaply, steps in dict.fromkeys((level.cheaply, level.steps) for level in LEVELS):
        own_steps = StreamingOptions() if steps is None else StreamingOptions(num_inference_steps=steps)
        stream = MotionStream(pipeline.motion_model, plan, options=own_steps)
        motion, hops = stream_motion(stream, audio, cheaply)
        if not rendered:
            for values in motion[:: max(len(motion) // 60, 1)]:
                start = time.process_time()
                encode_jpeg(draw(values))
                rendered.append(time.process_time() - start)
        for level in (level for level in LEVELS if (level.cheaply, level.steps) == (cheaply, steps)):
            own = sum(hops) / len(motion) * FPS
            delays = simulated_delays(hops[3:], rendered, stream.options.hop, stream.options.lookahead, level.stride)
            p50, p95 = np.percentile(delays, (50, 95))
            out[f"{FPS / level.stride:g} frames/s{', cheap' if cheaply else ''}"] = {
                "motion": own, "frames": statistics.mean(rendered) * FPS / level.stride,
                "both": own + statistics.mean(rendered) * FPS / level.stride, "delay p50": float(p50), "delay p95": float(p95),
            }  # fmt: skip
    return out


def endurance(pipeline: TalkingHeadPipeline, audio: np.ndarray, minutes: float) -> dict[str, Any]:
    """Memory after each minute, and drift from the second round of a recording to the last, without rendering."""
    audio = audio[: len(audio) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME]
    frames = len(audio) // SAMPLES_PER_FRAME
    rounds = max(int(minutes * 60 * SAMPLE_RATE / len(audio)), 3)
    stream, jaws, memory = MotionStream(pipeline.motion_model, MusclePlan()), [], []
    for n in range(rounds):
        for i in range(0, len(audio), SAMPLES_PER_FRAME):
            stream.feed(audio[i : i + SAMPLES_PER_FRAME])
            jaws.append(stream.draw()[:, JAW])
        if (n + 1) * len(audio) // (60 * SAMPLE_RATE) > n * len(audio) // (60 * SAMPLE_RATE):
            memory.append(resident_megabytes())
    jaw = np.concatenate(jaws)
    second, last = jaw[frames : 2 * frames], jaw[(rounds - 1) * frames : (rounds - 1) * frames + frames - 8]
    return {"minutes": rounds * len(audio) / SAMPLE_RATE / 60, "memory, MB": memory, "drift, ms": shift_in_ms(second[: len(last)], last)}


def shift_in_ms(first: np.ndarray, later: np.ndarray) -> float:
    """How much later a track is than another, by the peak of their correlation, finer than a frame.

    Example:
        >>> wave = np.sin(np.arange(200) * 0.3)
        >>> round(shift_in_ms(wave[5:180], wave[4:179]))
        40
    """
    lags = range(-5, 6)
    scores = [float(np.corrcoef(first[5:-5], later[5 + lag : len(later) - 5 + lag])[0, 1]) for lag in lags]
    best = min(max(int(np.argmax(scores)), 1), len(scores) - 2)
    before, here, after = scores[best - 1 : best + 2]
    return 1000 / FPS * (lags[best] + 0.5 * (before - after) / (before - 2 * here + after))


def resident_megabytes() -> float:
    """This process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def live(
    clips: Sequence[Path] = (),
    landmarker: Path | None = None,
    minutes: float = 0.0,
    speakers: int = 0,
    seconds: float = 30.0,
    size: int = 384,
    seeds: int = 1,
    processes: int | None = None,
    output: Path | None = None,
) -> None:
    """Measure streams.

    Args:
        clips: videos of a person who talks, or wave files with a motion beside them, for the lips.
        landmarker: MediaPipe's face_landmarker.task, for videos.
        minutes: also stream this long, for memory and drift.
        speakers: also let up to so many speak at once: 1, 2, 4 … of them.
        seconds: how long these speak.
        size: height and width of the frames.
        seeds: drawings per clip, averaged.
        processes: how many render frames of those who speak at once; 0 for none.
        output: a .json file for the results; a table goes beside it as .md.
    """
    pipeline, voice = TalkingHeadPipeline(), read_audio(VOICE)
    costs = cost(pipeline, voice, size)
    found = lips(pipeline, {Path(clip).stem: read_clip(Path(clip), landmarker) for clip in clips}, seeds)
    lasting = endurance(pipeline, voice, minutes) if minutes else None
    many = [crowd(pipeline, voice, n, seconds, size, processes) for n in (1, 2, 4, 8, 16) if n <= speakers]
    results = {"protocol": "live-2", "environment": environment(), "size": size, "cost": costs, "lips": found, "endurance": lasting}
    results["crowds"] = many
    write_results(output, results, report(results))


def report(results: dict[str, Any]) -> str:
    """The results as markdown."""
    columns = ("motion", "frames", "both", "delay p50", "delay p95")
    rows = [[level, *(row[column] for column in columns)] for level, row in results["cost"].items()]
    place = results["environment"]
    parts = [
        f"## {results['protocol']}",
        f"Processor seconds a second of video at {results['size']}², and seconds of delay on two idle cores:",
        table(["level", *columns], rows),
    ]
    if results["lips"]:
        kinds = ("whole recording", "stream")
        means = [statistics.mean(row[kind] for row in results["lips"].values()) for kind in kinds]
        lines = [["mean", *means], *([name, *(row[kind] for kind in kinds)] for name, row in results["lips"].items())]
        parts += ["Correlation of the drawn jaw with the tracked one:", table(["clip", *kinds], lines)]
    if results["endurance"]:
        lasting = results["endurance"]
        memory = ", ".join(f"{value:.0f}" for value in lasting["memory, MB"])
        parts.append(f"{lasting['minutes']:.1f} minutes: memory after each {memory} MB; drift {lasting['drift, ms']:.1f} ms.")
    if results["crowds"]:
        kinds = ("delay p50", "delay p95", "delay p95, first half", "delay p95, second half", "processor, motion", "processor, frames")
        lines = [
            [n["speakers"], f"{min(n['frames a second']):.1f}–{max(n['frames a second']):.1f}", *(n[k] for k in kinds)]
            for n in results["crowds"]
        ]
        parts += ["Speakers at once, in real time (wall clock):", table(["speakers", "new frames/s", *kinds], lines)]
    parts.append(f"{place['cpu']}, {place['cores']} cores, load {place['load']}; commit {place['commit']}, {place['date']}.")
    return "\n\n".join(parts)


if __name__ == "__main__":
    run(live, many="clips", default=())
