"""From raw downloads to training batches: how fast, how exact?

Protocol ``data-1``, on the clips that are named (one of MEAD and one of HDTF among the developers' material):

- ``prepare``: processor time per frame of preparing a clip (decode, track, cut, code, sound) at 512 pixels, against that of the
  tracker alone on decoded frames, whose ratio the load of the machine does not change; and the wall clock of both over processes;
- ``sparse``: 16 frames of a 10 s clip as prepared, scattered and as a run, against decoding it all with PyAV;
- ``loader``: batches of motion windows, and windows with 16 pictures each, a second by the wall clock, and their processor time,
  which the load of the machine does not change;
- ``drift``: a minute at 29.97, 30 and 25 frames a second with a flash and a click every ten seconds: how far apart they are in the
  prepared clip, in frames;
- ``jitter``: frames without a face, and the root mean square of the crop's centre, against that of a crop that follows each frame.

    python -m benchmarks.data clip.mp4 ... --output out.json
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.common import environment, run, table, write_results
from tbd.data.datasets.packed import TrainingClip
from tbd.data.preprocess.cache import Cache, load_points
from tbd.data.preprocess.runner import preprocess
from tbd.data.records import ClipRecord
from tbd.data.sources.folder import FolderSource
from tbd.face.motion import Motion
from tbd.media import VideoWriter, read_audio, read_video
from tbd.media.rates import FPS, SAMPLES_PER_FRAME

RATES = (Fraction(30000, 1001), Fraction(30), Fraction(25))
MINUTE = 60 * FPS
BEATS = range(5 * FPS, MINUTE, 10 * FPS)
"""Frames at which a flash and a click begin; both last three frames."""
SPARSE = 16
REPEATS = 3
QUIET = Console(quiet=True)


def data(clips: Sequence[str], output: Path | None = None, workers: int = 2, only: list[str] | None = None) -> None:
    """Measure all parts.

    Args:
        clips: videos of a person who talks.
        output: a .json file for the results; a table goes beside it as .md.
        workers: processes of the wall clock.
        only: parts to measure; all where not given.
    """
    import cv2
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    clips = [Path(clip) for clip in clips]
    parts: dict[str, Callable] = {
        "prepare": lambda folder: {clip.stem: prepare_cost(clip, folder, workers) for clip in clips},
        "sparse": lambda folder: sparse_cost(clips[-1], folder),
        "loader": lambda folder: loader_speed(clips[-1], folder),
        "drift": lambda folder: {f"{float(fps):.2f}": drift(clips[-1], fps, folder) for fps in RATES},
        "jitter": lambda folder: {clip.stem: jitter(clip, folder) for clip in clips},
    }
    results: dict[str, Any] = {"protocol": "data-1", "environment": environment()}
    for name, measure in parts.items():
        if only is None or name in only:
            with tempfile.TemporaryDirectory() as folder:
                results[name] = measure(Path(folder))
    write_results(output, results, report(results))


def prepare_one(clip: Path, folder: Path, copies: int = 1, **options: Any) -> tuple[Cache, list[ClipRecord]]:
    """A cache of copies of one clip."""
    raw = folder / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for i in range(copies):
        shutil.copy(clip, raw / f"{i}{clip.suffix}")
    cache = preprocess(FolderSource(str(raw)), folder / "cache", console=QUIET, **{"workers": 1, **options})
    return cache, cache.records()


def least(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """The least processor time of several runs, in seconds, all threads together."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


# -- prepare -------------------------------------------------------------------------------------------------------------


