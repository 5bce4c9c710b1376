"""Find the configurations and ablations that ship with tbd, from a clone and from an installed wheel alike.

A clone keeps ``configs/`` and ``benchmarks/`` beside the package; a wheel carries copies inside it (see ``setup.py``).
"""

import difflib
from collections.abc import Sequence
from pathlib import Path

from tbd.errors import InputError

_PACKAGE = Path(__file__).resolve().parents[1]
_FOLDERS = ("configs", "benchmarks")
_FIRST = ("experiment", "trainer")
"""Folders of ``configs/`` that take precedence when several files have the same name."""


def shipped_folder(name: str) -> Path:
    """Return a folder that ships with tbd.

    Args:
        name: ``configs`` or ``benchmarks``.

    Returns:
        The folder in the installed package, or else beside the package in a clone.
    """
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def find_shipped(name: str, folder: str) -> Path | None:
    """Find a shipped YAML file by its name or by its path in the repository.

    Args:
        name: Such as ``motion_mini``, ``trainer/cpu``, ``motion_mini.yaml`` or ``configs/experiment/motion_mini.yaml``.
        folder: Where to look: ``configs`` or ``benchmarks``.

    Returns:
        The file, or None if no shipped file has that name.

    Example:
        >>> find_shipped("motion_mini", "configs").parent.name
        'experiment'
        >>> find_shipped("no_such_file", "configs") is None
        True
    """
    root, wanted = shipped_folder(folder), Path(name)
    parts = wanted.parts[1:] if wanted.parts[:1] == (folder,) else wanted.parts
    if not parts or wanted.is_absolute() or wanted.suffix not in ("", ".yaml") or ".." in parts:
        return None
    relative = Path(*parts).with_suffix(".yaml")
    if len(parts) > 1:
        return root / relative if (root / relative).is_file() else None
    return min(root.rglob(relative.name), key=_rank, default=None)


def _rank(path: Path) -> tuple[int, str]:
    folder = path.parent.name
    return (_FIRST.index(folder) if folder in _FIRST else len(_FIRST), str(path))


def shipped_names(folder: str) -> list[str]:
    """Return the names under which `find_shipped` finds the files of a folder, sorted."""
    return sorted({path.stem for path in shipped_folder(folder).rglob("*.yaml")})


def resolve_shipped_configs(arguments: Sequence[str]) -> list[str]:
    """Replace the names of shipped configurations in a command line by their paths.

    A value of ``--config`` may be a bare name; any other value is replaced only where it is written as a path that
    starts with ``configs/``. Files that exist in the user's working directory take precedence.

    Args:
        arguments: Command line after ``tbd fit``.

    Returns:
        The arguments with paths that exist.

    Raises:
        InputError: If the value of ``--config`` is neither a file nor the name of a shipped one.
    """
    resolved: list[str] = []
    for before, argument in zip(["", *arguments], arguments):
        option, sign, value = argument.partition("=")
        if argument.startswith("-") and sign:
            resolved.append(f"{option}={_path(value, option == '--config')}")
        else:
            resolved.append(argument if argument.startswith("-") else _path(argument, before == "--config"))
    return resolved


def _path(value: str, is_config: bool) -> str:
    """Return the path of a shipped configuration, or the value itself if it names none or is a file of the user's."""
    named = is_config or (value.startswith("configs/") and value.endswith(".yaml"))
    if not named or not value or "\n" in value or Path(value).exists():
        return value
    found = find_shipped(value, "configs")
    if found is None and is_config and not value.lstrip().startswith(("{", "model:", "data:", "trainer:")):
        near = difflib.get_close_matches(Path(value).stem, shipped_names("configs"), 1)
        raise InputError(
            f"There is no configuration {value}; give a YAML file, or the name of one that ships with tbd: "
            + (f"did you mean {near[0]}?" if near else f"{', '.join(shipped_names('configs'))}.")
        )
    return str(found or value)
