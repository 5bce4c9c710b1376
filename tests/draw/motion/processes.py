"""Training, validation and test of the tiny motion model on `world` CPU processes; writes what each of them found.

python -m tests.ranks tests.draw.motion.processes WORLD OUTPUT CORPUS
"""

import os
import warnings
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch.utils.data import DataLoader, Dataset

from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.training_options import ValidationClips
from tbd.think.plan import MusclePlan
from tests.draw import tiny_motion as tiny

GLOBAL_BATCH = 4


class Frames(Dataset):
    """Eight windows without numbers, plans or statistics, as somebody's own data set may be."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> dict:
        generator = torch.Generator().manual_seed(index)
        return {
            "audio": torch.randn(38 * 640, generator=generator) * 0.1,
            "motion": torch.rand(30, 58, generator=generator) * 0.1 * torch.arange(58) + index,
            "mask": (torch.arange(30) < 20 + index).float(),
        }


class Own(L.LightningDataModule):
    """What neither knows statistics nor sets a sampler."""

    def __init__(self, batch_size: int, workers: int = 0) -> None:
        super().__init__()
        self.options = {"batch_size": batch_size, "num_workers": workers, "persistent_workers": workers > 0}

    def train_dataloader(self) -> DataLoader:
        return DataLoader(Frames(), shuffle=True, collate_fn=collate, **self.options)


def collate(items: list[dict]) -> dict:
    return {**torch.utils.data.default_collate(items), "plan": PlanTensors.collate([MusclePlan()] * len(items))}


def trainer(world: int, **options) -> L.Trainer:
    return L.Trainer(**{"devices": world, "strategy": "ddp" if world > 1 else "auto", "num_sanity_val_steps": 0, **tiny.QUIET, **options})


def main(rank: int, world: int, port: str, output: str, corpus: str) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "RANK": str(rank), "WORLD_SIZE": str(world), "LOCAL_RANK": str(rank)}
    torch.set_num_threads(1)
    torch.save(results(world, Path(corpus)), f"{output}.{rank}")


def results(world: int, corpus: Path) -> dict[str, Any]:
    batch_size = GLOBAL_BATCH // world
    model, data = tiny.model(dropout=0.0, validation=ValidationClips(3)), tiny.data(corpus, batch_size=batch_size)
    logged: dict[int, float] = {}

    class Log(L.Callback):
        def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
            logged[trainer.global_step] = float(trainer.callback_metrics["train/loss"])

    fitting = trainer(world, max_steps=2, val_check_interval=2, log_every_n_steps=1)
    fitting.callbacks.append(Log())
    fitting.fit(model, data)
    validated = {name: float(value) for name, value in fitting.callback_metrics.items() if name.startswith("val/")}
    tested = trainer(world).test(model, tiny.data(corpus, batch_size=batch_size), verbose=False)[0]
    own = tiny.model(dropout=0.0)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        trainer(world, max_steps=1).fit(own, Own(batch_size))
    weights = {name: p.detach().clone() for name, p in model.named_parameters()}
    return {
        "logged": logged, "validated": validated, "tested": tested, "weights": weights, "mean": own.mean, "std": own.std,
        "said": [str(warning.message) for warning in said if "mean and std" in str(warning.message)],
    }  # fmt: skip
