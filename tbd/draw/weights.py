"""Weights by hub name or local folder, and one clear error where they are neither."""

import os
from pathlib import Path
from typing import Any, TypeVar

from tbd.errors import InputError

T = TypeVar("T")


def from_source(kind: type[T], source: str | os.PathLike, subfolder: str | None = None, **options: Any) -> T:
    """A diffusers or transformers model with its trained weights, in float32.

    A folder is read as it is; a hub name comes from the local cache, or is fetched where there is a network. Only
    safetensors files are read, which cannot run code.

    Args:
        kind: a class with diffusers' ``from_pretrained``.
        source: folder or hub name.
        subfolder: where in it, for repositories of whole pipelines; left out where the source is a folder without it.
        options: further arguments of ``from_pretrained``.

    Raises:
        InputError: there are no such weights; the sentence says what was looked for, where, and how to fetch it.
    """
    folder = Path(source)
    if subfolder is not None and not (folder.is_dir() and not (folder / subfolder).is_dir()):
        options["subfolder"] = subfolder
    try:
        return kind.from_pretrained(str(source), use_safetensors=True, **options)
    except (OSError, ValueError, RuntimeError) as error:
        if folder.is_dir():
            place = folder / options.get("subfolder", "")
            raise InputError(f"{place} does not hold the configuration and safetensors weights of a {kind.__name__}: {error}") from error
        # the hub's client raises many kinds for "not there" and "not reachable"; all of them derive from these
        raise InputError(
            f"There are no weights {source} ({kind.__name__}): not a folder, not in the hub's local cache, and the hub could not be "
            f"reached or does not have it. Where there is a network, `hf download {source}` fetches them; else give the "
            "path of a copied folder."
        ) from error


def plain(config: Any) -> Any:
    """A configuration of lists, dicts and plain values, as YAML writes it."""
    if isinstance(config, dict):
        return {str(name): plain(value) for name, value in config.items()}
    return [plain(value) for value in config] if isinstance(config, (list, tuple)) else config
