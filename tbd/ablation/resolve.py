"""Turns an overlay into the whole configuration that `tbd fit` would read, and finds what of it a training depends on."""

import difflib
import inspect
import math
import re
import tempfile
from argparse import ArgumentError
from collections.abc import Iterator, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_args

import yaml

from tbd.ablation.study import Overlay, nearest_key, nested
from tbd.errors import InputError
from tbd.utils.checksum import checksum
from tbd.utils.class_path import Component, import_class

Config = dict[str, Any]
_NOT_LEARNT = ("default_root_dir", "logger", "enable_progress_bar", "enable_model_summary", "log_every_n_steps", "accelerator", "devices",
            "enable_autolog_hparams", "num_sanity_val_steps", "profiler", "model_registry")  # fmt: skip
"""Arguments of the trainer that say where it trains and what it prints, not what is learnt."""
CHECKPOINT = "lightning.pytorch.callbacks.ModelCheckpoint"
"""A callback that saves weights and changes none."""


def resolve_overlay(base: Sequence[str], overlays: Sequence[Overlay], what: str) -> Config:
    """Resolve a configuration from files and what is changed in them.

    Args:
        base: Experiment files, later ones over earlier ones.
        overlays: Changes over these, in order.
        what: What messages call the configuration.

    Returns:
        The whole configuration, every option with its value.

    Raises:
        InputError: If a key does not exist (the nearest is named), or a value does not fit.
    """
    from tbd.training.main import resolve

    with tempfile.TemporaryDirectory() as folder:
        arguments = [part for path in base for part in ("--config", str(path))]
        for number, overlay in enumerate(overlays):
            path = Path(folder) / f"{number}.yaml"
            path.write_text(yaml.safe_dump(nested(overlay)), encoding="utf-8")
            arguments += ["--config", str(path)] if overlay else []
        try:
            config = resolve(arguments)
        except (ArgumentError, TypeError, ValueError) as error:
            raise InputError(f"{what}: {explain(str(error))}") from error
        except SystemExit as error:
            raise InputError(f"{what}: the configuration cannot be parsed; `tbd fit --print_config` with its files says more.") from error
    for overlay in overlays:
        _require_taken(config, nested(overlay), what)
    return config


def explain(message: str) -> str:
    """Turn a message of jsonargparse about a wrong key into one sentence with the nearest right key, and any other into one line."""
    found = re.search(r"[Oo]ption '([^']+)'", message)
    if not found:
        return " ".join(message.split())[:400]
    wrong = found[1].split(".")[0]
    before = message[: found.start()]
    classes = re.findall(r"class_path '([^']+)'", before)
    place = classes[-1] if classes else "lightning.Trainer" if "'trainer'" in message else None
    if place is None:
        return f"there is no key {wrong}."
    kind = import_class(place)
    if group := re.search(r"[Gg]roup '([^']+)' does not accept $", before):
        kind = _options(kind, group[1])
    known = _arguments(kind)
    near = difflib.get_close_matches(wrong, known, 1, 0.5)
    return f"{kind.__name__} has no key {wrong}; " + (f"the nearest is {near[0]}." if near else f"it has {', '.join(known)}.")


def _options(kind: type, argument: str) -> type:
    """The dataclass of an argument that groups options, or `kind` itself."""
    found = inspect.signature(kind).parameters.get(argument)
    hints = () if found is None else (found.annotation, *get_args(found.annotation))
    return next((hint for hint in hints if isinstance(hint, type) and is_dataclass(hint)), kind)


