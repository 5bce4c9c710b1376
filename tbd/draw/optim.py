"""What every training here shares: exact resumes, figures that no number of processes changes, and how learning rates run."""

import inspect
import math
from typing import Any

import lightning as L
import torch
from diffusers import SchedulerMixin
from lightning.pytorch.core.mixins import hparams_mixin
from lightning.pytorch.utilities.parsing import collect_init_args
from torch import Tensor, nn

from tbd.draw.guidance.base import Guidance
from tbd.draw.randomness import run_seed, seed_of

_COMPONENTS = (nn.Module, SchedulerMixin, Guidance)
"""Kinds of arguments that are no plain values."""
_SEED = "tbd_seed"
"""Where a checkpoint keeps the seed of its run."""


class ExactModule(L.LightningModule):
    """A module whose training is the same however often it is interrupted or validated.

    A run that is resumed has the same losses and weights, to the last bit, as one that was not (on the same machine, with the
    same number of processes): what samples meet depends on their numbers (see `tbd.draw.randomness`), dropout on the batch's, and
    a checkpoint that is written while gradients accumulate leads back to the last step of the optimizer, since gradients are in no
    checkpoint. A DataModule does its part by a loader that remembers its place (`tbd.data.datasets.samplers`).
    """

    noise_seed: int | None = None
    """Of what samples meet; see `run_seed`. A resumed run takes its checkpoint's."""
    content: dict[str, Any] | None = None
    """Class path and arguments that the model was loaded from; None where Python code has built it."""

    def save_plain_hyperparameters(self) -> None:
        """Save the constructor's arguments, to be called in it, without the networks among them.

        `save_hyperparameters` deep-copies all that it saves. Under the command line these are class paths and plain values, from which
        a checkpoint rebuilds the model. Of a model that Python builds they are the networks themselves: 8.6 GiB at Stable Diffusion's
        size, kept for as long as the model. Only a pickle that may run code could bring them back from a checkpoint, so they are
        left out, and `load_from_checkpoint` takes them as arguments.
        """
        frame, components = inspect.currentframe(), []
        frame = None if frame is None else frame.f_back
        if frame is not None and hparams_mixin._given_hyperparameters.get() is None:  # built by Python
            given = collect_init_args(frame, [], classes=(hparams_mixin.HyperparametersMixin,))
            components = [name for arguments in given for name, value in arguments.items() if isinstance(value, _COMPONENTS)]
        self.save_hyperparameters(ignore=components, frame=frame)

    @property
    def run_seed(self) -> int:
        return run_seed(self.noise_seed)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        # what networks draw themselves (dropout) hangs on the number of the batch alone
        torch.manual_seed(seed_of(self.run_seed, self.global_rank, self.trainer.fit_loop.epoch_loop.total_batch_idx))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the seed, and lead back to the optimizer's last step."""
        checkpoint[_SEED] = self.run_seed
        _rewind(checkpoint, self._trainer)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.noise_seed = checkpoint.get(_SEED, self.noise_seed)

    def numbered(self, batch: dict[str, Any], batch_idx: int, size: int) -> dict[str, Any]:
        """The batch with its samples' numbers.

        Args:
            batch: of any loader; one that gives no ``id`` gets the samples' places in the run's batches.
            batch_idx: of it, in the epoch.
            size: B.
        """
        if "id" in batch:
            return batch
        number = self.trainer.fit_loop.epoch_loop.total_batch_idx if self.trainer.training else batch_idx
        first = (number * self.trainer.world_size + self.global_rank) * size
        return {**batch, "id": torch.arange(first, first + size)}

    def summed(self, value: Tensor) -> Tensor:
        """The sum over processes, on all of them; without gradients. It is queued behind the step's other work, so none waits."""
        value = value.detach().clone()
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            value = value.to(self.device)
            torch.distributed.all_reduce(value)
        return value

    def averaged(self, value: Tensor) -> Tensor:
        """The mean over processes, as `summed`."""
        return self.summed(value) / (self.trainer.world_size if self._trainer is not None else 1)

    def log_everywhere(self, figures: dict[str, float], bar: str = "") -> None:
        """Log figures that all processes have worked out alike, at the end of a validation or test.

        Args:
            figures: by name.
            bar: name of the one that progress bars show.
        """
        for name, value in figures.items():
            # they agree already: this says so to Lightning, and keeps its advice away
            self.log(name, value, sync_dist=True, prog_bar=name == bar, on_epoch=True)


def _rewind(checkpoint: dict[str, Any], trainer: L.Trainer | None) -> None:
    """Let a checkpoint that was written between two steps of the optimizer go on behind the first of them."""
    loops = checkpoint.get("loops", {}).get("fit_loop")
    if trainer is None or loops is None or (pending := pending_batches(trainer)) == 0:
        return
    progress, state = loops["epoch_loop.batch_progress"], loops["epoch_loop.state_dict"]
    if progress["total"]["completed"] < progress["total"]["processed"]:  # Lightning will count the last step once more
        state["_batches_that_stepped"] -= 1
    for counts in (progress["total"], progress["current"]):
        for name in counts:
            counts[name] -= pending


def pending_batches(trainer: L.Trainer) -> int:
    """How many batches of this epoch have gradients that no step of the optimizer has used yet."""
    progress = trainer.fit_loop.epoch_loop.batch_progress
    done = progress.current.processed
    at_end = done == trainer.num_training_batches or (progress.is_last_batch and done == progress.current.ready)
    return 0 if at_end else done % trainer.accumulate_grad_batches


def warmup_cosine(optimizer: torch.optim.Optimizer, total: int, warmup: int) -> dict[str, Any]:
    """A linear rise over `warmup` steps, then a cosine that reaches zero at `total`; what `configure_optimizers` returns."""

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * min((step - warmup) / max(total - warmup, 1), 1.0)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
