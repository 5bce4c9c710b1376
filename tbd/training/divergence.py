"""Ends a run whose loss or weights are no numbers any more, before its checkpoints hold nothing else."""

import math
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from typing_extensions import override

from tbd.errors import TBDError


class DivergenceError(TBDError):
    """A training whose loss or weights are no numbers any more. Exit code 1."""


class DivergenceCheck(L.Callback):
    """Ends a run when its loss is no number, at the intervals at which it is logged."""

    def __init__(self) -> None:
        self._looked = 0

    @override
    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._looked = trainer.global_step

    @override
    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int) -> None:
        interval: int = trainer.log_every_n_steps  # type: ignore[attr-defined]  # set by a connector of Lightning
        if trainer.global_step // max(interval, 1) == self._looked // max(interval, 1):
            return  # a look waits for the GPU
        self._looked = trainer.global_step
        loss = trainer.callback_metrics.get("train/loss", outputs.get("loss") if isinstance(outputs, dict) else None)
        bad = loss is not None and not math.isfinite(float(loss)) and _broken(pl_module)
        if trainer.strategy.reduce_boolean_decision(bad, all=False):  # or the others would wait for a process that has left
            raise _diverged(trainer, "the loss is no number any more")


def require_finite(trainer: L.Trainer) -> None:
    """Check weights before they are saved.

    Args:
        trainer: The trainer of the run.

    Raises:
        DivergenceError: If some are no numbers.
    """
    if trainer.strategy.reduce_boolean_decision(_broken(trainer.lightning_module), all=False):
        raise _diverged(trainer, "weights are no numbers any more")


@torch.no_grad()
def _broken(module: L.LightningModule) -> bool:
    """Whether a weight that trains is no number. A loss alone may be, of one batch in half precision whose step is left out."""
    trained = [p.to_local() if hasattr(p, "to_local") else p for p in module.parameters() if p.requires_grad]  # FSDP2 shards them
    sums = [p.sum(dtype=torch.float32) for p in trained if p.numel()]
    return bool(sums) and not bool(torch.stack([s.to(sums[0].device) for s in sums]).isfinite().all())


def _diverged(trainer: L.Trainer, what: str) -> DivergenceError:
    savers = (callback for callback in trainer.checkpoint_callbacks if isinstance(callback, ModelCheckpoint) and callback.dirpath)
    last = next((Path(str(saver.dirpath)) / "last.ckpt" for saver in savers), None)
    where = f" The last state from before is {last}." if last is not None and last.is_file() else ""
    return DivergenceError(
        f"Training diverged by step {trainer.global_step}: {what}. A smaller --model.init_args.optimizer.learning_rate, or "
        f"--trainer.gradient_clip_val=1, often helps; else look for such values in the data.{where}"
    )
