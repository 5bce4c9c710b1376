"""What a training run shows: how far it is, its loss and learning rate, on a terminal and in a log file alike."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ProgressBar
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from typing_extensions import override

_LINES = 100
"""About how many lines a run writes into a log file at most."""
_PATIENCE = 60.0
"""Seconds after which there is a line however few steps were made."""


def with_reporting(trainer: Mapping[str, Any], more: Sequence[L.Callback] = ()) -> dict[str, Any]:
    """Add the callbacks that report to those of a configuration.

    Args:
        trainer: The trainer's arguments.
        more: Further callbacks that report.

    Returns:
        ``callbacks`` → a new list.
    """
    given = trainer.get("callbacks") or []
    callbacks = list(given) if isinstance(given, (list, tuple)) else [given]
    callbacks += [LearningRate(), *more]
    wanted = trainer.get("enable_progress_bar") is not False and not trainer.get("barebones")
    if wanted and not any(isinstance(callback, ProgressBar) for callback in callbacks):
        callbacks.append(TrainingProgress())
    return {"callbacks": callbacks}


class LearningRate(L.Callback):
    """Logs ``train/lr``, the learning rate of each step (of the first group of parameters)."""

    @override
    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int) -> None:
        if trainer.optimizers:
            pl_module.log("train/lr", float(trainer.optimizers[0].param_groups[0]["lr"]))


class TrainingProgress(ProgressBar):
    """Shows the number of steps, the loss, the learning rate, the speed and the time that is left.

    On a terminal this is a bar; elsewhere a line every hundredth of the run, and at least every minute.
    """

    def __init__(self) -> None:
        super().__init__()
        self._console = Console(stderr=True, soft_wrap=True, highlight=False)
        self._enabled = True
        self._bar: Progress | None = None
        self._began, self._first, self._said = 0.0, 0, (0.0, 0)

    @override
    def disable(self) -> None:
        self._enabled = False

    @override
    def enable(self) -> None:
        self._enabled = True

    @override
    def print(self, *args: Any, **kwargs: Any) -> None:
        self._console.print(*args, **kwargs)

    # -- training ------------------------------------------------------------------------------------------------------

    @override
    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._began, self._first, self._said = time.monotonic(), trainer.global_step, (0.0, -1)
        if self._enabled and self._console.is_terminal:
            self._start("training", total_steps(trainer), trainer.global_step)

    def _start(self, what: str, total: int | None, done: int = 0) -> None:
        columns = (TextColumn(what), BarColumn(), TextColumn("{task.fields[said]}"))
        self._bar = Progress(*columns, console=self._console)
        self._bar.start()
        self._bar.add_task(what, total=total, completed=done, said="")

    @override
    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int) -> None:
        if not self._enabled:
            return
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=trainer.global_step, said=self.line(trainer))
        elif self._due(trainer):
            self._said = (time.monotonic(), trainer.global_step)
            self.print(self.line(trainer))

    def _due(self, trainer: L.Trainer) -> bool:
        step, total = trainer.global_step, total_steps(trainer)
        if step == self._said[1]:
            return False  # one of several batches whose gradients are summed
        interval: int = trainer.log_every_n_steps  # type: ignore[attr-defined]  # set by a connector of Lightning
        every = max(interval, (total or 0) // _LINES, 1)
        passed = step // every > self._said[1] // every  # with two optimizers a batch makes two steps
        return step == total or passed or time.monotonic() - self._said[0] > _PATIENCE

    def line(self, trainer: L.Trainer) -> str:
        """Say how far the run is.

        Args:
            trainer: The trainer of the run.

        Returns:
            Such as ``step 500/6500, loss 0.812, lr 8.0e-04, 3.2 steps/s, 0:31:15 left``.
        """
        step, total = trainer.global_step, total_steps(trainer)
        speed = (step - self._first) / max(time.monotonic() - self._began, 1e-9)
        parts = [f"step {step}/{total}" if total else f"step {step}"]
        for name, key, form in (("loss", "train/loss", ".4g"), ("error", "train/error", ".4g"), ("lr", "train/lr", ".1e")):
            if key in trainer.callback_metrics:
                parts.append(f"{name} {float(trainer.callback_metrics[key]):{form}}")
        if speed > 0:
            parts.append(f"{speed:.1f} steps/s" if speed >= 1 else f"{1 / speed:.1f} s/step")
            if total:
                parts.append(f"{timedelta(seconds=round((total - step) / speed))} left")
        return ", ".join(parts)

    @override
    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._stop()

    # -- the other loops -------------------------------------------------------------------------------------------------

    @override
    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._enabled and not trainer.sanity_checking and trainer.state.fn == "fit":
            figures = [f"{key} {float(value):.4g}" for key, value in sorted(trainer.callback_metrics.items()) if key.startswith("val/")]
            self.print(f"step {trainer.global_step}: {', '.join(figures) or 'validated'}")

    @override
    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.state.fn == "validate":
            self._evaluate("validating", sum(trainer.num_val_batches))

    @override
    def on_test_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._evaluate("testing", sum(trainer.num_test_batches))

    def _evaluate(self, what: str, total: float) -> None:
        if self._enabled and self._console.is_terminal:
            self._start(what, int(total) if total != float("inf") else None)

    @override
    def on_validation_batch_end(self, trainer: L.Trainer, *_: Any, **__: Any) -> None:
        if trainer.state.fn == "validate":
            self._advance()

    @override
    def on_test_batch_end(self, *_: Any, **__: Any) -> None:
        self._advance()

    def _advance(self) -> None:
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])

    @override
    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        self._stop()

    @override
    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def show_figures(trainer: L.Trainer, found: Sequence[Mapping[str, float]], wanted: bool = True) -> None:
    """Print what a validation or test measured, one figure on a line.

    Args:
        trainer: The trainer; of several processes only the first prints.
        found: What the trainer returned: for each loader, name → figure.
        wanted: Whether to print at all.
    """
    figures = {name.partition("/dataloader_idx")[0]: value for one in found for name, value in one.items()}
    if wanted and trainer.is_global_zero:
        width = max(map(len, figures), default=0)
        print("\n".join(f"{name:<{width}}  {value:.6g}" for name, value in sorted(figures.items())) or "nothing was measured")


def total_steps(trainer: L.Trainer) -> int | None:
    """Return the optimizer steps of a whole run, or None if only time or a signal ends it."""
    if trainer.max_steps > 0 and trainer.max_epochs in (None, -1):
        return trainer.max_steps
    total = trainer.estimated_stepping_batches
    return None if total == float("inf") else int(total)
