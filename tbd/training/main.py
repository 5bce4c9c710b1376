"""`tbd fit | validate | test`: Lightning's own command line over our components."""

import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L
import torch
import yaml
from jsonargparse import set_parsing_settings
from lightning.pytorch.accelerators import AcceleratorRegistry
from lightning.pytorch.cli import ArgsType, LightningArgumentParser, LightningCLI
from lightning.pytorch.strategies import StrategyRegistry
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher

from tbd.draw.checkpoint import require_checkpoint
from tbd.draw.motion.logging import MotionVideoLogger
from tbd.errors import InputError
from tbd.training.callbacks import LastCheckpoint, MemoryAdvice, PreemptionCheckpoint, closing_report, has_begun, leave_the_others
from tbd.training.divergence import DivergenceCheck
from tbd.training.launcher import launch
from tbd.training.progress import show_figures, with_reporting
from tbd.training.resume import find_checkpoint
from tbd.training.run_folder import RunConfig
from tbd.training.weights_check import require_sources
from tbd.utils.file_checks import check_folder
from tbd.utils.jobs.threads import describe_threads
from tbd.utils.options.errors import explain_build_errors, explain_option_errors, explain_trainer_errors
from tbd.utils.options.suggestions import suggest

# Without these an override leaves interpolated values at their old number (jsonargparse 4.53; see tests/test_configs.py).
set_parsing_settings(omegaconf_absolute_to_relative_paths=True)
_PROCESS_ARGUMENTS = ("accelerator", "devices", "num_nodes", "strategy", "plugins", "precision")
"""Arguments of the trainer that decide how many processes train."""


class _Parser(LightningArgumentParser):
    """Takes no option for another that begins alike, also within a component: jsonargparse makes those parsers of this class."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})


class _CLI(LightningCLI):
    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_lightning_class_args(LastCheckpoint, "last_checkpoint")
        parser.add_lightning_class_args(PreemptionCheckpoint, "preemption")
        parser.add_lightning_class_args(MemoryAdvice, "memory_advice")

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """See that a checkpoint is whole before anything is built for it."""
        super().parse_arguments(parser, args)
        chosen = self._chosen()
        path = chosen.get("ckpt_path")
        if path in ("last", "best"):
            path = chosen["ckpt_path"] = find_checkpoint(path, chosen.trainer.default_root_dir)
        if path and path != "hpc" and ":" not in str(path) and not Path(path).is_dir():  # Lightning's own names, and addresses
            require_checkpoint(path)

    def _parse_ckpt_path(self) -> None:
        """Leave a checkpoint's hyperparameters alone: Lightning puts them in the place of what the user gave, without a word.

        Another guidance, sampler or learning rate would never reach a model that is tested or trained further; and weights that do not fit
        the configuration are refused when they are loaded (`tbd.draw.optim.ExactModule.on_load_checkpoint`).
        """

    def _chosen(self) -> Any:
        """The subcommand's part of the configuration."""
        return self.config[self.config.subcommand] if "subcommand" in self.config else self.config

    def instantiate_trainer(self, **kwargs: Any) -> L.Trainer:
        trainer = super().instantiate_trainer(
            **{**with_reporting(self._get(self.config_init, "trainer", default={}), [MotionVideoLogger(), DivergenceCheck()]), **kwargs}
        )
        callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]  # set by a connector of Lightning
        for callback in callbacks:
            if isinstance(callback, PreemptionCheckpoint) and isinstance(self.arguments, Sequence):
                callback.arguments = self.arguments
        return trainer

    def validate(self, **options: Any) -> None:
        show_figures(self.trainer, self.trainer.validate(**{**options, "verbose": False}), options.get("verbose", True))

    def test(self, **options: Any) -> None:
        show_figures(self.trainer, self.trainer.test(**{**options, "verbose": False}), options.get("verbose", True))

    def after_fit(self) -> None:
        """Lightning calls a run without any step a success."""
        if has_begun(self.trainer) or (self._chosen().get("ckpt_path") and self.trainer.global_step):  # all steps were done before
            return
        for name in ("max_steps", "max_epochs"):
            if getattr(self.trainer, name) == 0:
                raise InputError(f"There was nothing to train: trainer.{name} is 0.")
        limit = self.trainer.limit_train_batches
        raise InputError(f"There was nothing to train on: the data give no batch (trainer.limit_train_batches is {limit}).")

    arguments: ArgsType = None
    """What this was built from, for messages."""


