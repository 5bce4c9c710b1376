"""Leaving in the middle of a validation: what is saved is the state before it, so that a resumed run is the run that was not stopped."""

import lightning as L
import torch
from lightning.pytorch.callbacks import WeightAveraging
from lightning.pytorch.trainer.states import TrainerFn


class ValidationExit:
    """Says where processes may agree to leave a validation, and undoes what it has changed of the state that is saved.

    A validation puts averaged weights in the place of those that train; a checkpoint that were saved then would train on from the average.
    """

    def __init__(self) -> None:
        self._common = 0.0

    def begin(self, trainer: L.Trainer) -> None:
        """Count the batches that all processes have. All processes call this, before a validation.

        Args:
            trainer: The trainer of the run.
        """
        self._common = 0.0
        if trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking:
            own = torch.tensor(float(min(trainer.num_val_batches[:1], default=0)), device=trainer.strategy.root_device)
            self._common = float(trainer.strategy.reduce(own, reduce_op="min"))

    def possible(self, batch_idx: int, dataloader_idx: int) -> bool:
        """Tell whether all processes come to the end of this batch of a training run's validation.

        Args:
            batch_idx: Number of the batch.
            dataloader_idx: Number of its loader.

        Returns:
            Whether all of them may agree there.
        """
        return dataloader_idx == 0 and batch_idx < self._common

    @staticmethod
    def rewind(trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Give the model back the weights that train. The validation cannot go on.

        Args:
            trainer: The trainer of the run.
            pl_module: Its model.
        """
        for callback in trainer.callbacks:  # type: ignore[attr-defined]  # set by a connector of Lightning
            if isinstance(callback, WeightAveraging):
                callback.on_validation_epoch_end(trainer, pl_module)
