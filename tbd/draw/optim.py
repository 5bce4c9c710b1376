"""What every training here shares: exact resumes, figures that no number of processes changes, and the optimizer."""

import inspect
import math
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any, Literal

import lightning as L
import torch
from lightning.pytorch.core.mixins import hparams_mixin
from lightning.pytorch.loops.progress import _ProcessedTracker
from lightning.pytorch.utilities.parsing import collect_init_args
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn

from tbd.draw.checkpoint import require_fitting
from tbd.draw.diffusers_schedulers import SchedulerMixin
from tbd.draw.guidance.base import Guidance
from tbd.draw.randomness import run_seed, seed_of
from tbd.errors import InputError
from tbd.utils.input_checks import require_at_least, require_within

_COMPONENTS = (nn.Module, SchedulerMixin, Guidance)
"""Kinds of arguments that are no plain values."""
_SEED = "tbd_seed"
"""Where a checkpoint keeps the seed of its run."""


class ExactModule(L.LightningModule):
    """A module whose training is the same however often it is interrupted or validated.

    A run that is resumed has the same losses and weights, to the last bit, as one that was not (on the same machine, with the
    same number of processes): a sample's noise depends on its number (see `tbd.draw.randomness`), dropout on the batch's, and
    a checkpoint that is written while gradients accumulate leads back to the last step of the optimizer, since gradients are in no
    checkpoint. A DataModule contributes a loader that remembers its place (`tbd.data.datasets.samplers`).
    """

    noise_seed: int | None = None
    """Seed of the samples' noise; see `run_seed`. A resumed run takes its checkpoint's."""

    def save_plain_hyperparameters(self) -> None:
        """Save the constructor's arguments, to be called in it, without the networks among them.

        `save_hyperparameters` deep-copies all that it saves. Under the command line these are class paths and plain values, from which
        a checkpoint rebuilds the model. Of a model that Python builds they are the networks themselves: 8.6 GiB at Stable Diffusion's
        size, kept for as long as the model. Only a pickle that may run code could bring them back from a checkpoint, so they are
        left out, and `load_from_checkpoint` takes them as arguments.
        """
        frame = inspect.currentframe()
        frame = None if frame is None else frame.f_back
        if frame is None or hparams_mixin._given_hyperparameters.get() is not None:  # built by the command line
            self.save_hyperparameters(frame=frame)
            return
        given = collect_init_args(frame, [], classes=(hparams_mixin.HyperparametersMixin,))
        plain = {name: _plain(value) for arguments in given for name, value in arguments.items() if not isinstance(value, _COMPONENTS)}
        # as the command line's, groups of options are dicts, which this turns back into dataclasses
        self.save_hyperparameters({**plain, "_instantiator": "lightning.pytorch.cli.instantiate_module"}, frame=frame)

    @property
    def run_seed(self) -> int:
        """Seed of this run."""
        return run_seed(self.noise_seed)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Seed PyTorch's global generator; called by Lightning.

        Args:
            batch: Not read.
            batch_idx: Not read.
        """
        # what networks draw themselves (dropout) depends on the number of the batch alone
        torch.manual_seed(seed_of(self.run_seed, self.global_rank, self.trainer.fit_loop.epoch_loop.total_batch_idx))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the seed, and lead back to the optimizer's last step."""
        checkpoint[_SEED] = self.run_seed
        _rewind(checkpoint, self._trainer)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the seed of the run that goes on, and its optimizer with the options of this configuration.

        Args:
            checkpoint: The checkpoint, as Lightning goes on to load it.

        Raises:
            InputError: If its weights are of another configuration.
        """
        path = None if self._trainer is None else self._trainer.ckpt_path
        config = None if path is None else Path(path).absolute().parents[1] / "config.yaml"
        # sharded checkpoints come without weights; and whoever loads one in Python may take a part of it on purpose
        if self._trainer is not None and self.strict_loading and checkpoint.get("state_dict"):
            where = f"; give --config {config}" if config is not None and config.is_file() else ""
            require_fitting(self, checkpoint["state_dict"], "The checkpoint" if path is None else f"The checkpoint {path}", where=where)
        self.noise_seed = checkpoint.get(_SEED, self.noise_seed)
        if isinstance(options := getattr(self, "optimizer", None), OptimizerConfig):
            options.apply(checkpoint)

    def numbered(self, batch: dict[str, Any], batch_idx: int, size: int) -> dict[str, Any]:
        """Number the samples of a batch.

        Args:
            batch: A batch of any loader.
            batch_idx: Its number in the epoch.
            size: B, its number of samples.

        Returns:
            The batch with ``id`` (B,): as it is where the loader gives it, else the samples' places in the run's batches.
        """
        if "id" in batch:
            return batch
        number = self.trainer.fit_loop.epoch_loop.total_batch_idx if self.trainer.training else batch_idx
        first = (number * self.trainer.world_size + self.global_rank) * size
        return {**batch, "id": torch.arange(first, first + size)}

    def summed(self, value: Tensor) -> Tensor:
        """Sum over processes, on all of them; without gradients. It is queued behind the step's other work, so none waits."""
        value = value.detach().clone()
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            value = value.to(self.device)
            torch.distributed.all_reduce(value)
        return value

    def averaged(self, value: Tensor) -> Tensor:
        """Average over processes, as `summed`."""
        return self.summed(value) / (self.trainer.world_size if self._trainer is not None else 1)

    def log_everywhere(self, figures: dict[str, float], bar: str = "") -> None:
        """Log figures that all processes have worked out alike, at the end of a validation or test.

        Args:
            figures: Name → figure.
            bar: Name of the figure that progress bars show.
        """
        for name, value in figures.items():
            # they agree already: this says so to Lightning, and keeps its advice away
            self.log(name, value, sync_dist=True, prog_bar=name == bar, on_epoch=True)


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


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
    """Count the batches of this epoch whose gradients no step of the optimizer has used yet."""
    progress = trainer.fit_loop.epoch_loop.batch_progress
    current = progress.current
    assert isinstance(current, _ProcessedTracker)  # what a _BatchProgress has
    done = current.processed
    at_end = done == trainer.num_training_batches or (progress.is_last_batch and done == current.ready)
    return 0 if at_end else done % trainer.accumulate_grad_batches


