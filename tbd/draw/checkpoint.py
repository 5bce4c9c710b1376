"""Starting from other weights: an earlier stage's checkpoint, or an exported folder."""

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


def read_state(path: str | os.PathLike) -> dict[str, Tensor]:
    """The weights of a Lightning checkpoint, a ``.safetensors`` file, or a folder with ``model.safetensors``.

    Of a run with averaged weights these are the averages.

    Raises:
        InputError: the file is missing, cut short, or of another kind.
    """
    path = Path(path)
    path = path / "model.safetensors" if path.is_dir() else path
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


def require_whole(path: str | os.PathLike) -> None:
    """Refuse a checkpoint that is missing or cut short: its table of contents stands at its end.

    Raises:
        InputError: it is.
    """
    if not Path(path).is_file():
        raise InputError(f"There is no checkpoint {path}.")
    if not zipfile.is_zipfile(path):
        raise InputError(f"The checkpoint {path} is cut short, as after a kill while it was written; resume from an earlier one beside it.")


def load_initial(module: nn.Module, path: str | os.PathLike, skip: Sequence[str] = ()) -> None:
    """Take over weights by name.

    Args:
        module: all its names but the skipped ones must be there, with the same shapes.
        path: as for `read_state`.
        skip: patterns of names that keep what they have.

    Raises:
        InputError: the weights are not there, or are of another configuration.
    """
    state = {name: value for name, value in read_state(path).items() if not any(fnmatch(name, pattern) for pattern in skip)}
    state = adapt_state(module, state)
    require_fitting(module, state, str(path), skip)
    module.load_state_dict(state, strict=False)


def adapt_state(module: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Let the parts of a model fit the weights of an earlier version to their shapes.

    Args:
        module: A model; its parts with a method ``adapt_state`` are asked.
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


def require_fitting(module: nn.Module, state: Mapping[str, Tensor], source: str, skip: Sequence[str] = ()) -> None:
    """Say in one sentence where weights do not fit a model.

    Raises:
        InputError: a name is missing or too many, or a shape is another.
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
        raise InputError(f"{source} belongs to another configuration: {misfits[0]}{more}. Use the configuration that it was trained with.")
