"""Resolve repositories of the Hugging Face hub to local folders: cached, downloaded, or one sentence within seconds.

The libraries' own ``from_pretrained`` ask the hub for file after file, and try each five times where there is no network.
"""

import os
import re
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from tbd.errors import InputError

_TIMEOUT = 2.0
"""Seconds in which a hub must answer; its own client tries for 23."""
_WEIGHT_FILE = re.compile(
    r"(?:diffusion_pytorch_model|pytorch_model|model)(?:\.(?P<variant>\w+))?(?:-\d+-of-\d+)?\.(?P<kind>safetensors|bin)$"
)
""" ``diffusion_pytorch_model.fp16.safetensors``, ``model-00001-of-00002.safetensors``, ``pytorch_model.bin`` …"""


def hub_folder(name: str, what: str, wanted: Callable[[Sequence[str]], Sequence[str]]) -> Path:
    """Return the local folder of a hub repository, and download what is missing if there is a network.

    Args:
        name: Name of the repository, ``owner/name``.
        what: Name of its content in messages, such as "text model".
        wanted: Function from all paths of the repository to those that are needed.

    Returns:
        Folder of the snapshot in the local cache.

    Raises:
        InputError: If the repository is not in the cache, and the hub cannot be reached or does not have it.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HFValidationError

    cached = cached_folder(name)
    if cached is not None and set(wanted(_paths(cached))):
        return cached
    try:
        if not reachable():
            raise ConnectionError(f"nothing answers within {_TIMEOUT:g} s")
        there = [file.rfilename for file in HfApi().model_info(name, timeout=_TIMEOUT * 5).siblings or ()]
        files = list(wanted(there))
        if not files:
            raise InputError(f"The hub repository {name} holds no {what}; it has {', '.join(sorted(there)[:6]) or 'no files'}.")
        return Path(snapshot_download(name, allow_patterns=files))
    except InputError:
        raise
    except HFValidationError as error:
        raise InputError(f"There is no folder or file {name} with {what}, and no hub repository can have that name.") from error
    except Exception as error:  # the client raises a dozen unrelated kinds for "not there" and "not reachable"
        raise InputError(
            f"There is no {what} {name}: not a folder or file, not in the hub's local cache, and the hub could not be reached or does "
            f"not have it. Where there is a network, `hf download {name}` fetches it; else give the path of a copy."
        ) from error


def cached_folder(name: str) -> Path | None:
    """Return the folder of a repository in the local cache, without asking the hub; None if it is not cached."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(name, local_files_only=True))
    except Exception:  # not cached, or no name that a repository can have
        return None
    return folder if any(folder.iterdir()) else None


def snapshot_folder(folder: Path) -> Path:
    """Step into a repository's folder in the hub's cache, ``models--owner--name``, which keeps its files in ``snapshots/REVISION``.

    Args:
        folder: Any folder.

    Returns:
        The revision that ``refs/main`` names, else the newest; any other folder as it is.
    """
    revisions = [path for path in folder.glob("snapshots/*") if path.is_dir()]
    main = folder / "refs" / "main"
    named = main.read_text(encoding="utf-8").strip() if main.is_file() else ""
    return next((path for path in revisions if path.name == named), max(revisions, key=lambda path: path.stat().st_mtime, default=folder))


def offline() -> bool:
    """Return whether the environment forbids asking the hub (``HF_HUB_OFFLINE``)."""
    from huggingface_hub import constants

    return constants.HF_HUB_OFFLINE or os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def reachable() -> bool:
    """Return whether the hub may be asked, and something answers at its address or at the proxy's."""
    from huggingface_hub.constants import ENDPOINT

    if offline():
        return False
    url = urlsplit(getproxies().get(urlsplit(ENDPOINT).scheme) or ENDPOINT)
    port = url.port or (80 if url.scheme == "http" else 443)
    answered = threading.Event()
    # in a thread, since looking a name up has no time limit of its own
    threading.Thread(target=_connect, args=(url.hostname or "", port, answered), daemon=True).start()
    return answered.wait(_TIMEOUT)


def _connect(host: str, port: int, answered: threading.Event) -> None:
    try:
        with socket.create_connection((host, port), timeout=_TIMEOUT):
            answered.set()
    except OSError:
        pass


def _paths(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def weight_file(names: Iterable[str]) -> dict[str, Any]:
    """Choose the weights that ``from_pretrained`` should load from a folder.

    Args:
        names: Names of the folder's files.

    Returns:
        Arguments of ``from_pretrained``: whether to use safetensors, and which variant; empty if there are no weights.

    Example:
        >>> weight_file(["config.json", "diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.bin"])
        {'use_safetensors': True, 'variant': 'fp16'}
    """
    found = sorted(filter(None, map(_WEIGHT_FILE.match, names)), key=_preference)
    if not found:
        return {}
    variant = {"variant": found[0]["variant"]} if found[0]["variant"] else {}
    return {"use_safetensors": found[0]["kind"] == "safetensors", **variant}


def _preference(file: re.Match) -> tuple[bool, str]:
    return file["kind"] != "safetensors", file["variant"] or ""


def model_files(paths: Sequence[str], part: str | None) -> list[str]:
    """Choose the files of a repository that a model is loaded from: its configuration and one set of weights.

    Args:
        paths: All paths of the repository.
        part: Folder of a pipeline that holds the model; the top folder is used if there is none of that name.

    Returns:
        Paths of the files; empty if there are no weights.
    """
    inside = f"{part}/" if part and any(path.startswith(f"{part}/") for path in paths) else ""
    names = [path.removeprefix(inside) for path in paths if path.startswith(inside) and "/" not in path.removeprefix(inside)]
    weights = sorted(filter(None, map(_WEIGHT_FILE.match, names)), key=_preference)
    chosen = [m.string for m in weights if _preference(m) == _preference(weights[0])]
    return [inside + name for name in names if name in chosen or name.endswith(".json")] if chosen else []