@dataclass(frozen=True)
class OptimizerConfig:
    """AdamW, and how its learning rate runs.

    Args:
        learning_rate: The learning rate after the warm-up.
        warmup_steps: Steps of linear warm-up.
        weight_decay: Weight decay of matrices and kernels; biases and other parameters of one dimension have none.
        betas: Decay rates of AdamW's running means of the gradient and of its square.
        schedule: What follows the warm-up: ``cosine`` falls to zero at the end of the run, ``constant`` stays.
    """

    learning_rate: float = 5e-4
    warmup_steps: int = 500
    weight_decay: float = 0.02
    betas: tuple[float, float] = (0.9, 0.98)
    schedule: Literal["cosine", "constant"] = "cosine"

    def __post_init__(self) -> None:
        require_at_least(0, learning_rate=self.learning_rate, warmup_steps=self.warmup_steps, weight_decay=self.weight_decay)
        for beta in self.betas:
            require_within(0, 1, betas=beta)

    def configure(self, module: L.LightningModule) -> OptimizerLRSchedulerConfig:
        """Build the optimizer of all parameters that train.

        Args:
            module: The module to train, attached to a trainer.

        Returns:
            What `configure_optimizers` returns.

        Raises:
            InputError: If a cosine is to fall over a run whose length nothing tells.
        """
        trained = [p for p in module.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in trained if p.ndim >= 2], "weight_decay": self.weight_decay},
            {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=self.learning_rate, betas=self.betas, fused=all(p.is_cuda for p in trained))
        # Lightning takes this mark of fused optimizers for a refusal to have gradients clipped, in bf16 too
        optimizer._step_supports_amp_scaling = False
        total = self._total(module.trainer) if self.schedule == "cosine" else 0
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: self.factor(step, total))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def apply(self, checkpoint: dict[str, Any]) -> None:
        """Put these options in the place of those with which a checkpoint's optimizer was saved, which PyTorch would restore.

        Args:
            checkpoint: A checkpoint of a run that `configure` has built the optimizer of.
        """
        for state in checkpoint.get("optimizer_states", ()):
            groups = state.get("param_groups", ())
            for group, decay in zip(groups, (self.weight_decay, 0.0)):
                if "initial_lr" in group and group["initial_lr"] != self.learning_rate:
                    factor = group["lr"] / group["initial_lr"] if group["initial_lr"] else 1.0
                    group |= {"lr": self.learning_rate * factor, "initial_lr": self.learning_rate}
                group |= {"weight_decay": decay, "betas": self.betas}
        for schedule in checkpoint.get("lr_schedulers", ()):
            if "base_lrs" in schedule:
                schedule["base_lrs"] = [self.learning_rate] * len(schedule["base_lrs"])

    @staticmethod
    def _total(trainer: L.Trainer) -> int:
        steps = trainer.estimated_stepping_batches
        if not 0 <= steps < math.inf:  # -1 of data whose length nobody knows
            raise InputError(
                "A cosine falls to zero at the end of the run, and neither trainer.max_steps nor trainer.max_epochs says where that is "
                "(trainer.max_time alone does not); give one of them, or --model.init_args.optimizer.schedule=constant."
            )
        return int(steps)

    def factor(self, step: int, total: int) -> float:
        """Compute the learning rate's factor.

        Args:
            step: Number of the optimizer's step.
            total: Steps of the run.

        Returns:
            0..1.

        Example:
            >>> [OptimizerConfig(warmup_steps=2).factor(step, 10) for step in (0, 1, 2, 10)]
            [0.5, 1.0, 1.0, 0.0]
        """
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        if self.schedule == "constant":
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * min((step - self.warmup_steps) / max(total - self.warmup_steps, 1), 1.0)))