def prepare_cost(clip: Path, folder: Path, workers: int, copies: int = 8) -> dict[str, float]:
    """Milliseconds of processor per prepared frame, of the tracker alone and of all; frames a second over processes."""
    from tbd.data.preprocess.clip import prepare_clip
    from tbd.data.preprocess.config import PreprocessConfig
    from tbd.face.tracker import FaceMeshTracker

    recipe, tracker = PreprocessConfig(sizes=(512,)), FaceMeshTracker()
    cache = Cache.claim(folder / clip.stem / "alone", source="folder", **recipe.shared())
    (folder / clip.stem / "one").mkdir(parents=True)
    shutil.copy(clip, folder / clip.stem / "one")
    raw = FolderSource(str(folder / clip.stem / "one")).scan().clips[0]
    decoded = list(read_video(clip))[: 10 * FPS]
    tracker.track(decoded)  # the models are loaded once per process
    alone = least(lambda: tracker.track(decoded)) / len(decoded)
    record = prepare_clip(raw, cache, recipe, [tracker])
    whole = least(lambda: prepare_clip(raw, cache, recipe, [tracker])) / record.frames
    walls = []
    for count in (workers, copies):
        start = time.perf_counter()
        prepare_one(clip, folder / clip.stem / f"pool of {count}", count, workers=workers, sizes=(512,))
        walls.append(time.perf_counter() - start)
    wall = (walls[1] - walls[0]) / (copies - workers)  # of one more clip; the processes' start is in both
    height, width = decoded[0].shape[:2]
    return {
        "width": width,
        "height": height,
        "tracker alone, ms": 1e3 * alone,
        "all, ms": 1e3 * whole,
        "ratio": alone / whole,
        "frames/s on two free cores": 2 / whole,
        f"frames/s of {workers} processes here": record.frames / wall,
    }


# -- sparse --------------------------------------------------------------------------------------------------------------


def sparse_cost(clip: Path, folder: Path) -> dict[str, Any]:
    """Milliseconds of processor to read 16 frames, by reader and by how they lie, and to decode all with PyAV."""
    from tbd.data.datasets.frames import DecordReader, PyAVReader
    from tbd.data.preprocess.config import CODEC

    _, records = prepare_one(clip, folder, sizes=(512,))
    frames = list(read_video(folder / "cache" / records[0].videos["512"]))
    path = folder / "ten.mp4"
    with VideoWriter(path, threads=1, **CODEC) as writer:
        for i in range(10 * FPS):
            writer.write(frames[i % len(frames)])
    rng = np.random.default_rng(0)
    lying = {"scattered": [np.sort(rng.choice(10 * FPS, SPARSE, replace=False)).tolist() for _ in range(3)],
             "even": [np.linspace(0, 10 * FPS - 1, SPARSE).astype(int).tolist()], "run": [list(range(101, 101 + SPARSE))]}  # fmt: skip
    whole = least(lambda: sum(1 for _ in read_video(path)))
    out: dict[str, Any] = {"all with PyAV, ms": 1e3 * whole, "bytes": path.stat().st_size}
    for reader in (DecordReader(), PyAVReader()):
        for how, choices in lying.items():
            cost = np.mean([least(lambda c=c, r=reader: r.read(path, c)) for c in choices])
            out[f"{type(reader).__name__}, {how}"] = {"ms": 1e3 * cost, "times faster": whole / cost}
    return out


# -- loader --------------------------------------------------------------------------------------------------------------


