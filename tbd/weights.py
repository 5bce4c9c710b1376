"""Third-party weights: what exists, where it lies, who may use it. The registry is ``tbd/assets/weights.yaml``.

Nothing is fetched but by `fetch` (`tbd weights fetch`), and nothing that a file holds is run: state dicts load with
``weights_only=True``, after the file's checksum was compared with the registry's, or where no published source states one,
with the one that was noted when it was fetched.
"""

import hashlib
import json
import os
import shutil
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tbd import __version__
from tbd.errors import InputError, TBDError, first_line
from tbd.utils.atomic import atomic_output

if TYPE_CHECKING:
    from torch import Tensor, nn

ENVIRONMENT = "TBD_WEIGHTS"
_NOTED = "checksums.json"
_BLOCK = 1 << 20
_TIMEOUT = 30
"""Seconds without a byte after which a download has failed."""
Condition = Literal["absent", "verified", "as fetched", "unknown", "wrong"]


class WeightsAbsent(InputError):
    """Third-party weights are not on this machine. The metric that needs them is absent, the rest goes on.

    Args:
        name: the registry's name of the weights.
        message: one sentence with the place that was looked at.
        command: what fetches them.
    """

    def __init__(self, name: str, message: str, command: str) -> None:
        super().__init__(message)
        self.name, self.command = name, command


@dataclass(frozen=True)
class Weights:
    """One registered file.

    Args:
        name: what metrics and the command line call it.
        file: its name in `folder`.
        url: where its authors put it; "" where they offer no direct link, and `note` says how to get it.
        sha256: of the file; its first eight digits where only those are published (PyTorch's file names carry them); None
            where none is.
        licence: as its authors state it.
        use: who may use it for what, in one sentence.
        needed_by: metrics and other parts of tbd.
        note: anything else, or "".
    """

    name: str
    file: str
    url: str
    sha256: str | None
    licence: str
    use: str
    needed_by: tuple[str, ...]
    note: str = ""

    @property
    def path(self) -> Path:
        """Where the file lies or would lie."""
        return folder() / self.file

    @property
    def command(self) -> str:
        """What fetches it."""
        return f"tbd weights fetch {self.name}" + ("" if self.url else " --from FILE")


def folder() -> Path:
    """``$TBD_WEIGHTS``, or ``~/.cache/tbd``."""
    return Path(os.environ.get(ENVIRONMENT) or "~/.cache/tbd").expanduser()


@cache
def registry() -> dict[str, Weights]:
    """Name → weights, in the registry's order."""
    import yaml

    rows = yaml.safe_load((files("tbd") / "assets/weights.yaml").read_text(encoding="utf-8"))
    return {name: Weights(name=name, **{**row, "needed_by": tuple(row["needed_by"])}) for name, row in rows.items()}


def find(name: str) -> Weights:
    """One entry of the registry.

    Raises:
        InputError: there is none of that name.
    """
    if name not in registry():
        raise InputError(f"There are no weights named {name}; there are {', '.join(registry())}.")
    return registry()[name]


