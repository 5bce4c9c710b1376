"""Callbacks of every training run: save the last state, leave when asked to, and say what would fit into memory."""

import contextlib
import os
import shlex
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from typing_extensions import override

from tbd.errors import INTERRUPTED, REQUEUE, InputError, disk_error
from tbd.training.divergence import require_finite
from tbd.training.mid_validation import ValidationExit
from tbd.training.run_folder import run_folder

_MORE = {"nothing": "some", "some": "most"}
"""`MemoryOptions.gradient_checkpointing` → the next that saves more."""
_DRAWN_BY = {"MotionDiffusion": "--motion-model", "VideoDiffusion": "--renderer video --checkpoint"}
"""Model → the option of `tbd generate` that takes its checkpoint."""


def save_whole(trainer: L.Trainer, path: Path) -> None:
    """Save a checkpoint under another name and move it into place, so that it is whole or absent. All processes call this.

    Args:
        trainer: The trainer of the run.
        path: The checkpoint to write; a file or folder of that name is replaced.

    Raises:
        DiskError: If the disk is full or the like; what was there before stays.
    """
    part = path.with_name(path.name + ".part")
    try:
        trainer.save_checkpoint(part)
    except BaseException as error:  # a full disk, or Ctrl-C: what is half written would only take its room
        _remove(part)
        if (full := disk_error(error, str(path))) is not None:
            raise full from error
        raise
    if trainer.is_global_zero:
        if path.is_dir():
            _remove(path)
        os.replace(part, path)
    trainer.strategy.barrier("saved")


