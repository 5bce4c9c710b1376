"""Third-party weights: what exists, where it lies, who may use it. The registry is ``tbd/assets/weights.yaml``."""

import os
from pathlib import Path


def resolve(weights: str | os.PathLike) -> Path:
    """A path as it is, or a registry's name → the file in ``$TBD_WEIGHTS`` (default ``~/.cache/tbd/weights``).

    Raises:
        WeightsAbsent: a registered file is not there; its `command` fetches it.
        InputError: neither a file nor a registered name.
    """
    raise NotImplementedError


def checksum(path: str | os.PathLike) -> str:
    """sha256, hexadecimal."""
    raise NotImplementedError
