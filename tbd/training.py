"""`tbd fit | validate | test`: Lightning's own command line over our components."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
import yaml
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
    # said of every model that could be sharded, sharded or not; VideoDiffusion refuses where it is
    warnings.filterwarnings("ignore", "You're using the WeightAveraging callback with a model")
    return _CLI(**_options(args, run))


class _Unbuilt(_CLI):
    """Parses, and builds nothing, nor seeds the process that asks."""

    def _set_seed(self) -> None:
        pass

    def instantiate_classes(self) -> None:
        pass


def resolve(arguments: Sequence[str]) -> dict[str, Any]:
    """What `tbd fit` would build from these arguments: every option with its value, as plain values.

    Args:
        arguments: as after `tbd fit`, such as ``["--config", "configs/experiment/motion_mini.yaml"]``.

    Raises:
        argparse.ArgumentError: a key does not exist, or a value does not fit; jsonargparse's words.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "LightningCLI's args parameter")
        parsed = _Unbuilt(**_options(list(arguments), run=False, exit_on_error=False))
    # an option set to null on purpose (check_val_every_n_epoch) must not come back as its default
    return yaml.safe_load(parsed.parser.dump(parsed.config, skip_unset=False))


def _options(args: ArgsType, run: bool, **parser: Any) -> dict[str, Any]:
    return {
        "model_class": L.LightningModule,
        "datamodule_class": L.LightningDataModule,
        "subclass_mode_model": True,
        "subclass_mode_data": True,
        "auto_configure_optimizers": False,
        # a requeued job finds the config of its first start in the same folder
        "save_config_kwargs": {"overwrite": True},
        "parser_kwargs": {"parser_mode": "omegaconf+", **parser},
        "args": args,
        "run": run,
    }
