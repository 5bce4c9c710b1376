"""A corpus of a few random clips, and runs of tiny motion models on it that are killed, resumed, spread over processes."""

import csv
import wave
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch

from tbd.data.datamodules.procedural import ProceduralDataModule
from tbd.draw.conditioning.audio_encoder import MelEncoder, PhoneEncoder
from tbd.draw.motion.denoiser import MotionTransformer
from tbd.draw.optim import OptimizerConfig
from tbd.face.motion import Motion
from tbd.think.plan import MuscleAction, MusclePlan
from tests.draw.conftest import tiny_model
from tests.speech.humming import Humming

SIDES = {"train": [60, 45, 52, 33, 50], "val": [50, 31, 64], "test": [40, 75, 52]}
QUIET = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False, "accelerator": "cpu"}
WINDOW = {"window_frames": 30, "context_frames": 4, "batch_size": 2}
TINY = [
    "--model.init_args.denoiser.init_args.dim=32",
    "--model.init_args.denoiser.init_args.heads=2",
    "--model.init_args.denoiser.init_args.depth=1",
    "--model.init_args.windows.frames=20",
    "--model.init_args.windows.past=4",
]
"""Options that make an experiment's motion model tiny."""
EMOTIONS = ("happy", "sad", "angry")


def write_corpus(root: Path) -> Path:
    """Clips of `SIDES` in the layout of `tbd synthesize`: noise for sound, smooth random motion, a muscle that rises."""
    rng, rows = np.random.default_rng(0), []
    for side, lengths in SIDES.items():
        for i, frames in enumerate(lengths):
            emotion = EMOTIONS[i % 3]
            clip = f"{side}{i}_{emotion}_2_001"
            paths = {kind: f"{kind}/{clip}.{end}" for kind, end in (("audio", "wav"), ("motion", "npz"), ("plan", "json"))}
            for path in paths.values():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
            with wave.open(str(root / paths["audio"]), "wb") as file:
                file.setparams((1, 2, 16000, 0, "NONE", ""))
                file.writeframes(rng.normal(0, 3000, frames * 640).astype(np.int16).tobytes())
            smooth = np.apply_along_axis(np.convolve, 0, rng.random((frames + 8, 58)), np.ones(9) / 9, "valid")
            Motion(smooth.astype(np.float32)).save(root / paths["motion"])
            MusclePlan(emotions={emotion: 1.0}, intensity=0.7, actions=(MuscleAction(unit=4, intensity=0.7, onset=0.4),)).save(
                root / paths["plan"]
            )
            rows.append({"clip": clip, "split": side, "frames": frames, "emotion": emotion, **paths})
    with open(root / "manifest.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return root


def model(phones: bool = False, dropout: float = 0.2, **options: Any) -> L.LightningModule:
    """Everything that draws from chance is on."""
    torch.manual_seed(0)
    encoder = PhoneEncoder(Humming(), 32, 16, 4, dropout, noise=0.3) if phones else MelEncoder(32, 20, 4, dropout)
    return tiny_model(
        denoiser=MotionTransformer(32, 1, 2, dropout), audio_encoder=encoder, optimizer=OptimizerConfig(1e-3, 2), **options
    ).train()


def data(root: Path, **options: Any) -> ProceduralDataModule:
    return ProceduralDataModule(str(root), **{**WINDOW, **options})


class Watch(L.Callback):
    """Keeps each batch's loss and samples; saves a checkpoint after a batch and ends there."""

    def __init__(self, path: Path | None = None, die_after: int | None = None) -> None:
        self.losses: dict[int, float] = {}
        self.ids: dict[int, list[int]] = {}
        self.path, self.die_after = path, die_after

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        number = trainer.fit_loop.epoch_loop.total_batch_idx
        self.losses[number], self.ids[number] = float(outputs["loss"]), batch["id"].tolist()
        if number + 1 == self.die_after:
            trainer.save_checkpoint(self.path)
            raise KeyError("killed")


def fit(module: L.LightningModule, source: L.LightningDataModule, watch: Watch, start: Path | None = None, **options: Any) -> L.Trainer:
    """Train; a run that dies on purpose returns as well."""
    trainer = L.Trainer(**{"max_steps": 9, "gradient_clip_val": 1.0, "num_sanity_val_steps": 0, **QUIET, **options})
    trainer.callbacks.append(watch)
    try:
        trainer.fit(module, source, ckpt_path=start, weights_only=True if start else None)
    except KeyError as error:
        assert "killed" in str(error)
    return trainer