class _Command(_CLI):
    """`tbd fit` as a user starts it: one process per device, and errors in one sentence."""

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        assert isinstance(args, list)  # `run` gives them
        self.arguments = args
        with explain_option_errors(args, self._subcommand_parsers.get(args[0])):
            super().parse_arguments(parser, args)

    def instantiate_classes(self) -> None:
        _require_machine(self._chosen().trainer)
        if self.config.subcommand == "fit":
            _require_folder(str(self._chosen().trainer.default_root_dir or "."))
        with explain_build_errors():
            processes, nodes = self._world()
        if os.environ.get("LOCAL_RANK", "0") == "0":
            require_sources(self._chosen().as_dict())
        if processes > 1:
            raise _SeveralProcesses(processes, nodes)
        with explain_build_errors():
            super().instantiate_classes()
        if os.environ.get("LOCAL_RANK", "0") == "0":
            print(f"tbd {self.config.subcommand}: {describe_threads()}", file=sys.stderr)

    def after_fit(self) -> None:
        super().after_fit()
        report = closing_report(self.trainer)
        if self.trainer.is_global_zero:
            print(f"tbd fit: {report}", file=sys.stderr)

    def _world(self) -> tuple[int, int]:
        """Processes that this one has to start on this machine, and machines; 1 where something else starts them."""
        chosen = self._chosen()
        if "LOCAL_RANK" in os.environ or os.name != "posix" or str(chosen.trainer.devices) == "1":
            return 1, 1
        only = self.config.clone()
        own = only[self.config.subcommand]
        own.pop("model", None), own.pop("data", None)
        own.trainer = type(own.trainer)({name: own.trainer[name] for name in _PROCESS_ARGUMENTS})
        built = self._get(self.parser.instantiate_classes(only), "trainer")
        with _silent():
            trainer = L.Trainer(**built, logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
        launcher = trainer.strategy.launcher
        if not isinstance(launcher, _SubprocessScriptLauncher) or launcher.cluster_environment.creates_processes_externally:
            return 1, 1
        return trainer.num_devices, trainer.num_nodes


def _require_folder(root: str) -> None:
    """Refuse a place for a run that takes no files."""
    option = "--trainer.default_root_dir"
    if "://" in root:  # where Lightning's loggers would write, while last.ckpt lay in a folder of that name here
        raise InputError(f"{option} {root} is an address; give a folder of this machine, and copy what it holds.")
    check_folder(option, root, {})


def _require_machine(trainer: Any) -> None:
    """Refuse names that are plain text to the trainer's parser."""
    for name, known in (
        ("strategy", StrategyRegistry.available_strategies()),
        ("accelerator", AcceleratorRegistry.available_accelerators()),
    ):
        value = trainer.get(name)
        if isinstance(value, str) and value not in (known := [*sorted(known), "auto", "gpu"]):
            raise InputError(f"--trainer.{name}: there is no {name} {value}{suggest(value, known)}")
    accelerator = trainer.get("accelerator")
    kinds = ("cuda", "mps") if accelerator == "gpu" else (accelerator,)
    if isinstance(accelerator, str) and accelerator != "auto" and not any(map(_is_here, kinds)):
        raise InputError(f"--trainer.accelerator: this machine has no {accelerator} that PyTorch can use; take cpu, or auto.")


def _is_here(accelerator: str) -> bool:
    try:
        return bool(AcceleratorRegistry[accelerator]["accelerator"].is_available())
    except ImportError:  # a TPU's, which a package of its own serves
        return False


class _SeveralProcesses(Exception):
    """Asks for several processes instead of this one; its arguments are those per machine and the machines."""


def run(arguments: Sequence[str]) -> int:
    """Run `tbd fit`, `tbd validate` or `tbd test`.

    Args:
        arguments: The command and its options.

    Returns:
        The exit code.

    Raises:
        InputError: If the configuration cannot be used.
        SystemExit: After ``--help``, ``--print_config``, or a signal that asked for the end.
    """
    try:
        _prepare()
        with explain_trainer_errors():
            _Command(**_options(list(arguments), run=True, exit_on_error=False))
        leave_the_others()
    except _SeveralProcesses as several:
        # main has taken it out
        return launch([*arguments, *(["--debug"] if "--debug" in sys.argv else [])], *several.args)
    except SystemExit as left:
        if isinstance(left.__context__, KeyboardInterrupt):  # Lightning's own way out, with 1
            raise KeyboardInterrupt from left
        raise
    return 0


def lightning_cli(args: ArgsType = None, run: bool = True) -> LightningCLI:
    """Build model, data and trainer from YAML and options, and run the subcommand.

    Args:
        args: The command and its options; those of this process by default. Options alone where nothing is run.
        run: Whether to run the command, rather than only to build.

    Returns:
        The built command line, with ``model``, ``datamodule`` and ``trainer``.
    """
    _prepare()
    return _CLI(**_options(args, run))


_RANK_ZERO = logging.getLogger("lightning.pytorch.utilities.rank_zero")
"""Lightning logs devices and advertisements here."""


_UNINFORMATIVE = (
    "💡",
    "`weights_only` was not set",
    "Seed set to",
    "GPU available: False",
    "TPU available",
    "HPU available",
    "Missing logger folder",
    "Restoring states from",  # and afterwards that they are restored
    "Found current_model_state",
    "`Trainer.fit` stopped: `max_",
    "Initializing distributed",
    "-" * 100,
)
"""Beginnings of messages that nobody can act on; which seed it is stands in the run's config.yaml, how many processes in our own line."""
_LOGGERS = (
    *(f"pytorch.{name}" for name in ("utilities.rank_zero", "trainer.connectors.checkpoint_connector", "core.saving")),
    *(f"fabric.utilities.{name}" for name in ("rank_zero", "seed", "distributed")),
)
"""Loggers of Lightning that write such things."""
_WARNINGS = (
    ".*isinstance.treespec, LeafSpec",
    # issued for every model that could be sharded, sharded or not (VideoDiffusion refuses where it is), and of every test
    "You're using the WeightAveraging callback",
    # a run that goes on in another folder keeps its best there
    "The dirpath has changed from",
    "LightningCLI's args parameter",
    "Precision .* is not supported by the model summary",
    # a DataModule that keeps its clips in memory loads nothing
    "The '.*' does not have many workers",
    # steps are counted through the epochs, and so are the intervals
    "The number of training batches .* is smaller than the logging interval",
)
"""Beginnings of warnings that are wrong here, or that a user cannot act on."""


def _useful(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    return not re.sub(r"^\[rank: \d+\] ", "", message).startswith(_UNINFORMATIVE)


@contextmanager
def _silent() -> Iterator[None]:
    before = _RANK_ZERO.level
    _RANK_ZERO.setLevel(logging.ERROR)
    try:
        yield
    finally:
        _RANK_ZERO.setLevel(before)


def _prepare() -> None:
    for name in _LOGGERS:
        logging.getLogger(f"lightning.{name}").addFilter(_useful)  # the same function is added once
    for beginning in _WARNINGS:
        warnings.filterwarnings("ignore", beginning)
    torch.set_float32_matmul_precision("high")


class _ParsedCLI(_CLI):
    """Parses, builds nothing, and does not seed this process."""

    def _set_seed(self) -> None:
        pass

    def instantiate_classes(self) -> None:
        pass


def resolve(arguments: Sequence[str]) -> dict[str, Any]:
    """Parse the options of `tbd fit` without building anything.

    Args:
        arguments: The options, such as ``["--config", "configs/experiment/motion_mini.yaml"]``.

    Returns:
        Every option with its value, as plain nested values.

    Raises:
        argparse.ArgumentError: If a key does not exist, or a value does not fit; in jsonargparse's words.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "LightningCLI's args parameter")
        parsed = _ParsedCLI(**_options(list(arguments), run=False, exit_on_error=False))
    # an option set to null on purpose (check_val_every_n_epoch) must not come back as its default
    return yaml.safe_load(parsed.parser.dump(parsed.config, skip_unset=False, skip_validation=True))  # what it has just parsed


def _options(args: ArgsType, run: bool, **parser: Any) -> dict[str, Any]:
    parser = {"parser_mode": "omegaconf+", **parser}
    own = {name: dict(parser) for name in _CLI.subcommands()} if run else {}
    return {
        "model_class": L.LightningModule,
        "datamodule_class": L.LightningDataModule,
        "subclass_mode_model": True,
        "subclass_mode_data": True,
        "auto_configure_optimizers": False,
        # a requeued job finds the config of its first start in the same folder
        "save_config_callback": RunConfig,
        "save_config_kwargs": {"overwrite": True, "save_to_log_dir": False},
        "parser_class": _Parser,
        "parser_kwargs": {**parser, **own},
        "args": args,
        "run": run,
    }
