"""`tbd fit | validate | test | predict`: Lightning's own command line over our components."""

from pathlib import Path

import lightning as L
import torch
from jsonargparse import set_parsing_settings
from lightning.pytorch.cli import ArgsType, LightningArgumentParser, LightningCLI

from tbd.callbacks import MemoryAdvice, PreemptionCheckpoint
from tbd.draw.checkpoints import require_whole

# Without these an override leaves interpolated values at their old number (jsonargparse 4.53; see tests/test_configs.py).
set_parsing_settings(omegaconf_absolute_to_relative_paths=True)


class _CLI(LightningCLI):
    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_lightning_class_args(PreemptionCheckpoint, "preemption")
        parser.add_lightning_class_args(MemoryAdvice, "memory_advice")

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """See that a checkpoint is whole before Lightning reads its hyperparameters and builds on it."""
        super().parse_arguments(parser, args)
        chosen = self.config[self.config.subcommand] if "subcommand" in self.config else self.config
        path = chosen.get("ckpt_path")
        if path and Path(path).suffix == ".ckpt" and not Path(path).is_dir():
            require_whole(path)


def lightning_cli(args: ArgsType = None, run: bool = True) -> LightningCLI:
    """Build model, data and trainer from YAML and options, and run the subcommand.

    Args:
        args: instead of the process's own arguments.
        run: False builds without running, for tests.
    """
    torch.set_float32_matmul_precision("high")
    return _CLI(
        L.LightningModule,
        L.LightningDataModule,
        subclass_mode_model=True,
        subclass_mode_data=True,
        auto_configure_optimizers=False,
        # a requeued job finds the config of its first start in the same folder
        save_config_kwargs={"overwrite": True},
        parser_kwargs={"parser_mode": "omegaconf+"},
        args=args,
        run=run,
    )