def checksum(path: str | os.PathLike) -> str:
    """sha256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


@cache
def _checksum_of(path: Path, changed: int, size: int) -> str:
    """The checksum of a file as it was when it was last written."""
    return checksum(path)


def _noted() -> dict[str, str]:
    """Name → checksum, of what was fetched without a published one."""
    try:
        return json.loads((folder() / _NOTED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def verify(weights: Weights) -> tuple[Condition, str]:
    """What is known of the file in its place.

    Returns:
        Its condition, and its sha256 ("" where it is absent). ``verified``: as published (by the digits that are);
        ``as fetched``: no checksum is published, the file is the one that was fetched; ``unknown``: nor was one noted;
        ``wrong``: another file than the published or the fetched one.
    """
    if not weights.path.is_file():
        return "absent", ""
    state = weights.path.stat()
    found = _checksum_of(weights.path, state.st_mtime_ns, state.st_size)
    if weights.sha256 is not None:
        return ("verified" if found.startswith(weights.sha256) else "wrong"), found
    noted = _noted().get(weights.name)
    return ("unknown" if noted is None else "as fetched" if noted == found else "wrong"), found


def fetch(
    name: str, source: str | os.PathLike | None = None, offline: bool = False, progress: Callable[[int, int], None] | None = None
) -> tuple[Condition, str]:
    """Put a registered file into its place, unless the right one is there.

    Args:
        name: the registry's.
        source: a copy of the file on this machine, for machines without internet; by default the registered URL.
        offline: never use the network: a file that is not there is an error.
        progress: is called with bytes so far and in all (0 where the server does not say).

    Returns:
        As `verify`.

    Raises:
        InputError: no such name, no direct link, `source` is not there, or the file has another checksum than the
            published one (it is not kept).
        WeightsAbsent: `offline`, and the file is not there.
        TBDError: the download failed.
    """
    weights = find(name)
    condition, found = verify(weights)
    if condition in ("verified", "as fetched") and source is None:
        return condition, found
    if source is None:
        if offline:
            raise WeightsAbsent(
                name, f"The weights {name} are not at {weights.path}, and --offline forbids fetching them.", weights.command
            )
        if not weights.url:
            raise InputError(f"The weights {name} have no direct link. {weights.note} Then: {weights.command}")
    elif not Path(source).is_file():
        raise InputError(f"There is no file {source} to take the weights {name} from.")
    with atomic_output(weights.path) as temporary:
        if source is None:
            _download(weights.url, temporary, progress)
        else:
            shutil.copyfile(source, temporary)
        found = checksum(temporary)
        if weights.sha256 is not None and not found.startswith(weights.sha256):
            origin = weights.url if source is None else source
            raise InputError(
                f"{origin} is not the file that {name} stands for: its sha256 is {found}, {weights.sha256} is right. It was not kept."
            )
    if weights.sha256 is None:
        with atomic_output(folder() / _NOTED) as temporary:
            temporary.write_text(json.dumps({**_noted(), name: found}, indent=1) + "\n", encoding="utf-8")
    return verify(weights)


def _download(url: str, target: Path, progress: Callable[[int, int], None] | None) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": f"tbd/{__version__}"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response, open(target, "wb") as file:
            total, done = int(response.headers.get("Content-Length") or 0), 0
            while block := response.read(_BLOCK):
                file.write(block)
                done += len(block)
                if progress is not None:
                    progress(done, total)
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise TBDError(f"Fetching {url} failed ({reason}). Try again, or get the file elsewhere and use --from.") from error
    if total and done != total:
        raise TBDError(f"Fetching {url} broke off after {done} of {total} bytes. Try again.")


def resolve(weights: str | os.PathLike) -> Path:
    """A file as it is; else a registry's name → its file, unless that is another than the published or fetched one.

    Raises:
        WeightsAbsent: the registered file is not there.
        InputError: neither a file nor a registered name, or a registered file with another checksum.
    """
    if Path(weights).is_file():
        return Path(weights)
    name = os.fspath(weights)
    if name not in registry():
        raise InputError(f"There is no weights file {name}, and no registered weights of that name (`tbd weights list`).")
    entry = find(name)
    condition, _ = verify(entry)
    if condition == "absent":
        raise WeightsAbsent(name, f"The weights {name} are not at {entry.path}; `{entry.command}` fetches them.", entry.command)
    if condition == "wrong":
        raise InputError(f"{entry.path} is not the file that {name} stands for, its sha256 differs; remove it and run `{entry.command}`.")
    return entry.path


def load_state(weights: str | os.PathLike) -> dict[str, "Tensor"]:
    """The state dict in a weights file, on the CPU, read without running code.

    Checkpoints that hold it under ``state_dict`` are opened, and names that `DataParallel` begins with ``module.`` lose that.

    Args:
        weights: a file or a registry's name; see `resolve`. ``.safetensors`` or what `torch.save` wrote.

    Raises:
        WeightsAbsent, InputError: as `resolve`; or the file holds more than tensors, or none.
    """
    import torch

    path = resolve(weights)
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's unpickler raises many kinds
        reason = first_line(error)
        raise InputError(f"{path} cannot be read as a state dict without running code from it ({reason}).") from error
    state = content.get("state_dict", content) if isinstance(content, dict) else content
    if not isinstance(state, dict) or not any(isinstance(value, torch.Tensor) for value in state.values()):
        raise InputError(f"{path} holds no state dict.")
    return {key.removeprefix("module."): value for key, value in state.items() if isinstance(value, torch.Tensor)}


def load_into(network: "nn.Module", weights: str | os.PathLike, what: str) -> None:
    """Fill a network with the state dict of a weights file.

    Args:
        network: its names and shapes must be the file's.
        weights: as in `load_state`.
        what: what messages call the network.

    Raises:
        WeightsAbsent, InputError: as `load_state`; or the file holds another network.
    """
    try:
        network.load_state_dict(load_state(weights))
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise InputError(f"{os.fspath(weights)} does not hold the weights of {what} ({reason}).") from error
