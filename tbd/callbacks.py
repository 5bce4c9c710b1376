"""What every training run does on a shared machine: leave in time, and say what would fit."""

import os
import shutil
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import lightning as L
import torch

from tbd.errors import InputError

REQUEUE = 75
"""The exit code that says "not done, start me again" (EX_TEMPFAIL of BSD's sysexits): job files requeue on it."""


_MORE = {"nothing": "some", "some": "most"}
"""`VideoDiffusion`'s save_memory → the next that saves more."""


class PreemptionCheckpoint(L.Callback):
    """On SIGTERM or SIGUSR1, finish the step, save a checkpoint, and leave with exit code 75.

    Lightning itself saves nothing on SIGTERM and then exits with 0, so that Slurm calls a preempted run completed. Here the
    handler only sets a flag; all processes agree on it after the step, so that none waits for another. The checkpoint is
    written beside its name and moved into place.

    Args:
        filename: in the trainer's ``default_root_dir``, which must be the run's own.
    """

    def __init__(self, filename: str = "preempted.ckpt") -> None:
        self.filename = filename
        self._asked = False
        self._before: dict[int, Any] = {}

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._asked = False
        if threading.current_thread() is not threading.main_thread():
            return  # Python hands signals to the main thread alone
        # after Lightning has set its own, which would bypass a SIGTERM
        for number in (signal.SIGTERM, signal.SIGUSR1):
            self._before[number] = signal.signal(number, self._ask)

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int) -> None:
        if trainer.strategy.reduce_boolean_decision(self._asked, all=False):
            self._save(trainer)
            raise SystemExit(REQUEUE)

    def _save(self, trainer: L.Trainer) -> None:
        path = Path(trainer.default_root_dir) / self.filename
        part = path.with_name(path.name + ".part")
        trainer.save_checkpoint(part)
        if trainer.is_global_zero:
            if path.is_dir():  # sharded checkpoints are folders
                shutil.rmtree(path)
            os.replace(part, path)
        trainer.strategy.barrier("preempted")

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        while self._before:
            signal.signal(*self._before.popitem())


class MemoryAdvice(L.Callback):
    """Turns "CUDA out of memory" into a sentence that says what to change."""

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        if isinstance(exception, torch.OutOfMemoryError):
            raise InputError(self.advice(trainer, pl_module)) from exception

    def advice(self, trainer: L.Trainer, pl_module: L.LightningModule) -> str:
        """What the weights take, and the next thing to try."""
        total = torch.cuda.get_device_properties(pl_module.device).total_memory if pl_module.device.type == "cuda" else 0
        sizes = [(p.numel() * p.element_size(), p.requires_grad) for p in pl_module.parameters()]
        # AdamW keeps two numbers for each trained one, and there is its gradient
        fixed = sum(size * (4 if trained else 1) for size, trained in sizes)
        batch, frames = getattr(trainer.datamodule, "batch_size", 1), pl_module.hparams.get("window_frames", 1)
        if 0 < total < fixed:
            change = "train fewer parameters (a stage's `trainable`), or shard them over GPUs with configs/trainer/fsdp.yaml"
        elif batch > 1:
            change = f"--data.init_args.batch_size={batch // 2} with --trainer.accumulate_grad_batches=2 for the same training"
        elif pl_module.hparams.get("save_memory") in _MORE:
            change = f"--model.init_args.save_memory={_MORE[pl_module.hparams['save_memory']]}"
        else:
            change = f"--model.init_args.window_frames={max(frames // 2, 1)}, or smaller pictures"
        return (
            f"The GPU's {total / 2**30:.0f} GiB do not suffice for {batch} windows of {frames} frames: weights, gradients and "
            f"optimizer take {fixed / 2**30:.1f} GiB, activations the rest. Try {change}."
        )
