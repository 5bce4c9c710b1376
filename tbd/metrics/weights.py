"""Third-party weights: what exists, where it lies, who may use it. The registry is ``tbd/assets/weights.yaml``.

Nothing is fetched but by `tbd weights fetch`, and nothing that a file holds is run: state dicts load with
``weights_only=True``, after the checksum was compared with the registry's where that is known.
"""

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tbd.errors import InputError
from tbd.metrics.base import WeightsAbsent

ENVIRONMENT = "TBD_WEIGHTS"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Weights:
    """One registered file.

    Args:
        name: what metrics and the command line call it.
        file: its name in the folder of weights.
        url: where its authors put it; "" where they offer no direct link, and `note` says how to get it.
        sha256: of the file, or None where no published source states it.
        licence: as its authors state it.
        use: who may use it for what, in one sentence.
        metrics: which metrics need it.
        note: anything else, or "".
    """

    name: str
    file: str
    url: str
    sha256: str | None
    licence: str
    use: str
    metrics: tuple[str, ...]
    note: str = ""

    @property
    def path(self) -> Path:
        """Where the file lies or would lie."""
        return folder() / self.file

    @property
    def command(self) -> str:
        """What fetches it."""
        return f"tbd weights fetch {self.name}"


def folder() -> Path:
    """``$TBD_WEIGHTS``, or ``~/.cache/tbd/weights``."""
    return Path(os.environ.get(ENVIRONMENT) or "~/.cache/tbd/weights").expanduser()


@cache
def registry() -> dict[str, Weights]:
    """Name → weights, in the registry's order."""
    import yaml

    rows = yaml.safe_load((files("tbd") / "assets/weights.yaml").read_text(encoding="utf-8"))
    return {name: Weights(name=name, **{**row, "metrics": tuple(row["metrics"])}) for name, row in rows.items()}


def find(name: str) -> Weights:
    """One entry of the registry.

    Raises:
        InputError: there is none of that name.
    """
    if name not in registry():
        raise InputError(f"There are no weights named {name}; `tbd weights list` shows {', '.join(registry())}.")
    return registry()[name]


def checksum(path: str | os.PathLike) -> str:
    """sha256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def resolve(weights: str | os.PathLike) -> Path:
    """A file as it is; else a registry's name → its file in `folder`, with the right checksum where one is registered.

    Raises:
        WeightsAbsent: the registered file is not there.
        InputError: neither a file nor a registered name, or a registered file with another checksum.
    """
    if Path(weights).is_file():
        return Path(weights)
    if os.fspath(weights) not in registry():
        raise InputError(f"There is no weights file {os.fspath(weights)}, and no registered weights of that name (`tbd weights list`).")
    entry = find(os.fspath(weights))
    if not entry.path.is_file():
        raise WeightsAbsent(entry.name, f"The weights {entry.name} are not at {entry.path}; `{entry.command}` fetches them.", entry.command)
    if entry.sha256 is not None and _checksum_of(entry.path, entry.path.stat().st_mtime_ns) != entry.sha256:
        raise InputError(
            f"{entry.path} is not the registered file of {entry.name}: its sha256 differs; remove it and run `{entry.command}`."
        )
    return entry.path


@cache
def _checksum_of(path: Path, changed: int) -> str:
    """The checksum of a file as it was when it was last written."""
    return checksum(path)


def load_state(weights: str | os.PathLike) -> dict[str, Tensor]:
    """The state dict in a weights file, on the CPU, read without running code.

    Checkpoints that hold it under ``state_dict`` are opened, and names that `DataParallel` begins with ``module.`` lose that.

    Args:
        weights: a file or a registry's name; see `resolve`. ``.safetensors`` or what `torch.save` wrote.

    Raises:
        WeightsAbsent, InputError: as `resolve`; or the file holds more than tensors, or none.
    """
    path = resolve(weights)
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's unpickler raises many kinds
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} cannot be read as a state dict without running code from it ({reason}).") from error
    state = content.get("state_dict", content) if isinstance(content, dict) else content
    if not isinstance(state, dict) or not any(isinstance(value, Tensor) for value in state.values()):
        raise InputError(f"{path} holds no state dict.")
    return {key.removeprefix("module."): value for key, value in state.items() if isinstance(value, Tensor)}
