"""What every training run does on a shared machine: keep its last state, leave in time, and say what would fit."""

import contextlib
import os
import shlex
import shutil
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import lightning as L
import torch

from tbd.errors import INTERRUPTED, REQUEUE, InputError

_MORE = {"nothing": "some", "some": "most"}
"""`MemoryOptions.gradient_checkpointing` → the next that saves more."""
_DRAWN_BY = {"MotionDiffusion": "--model", "VideoDiffusion": "--renderer video --checkpoint"}
"""Model → the option of `tbd generate` that takes its checkpoint."""


def save_whole(trainer: L.Trainer, path: Path) -> None:
    """Save a checkpoint under another name and move it into place, so that it is whole or not there. All processes call this.

    Args:
        trainer: In the middle of a run.
        path: The checkpoint; what was there is replaced.
    """
    part = path.with_name(path.name + ".part")
    trainer.save_checkpoint(part)
    if trainer.is_global_zero:
        if path.is_dir() and not path.is_symlink():  # sharded checkpoints are folders
            shutil.rmtree(path)
        os.replace(part, path)
    trainer.strategy.barrier("saved")


def part() -> None:
    """Before a process leaves the others: wait until all have come as far.

    One that exits closes its connections, from which another may still be reading the end of their last collective (Gloo: "Connection
    closed by peer"), so that it fails though all is done. Here only this wait itself can be cut off, by one that knows that all are here.
    """
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        with contextlib.suppress(RuntimeError):
            torch.distributed.barrier()


class LastCheckpoint(L.Callback):
    """Keeps ``last.ckpt``: the newest state, every so many steps and at the end of a run, however it ends.

    ``ModelCheckpoint(monitor=..., save_last=True)`` writes its ``last.ckpt`` only when what it monitors improves, so that the weights a
    run ended with may be saved nowhere. Here the file lies beside the checkpoints of the run's `ModelCheckpoint`, which keeps the best.
    Nothing is saved with ``Trainer(enable_checkpointing=False)`` or ``fast_dev_run``.

    Args:
        every_n_train_steps: At most so many optimizer steps are lost when a run is killed.
    """

    def __init__(self, every_n_train_steps: int = 500) -> None:
        if every_n_train_steps < 1:
            raise InputError(f"every_n_train_steps must be 1 or more, not {every_n_train_steps}.")
        self.every_n_train_steps = every_n_train_steps
        self._saved = -1

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        for other in trainer.checkpoint_callbacks:
            if getattr(other, "save_last", None):
                other.save_last = False  # it would take this one's name for an older state

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._saved = trainer.global_step

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int) -> None:
        step = trainer.global_step
        # rather than in on_train_end, where averaged weights have already replaced those that training goes on with
        if step != self._saved and (step % self.every_n_train_steps == 0 or _ends(trainer)):
            self.save(trainer)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.global_step != self._saved and _ends(trainer):
            self.save(trainer)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.global_step != self._saved:
            self.save(trainer)

    def save(self, trainer: L.Trainer) -> Path | None:
        """Save now. All processes call this.

        Returns:
            The file; None where this run saves nothing.
        """
        path = self.path(trainer)
        if path is not None and (trainer.global_step != self._saved or not path.exists()):
            save_whole(trainer, path)
            self._saved = trainer.global_step
        return path

    @staticmethod
    def path(trainer: L.Trainer) -> Path | None:
        """The file; None where this run saves nothing."""
        folder = next((c.dirpath for c in trainer.checkpoint_callbacks if getattr(c, "dirpath", None)), None)
        return None if folder is None or trainer.fast_dev_run else Path(folder) / "last.ckpt"


def _ends(trainer: L.Trainer) -> bool:
    """Whether no step follows this one: steps, epochs or time are used up, or something asked for the end."""
    epochs = trainer.max_epochs if trainer.max_epochs is not None else -1
    return (
        trainer.should_stop
        or 0 < trainer.max_steps <= trainer.global_step
        or (trainer.is_last_batch and 0 < epochs <= trainer.current_epoch + 1)
    )


