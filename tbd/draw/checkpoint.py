"""Weights to start from: an earlier stage's checkpoint, or an exported folder."""

import os
import zipfile
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from tbd.errors import InputError
from tbd.utils.stand_ins import find_stand_in

PACKAGED = Path(__file__).resolve().parents[1] / "assets"
"""Where the folders of packaged models lie."""


def find_model_folder(name: str | os.PathLike) -> Path | None:
    """Find a model's folder: the one of that path, else the packaged one of that name; None where there is neither."""
    return next((folder for folder in (Path(name), PACKAGED / name) if folder.is_dir()), None)


def read_state(path: str | os.PathLike) -> dict[str, Tensor]:
    """Read the weights of a Lightning checkpoint, a ``.safetensors`` file, or a folder with ``model.safetensors``.

    Args:
        path: The checkpoint, file or folder; or the name of a packaged model.

    Returns:
        Name → weight; of a run with averaged weights, the averages.

    Raises:
        InputError: If the file is missing, cut short, or of another kind.
    """
    folder = None if Path(path).is_file() else find_model_folder(path)
    path = Path(path) if folder is None else folder / "model.safetensors"
    if (instead := find_stand_in(path)) is not None:
        raise InputError(f"{path} holds no weights: {instead}.")
    if not path.is_file():
        raise InputError(f"There are no weights {path}; give a checkpoint, or a folder that an export wrote.")
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except SafetensorError as error:
            raise InputError(f"{path} is cut short or no safetensors file: {error}") from error
    require_whole(path)
    content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)  # some readers want shapes alone
    if not isinstance(content, dict) or "state_dict" not in content:
        raise InputError(f"{path} is no checkpoint of Lightning's: it holds no state_dict.")
    return content["state_dict"]


def require_checkpoint(path: str | os.PathLike) -> None:
    """Refuse what is no checkpoint of Lightning's, before something reads it that would say so in its own words.

    Args:
        path: The file.

    Raises:
        InputError: If the file is missing, cut short, or of another kind.
    """
    path = Path(path)
    if path.suffix == ".ckpt" or not path.is_file():
        require_whole(path)
    try:
        with zipfile.ZipFile(path) as archive:
            whole = any(name.endswith("data.pkl") for name in archive.namelist())  # `torch.save`'s
    except zipfile.BadZipFile:
        whole = False
    if not whole:
        raise InputError(f"{path} is no checkpoint of a training (.ckpt); weights alone can be drawn with, but not tested or resumed.")


def require_whole(path: str | os.PathLike) -> None:
    """Refuse a checkpoint that is missing or cut short: its table of contents stands at its end.

    Args:
        path: The checkpoint.

    Raises:
        InputError: If the checkpoint is missing or cut short.
    """
    if (instead := find_stand_in(Path(path))) is not None:
        raise InputError(f"{path} is no checkpoint: {instead}.")
    if not Path(path).is_file():
        raise InputError(f"There is no checkpoint {path}.")
    if not zipfile.is_zipfile(path):
        raise InputError(f"The checkpoint {path} is cut short, as after a kill while it was written; resume from an earlier one beside it.")


def load_initial(module: nn.Module, path: str | os.PathLike, skip: Sequence[str] = ()) -> None:
    """Load weights into a module by name.

    Args:
        module: The module; the weights must hold all its names but the skipped ones, with the same shapes.
        path: A checkpoint, ``.safetensors`` file or folder, as for `read_state`.
        skip: Patterns of names that keep their values, as a shell's.

    Raises:
        InputError: If the weights are missing, or are of another configuration.
    """
    state = {name: value for name, value in read_state(path).items() if not any(fnmatch(name, pattern) for pattern in skip)}
    state = adapt_state(module, state)
    require_fitting(module, state, str(path), skip)
    module.load_state_dict(state, strict=False)


def adapt_state(module: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Let the parts of a model fit the weights of an earlier version to their shapes.

    Args:
        module: A model; its parts with a method ``adapt_state`` are called.
        state: The model's weights by name.

    Returns:
        The weights, to be checked with `require_fitting`.
    """
    adapted = dict(state)
    for prefix, part in module.named_modules():
        own = {name: value for name, value in state.items() if name.startswith(f"{prefix}.")}
        if prefix and own and hasattr(part, "adapt_state"):
            fitted = part.adapt_state({name.removeprefix(f"{prefix}."): value for name, value in own.items()})
            adapted |= {f"{prefix}.{name}": value for name, value in fitted.items()}
    return adapted


def require_fitting(module: nn.Module, state: Mapping[str, Tensor], source: str, skip: Sequence[str] = (), where: str = "") -> None:
    """Refuse weights that do not fit a model, in one sentence.

    Args:
        module: The model.
        state: Name → weight.
        source: What the message calls the weights.
        skip: Patterns of names that the weights need not hold.
        where: What the message adds on the configuration that fits.

    Raises:
        InputError: If a name is missing or unknown, or a shape differs.
    """
    own = {name: value for name, value in module.state_dict().items() if not any(fnmatch(name, pattern) for pattern in skip)}
    misfits = [
        f"{name} is {tuple(state[name].shape)}, not {tuple(own[name].shape)}"
        for name in own
        if name in state and state[name].shape != own[name].shape
    ]
    misfits += [f"{name} is missing" for name in own if name not in state] + [
        f"{name} is unknown here" for name in state if name not in own
    ]
    if misfits:
        more = f", and {len(misfits) - 1} more" if len(misfits) > 1 else ""
        raise InputError(
            f"{source} belongs to another configuration: {misfits[0]}{more}. Use the configuration that it was trained with{where}."
        )
