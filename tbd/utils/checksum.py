"""Compute SHA-256 checksums of values and of files."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_BLOCK = 1 << 20


def checksum(value: Any) -> str:
    """Hash plain values by their canonical JSON: sorted keys, no spaces, UTF-8.

    Args:
        value: Anything that JSON can hold; infinite numbers and NaN cannot be hashed.

    Returns:
        SHA-256, 64 hexadecimal digits.

    Example:
        >>> checksum({"b": 1, "a": 2.0}) == checksum({"a": 2.0, "b": 1})
        True
    """
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def checksum_of_names(names: Iterable[str]) -> str:
    """Hash a set of clip names: sorted, one a line.

    Args:
        names: Names in any order.

    Returns:
        SHA-256, 64 hexadecimal digits.

    Example:
        >>> checksum_of_names(["b", "a"]) == checksum_of_names(["a", "b"])
        True
    """
    return hashlib.sha256("".join(f"{name}\n" for name in sorted(names)).encode()).hexdigest()


def checksum_of_file(path: str | os.PathLike) -> str:
    """Hash the content of a file, block by block.

    Args:
        path: The file.

    Returns:
        SHA-256, 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def checksum_of_files(paths: Iterable[str | os.PathLike], root: str | os.PathLike) -> str:
    """Hash the list that ``sha256sum`` would print of files, sorted by name.

    Args:
        paths: Files below `root`.
        root: The folder from which the list's names start.

    Returns:
        SHA-256 of the list, 64 hexadecimal digits.
    """
    root = Path(root)
    lines = []
    for path in sorted(Path(p).relative_to(root).as_posix() for p in paths):
        lines.append(f"{checksum_of_file(root / path)}  {path}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()
