"""How fast SyncNet scores a clip, against a loop like the release's, on one and the same network and machine.

Protocol ``sync_speed-1``. The network has random weights; a clip is noise of 25 frames a second, already cut to 224². Three
ways, timed after one warm-up, with the agreement of their numbers beside them:

- ``ours``: `tbd.metrics.lip_sync` from frames as uint8 to the three numbers;
- ``ours, with the crop``: `SyncNetConfidence.measure` under ``official-short`` from frames of 256² and their mesh points;
- ``window loop``: as the release works: pictures read from JPEG files, all as one float64 array and then float32; batches of
  20 windows of five frames concatenated; features moved back to the CPU; cepstra by python_speech_features; distances window by
  window. FFmpeg, which the release calls to write those files, is not counted.

    python -m benchmarks.sync_speed --device cuda --output benchmarks/results/sync_speed_gpu.json
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional

from benchmarks import stand_ins
from benchmarks.common import environment, run, table, write_results
from tbd.errors import InputError
from tbd.face.geometry import mean_face
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.metrics import SyncNetConfidence
from tbd.metrics.base import full_precision
from tbd.metrics.lip_sync import embed, score, shift_distances
from tbd.metrics.networks.syncnet import SyncNet

_BATCH = 20


def window_loop(network: SyncNet, files: list[Path], samples: np.ndarray) -> dict[str, float]:
    """The numbers by a loop over windows, on the network's device."""
    import python_speech_features

    device = next(network.parameters()).device
    pictures = np.stack([cv2.imread(str(file)) for file in files], axis=3)[None].transpose(0, 3, 4, 1, 2)
    frames = torch.from_numpy(pictures.astype(float)).float()  # (1, 3, T, 224, 224)
    cepstra = torch.from_numpy(python_speech_features.mfcc(samples, SAMPLE_RATE).T[None, None].astype(float)).float()
    count = min(len(files), len(samples) // (SAMPLE_RATE // FPS)) - 5
    mouths, voices = [], []
    with torch.no_grad():
        for start in range(0, count, _BATCH):
            windows = range(start, min(start + _BATCH, count))
            lips = torch.cat([frames[:, :, i : i + 5] for i in windows]).to(device)
            mouths.append(network.netfclip(network.netcnnlip(lips).flatten(1)).cpu())
            sound = torch.cat([cepstra[..., 4 * i : 4 * i + 20] for i in windows]).to(device)
            voices.append(network.netfcaud(network.netcnnaud(sound).flatten(1)).cpu())
    video, padded = torch.cat(mouths), functional.pad(torch.cat(voices), (0, 0, 15, 15))
    rows = [functional.pairwise_distance(video[[i]].repeat(31, 1), padded[i : i + 31]) for i in range(count)]
    return score(torch.stack(rows))


def timed(work: Callable[[], dict[str, float]], device: torch.device, repeats: int) -> dict[str, float]:
    """The result, with the best of several runs in seconds by the clock and the processor's seconds of that run.

    On a machine that others use, the processor's seconds over the number of threads are the better figure.
    """
    runs, found = [], work()
    for _ in range(repeats):
        if device.type == "cuda":
            torch.cuda.synchronize()
        start, busy = time.perf_counter(), time.process_time()
        found = work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        runs.append((time.perf_counter() - start, time.process_time() - busy))
    seconds, processor = min(runs)
    return {**found, "seconds": seconds, "processor_seconds": processor}


def sync_speed(seconds: float = 10.0, device: str = "cpu", threads: int = 2, repeats: int = 3, output: Path | None = None) -> None:
    """Time the three ways.

    Args:
        seconds: length of the clip.
        device: ``cpu`` or ``cuda``.
        threads: of torch, on the CPU.
        repeats: runs of each way after its warm-up; the best counts.
        output: a .json file for the results; the table goes beside it as .md.
    """
    if device != "cpu" and not torch.cuda.is_available():
        raise InputError("There is no CUDA device here; use --device cpu.")
    torch.set_num_threads(threads)
    place, rng, count = torch.device(device), np.random.default_rng(0), round(seconds * FPS)
    samples = rng.integers(-3000, 3000, count * SAMPLE_RATE // FPS).astype(np.int16)
    sound = torch.from_numpy(samples / 32768)
    with tempfile.TemporaryDirectory() as folder:
        network = stand_ins.random_syncnet()
        torch.save(network.state_dict(), f"{folder}/syncnet.pth")
        files = [Path(folder, f"{i:06d}.jpg") for i in range(count)]
        for file in files:
            cv2.imwrite(str(file), cv2.resize(rng.integers(0, 256, (28, 28, 3), np.uint8), (224, 224)))
        frames = torch.from_numpy(np.stack([cv2.imread(str(file))[..., ::-1] for file in files])).permute(0, 3, 1, 2).contiguous()
        whole = functional.interpolate(frames, size=(256, 256))
        points = np.tile(mean_face() * [70, -70, 70] + [128, 110, 0], (count, 1, 1))
        metric = SyncNetConfidence(weights=f"{folder}/syncnet.pth").to(place)
        network.to(place).eval()

        def ours() -> dict[str, float]:
            with full_precision(place):
                return score(shift_distances(*embed(network, frames, sound, 32)))

        ways = {
            "ours": ours,
            "ours, with the crop": lambda: metric.measure(whole, sound, points),
            "window loop": lambda: window_loop(network, files, samples),
        }
        found = {name: timed(work, place, repeats) for name, work in ways.items()}
    machine = torch.cuda.get_device_name(place) if place.type == "cuda" else f"{threads} threads"
    results = {"protocol": "sync_speed-1", "environment": environment(), "device": machine, "length_s": seconds, "ways": found}
    write_results(output, results, f"## sync_speed-1, a clip of {seconds:g} s, {machine}\n\n{report(found)}")


def report(found: dict[str, dict[str, float]]) -> str:
    """The table as markdown."""
    loop = found["window loop"]["seconds"]
    rows = [
        [name, f"{row['seconds']:.3f}", f"{row['processor_seconds']:.3f}", f"{loop / row['seconds']:.1f}×"]
        + [f"{row[key]:.4f}" for key in ("confidence", "distance")]
        for name, row in found.items()
    ]
    return table(["way", "seconds", "processor seconds", "over the loop", "confidence", "distance"], rows)


if __name__ == "__main__":
    run(sync_speed, many=None)
