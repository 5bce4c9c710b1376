"""Leaving in time: a signal ends a run after its step, with a checkpoint, and the code that job files requeue on."""

import errno
import os
import signal

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint

from tbd.errors import INTERRUPTED, REQUEUE, DiskError, InputError
from tbd.training.callbacks import LastCheckpoint, MemoryAdvice, PreemptionCheckpoint
from tests.draw.tiny_video import Losses, TinyVideoData, tiny_video_model
from tests.training.tiny_module import TinyData, TinyModule


class Signalled(L.Callback):
    def __init__(self, number: int, step: int) -> None:
        self.number, self.step = number, step

    def on_train_batch_start(self, trainer, module, batch, batch_idx) -> None:
        if trainer.global_step == self.step:
            os.kill(os.getpid(), self.number)


def trainer(folder, *callbacks: L.Callback, steps: int = 5, **options) -> L.Trainer:
    settings = {"max_steps": steps, "enable_checkpointing": False, "limit_val_batches": 0, **options}
    return L.Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False, callbacks=list(callbacks),
        default_root_dir=folder, **settings,
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_preempted_run_goes_on_where_it_stopped(number, tmp_path, capsys):
    before = signal.getsignal(number)
    whole, first, second = Losses(), Losses(), Losses()
    trainer(tmp_path / "whole", whole).fit(TinyModule(), TinyData())
    with pytest.raises(SystemExit) as left:
        trainer(tmp_path, first, PreemptionCheckpoint(), Signalled(number, 2)).fit(TinyModule(), TinyData())
    assert left.value.code == REQUEUE != 0 and list(first.values) == [1, 2, 3]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["preempted.ckpt"]
    assert signal.getsignal(number) == before
    assert f"step 3 is saved in {tmp_path / 'preempted.ckpt'}. To go on: tbd fit --ckpt_path " in capsys.readouterr().err
    trainer(tmp_path, second, PreemptionCheckpoint()).fit(TinyModule(), TinyData(), ckpt_path=tmp_path / "preempted.ckpt")
    assert first.values | second.values == whole.values and list(second.values) == [4, 5]


class Worsens(L.Callback):
    """What is monitored gets worse at every validation, so that the first checkpoint stays the best."""

    def on_validation_epoch_end(self, trainer, module) -> None:
        module.log("val/worse", float(trainer.global_step))


class Stops(L.Callback):
    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        trainer.should_stop = trainer.global_step == 3


def steps_of(path) -> int:
    return torch.load(path, weights_only=False)["global_step"]


@pytest.mark.parametrize(
    ("options", "ends", "step"),
    [
        ({"steps": 5}, [], 5),
        ({"steps": -1, "max_epochs": 1}, [], None),
        ({"steps": 100}, [Stops()], 3),
        ({"steps": 4}, [EMAWeightAveraging()], 4),
    ],
    ids=["steps", "epochs", "stopped", "averaged"],
)
def test_last_is_what_the_run_ended_with_and_best_is_kept(options, ends, step, tmp_path):
    """Also where nothing monitored has improved since the first validation, and the run ends between two intervals."""
    best = ModelCheckpoint(monitor="val/worse", filename="best-{step}", save_last=True)
    checkpoints = {"enable_checkpointing": True, "limit_val_batches": 1, "val_check_interval": 1, "check_val_every_n_epoch": None}
    run = trainer(tmp_path, *ends, Worsens(), LastCheckpoint(every_n_train_steps=2), best, **{**checkpoints, **options})
    run.fit(TinyModule(), TinyData())
    step = step or run.num_training_batches
    assert run.global_step == step
    found = {path.name: steps_of(path) for path in (tmp_path / "checkpoints").iterdir()}
    assert found == {"last.ckpt": step, "best-step=1.ckpt": 1}


def test_last_keeps_up_on_the_way_and_training_goes_on_from_it(tmp_path):
    class Killed(L.Callback):
        def on_train_batch_start(self, trainer, module, batch, batch_idx) -> None:
            if trainer.global_step == 4:
                raise RuntimeError("no time to save")

    options = {"enable_checkpointing": True}
    whole, rest = Losses(), Losses()
    trainer(tmp_path / "whole", EMAWeightAveraging(), whole, steps=6).fit(TinyModule(), TinyData())
    with pytest.raises(RuntimeError, match="no time"):
        trainer(tmp_path, EMAWeightAveraging(), Killed(), LastCheckpoint(3), **options).fit(TinyModule(), TinyData())
    last = tmp_path / "checkpoints" / "last.ckpt"
    assert steps_of(last) == 3
    trainer(tmp_path, EMAWeightAveraging(), rest, LastCheckpoint(3), steps=6, **options).fit(
        TinyModule(), TinyData(), ckpt_path=last, weights_only=False
    )
    assert rest.values == {step: loss for step, loss in whole.values.items() if step > 3} and steps_of(last) == 6


