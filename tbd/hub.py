"""Whether weights that a configuration names are at hand: asked when it is parsed, not at the first batch."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from tbd.errors import InputError
from tbd.nearest import import_path

_SECONDS = 2.0
"""That a hub has to answer in; its own client tries for 23."""


def require_sources(config: Any) -> None:
    """See that every hub name of a configuration can be loaded: from a folder, the hub's cache, or the hub.

    A component says in its class attribute ``hub_arguments`` which of its arguments are hub names or folders.

    Args:
        config: Nested mappings; components have ``class_path`` and ``init_args``.

    Raises:
        InputError: If one is neither in a folder nor in the cache, and the hub cannot be reached.
    """
    absent = [(key, name) for key, name in _sources(config, ()) if not (Path(name).is_dir() or _cached(name))]
    for key, name in absent:
        if name.startswith((".", "/", "~")) or name.count("/") > 1:
            raise InputError(f"{key}: there is no folder {name}.")
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    if absent and (offline or not _reachable()):
        key, name = absent[0]
        others = f" (nor of {', '.join(sorted({other for _, other in absent[1:]} - {name}))})" if len(absent) > 1 else ""
        why = "HF_HUB_OFFLINE forbids asking the hub" if offline else "the hub cannot be reached from here"
        raise InputError(
            f"{key}: there are no weights of {name}{others}: no such folder, nothing in {_cache()}, and {why}; run `hf download {name}` "
            "where there is a network, and copy that cache here or give a folder's path."
        )


def _sources(node: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Key and value of every hub name."""
    if isinstance(node, list):
        for item in node:
            yield from _sources(item, path)
    if not isinstance(node, dict):
        return
    arguments = node.get("init_args") or {}
    for name in getattr(import_path(str(node.get("class_path", ""))), "hub_arguments", ()):
        if isinstance(arguments.get(name), str):
            yield ".".join((*path, "init_args", name)), arguments[name]
    for key, value in node.items():
        yield from _sources(value, (*path, key))


def _cache() -> Path:
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE)


def _cached(name: str) -> bool:
    snapshots = _cache() / f"models--{name.replace('/', '--')}" / "snapshots"
    return snapshots.is_dir() and any(any(snapshot.iterdir()) for snapshot in snapshots.iterdir())


def _reachable() -> bool:
    """Whether something answers at the hub's address, or at the proxy's on the way there."""
    from huggingface_hub.constants import ENDPOINT

    url = urlsplit(getproxies().get(urlsplit(ENDPOINT).scheme) or ENDPOINT)
    answered = threading.Event()
    # in a thread, since looking a name up has no time limit of its own
    threading.Thread(
        target=_knock, args=(url.hostname or "", url.port or (80 if url.scheme == "http" else 443), answered), daemon=True
    ).start()
    return answered.wait(_SECONDS)


def _knock(host: str, port: int, answered: threading.Event) -> None:
    try:
        with socket.create_connection((host, port), timeout=_SECONDS):
            answered.set()
    except OSError:
        pass
