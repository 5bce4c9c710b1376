"""`tbd fit | validate | test | predict`: Lightning's own command line over our components."""

import lightning as L
import torch
from jsonargparse import set_parsing_settings
from lightning.pytorch.cli import ArgsType, LightningCLI

# Without these an override leaves interpolated values at their old number (jsonargparse 4.53; see tests/test_configs.py).
set_parsing_settings(omegaconf_absolute_to_relative_paths=True)


def lightning_cli(args: ArgsType = None, run: bool = True) -> LightningCLI:
    """Build model, data and trainer from YAML and options, and run the subcommand.

    Args:
        args: instead of the process's own arguments.
        run: False builds without running, for tests.
    """
    torch.set_float32_matmul_precision("high")
    return LightningCLI(
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
