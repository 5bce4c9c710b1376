"""The folder of a training run, and the configuration that it keeps there."""

from pathlib import Path

import lightning as L
from lightning.pytorch.cli import SaveConfigCallback
from typing_extensions import override


def run_folder(trainer: L.Trainer) -> Path:
    """Return the folder that belongs to this run alone, in which Lightning keeps its ``checkpoints``. All processes call this.

    ``trainer.log_dir`` is that folder for TensorBoard and CSV alone: all runs of Weights & Biases share theirs, and MLflow with a database
    has none.

    Args:
        trainer: The trainer of the run.

    Returns:
        ``save_dir/name/version`` of the first logger, below ``default_root_dir`` where it has no ``save_dir``; ``default_root_dir`` itself
        where there is no logger.
    """
    folder = Path(trainer.default_root_dir)
    if trainer.loggers:
        logger = trainer.loggers[0]
        version = logger.version if isinstance(logger.version, str) else f"version_{logger.version}"
        folder = Path(logger.save_dir or folder) / str(logger.name) / version
    # the other processes' loggers do not know the run
    return Path(trainer.strategy.broadcast(str(folder)))


class RunConfig(SaveConfigCallback):
    """Saves the whole configuration of a run in its folder, where whoever takes up its checkpoints looks for it."""

    @override
    def save_config(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / self.config_filename
        self.parser.save(self.config, str(path), skip_none=False, overwrite=self.overwrite, multifile=self.multifile)

    @override
    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        self._folder = run_folder(trainer)
        super().setup(trainer, pl_module, stage)