def loader_speed(clip: Path, folder: Path, copies: int = 300) -> dict[str, Any]:
    """Batches a second of motion windows, from memory maps and from memory, and windows a second with pictures."""
    from tbd.data.datamodules.folder import FolderDataModule
    from tbd.data.datasets.packed import pack

    _, records = prepare_one(clip, folder, sizes=(256,))
    one = FolderDataModule(str(folder / "cache"), window_frames=110, context_frames=8)
    base = one.clips()[0]
    many = [TrainingClip(f"{i}", "train", f"{i % 40}", base.frames, base.motion, base.audio, base.plan) for i in range(copies)]

    def module(**options: Any) -> FolderDataModule:
        made = FolderDataModule(str(folder / "cache"), window_frames=110, context_frames=8, passes=40, **options)
        made.clips = lambda: [*many[:-1], TrainingClip("v", "val", "v", base.frames, base.motion, base.audio)]
        pack(*made.packed, made.clips())
        made.setup("fit")
        return made

    out: dict[str, Any] = {"clips": copies, "minutes": copies * records[0].seconds / 60}
    for size in (64, 256):
        for workers in (0, 2):
            made = module(batch_size=size, num_workers=workers)
            speed, cost = _speed(iter(made.train_dataloader()), 20)
            out[f"batches/s of {size}, {workers} workers"] = speed
            if not workers:
                out[f"ms of processor a batch of {size}"] = cost
        made = module(batch_size=size)
        dataset = made.datasets["train"]
        dataset.packs = [p.__class__(p.audio.clone(), p.motion.clone(), p.first, p.length) for p in dataset.packs]
        out[f"batches/s of {size}, in memory"], out[f"ms of processor a batch of {size}, in memory"] = _speed(
            iter(made.train_dataloader()), 20
        )
    made = FolderDataModule(str(folder / "cache"), window_frames=110, context_frames=8, passes=100, batch_size=4, video_frames=SPARSE)
    made.prepare_data()
    made.setup("fit")
    speed, cost = _speed(iter(made.train_dataloader()), 8)
    out["windows/s with 16 pictures of 256 pixels, one process"] = 4 * speed
    out["ms of processor a window with 16 pictures of 256 pixels"] = cost / 4
    return out


def _speed(batches: Any, count: int) -> tuple[float, float]:
    """Batches a second after the first, and milliseconds of this process's processor time for each."""
    next(batches)
    start, cost = time.perf_counter(), time.process_time()
    for _ in range(count):
        next(batches)
    return count / (time.perf_counter() - start), 1e3 * (time.process_time() - cost) / count


# -- drift ---------------------------------------------------------------------------------------------------------------


def drift(clip: Path, fps: Fraction, folder: Path) -> dict[str, float]:
    """How far the flash is from the click, in frames of the prepared clip; above 0 the flash is late."""
    source = folder / f"{float(fps):.2f}" / "raw" / "minute.mp4"
    source.parent.mkdir(parents=True)
    write_minute(source, clip, fps)
    cache = preprocess(FolderSource(str(source.parent)), source.parents[1] / "cache", workers=1, sizes=(256,), console=QUIET)
    (record,) = cache.records()
    light = np.array([frame.mean() for frame in read_video(cache.path(record.videos["256"]))])
    sound = np.abs(read_audio(cache.path(record.audio))).reshape(-1, SAMPLES_PER_FRAME)
    apart = [_centre(light, beat) - _centre(np.sqrt((sound**2).mean(1)), beat) for beat in BEATS]
    return {"frames": record.frames, "seconds of sound": sound.size / 16_000, "first": apart[0], "last": apart[-1],
            "greatest": max(map(abs, apart))}  # fmt: skip


