"""Weights by hub name, local folder or single file, and one clear error where they are none of these."""

import hashlib
import os
import pickle
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from tbd.errors import InputError, first_line
from tbd.utils.hub import hub_folder, model_files, weight_file

T = TypeVar("T")
PARTS = {"UNet2DConditionModel": "unet", "AutoencoderKL": "vae"}
"""Class → the folder of a diffusers pipeline that holds it."""


def from_source(kind: type[T], source: str | os.PathLike, subfolder: str | None = None, **options: Any) -> T:
    """Load a diffusers or transformers model with its trained weights, in float32.

    A folder is read as it is, a file by `tbd.draw.single_file`; a hub name comes from the local cache, or is fetched where there
    is a network. Weights may be safetensors or ``.bin`` files, whole or in shards, in full precision or in a variant such as
    ``fp16``: full precision and safetensors come first. No file is loaded that could run code.

    Args:
        kind: A class with diffusers' ``from_pretrained``.
        source: Folder, file of weights, or hub name; of a whole pipeline, such as Stable Diffusion's, its part is taken.
        subfolder: Where in a pipeline; what pipelines call a `kind` where not given.
        options: Further arguments of ``from_pretrained``.

    Returns:
        The model.

    Raises:
        InputError: If there are no such weights; the sentence says what was looked for, where, and how to fetch it.
    """
    path, part = Path(source).expanduser(), subfolder or PARTS.get(kind.__name__)
    if path.is_file():
        from tbd.draw.single_file import load_single_file

        return load_single_file(kind, path)
    if path.is_dir():
        return _from_folder(kind, path / part if part and (path / part).is_dir() else path, options)
    folder = hub_folder(str(source), kind.__name__, lambda paths: model_files(paths, part))
    return _from_folder(kind, folder / part if part and (folder / part).is_dir() else folder, options)


def _from_folder(kind: type[T], folder: Path, options: dict[str, Any]) -> T:
    try:
        load = kind.from_pretrained  # type: ignore[attr-defined]  # diffusers and transformers share no base class that declares it
        return load(str(folder), **weight_file(os.listdir(folder)), local_files_only=True, **options).float()
    except (OSError, ValueError, RuntimeError, pickle.UnpicklingError) as error:
        raise InputError(f"{folder} does not hold the configuration and weights of a {kind.__name__}: {first_line(error)}") from error


class PortableModule(nn.Module):
    """A network that a model folder describes in full, so that whoever loads the folder fetches no other weights."""

    def describe(self, init_args: dict[str, Any]) -> dict[str, Any]:
        """Arguments that build the same network with random weights.

        Args:
            init_args: The arguments that it was configured with.

        Returns:
            By default these; a network that takes weights from elsewhere by name gives their configuration instead.
        """
        return init_args


def plain(config: Any) -> Any:
    """A configuration of lists, dicts and plain values, as YAML writes it."""
    if isinstance(config, dict):
        return {str(name): plain(value) for name, value in config.items()}
    return [plain(value) for value in config] if isinstance(config, (list, tuple)) else config


def fingerprint(model: nn.Module) -> str:
    """Name a network by its weights, wherever it was loaded from.

    Args:
        model: In any precision; weights that differ by rounding differ here, too.

    Returns:
        The first 8 hexadecimal digits of the SHA-256 of names, shapes and float32 values.

    Example:
        >>> import copy
        >>> layer = nn.Linear(2, 2)
        >>> fingerprint(layer) == fingerprint(copy.deepcopy(layer)), fingerprint(layer) == fingerprint(nn.Linear(2, 2))
        (True, False)
    """
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name}{tuple(value.shape)}".encode())
        digest.update(value.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:8]


def checksum_of_weights(model: nn.Module) -> str:
    """Hash a model's weights as they are stored: to the bit, and in their own precision, unlike `fingerprint`.

    Args:
        model: On any device.

    Returns:
        SHA-256 of names and values, 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        # bytes by torch: NumPy has no bfloat16
        digest.update(name.encode() + value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
