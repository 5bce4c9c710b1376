"""Motion models as folders: ``config.yaml`` (the model's class paths and arguments) and ``model.safetensors``."""

import os
from pathlib import Path
from typing import Any

import torch
import yaml
from jsonargparse import ArgumentParser
from lightning import LightningModule
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tbd.draw.motion_diffusion import MotionDiffusion
from tbd.errors import InputError
from tbd.files import atomic_output

PACKAGED = Path(__file__).resolve().parents[1] / "assets"


def load_motion_model(name: str | os.PathLike = "motion_mini") -> MotionDiffusion:
    """A trained model, ready to draw.

    Args:
        name: a folder; else the name of a model packaged with tbd; else a hub repository, from the local cache or fetched.

    Raises:
        InputError: there is no such model, or its files do not fit together.
    """
    folder = _resolve(name)
    config, weights = folder / "config.yaml", folder / "model.safetensors"
    for path in (config, weights):
        if not path.is_file():
            raise InputError(f"The motion model {name} lacks {path}; export one with `python -m tbd.draw.pretrained`.")
    return build_motion_model(yaml.safe_load(config.read_text(encoding="utf-8"))["model"], weights)


def build_motion_model(config: dict[str, Any], weights: str | os.PathLike) -> MotionDiffusion:
    """A trained model from its configuration, which may draw otherwise than it did when it was trained.

    Args:
        config: class path and arguments.
        weights: a ``.safetensors`` file.

    Raises:
        InputError: the weights are of another model.
    """
    model = untrained_motion_model(config)
    try:
        state = {key: value.float() for key, value in load_file(weights).items()}
        model.load_state_dict(state)
    except (SafetensorError, RuntimeError) as error:
        raise InputError(f"{weights} does not hold the weights of the model in its configuration: {error}") from error
    return model.eval().requires_grad_(False)


def untrained_motion_model(config: dict[str, Any]) -> MotionDiffusion:
    """A model from its class path and arguments, with random weights."""
    parser = _parser()
    return parser.instantiate_classes(parser.parse_object({"model": config}))["model"]


def save_motion_model(checkpoint: str | os.PathLike, config: str | os.PathLike, folder: str | os.PathLike) -> None:
    """Export a training run: half-precision weights and the model's part of the run's configuration.

    Args:
        checkpoint: a Lightning checkpoint; of an averaged run it holds the average.
        config: the ``config.yaml`` that training saved.
        folder: where to write.
    """
    folder = Path(folder)
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    half = {key: (value.half() if value.is_floating_point() else value).contiguous() for key, value in state.items()}
    with atomic_output(folder / "model.safetensors") as temporary:
        save_file(half, temporary)
    model = yaml.safe_load(Path(config).read_text())["model"]
    with atomic_output(folder / "config.yaml") as temporary:
        temporary.write_text(yaml.safe_dump({"model": model}, sort_keys=False))


def _parser() -> ArgumentParser:
    parser = ArgumentParser()
    parser.add_subclass_arguments(LightningModule, "model", required=True)
    return parser


def _resolve(name: str | os.PathLike) -> Path:
    """Explicit path, packaged, hub: in this order."""
    for folder in (Path(name), PACKAGED / str(name)):
        if folder.is_dir():
            return folder
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(str(name), allow_patterns=["config.yaml", "model.safetensors"]))
    except Exception as error:  # the hub's client raises a dozen unrelated kinds for "not there" and "not reachable"
        packaged = ", ".join(sorted(p.parent.name for p in PACKAGED.glob("*/model.safetensors"))) or "none"
        raise InputError(
            f"There is no motion model {name}: not a folder, not packaged with tbd (packaged: {packaged}), not in the hub's local "
            "cache, and the hub could not be reached or does not have it."
        ) from error


def _main() -> None:
    parser = ArgumentParser(description="Export a training run as a model folder.")
    parser.add_argument("checkpoint", help="a Lightning checkpoint")
    parser.add_argument("config", help="the config.yaml that training saved")
    parser.add_argument("folder", help="where to write config.yaml and model.safetensors")
    options = parser.parse_args()
    save_motion_model(options.checkpoint, options.config, options.folder)


if __name__ == "__main__":
    _main()