def write_minute(path: Path, clip: Path, fps: Fraction) -> None:
    """A minute of the clip's face, to and fro, at any frame rate, with a flash and a click at every beat."""
    import av
    import cv2

    faces = [cv2.resize(frame, (256, 256 * frame.shape[0] // frame.shape[1] // 2 * 2)) for frame in list(read_video(clip))[: 4 * FPS]]
    order = [*range(len(faces)), *range(len(faces) - 1, -1, -1)]
    rate = 48_000
    sound = np.zeros((2, 60 * rate), np.float32)
    for beat in BEATS:
        span = slice(beat * rate // FPS, (beat + 3) * rate // FPS)
        sound[:, span] = 0.5 * np.sin(np.arange(span.stop - span.start) * 2 * np.pi * 880 / rate)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        video.height, video.width = faces[0].shape[:2]
        voice = container.add_stream("aac", rate=rate, layout="stereo")
        for i in range(round(60 * fps)):
            now = float(i / fps * FPS)
            frame = faces[order[int(now) % len(order)]]
            flash = any(beat <= now + 1e-6 < beat + 3 for beat in BEATS)
            frame = np.clip(frame.astype(int) + 70, 0, 255).astype(np.uint8) if flash else frame
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(video.encode())
        block = av.AudioFrame.from_ndarray(sound, format="fltp", layout="stereo")
        block.sample_rate = rate
        container.mux(voice.encode(block))
        container.mux(voice.encode())


def _centre(track: np.ndarray, beat: int) -> float:
    """Middle of the frames around a beat that stand out."""
    near = np.arange(max(beat - 8, 0), min(beat + 11, len(track)))
    part = track[near]
    loud = part > (part.min() + part.max()) / 2
    return float(near[loud].mean())


# -- jitter --------------------------------------------------------------------------------------------------------------


def jitter(clip: Path, folder: Path) -> dict[str, Any]:
    """Faces found, and how the crop's centre trembles, in pixels of the 512: its difference from its own mean over five frames."""
    cache, (record,) = prepare_one(clip, folder / clip.stem, sizes=(512,))
    points = np.asarray(load_points(cache.path(record.file("points", "face_mesh"))), np.float64)[..., :2] * 512
    boxes = (points.max(1) + points.min(1)) / 2
    smooth = np.stack([np.convolve(np.pad(axis, 2, mode="edge"), np.ones(5) / 5, "valid") for axis in boxes.T], 1)
    motion = Motion.load(cache.path(record.file("motions", "face_mesh")))
    speed = np.abs(np.gradient(motion.head[:, 3:5], axis=0)).max(1)
    still = speed <= np.quantile(speed, 0.25)
    trembling = np.sqrt(((boxes - smooth)[still] ** 2).sum(1).mean())
    centres = np.tile(np.float64(record.crop[:2]) + record.crop[2] / 2, (record.frames, 1)) * 512 / record.crop[2]
    return {"frames": record.frames, "frames without a face": record.frames_without_face, "crop": list(record.crop),
            "crop centre, px": float(centres.std(0).max()), "a crop of each frame, px": float(trembling)}  # fmt: skip


def report(results: dict[str, Any]) -> str:
    """The results as markdown."""
    place, lines = results["environment"], [f"## {results['protocol']}"]
    if "prepare" in results:
        rows = [[name, f"{r['width']}×{r['height']}", r["tracker alone, ms"], r["all, ms"], r["ratio"], r["frames/s on two free cores"],
                 list(r.values())[-1]] for name, r in results["prepare"].items()]  # fmt: skip
        last = next(iter(results["prepare"].values()))
        header = ["clip", "source", "tracker alone, ms", "all, ms", "ratio", "frames/s on two free cores", list(last)[-1]]
        lines += ["Preparing a frame at 512 pixels, in processor time.", table(header, rows)]
    if "sparse" in results:
        s = results["sparse"]
        rows = [[name, value["ms"], value["times faster"]] for name, value in s.items() if isinstance(value, dict)]
        lines += [f"{SPARSE} frames of a 10 s clip at 512 pixels; all of it takes {s['all with PyAV, ms']:.0f} ms of processor.",
                  table(["reader", "ms", "times faster"], rows)]  # fmt: skip
    if "loader" in results:
        lines += ["The loader, by the wall clock.", table(["what", "value"], [[k, float(v)] for k, v in results["loader"].items()])]
    if "drift" in results:
        rows = [[rate, r["frames"], r["first"], r["last"], r["greatest"]] for rate, r in results["drift"].items()]
        lines += ["Flash against click in a prepared minute, in frames of 40 ms.",
                  table(["frames/s of the file", "frames", "first", "last", "greatest"], rows)]  # fmt: skip
    if "jitter" in results:
        keys = ("frames", "frames without a face", "crop centre, px", "a crop of each frame, px")
        lines += ["The crop, in pixels of 512, where the head is stillest.",
                  table(["clip", *keys], [[name, *(r[k] for k in keys)] for name, r in results["jitter"].items()])]  # fmt: skip
    lines.append(f"{place['cpu']}, {place['cores']} cores, load {place['load']}; commit {place['commit']}, {place['date']}.")
    return "\n\n".join(lines)


if __name__ == "__main__":
    run(data, many="clips", default=())