def _remove(path: Path) -> None:
    """Remove a checkpoint; sharded ones are folders."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def wait_for_all() -> None:
    """Wait, before a process exits, until all processes have come as far.

    A process that exits closes its connections, from which another may still be reading the end of their last collective (Gloo: "Connection
    closed by peer"), so that it fails though all is done. Here only this wait itself can be cut off, by one that knows that all are here.
    """
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        with contextlib.suppress(RuntimeError):
            torch.distributed.barrier()


def leave_the_others() -> None:
    """Close this process's connections to the others once all have come as far.

    Gloo's threads that still run when the interpreter's modules are taken down end the process ("terminate called without an active
    exception"), though all is done.
    """
    wait_for_all()
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


class LastCheckpoint(L.Callback):
    """Saves ``last.ckpt``, the newest state, every so many steps and at the end of a run, however it ends.

    ``ModelCheckpoint(monitor=..., save_last=True)`` writes its ``last.ckpt`` only when what it monitors improves, so that the weights a
    run ended with may be saved nowhere. Here the file lies beside the checkpoints of the run's `ModelCheckpoint`, which keeps the best.
    Nothing is saved with ``Trainer(enable_checkpointing=False)`` or ``fast_dev_run``.

    Args:
        every_n_train_steps: Optimizer steps between two saves, 1 or more. At most so many are lost when a run is killed.

    Raises:
        InputError: If the number of steps is below 1.
    """

    def __init__(self, every_n_train_steps: int = 500) -> None:
        if every_n_train_steps < 1:
            raise InputError(f"every_n_train_steps must be 1 or more, not {every_n_train_steps}.")
        self.every_n_train_steps = every_n_train_steps
        self._saved = -1

    @override
    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        for other in trainer.checkpoint_callbacks:
            if isinstance(other, ModelCheckpoint) and other.save_last:
                other.save_last = False  # it would take this one's name for an older state

    @override
    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._saved = trainer.global_step

    @override
    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int) -> None:
        step = trainer.global_step
        # rather than in on_train_end, where averaged weights have already replaced those that training goes on with
        # passed rather than met: with two optimizers a batch makes two steps
        due = step // self.every_n_train_steps > self._saved // self.every_n_train_steps
        if step != self._saved and (due or _ends(trainer)):
            self.save(trainer)

    @override
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.global_step != self._saved and _ends(trainer):
            self.save(trainer)

    @override
    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.global_step != self._saved:
            self.save(trainer)

    @property
    def began(self) -> bool:
        """Whether training has begun, which it does not where nothing is left to do."""
        return self._saved >= 0

    def save(self, trainer: L.Trainer) -> Path | None:
        """Save now, unless this step is saved already. All processes call this.

        Args:
            trainer: The trainer of the run.

        Returns:
            The file, or None if this run saves nothing.

        Raises:
            DivergenceError: If weights are no numbers any more; the last state that was saved stays.
        """
        path = self.path(trainer)
        if path is not None and (trainer.global_step != self._saved or not path.exists()):
            require_finite(trainer)
            save_whole(trainer, path)
            self._saved = trainer.global_step
        return path

    @staticmethod
    def path(trainer: L.Trainer) -> Path | None:
        """Return the file, or None if this run saves nothing."""
        savers = (callback for callback in trainer.checkpoint_callbacks if isinstance(callback, ModelCheckpoint))
        folder = next((saver.dirpath for saver in savers if saver.dirpath), None)
        quick = trainer.fast_dev_run  # type: ignore[attr-defined]  # set by a connector of Lightning
        return None if folder is None or quick else Path(folder) / "last.ckpt"


def _ends(trainer: L.Trainer) -> bool:
    """Whether no step follows this one: steps, epochs or time are used up, or something asked for the end."""
    epochs = trainer.max_epochs if trainer.max_epochs is not None else -1
    return (
        trainer.should_stop
        or 0 < trainer.max_steps <= trainer.global_step
        or (trainer.is_last_batch and 0 < epochs <= trainer.current_epoch + 1)
    )


class PreemptionCheckpoint(L.Callback):
    """Saves a checkpoint and ends the run on SIGTERM, SIGUSR1 or Ctrl-C, after the current step or batch of validation.

    Lightning itself saves nothing on SIGTERM and then exits with 0, so that Slurm calls a preempted run completed; nor does it save on
    Ctrl-C. Here the handler only sets a flag; all processes agree on it after the step, so that none waits for another. A validation,
    which may last longer than Slurm waits before it kills, is left likewise and what is saved is the state before it. The checkpoint
    is written beside its name and moved into place. SIGTERM and SIGUSR1 end the run with exit code 75 ("start me again"), Ctrl-C with
    130; a second Ctrl-C ends it at once and saves nothing.

    Args:
        filename: Name of the checkpoint that is saved on SIGTERM and SIGUSR1, in the trainer's ``default_root_dir``, which must be the
            run's own. On Ctrl-C the ``last.ckpt`` of `LastCheckpoint` is saved.
    """

    def __init__(self, filename: str = "preempted.ckpt") -> None:
        self.filename = filename
        self.arguments: Sequence[str] = ("fit",)
        """The command that started this run and its options, for the sentence that says how to go on."""
        self._asked: int | None = None
        self._leader = True
        self._is_validating: Callable[[], bool] = lambda: False
        self._validation = ValidationExit()
        self._before: dict[int, Any] = {}

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            if self._asked == signal.SIGINT:
                raise KeyboardInterrupt
            what = "this batch of validation" if self._is_validating() else "this step"
            self._say(f"finishing {what}, then saving; Ctrl-C again leaves at once and saves nothing.")
        self._asked = number

    def _say(self, sentence: str) -> None:
        if self._leader:
            print(f"\ntbd fit: {sentence}", file=sys.stderr, flush=True)

    @override
    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._asked, self._leader = None, trainer.is_global_zero
        self._is_validating = lambda: bool(trainer.validating)
        if threading.current_thread() is not threading.main_thread():
            return  # Python hands signals to the main thread alone
        # after Lightning has set its own, which would bypass a SIGTERM
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
            if signal.getsignal(number) != signal.SIG_IGN:  # a shell's background jobs ignore Ctrl-C
                self._before[number] = signal.signal(number, self._ask)

    @override
    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self._all_leave(trainer):
            self._save_and_leave(trainer)

    @override
    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._validation.begin(trainer)

    @override
    def on_validation_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        if self._validation.possible(batch_idx, dataloader_idx) and self._all_leave(trainer):
            self._validation.rewind(trainer, pl_module)
            self._save_and_leave(trainer)

    def _all_leave(self, trainer: L.Trainer) -> bool:
        return trainer.strategy.reduce_boolean_decision(self._asked is not None, all=False)

    def _save_and_leave(self, trainer: L.Trainer) -> None:
        # whoever asks for a requeue decides, also where a terminal's Ctrl-C reached one process first
        if trainer.strategy.reduce_boolean_decision(self._asked in (signal.SIGTERM, signal.SIGUSR1), all=False):
            path = Path(trainer.default_root_dir) / self.filename
            require_finite(trainer)
            save_whole(trainer, path)
            self._leave(trainer, path, REQUEUE, "asked to leave")
        last = _saver(trainer)
        self._leave(trainer, None if last is None else last.save(trainer), INTERRUPTED, "interrupted")

    def _leave(self, trainer: L.Trainer, path: Path | None, code: int, why: str) -> None:
        if path is None:
            self._say(f"{why} after step {trainer.global_step}; nothing was saved, since this run keeps no checkpoints.")
        else:
            self._say(f"{why}; step {trainer.global_step} is saved in {path}. To go on: {resume_command(self.arguments, path)}")
        wait_for_all()
        raise SystemExit(code)

    @override
    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        while self._before:
            signal.signal(*self._before.popitem())


def resume_command(arguments: Sequence[str], path: Path) -> str:
    """Write the command that goes on from a checkpoint.

    Args:
        arguments: The command and the options of the run that ends.
        path: The checkpoint.

    Returns:
        A line for a shell.

    Example:
        >>> resume_command(["fit", "--config", "my run.yaml", "--ckpt_path=old.ckpt"], Path("last.ckpt"))
        "tbd fit --config 'my run.yaml' --ckpt_path last.ckpt"
    """
    kept, skip = [], False
    for argument in arguments:
        if not skip and not argument.startswith("--ckpt_path="):
            skip = argument == "--ckpt_path"
            kept += [] if skip else [argument]
        else:
            skip = False
    return shlex.join(["tbd", *kept, "--ckpt_path", str(path)])


def closing_report(trainer: L.Trainer) -> str:
    """Say what a run that has ended leaves, and what can be done with it. All processes call this: the trainer broadcasts its folder.

    Args:
        trainer: The trainer of the run.

    Returns:
        Sentences, each on a line.
    """
    done = f"finished after step {trainer.global_step}"
    saver = _saver(trainer)
    if not has_begun(trainer):
        limits = {"steps": trainer.max_steps, "epochs": trainer.max_epochs}
        ends = " and ".join(f"--trainer.max_{name} is {most}" for name, most in limits.items() if most is not None and most >= 0)
        return f"nothing was left to train: the checkpoint is of step {trainer.global_step}, and {ends}; more steps go on from it."
    last = None if saver is None else saver.path(trainer)
    if last is None or not last.exists():
        return f"{done}; nothing was saved, since this run keeps no checkpoints."
    kept = (getattr(one, "best_model_path", "") for one in trainer.checkpoint_callbacks)
    # a run that went on from a checkpoint knows the best of that moment, which a better one may have replaced since
    best = next((path for path in kept if path and Path(path).exists()), "")
    said = [f"{done}. Its last state is {last}" + (f", the best by validation {best}." if best and Path(best) != last else ".")]
    chosen, config = best or str(last), run_folder(trainer) / "config.yaml"
    if config.is_file():
        said.append(f"To measure it: {shlex.join(['tbd', 'test', '--config', str(config), '--ckpt_path', chosen])}")
    option = next((_DRAWN_BY[kind.__name__] for kind in type(trainer.lightning_module).__mro__ if kind.__name__ in _DRAWN_BY), None)
    if config.parent in last.parents[:4] and option is not None:  # where the drawing command finds it
        said.append(f"To draw with it: tbd generate {option} {shlex.quote(chosen)} …")
    return "\n  ".join(said)


def has_begun(trainer: L.Trainer) -> bool:
    """Return whether a run has trained, which it does not where no step or no batch is left to do."""
    saver = _saver(trainer)
    quick = trainer.fast_dev_run  # type: ignore[attr-defined]  # set by a connector of Lightning
    return saver is None or saver.began or bool(quick)


def _saver(trainer: L.Trainer) -> LastCheckpoint | None:
    callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]  # set by a connector of Lightning
    return next((callback for callback in callbacks if isinstance(callback, LastCheckpoint)), None)


class MemoryAdvice(L.Callback):
    """Turns "CUDA out of memory" into a sentence that says what to change."""

    @override
    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        if isinstance(exception, torch.OutOfMemoryError):
            raise InputError(self.advice(trainer, pl_module)) from exception

    def advice(self, trainer: L.Trainer, pl_module: L.LightningModule) -> str:
        """Say what the weights take, and what to try next.

        Args:
            trainer: The trainer of the run.
            pl_module: The model that did not fit.

        Returns:
            Two sentences.
        """
        total = torch.cuda.get_device_properties(pl_module.device).total_memory if pl_module.device.type == "cuda" else 0
        sizes = [(p.numel() * p.element_size(), p.requires_grad) for p in pl_module.parameters()]
        # AdamW keeps two numbers for each trained one, and there is its gradient
        fixed = sum(size * (4 if trained else 1) for size, trained in sizes)
        data = trainer.datamodule  # type: ignore[attr-defined]  # set by a connector of Lightning
        batch, frames = getattr(data, "batch_size", 1), getattr(pl_module, "window_frames", 1)
        if 0 < total < fixed:
            change = "train fewer parameters (a stage's `training.trainable`), or shard them over GPUs with configs/trainer/fsdp.yaml"
        elif batch > 1:
            change = f"--data.init_args.batch_size={batch // 2} with --trainer.accumulate_grad_batches=2 for the same training"
        elif (now := getattr(getattr(pl_module, "memory", None), "gradient_checkpointing", None)) in _MORE:
            change = f"--model.init_args.memory.gradient_checkpointing={_MORE[now]}"
        else:
            change = f"--model.init_args.windows.frames={max(frames // 2, 1)}, or smaller pictures"
        return (
            f"The GPU's {total / 2**30:.0f} GiB do not suffice for {batch} windows of {frames} frames: weights, gradients and "
            f"optimizer take {fixed / 2**30:.1f} GiB, activations the rest. Try {change}."
        )
