"""SHA-256 of values and of files."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def checksum(value: Any) -> str:
    """Of plain values, by their canonical JSON: sorted keys, no spaces, UTF-8.

    Example:
        >>> checksum({"b": 1, "a": 2.0}) == checksum({"a": 2.0, "b": 1})
        True
    """
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def checksum_of_names(names: Iterable[str]) -> str:
    """Of a set of clip names: the names in order, one a line.

    Example:
        >>> checksum_of_names(["b", "a"]) == checksum_of_names(["a", "b"])
        True
    """
    return hashlib.sha256("".join(f"{name}\n" for name in sorted(names)).encode()).hexdigest()


def checksum_of_files(paths: Iterable[str | os.PathLike], root: str | os.PathLike) -> str:
    """Of files, as ``sha256sum`` would list them by their names under `root`, in order."""
    root = Path(root)
    lines = []
    for path in sorted(Path(p).relative_to(root).as_posix() for p in paths):
        with open(root / path, "rb") as file:
            lines.append(f"{hashlib.sha256(file.read()).hexdigest()}  {path}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()
