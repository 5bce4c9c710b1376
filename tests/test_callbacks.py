"""Leaving in time: a signal ends a run after its step, with a checkpoint, and the code that job files requeue on."""

import os
import signal

import lightning as L
import pytest
import torch

from tbd.callbacks import REQUEUE, MemoryAdvice, PreemptionCheckpoint
from tbd.errors import InputError
from tests.draw.tiny_video import Losses, TinyVideoData, tiny_video_model


class Signalled(L.Callback):
    def __init__(self, number: int, step: int) -> None:
        self.number, self.step = number, step

    def on_train_batch_start(self, trainer, module, batch, batch_idx) -> None:
        if trainer.global_step == self.step:
            os.kill(os.getpid(), self.number)


def trainer(folder, *callbacks: L.Callback, steps: int = 5) -> L.Trainer:
    return L.Trainer(
        max_steps=steps, accelerator="cpu", logger=False, enable_progress_bar=False, enable_checkpointing=False, enable_model_summary=False,
        limit_val_batches=0, callbacks=list(callbacks), default_root_dir=folder,
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_preempted_run_goes_on_where_it_stopped(number, tmp_path):
    before = signal.getsignal(number)
    whole, first, second = Losses(), Losses(), Losses()
    trainer(tmp_path / "whole", whole).fit(tiny_video_model(), TinyVideoData())
    with pytest.raises(SystemExit) as left:
        trainer(tmp_path, first, PreemptionCheckpoint(), Signalled(number, 2)).fit(tiny_video_model(), TinyVideoData())
    assert left.value.code == REQUEUE != 0 and list(first.values) == [1, 2, 3]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["preempted.ckpt"]
    assert signal.getsignal(number) == before
    trainer(tmp_path, second, PreemptionCheckpoint()).fit(tiny_video_model(), TinyVideoData(), ckpt_path=tmp_path / "preempted.ckpt")
    assert first.values | second.values == whole.values and list(second.values) == [4, 5]


def test_out_of_memory_says_what_to_change(tmp_path):
    model = tiny_video_model()

    def burst(batch, batch_idx):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    model.training_step = burst
    with pytest.raises(InputError, match=r"2 windows of 6 frames.*batch_size=1"):
        trainer(tmp_path, MemoryAdvice()).fit(model, TinyVideoData())
    with pytest.raises(InputError, match="save_memory=some"):
        trainer(tmp_path, MemoryAdvice()).fit(model, TinyVideoData(batch_size=1))