class PreemptionCheckpoint(L.Callback):
    """On SIGTERM, SIGUSR1 or Ctrl-C, finish the step, save a checkpoint, say how to go on, and leave.

    Lightning itself saves nothing on SIGTERM and then exits with 0, so that Slurm calls a preempted run completed; nor on Ctrl-C. Here
    the handler only sets a flag; all processes agree on it after the step, so that none waits for another. The checkpoint is written
    beside its name and moved into place. SIGTERM and SIGUSR1 leave with exit code 75 ("start me again"), Ctrl-C with 130; a second
    Ctrl-C leaves at once, saving nothing.

    Args:
        filename: Of what is saved on SIGTERM and SIGUSR1, in the trainer's ``default_root_dir``, which must be the run's own. Ctrl-C
            saves `LastCheckpoint`'s ``last.ckpt``.
    """

    def __init__(self, filename: str = "preempted.ckpt") -> None:
        self.filename = filename
        self.arguments: Sequence[str] = ("fit",)
        """What this run was started with, for the sentence that says how to go on."""
        self._asked: int | None = None
        self._leader = True
        self._before: dict[int, Any] = {}

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            if self._asked == signal.SIGINT:
                raise KeyboardInterrupt
            self._say("finishing this step, then saving; Ctrl-C again leaves at once and saves nothing.")
        self._asked = number

    def _say(self, sentence: str) -> None:
        if self._leader:
            print(f"\ntbd fit: {sentence}", file=sys.stderr, flush=True)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._asked, self._leader = None, trainer.is_global_zero
        if threading.current_thread() is not threading.main_thread():
            return  # Python hands signals to the main thread alone
        # after Lightning has set its own, which would bypass a SIGTERM
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
            if signal.getsignal(number) != signal.SIG_IGN:  # a shell's background jobs ignore Ctrl-C
                self._before[number] = signal.signal(number, self._ask)

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int) -> None:
        if not trainer.strategy.reduce_boolean_decision(self._asked is not None, all=False):
            return
        # whoever asks for a requeue decides, also where a terminal's Ctrl-C reached one process first
        if trainer.strategy.reduce_boolean_decision(self._asked in (signal.SIGTERM, signal.SIGUSR1), all=False):
            path: Path | None = Path(trainer.default_root_dir) / self.filename
            save_whole(trainer, path)
            self._leave(trainer, path, REQUEUE, "asked to leave")
        last = next((c for c in trainer.callbacks if isinstance(c, LastCheckpoint)), None)
        self._leave(trainer, None if last is None else last.save(trainer), INTERRUPTED, "interrupted")

    def _leave(self, trainer: L.Trainer, path: Path | None, code: int, why: str) -> None:
        if path is None:
            self._say(f"{why} after step {trainer.global_step}; nothing was saved, since this run keeps no checkpoints.")
        else:
            self._say(f"{why}; step {trainer.global_step} is saved in {path}. To go on: {continuing(self.arguments, path)}")
        part()
        raise SystemExit(code)

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        while self._before:
            signal.signal(*self._before.popitem())


def continuing(arguments: Sequence[str], path: Path) -> str:
    """The command that goes on from a checkpoint.

    Args:
        arguments: Of the run that ends, its command first.
        path: The checkpoint.

    Returns:
        A line for a shell.

    Example:
        >>> continuing(["fit", "--config", "my run.yaml", "--ckpt_path=old.ckpt"], Path("last.ckpt"))
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


def finished(trainer: L.Trainer) -> str:
    """What a run that has ended leaves, and what can be done with it. All processes call this: the trainer shares out its folder.

    Returns:
        Sentences.
    """
    done = f"finished after step {trainer.global_step}"
    saver = next((callback for callback in trainer.callbacks if isinstance(callback, LastCheckpoint)), None)
    last = None if saver is None else saver.path(trainer)
    if last is None or not last.exists():
        return f"{done}; nothing was saved, since this run keeps no checkpoints."
    best = next((path for one in trainer.checkpoint_callbacks if (path := getattr(one, "best_model_path", ""))), "")
    said = [f"{done}. Its last state is {last}" + (f", the best by validation {best}." if best and Path(best) != last else ".")]
    chosen, config = best or str(last), Path(trainer.log_dir or trainer.default_root_dir) / "config.yaml"
    if config.is_file():
        said.append(f"To measure it: {shlex.join(['tbd', 'test', '--config', str(config), '--ckpt_path', chosen])}")
    option = next((_DRAWN_BY[kind.__name__] for kind in type(trainer.lightning_module).__mro__ if kind.__name__ in _DRAWN_BY), None)
    if config.parent in last.parents[:4] and option is not None:  # where the drawing command finds it
        said.append(f"To draw with it: tbd generate {option} {shlex.quote(chosen)} …")
    return "\n  ".join(said)


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
        batch, frames = getattr(trainer.datamodule, "batch_size", 1), getattr(pl_module, "window_frames", 1)
        if 0 < total < fixed:
            change = "train fewer parameters (a stage's `trainable`), or shard them over GPUs with configs/trainer/fsdp.yaml"
        elif batch > 1:
            change = f"--data.init_args.batch_size={batch // 2} with --trainer.accumulate_grad_batches=2 for the same training"
        elif (now := getattr(getattr(pl_module, "memory", None), "gradient_checkpointing", None)) in _MORE:
            change = f"--model.init_args.memory.gradient_checkpointing={_MORE[now]}"
        else:
            change = f"--model.init_args.window_frames={max(frames // 2, 1)}, or smaller pictures"
        return (
            f"The GPU's {total / 2**30:.0f} GiB do not suffice for {batch} windows of {frames} frames: weights, gradients and "
            f"optimizer take {fixed / 2**30:.1f} GiB, activations the rest. Try {change}."
        )
