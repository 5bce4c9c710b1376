"""Weights by hub name, local folder or single file, and one clear error where they are none of these."""

import hashlib
import json
import os
import pickle
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from torch import nn

from tbd.errors import InputError, first_line
from tbd.utils.hub import hub_folder, model_files, snapshot_folder, weight_file
from tbd.utils.stand_ins import find_stand_in

T = TypeVar("T")
PARTS = {"UNet2DConditionModel": "unet", "AutoencoderKL": "vae"}
"""Class → the folder of a diffusers pipeline that holds it."""
_CONFIG = "config.json"


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
    if (instead := find_stand_in(path)) is not None:
        raise InputError(f"{path} holds no weights: {instead}.")
    if path.is_file() and (path.parent / _CONFIG).is_file() and (weights := weight_file([path.name])):
        return _from_folder(kind, path.parent, {**weights, **options})  # a file out of a folder of diffusers
    if path.is_file():
        from tbd.draw.single_file import load_single_file

        return load_single_file(kind, path)
    if path.is_dir():
        path = snapshot_folder(path)
        return _from_folder(kind, path / part if part and (path / part).is_dir() else path, options)
    if str(source).startswith((".", "/", "~")):
        raise InputError(f"There is no folder or file {source}.")
    folder = hub_folder(str(source), kind.__name__, lambda paths: model_files(paths, part))
    return _from_folder(kind, folder / part if part and (folder / part).is_dir() else folder, options)


def _from_folder(kind: type[T], folder: Path, options: dict[str, Any]) -> T:
    _require_kind(kind, folder)
    try:
        load = kind.from_pretrained  # type: ignore[attr-defined]  # diffusers and transformers share no base class that declares it
        options = {**weight_file(os.listdir(folder)), **options}
        network, found = load(str(folder), local_files_only=True, output_loading_info=True, **options)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError, pickle.UnpicklingError) as error:
        raise InputError(f"{folder} does not hold the configuration and weights of a {kind.__name__}: {first_line(error)}") from error
    from diffusers.models.modeling_utils import ModelMixin  # which takes long to import, and `kind` has imported

    absent = sorted(found["missing_keys"])
    if absent and issubclass(kind, ModelMixin):  # which would fill them with random numbers; those of transformers lack heads on purpose
        raise InputError(f"{folder} lacks {len(absent)} weights of {kind.__name__}, such as {absent[0]}; is it complete?")
    loaded: T = network.float()
    return loaded


def _require_kind(kind: type, folder: Path) -> None:
    """Refuse a folder of another network, which diffusers would fill with random numbers, and files that stand for others."""
    single = sorted(file for file in folder.glob("*.safetensors") if not weight_file([file.name]))
    if single and not (folder / _CONFIG).is_file():
        raise InputError(f"{folder} holds no {_CONFIG}; if {single[0].name} holds all weights, give that file: {single[0]}.")
    for file in sorted(folder.iterdir()):
        if (file.name == _CONFIG or weight_file([file.name])) and (instead := find_stand_in(file)) is not None:
            raise InputError(f"{folder} holds no weights of a {kind.__name__}: of {file.name}, {instead}.")
    try:
        config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # which the library says in its own way
    if not weight_file(os.listdir(folder)):
        raise InputError(f"{folder} holds the configuration of {kind.__name__}, but no weights (.safetensors or .bin).")
    found = config.get("_class_name") if isinstance(config, dict) else None
    if found not in (None, kind.__name__):
        raise InputError(f"{folder} holds weights of {found}, not of {kind.__name__}.")


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
