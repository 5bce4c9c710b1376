"""Suggest the nearest valid name for a misspelt one: classes that fit an option, arguments that a class takes."""

import dataclasses
import difflib
import importlib
import inspect
import sys
import typing
from collections.abc import Iterable, Sequence
from typing import Any

_TOP_LEVEL_BASES = {
    "model": "lightning.LightningModule",
    "data": "lightning.LightningDataModule",
    "trainer.callbacks": "lightning.Callback",
    "trainer.logger": "lightning.pytorch.loggers.Logger",
    "trainer.strategy": "lightning.pytorch.strategies.Strategy",
    "trainer.profiler": "lightning.pytorch.profilers.Profiler",
}
"""Base classes of the options of `tbd fit` that are no class's argument."""
_COMPONENT_MODULES = (
    *("draw.motion.diffusion", "draw.motion.distillation", "draw.video.diffusion", "draw.guidance.diffusers", "draw.guidance.progressive"),
    *("draw.guidance.classifier_free", "draw.conditioning.text_plan_encoder"),
    *(f"data.datamodules.{name}" for name in ("mead", "hdtf", "folder", "mixture", "procedural", "video")),
)
"""Modules of tbd with components, imported only to suggest one."""


def suggest(wrong: str, known: Sequence[str], otherwise: str | None = "there are", cutoff: float = 0.6) -> str:
    """Complete a sentence about an unknown name with the nearest valid one.

    Args:
        wrong: Name that was given.
        known: Valid names.
        otherwise: Words before a list of valid names if none is near; None for no list.
        cutoff: Minimum similarity, 0..1.

    Returns:
        End of the sentence, "" if there is nothing to suggest.

    Example:
        >>> suggest("swich", ["switch", "width"])
        '; did you mean switch?'
    """
    match = difflib.get_close_matches(wrong, known, 1, cutoff) or _by_class_name(wrong, known)
    if match:
        return f"; did you mean {match[0]}?"
    return f"; {otherwise} {', '.join(list(known)[:12])}" if otherwise and known else ""


def _by_class_name(wrong: str, known: Iterable[str]) -> list[str]:
    """Compare the class names alone, in case the module is another."""
    lasts = {path.rpartition(".")[2].lower(): path for path in known}
    return [lasts[name] for name in difflib.get_close_matches(wrong.rpartition(".")[2].lower(), lasts, 1, 0.75)]


def import_path(path: str) -> Any:
    """Import an object by its dotted path.

    Args:
        path: Module and name.

    Returns:
        The object; None if there is none.
    """
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None)
    except (ImportError, ValueError):
        return None


def constructor_arguments(class_path: str) -> list[str]:
    """List the arguments of a constructor, including those that it passes on to its base classes.

    Args:
        class_path: Dotted path of the class.

    Returns:
        Names, in order; empty if there is no such class.
    """
    names: dict[str, None] = {}
    kind = import_path(class_path)
    for part in getattr(kind, "__mro__", ())[:-1]:
        parameters = inspect.signature(part).parameters.values()
        names |= dict.fromkeys(p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return list(names)


def nested_arguments(class_path: str, keys: Sequence[str]) -> list[str]:
    """List what a constructor takes, or a group of its arguments.

    Args:
        class_path: Dotted path of the class.
        keys: Names of dataclasses on the way down, such as ``("optimizer",)``; none for the constructor itself.

    Returns:
        Names, in order; empty if there is no such class or group.

    Example:
        >>> nested_arguments("tbd.draw.motion.diffusion.MotionDiffusion", ["windows"])
        ['frames', 'past']
    """
    if not keys:
        return constructor_arguments(class_path)
    kind: Any = import_path(class_path)
    for key in keys:
        hint = typing.get_type_hints(kind.__init__).get(key) if kind is not None else None
        kind = next((one for one in (hint, *typing.get_args(hint)) if inspect.isclass(one) and dataclasses.is_dataclass(one)), None)
    return [] if kind is None else [field.name for field in dataclasses.fields(kind)]


def slot_base_class(path: Sequence[str], owners: Sequence[str]) -> type | None:
    """Find the base class of the components that an option takes.

    Args:
        path: Keys from the top.
        owners: Class paths on the way; the option is an argument of the last one.

    Returns:
        The class; None if it cannot be found.
    """
    if len(path) < 2 or not owners or path[0] == "trainer":
        return import_path(_TOP_LEVEL_BASES.get(".".join(path), "")) if path else None
    owner = import_path(owners[-1])
    try:
        hint = typing.get_type_hints(owner.__init__).get(path[-1])
    except (NameError, TypeError, AttributeError):
        return None
    return next((kind for kind in (hint, *typing.get_args(hint)) if inspect.isclass(kind) and kind is not type(None)), None)


def component_classes(base: type | None, module: str | None = None) -> list[str]:
    """List the concrete subclasses of a class that are imported or lie in a module.

    Args:
        base: Base class; None for all classes of `module`.
        module: Module that is imported and searched as well.

    Returns:
        Dotted paths, sorted.
    """
    for module_name in _COMPONENT_MODULES:
        importlib.import_module(f"tbd.{module_name}")
    found: set[str] = set() if base is None else {_public(kind) for kind in _below(base)}
    try:
        members: dict[str, Any] = vars(importlib.import_module(module)) if module else {}
    except ImportError:
        members = {}
    for name, kind in members.items():
        if not inspect.isclass(kind) or name.startswith("_"):
            continue
        if issubclass(kind, base) if base else kind.__module__.startswith(str(module)):
            found = {path for path in found if path.rpartition(".")[2] != name} | {f"{module}.{name}"}
    return sorted(path for path in found if path)


def _below(base: type) -> Iterable[type]:
    subclasses: list[type] = base.__subclasses__()
    for kind in subclasses:
        if not inspect.isabstract(kind):
            yield kind
        yield from _below(kind)


def _public(kind: type) -> str:
    """Shortest path by which a class can be imported; "" for a private class."""
    if kind.__name__.startswith("_") or "<locals>" in kind.__qualname__:
        return ""
    parts = kind.__module__.split(".")
    for i in range(1, len(parts)):
        short = ".".join(parts[:i])
        if getattr(sys.modules.get(short), kind.__name__, None) is kind and parts[0] != "tbd":
            return f"{short}.{kind.__name__}"
    return f"{kind.__module__}.{kind.__name__}"
