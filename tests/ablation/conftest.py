"""A corpus of moving faces in kilobytes, an experiment that trains on it in a second, and studies of it."""

import copy
import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import yaml
from rich.console import Console
from scipy.io import wavfile

from tbd.ablation.ablate import ablate
from tbd.ablation.resolve import Config, resolve_overlay
from tbd.ablation.study import Overlay
from tbd.ablation.work import run_job
from tbd.face.motion import Motion
from tbd.speech.phones import Phone, save_phones
from tbd.think.plan import MuscleAction, MusclePlan
from tbd.utils.jobs.launchers import Launcher

EXPERIMENT = Path(__file__).resolve().parents[2] / "configs" / "experiment" / "motion_mini.yaml"
SMALL = {
    "model.init_args": {
        "denoiser.init_args": {"dim": 32, "depth": 1, "heads": 2},
        "windows": {"frames": 24, "past": 4},
        "sampling.num_inference_steps": 2,
        "optimizer.warmup_steps": 2,
    },
    "trainer": {"max_steps": 3, "val_check_interval": 1, "limit_val_batches": 1, "accelerator": "cpu", "devices": 1},
}
SIDES = ("train", "train", "train", "val", "test", "test", "test", "test", "test", "test", "test")
GUIDANCE = "model.init_args.guidance.init_args"
METRICS = ["jaw", "closed", "muscles", "separation", "fmd"]


@pytest.fixture(scope="session")
def lively(tmp_path_factory) -> Path:
    """Root of the corpus: jaws that open and close, a smile that comes, an m and a p."""
    root, rows = tmp_path_factory.mktemp("lively"), []
    for i, side in enumerate(SIDES):
        rng, frames, emotion = np.random.default_rng(i), 40 + 3 * (i % 3), ("happy", "sad", "angry")[i % 3]
        name = f"P{i:03d}_{emotion}_2_001"
        motion, t = Motion.zeros(frames), np.arange(frames)
        motion["jawOpen"] = 0.3 + 0.3 * np.sin(t * 0.6 + i)
        motion["mouthSmileLeft"] = motion["mouthSmileRight"] = 0.8 * np.clip((t - 10) / 10, 0, 1)
        motion["browInnerUp"] = np.full(frames, 0.5 * (emotion == "sad"), np.float32)
        motion.save(root / f"{name}.npz")
        sound = np.repeat(motion["jawOpen"], 640) * rng.normal(0, 0.2, frames * 640)
        wavfile.write(root / f"{name}.wav", 16000, (np.clip(sound, -1, 1) * 32767).astype(np.int16))
        MusclePlan(
            emotions={emotion: 1.0}, intensity=0.6, actions=(MuscleAction(unit=12, intensity=0.8, onset=0.4, apex=0.8),)
        ).save(root / f"{name}.json")  # fmt: skip
        save_phones([Phone(0.2, 0.3, "m"), Phone(0.3, 0.6, "a"), Phone(0.6, 0.7, "p")], root / f"{name}.csv")
        files = {"audio": f"{name}.wav", "motion": f"{name}.npz", "plan": f"{name}.json", "phonemes": f"{name}.csv"}
        rows.append({"clip": name, "actor": f"P{i:03d}", "emotion": emotion, "level": 2, "split": side, "frames": frames, **files})
    with open(root / "manifest.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return root


def write_study(path: Path, root: Path, **changes) -> Path:
    """Write a study's file: two variants that share a training, and one with a training of its own.

    Args:
        path: The file.
        root: Root of the corpus.
        changes: What the study says otherwise.
    """
    label = {"class_path": "tbd.draw.conditioning.plan_encoder.LabelEncoder", "init_args": {"dim": 32}}
    values = {
        "name": "tiny",
        "base": [str(EXPERIMENT)],
        "change": {**SMALL, "data.init_args": {"root": str(root), "batch_size": 2}},
        "protocol": "procedural-motion-v1",
        "reference": str(root),
        "metrics": METRICS,
        "seeds": [1],
        "variants": [
            {"name": "base"},
            {"name": "strong", "change": {f"{GUIDANCE}.muscle_scale": 2.0}},
            {"name": "label", "change": {"model.init_args.plan_encoder": label}},
        ],
        **changes,
    }
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return path


@pytest.fixture
def study(lively, tmp_path):
    """Writes a study's file, changed as asked; see `write_study`."""
    return lambda **changes: write_study(tmp_path / "study.yaml", lively, **changes)


class Here(Launcher):
    """In this process, one after another: no seconds of imports."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def launch(self, jobs, folder, monitor) -> None:
        failed: set[str] = set()
        for job in jobs:
            self.names.append(job.name)
            monitor.started(job)
            if failed & set(job.needs):
                failed.add(job.name)
                monitor.ended(job, f"{job.needs[0]} failed")
                continue
            try:
                run_job(job)
                monitor.ended(job, None)
            except Exception as error:
                failed.add(job.name)
                monitor.ended(job, str(error))


@pytest.fixture
def here() -> Here:
    return Here()


@pytest.fixture(scope="session", autouse=True)
def _resolved_once():
    """Resolve a configuration once for all tests whose studies say the same: that takes a second, and depends on the files alone."""
    found: dict[str, Config] = {}

    def resolve_once(base: Sequence[str], overlays: Sequence[Overlay], what: str) -> Config:
        key = json.dumps([[Path(path).read_text() for path in base], list(overlays)], sort_keys=True, default=str)
        if key not in found:
            found[key] = resolve_overlay(base, overlays, what)
        return copy.deepcopy(found[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tbd.ablation.ablation.resolve_overlay", resolve_once)
        yield


@pytest.fixture(scope="session")
def _base_run(lively, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    path = write_study(folder / "study.yaml", lively, variants=[{"name": "base"}])
    ablate(path, folder / "out", Here(), console=Console(quiet=True))
    return folder / "out"


@pytest.fixture
def base_run(_base_run, tmp_path) -> Path:
    """The output of a study of the variant base alone, which is trained and measured once for all tests; a copy."""
    return shutil.copytree(_base_run, tmp_path / "base_run")


@pytest.fixture(autouse=True)
def _one_thread():
    """Tiny tensors are slower on many threads, above all on a machine that others use as well."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