def test_a_disk_that_fills_up_keeps_the_last_state_and_no_half_of_the_next(tmp_path, monkeypatch):
    run = trainer(tmp_path, LastCheckpoint(2), enable_checkpointing=True)
    save = run.save_checkpoint

    def fills_up(path, *arguments, **options):
        if run.global_step == 4:
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        save(path, *arguments, **options)

    monkeypatch.setattr(run, "save_checkpoint", fills_up)
    with pytest.raises(DiskError, match=r"last\.ckpt could not be written: the disk is full"):
        run.fit(TinyModule(), TinyData())
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["last.ckpt"]
    assert steps_of(tmp_path / "checkpoints" / "last.ckpt") == 2


def test_intervals_that_steps_jump_over_are_kept(tmp_path, monkeypatch):
    """A batch of two optimizers makes two steps: 3 is never met."""
    saved = []
    monkeypatch.setattr("tbd.training.callbacks.save_whole", lambda run, path: saved.append(run.global_step))
    monkeypatch.setattr(L.Trainer, "global_step", property(lambda run: 2 * run.fit_loop.epoch_loop.batch_progress.total.processed))
    trainer(tmp_path, LastCheckpoint(3), steps=10, enable_checkpointing=True).fit(TinyModule(), TinyData())
    assert saved[:2] == [4, 6]


def test_ctrl_c_saves_the_step_and_says_how_to_go_on(tmp_path, capsys):
    preemption = PreemptionCheckpoint()
    preemption.arguments = ["fit", "--config", "my run.yaml", "--ckpt_path", "old.ckpt"]
    with pytest.raises(SystemExit) as left:
        trainer(tmp_path, preemption, LastCheckpoint(), Signalled(signal.SIGINT, 1), enable_checkpointing=True).fit(
            TinyModule(), TinyData()
        )
    last = tmp_path / "checkpoints" / "last.ckpt"
    assert left.value.code == INTERRUPTED and steps_of(last) == 2
    assert f"To go on: tbd fit --config 'my run.yaml' --ckpt_path {last}" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


class SignalledInValidation(L.Callback):
    """Keeps the steps of validation batches; the signal comes in the second one behind a step."""

    def __init__(self, step: int = -1) -> None:
        self.step, self.batches = step, []

    def on_validation_batch_start(self, trainer, module, batch, batch_idx, dataloader_idx=0) -> None:
        self.batches.append(trainer.global_step)
        if trainer.global_step == self.step and batch_idx == 1:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("step", [2, 5, 7], ids=["within an epoch", "at its end", "in the next"])
def test_a_long_validation_is_left_as_if_it_had_not_begun(step, tmp_path):
    """Slurm kills half a minute behind SIGTERM: what is saved are the weights that train, not their average, and no half validation."""
    options = {"limit_val_batches": 1.0, "val_check_interval": step % 5 or 1.0, "num_sanity_val_steps": 0, "steps": 12}
    whole, first, second, slow, rest = Losses(), Losses(), Losses(), SignalledInValidation(step), SignalledInValidation()
    straight, resumed = TinyModule(), TinyModule()
    trainer(tmp_path / "whole", EMAWeightAveraging(decay=0.5), whole, **options).fit(straight, TinyData())
    with pytest.raises(SystemExit) as left:
        trainer(tmp_path, EMAWeightAveraging(decay=0.5), first, slow, PreemptionCheckpoint(), **options).fit(TinyModule(), TinyData())
    assert left.value.code == REQUEUE and slow.batches.count(step) == 2 and max(first.values) == step
    again = trainer(tmp_path, EMAWeightAveraging(decay=0.5), second, rest, PreemptionCheckpoint(), **options)
    again.fit(resumed, TinyData(), ckpt_path=tmp_path / "preempted.ckpt", weights_only=False)
    assert first.values | second.values == whole.values and min(second.values) == step + 1
    assert len(rest.batches) % 5 == 0 and min(rest.batches) > step  # validations behind it are whole ones
    for (name, a), b in zip(straight.named_parameters(), resumed.parameters()):
        assert torch.equal(a, b), name


def test_ctrl_c_twice_leaves_at_once(tmp_path):
    class Twice(L.Callback):
        def on_train_batch_start(self, trainer, module, batch, batch_idx) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(SystemExit):
        trainer(tmp_path, PreemptionCheckpoint(), LastCheckpoint(), Twice(), enable_checkpointing=True).fit(TinyModule(), TinyData())
    assert not list(tmp_path.rglob("*.ckpt"))


def test_out_of_memory_says_what_to_change(tmp_path):
    model = tiny_video_model()

    def burst(batch, batch_idx):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    model.training_step = burst
    with pytest.raises(InputError, match=r"2 windows of 6 frames.*batch_size=1"):
        trainer(tmp_path, MemoryAdvice()).fit(model, TinyVideoData())
    with pytest.raises(InputError, match=r"memory\.gradient_checkpointing=some"):
        trainer(tmp_path, MemoryAdvice()).fit(model, TinyVideoData(batch_size=1))
