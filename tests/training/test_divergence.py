"""Runs that diverge end with a sentence, and leave the last state that is any good."""

import lightning as L
import pytest
import torch

from tbd.training.callbacks import LastCheckpoint
from tbd.training.divergence import DivergenceCheck, DivergenceError
from tests.training.test_callbacks import steps_of, trainer
from tests.training.tiny_module import TinyData, TinyModule


class Spoils(L.Callback):
    """A batch of step `step` holds what is no number."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer, module, batch, batch_idx) -> None:
        if trainer.global_step == self.step:
            batch["x"][:] = torch.nan


def test_a_loss_that_is_no_number_ends_the_run_at_the_next_look(tmp_path):
    options = {"steps": 9, "log_every_n_steps": 3, "enable_checkpointing": True}
    with pytest.raises(DivergenceError, match=r"diverged by step 6: the loss .* from before is .*last\.ckpt\."):
        trainer(tmp_path, DivergenceCheck(), LastCheckpoint(2), Spoils(4), **options).fit(TinyModule(), TinyData())
    assert steps_of(tmp_path / "checkpoints" / "last.ckpt") == 4


def test_weights_that_are_no_numbers_are_not_saved(tmp_path):
    options = {"steps": 9, "log_every_n_steps": 50, "enable_checkpointing": True}
    with pytest.raises(DivergenceError, match="weights are no numbers"):
        trainer(tmp_path, DivergenceCheck(), LastCheckpoint(3), Spoils(4), **options).fit(TinyModule(), TinyData())
    assert steps_of(tmp_path / "checkpoints" / "last.ckpt") == 3


def test_an_infinite_loss_alone_is_left_to_mixed_precision(tmp_path):
    class Infinite(TinyModule):
        def training_step(self, batch, batch_idx):
            loss = super().training_step(batch, batch_idx)
            return {"loss": loss, "shown": self.log("train/loss", torch.inf)}

    run = trainer(tmp_path, DivergenceCheck(), steps=4, log_every_n_steps=1)
    run.fit(Infinite(), TinyData())
    assert run.global_step == 4
