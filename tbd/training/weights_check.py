"""Checks that the weights which a configuration names can be loaded, before anything is built."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tbd.errors import InputError
from tbd.utils.hub import cached_folder, offline, reachable
from tbd.utils.options.suggestions import import_path


def require_sources(config: Any) -> None:
    """Check that every hub name of a configuration can be loaded: from a folder, the hub's cache, or the hub.

    A component lists in its class attribute ``hub_arguments`` which of its arguments are hub names or folders.

    Args:
        config: Nested mappings; components have ``class_path`` and ``init_args``.

    Raises:
        InputError: If weights are neither in a folder nor in the cache, and the hub cannot be reached.
    """
    absent = [(key, name) for key, name in _sources(config, ()) if not (Path(name).expanduser().exists() or cached_folder(name))]
    for key, name in absent:
        if name.startswith((".", "/", "~")) or name.count("/") > 1:
            raise InputError(f"{key}: there is no folder or file {name}.")
    from huggingface_hub.constants import HF_HUB_CACHE

    if absent and not reachable():
        key, name = absent[0]
        others = f" (nor of {', '.join(sorted({other for _, other in absent[1:]} - {name}))})" if len(absent) > 1 else ""
        why = "HF_HUB_OFFLINE forbids asking the hub" if offline() else "the hub cannot be reached from here"
        raise InputError(
            f"{key}: there are no weights of {name}{others}: no such folder or file, nothing in {HF_HUB_CACHE}, and {why}; "
            f"run `hf download {name}` where there is a network, and copy that cache here or give the path of a folder or file."
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