def _arguments(leaf: type) -> list[str]:
    names: dict[str, None] = {}
    for kind in leaf.__mro__[:-1]:
        parameters = inspect.signature(kind).parameters.values()
        names |= dict.fromkeys(p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return list(names)


def leaves(config: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Walk through a configuration.

    Args:
        config: Nested mappings, and lists of them.
        path: The dotted key of `config` itself.

    Yields:
        Dotted key and value of everything that is not a mapping; components in a list are numbered, such as ``callbacks[0].class_path``.
    """
    if isinstance(config, dict) and config:
        for key, value in config.items():
            yield from leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(config, list) and any(isinstance(value, dict) for value in config):
        for place, value in enumerate(config):
            yield from leaves(value, f"{path}[{place}]")
    else:
        yield path, config


def difference(base: Config, other: Config) -> dict[str, tuple[Any, Any]]:
    """Compare two configurations.

    Args:
        base: A configuration.
        other: Another one.

    Returns:
        Dotted key → the value in `base` and in `other`, None where it is absent; keys with the same value are left out.
    """
    a, b = dict(leaves(base)), dict(leaves(other))
    return {key: (a.get(key), b.get(key)) for key in {**a, **b} if a.get(key) != b.get(key)}


def _require_taken(config: Config, overlay: Overlay, what: str) -> None:
    """Refuse arguments that have got lost: jsonargparse silently drops those that another ``class_path`` does not take."""
    taken = dict(leaves(config))
    for key, value in leaves(overlay):
        if value == {}:
            continue
        if key not in taken:
            raise InputError(f"{what}: there is no key {key} where it is set{nearest_key(key, taken)}")


def training_part(config: Config) -> Config:
    """Select the part of a configuration that the trained weights depend on.

    Left out are the arguments that the model's class names in ``weightless_arguments``, and where the trainer runs and logs. Of the
    noise scheduler only its training noise counts, so that samplers of one noise share a training.
    """
    model = config["model"]
    weightless = set(getattr(import_class(model["class_path"]), "weightless_arguments", ()))
    arguments = {key: value for key, value in model["init_args"].items() if key not in weightless}
    if isinstance(arguments.get("noise_scheduler"), dict):
        arguments["noise_scheduler"] = _training_noise(arguments["noise_scheduler"])
    trainer = {key: value for key, value in config["trainer"].items() if key not in _NOT_LEARNT}
    trainer["callbacks"] = [c for c in trainer.get("callbacks") or [] if c["class_path"] != CHECKPOINT]
    return {"model": {**model, "init_args": arguments}, "data": config["data"], "trainer": trainer}


def _training_noise(component: dict[str, Any]) -> dict[str, Any]:
    """The noise levels and what is predicted, or the whole component if it does not have them, which is refused when it is built."""
    from tbd.draw.noise_scheduler import noise_process

    try:
        process = noise_process(import_class(component["class_path"])(**component.get("init_args", {})))
    except TypeError:
        return component
    levels = [[round(x, 7) for x in level] for level in process.levels().tolist()]
    return {"levels": checksum(levels), "prediction_type": process.prediction_type}


def training_key(config: Config) -> str:
    """Return sixteen hexadecimal digits that are equal for equal trainings."""
    return checksum_of_config(training_part(config))[:16]


def checksum_of_config(values: Any) -> str:
    """Compute the `checksum` of a configuration, with numbers that JSON lacks written as words, and 2.0 as 2.

    Where a type allows both, Python versions differ in which of the two a file's 2 is read as, and a sweep may go on under another one.

    Args:
        values: Nested mappings and lists of plain values.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> checksum_of_config({"a": float("-inf"), "b": 2.0}) == checksum({"a": "-inf", "b": 2})
        True
    """

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(own) for key, own in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(own) for own in value]
        if not isinstance(value, float):
            return value
        if not math.isfinite(value):
            return str(value)
        return int(value) if value.is_integer() else value

    return checksum(plain(values))


def require_trained_alike(config: Config, folder: str, what: str) -> None:
    """Refuse a checkpoint of another model than the configuration's.

    Args:
        config: The whole configuration of the variant.
        folder: The checkpoint: a folder with ``config.yaml`` and ``model.safetensors``.
        what: What messages call the variant.

    Raises:
        InputError: If the folder holds no model, or one that was trained in another way; the first difference is named.
    """
    path = Path(folder) / "config.yaml"
    if not (path.is_file() and (Path(folder) / "model.safetensors").is_file()):
        raise InputError(f"{what}: the checkpoint {folder} lacks config.yaml or model.safetensors; `python -m tbd.draw.export` makes both.")
    there = yaml.safe_load(path.read_text(encoding="utf-8"))
    whole = {**config, **there}
    rest = () if "data" in there else ("data", "trainer")
    ours, theirs = training_part(config), training_part(whole)
    named = dict(leaves(theirs))  # an older file may lack an argument that was added since, with its default
    differs = {key: pair for key, pair in difference(ours, theirs).items() if key.split(".")[0] not in rest and key in named}
    if differs:
        key, (own, other) = next(iter(differs.items()))
        raise InputError(f"{what}: the checkpoint {folder} is of another config: {key} is {other} there and {own} here.")


def component(values: dict[str, Any]) -> Component:
    """Return a part of a configuration as a component."""
    return Component(class_path=values["class_path"], init_args=values.get("init_args") or {})
