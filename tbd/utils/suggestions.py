"""Names near a misspelt one: of classes that fit a slot, of arguments that a class takes."""

import difflib
import importlib
import inspect
import sys
import typing
from collections.abc import Iterable, Sequence
from typing import Any

_TOPS = {
    "model": "lightning.LightningModule",
    "data": "lightning.LightningDataModule",
    "trainer.callbacks": "lightning.Callback",
    "trainer.logger": "lightning.pytorch.loggers.Logger",
    "trainer.strategy": "lightning.pytorch.strategies.Strategy",
    "trainer.profiler": "lightning.pytorch.profilers.Profiler",
}
"""What the slots of `tbd fit` that are no class's argument hold."""
_HOMES = (
    *("draw.motion.diffusion", "draw.motion.distillation", "draw.video.diffusion", "draw.guidance.diffusers", "draw.guidance.progressive"),
    *("draw.guidance.classifier_free", "draw.conditioning.text_plan_encoder"),
    *(f"data.datamodules.{name}" for name in ("mead", "hdtf", "folder", "mixture", "procedural", "video")),
)
"""Modules of tbd with components, imported only to name one."""


def near(wrong: str, known: Sequence[str], otherwise: str | None = "there are", cutoff: float = 0.6) -> str:
    """The end of a sentence about a wrong name.

    Args:
        wrong: As given.
        known: What would be right.
        otherwise: How a list of all begins where none is near; None for nothing then.
        cutoff: How like they must be, 0..1.

    Example:
        >>> near("swich", ["switch", "width"])
        '; did you mean switch?'
    """
    match = difflib.get_close_matches(wrong, known, 1, cutoff) or _by_last(wrong, known)
    if match:
        return f"; did you mean {match[0]}?"
    return f"; {otherwise} {', '.join(list(known)[:12])}" if otherwise and known else ""


def _by_last(wrong: str, known: Iterable[str]) -> list[str]:
    """The class's name alone, where its module is another."""
    lasts = {path.rpartition(".")[2].lower(): path for path in known}
    return [lasts[name] for name in difflib.get_close_matches(wrong.rpartition(".")[2].lower(), lasts, 1, 0.75)]


def import_path(path: str) -> Any:
    """A class by its dotted path, or None."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None)
    except (ImportError, ValueError):
        return None


def arguments_of(class_path: str) -> list[str]:
    """What a class takes, those that it hands on to its bases included."""
    names: dict[str, None] = {}
    kind = import_path(class_path)
    for part in getattr(kind, "__mro__", ())[:-1]:
        parameters = inspect.signature(part).parameters.values()
        names |= dict.fromkeys(p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return list(names)


def base_of(path: Sequence[str], owners: Sequence[str]) -> type | None:
    """The class that a slot takes.

    Args:
        path: Keys from the top.
        owners: Class paths on the way to the slot; the last one's argument it is.
    """
    if len(path) < 2 or not owners or path[0] == "trainer":
        return import_path(_TOPS.get(".".join(path), "")) if path else None
    owner = import_path(owners[-1])
    try:
        hint = typing.get_type_hints(owner.__init__).get(path[-1])
    except (NameError, TypeError, AttributeError):
        return None
    return next((kind for kind in (hint, *typing.get_args(hint)) if inspect.isclass(kind) and kind is not type(None)), None)


def classes_of(base: type | None, module: str | None = None) -> list[str]:
    """Dotted paths of the concrete classes of a kind that are imported, or lie in a module.

    Args:
        base: None for any class, of `module` alone.
        module: Is imported for it.
    """
    for home in _HOMES:
        importlib.import_module(f"tbd.{home}")
    found = set() if base is None else {_public(kind) for kind in _below(base)}
    try:
        members = vars(importlib.import_module(module)) if module else {}
    except ImportError:
        members = {}
    for name, kind in members.items():
        if not inspect.isclass(kind) or name.startswith("_"):
            continue
        if issubclass(kind, base) if base else kind.__module__.startswith(str(module)):
            found = {path for path in found if path.rpartition(".")[2] != name} | {f"{module}.{name}"}
    return sorted(path for path in found if path)


def _below(base: type) -> Iterable[type]:
    for kind in base.__subclasses__():
        if not inspect.isabstract(kind):
            yield kind
        yield from _below(kind)


def _public(kind: type) -> str:
    """The shortest path by which a class can be imported; "" for a private one."""
    if kind.__name__.startswith("_") or "<locals>" in kind.__qualname__:
        return ""
    parts = kind.__module__.split(".")
    for i in range(1, len(parts)):
        short = ".".join(parts[:i])
        if getattr(sys.modules.get(short), kind.__name__, None) is kind and parts[0] != "tbd":
            return f"{short}.{kind.__name__}"
    return f"{kind.__module__}.{kind.__name__}"
