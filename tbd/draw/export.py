"""Models as folders: ``config.yaml`` (the model's class paths and arguments) and ``model.safetensors``."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from jsonargparse import ArgumentError, ArgumentParser
from safetensors.torch import save_file
from torch import Tensor, nn

from tbd.draw.checkpoint import PACKAGED, adapt_state, find_model_folder, read_state, require_fitting
from tbd.draw.pretrained import PortableModule
from tbd.draw.window_model import WindowModel
from tbd.errors import InputError
from tbd.utils.atomic import atomic_output
from tbd.utils.class_path import describe
from tbd.utils.hub import hub_folder

M = TypeVar("M", bound=nn.Module)
CONFIG, WEIGHTS = "config.yaml", "model.safetensors"
"""The files of a model folder."""


def load_model(name: str | os.PathLike, kind: type[M]) -> M:
    """Load a trained model, ready to draw.

    Args:
        name: A folder that an export wrote; else a checkpoint of a run, whose ``config.yaml`` is in a folder above it; else the
            name of a model packaged with tbd; else a hub repository, from the local cache or fetched.
        kind: `MotionDiffusion` or `VideoDiffusion`; or `MotionSampler`, which draws alone and needs no Lightning.

    Returns:
        The model in float32, in evaluation mode, without gradients.

    Raises:
        InputError: If there is no such model, it is of another kind, or its files do not fit together.
    """
    path = Path(name)
    if path.suffix != ".ckpt":
        return _loaded(name, kind)
    state = read_state(path)
    config = next((folder / "config.yaml" for folder in path.absolute().parents[:4] if (folder / "config.yaml").is_file()), None)
    if config is None:
        raise InputError(f"No config.yaml of the run stands in a folder above {path}; export it with `python -m tbd.draw.export`.")
    return _filled(_built(read_content(config), kind, str(config)), state, path)


def build_model(content: dict[str, Any], weights: str | os.PathLike, kind: type[M]) -> M:
    """Build a trained model from a configuration, which may draw otherwise than the one that it was trained with.

    Args:
        content: Class path and arguments.
        weights: A checkpoint, a ``.safetensors`` file, or a folder with one.
        kind: `MotionDiffusion` or `VideoDiffusion`.

    Returns:
        The model in float32, in evaluation mode, without gradients.

    Raises:
        InputError: If the configuration describes no such model, or the weights are of another.
    """
    return _filled(_built(content, kind, "The configuration"), read_state(weights), Path(weights))


def _loaded(name: str | os.PathLike, kind: type[M]) -> M:
    folder = _resolve(name, kind)
    config, weights = folder / "config.yaml", folder / "model.safetensors"
    for path in (config, weights):
        if not path.is_file():
            raise InputError(f"The {_word(kind)} {name} lacks {path}; export one with `python -m tbd.draw.export`.")
    return _filled(_built(read_content(config), kind, str(config)), read_state(folder), weights)


def read_content(config: str | os.PathLike) -> dict[str, Any]:
    """Read the model's part of a run's or a folder's configuration: class path and arguments."""
    return yaml.safe_load(Path(config).read_text(encoding="utf-8"))["model"]


def _built(content: dict[str, Any], kind: type[M], source: str) -> M:
    """The model of a configuration, with the weights that this gives it."""
    parser, content = _parser(), _without_stages(content)
    try:
        model = parser.instantiate(parser.parse_object({"model": _for_drawing(content, kind)}))["model"]
    except (ArgumentError, KeyError, TypeError) as error:
        raise InputError(f"{source} does not describe a model: {_reason(error)}") from error
    if not isinstance(model, kind):
        raise InputError(f"{source} describes a {type(model).__name__}; here a {kind.__name__} is wanted.")
    if isinstance(model, WindowModel):
        model.content = content
    return model


def _filled(model: M, state: dict[str, Tensor], source: Path) -> M:
    state = adapt_state(model, state)
    require_fitting(model, state, str(source))
    model.load_state_dict(state)  # which brings half precision back to float32 weight by weight, without a second copy of all
    return model.eval().requires_grad_(False)


def save_model(checkpoint: str | os.PathLike, config: str | os.PathLike, folder: str | os.PathLike) -> None:
    """Export a training run: half-precision weights and the model's part of the run's configuration.

    Pretrained parts that the configuration names are described there instead, so that nobody who loads the folder fetches them.

    Args:
        checkpoint: A Lightning checkpoint; of an averaged run it holds the average.
        config: The ``config.yaml`` that training saved.
        folder: Where to write.

    Raises:
        InputError: If the run trained no model that draws.
    """
    write_model(read_content(config), read_state(checkpoint), folder)


def write_model(content: dict[str, Any], state: dict[str, Tensor], folder: str | os.PathLike) -> None:
    """Write a model folder, in half precision.

    Args:
        content: Class path and arguments.
        state: Name → weight.
        folder: Where to write.

    Raises:
        InputError: If this is no model that draws.
    """
    folder, content = Path(folder), _without_stages(content)
    model = _built(content, nn.Module, "The configuration")
    if not hasattr(model, "generate"):
        raise InputError(
            f"A run of {type(model).__name__} trained no model that draws; `python -m tbd.draw.motion.distillation` exports an encoder."
        )
    half = {key: (value.half() if value.is_floating_point() else value).contiguous() for key, value in state.items()}
    for name, part in model.named_children():
        if isinstance(part, PortableModule):
            described = content["init_args"][name]
            described["init_args"] = part.describe(described.get("init_args", {}))
    with atomic_output(folder / "model.safetensors") as temporary:
        save_file(half, temporary)
    with atomic_output(folder / "config.yaml") as temporary:
        temporary.write_text(yaml.safe_dump({"model": content}, sort_keys=False))


def save_loaded_model(model: WindowModel, folder: str | os.PathLike) -> None:
    """Write a model that was loaded to a folder, in half precision, with the guidance and noise scheduler that it has now.

    Args:
        model: A model that `load_model` or `build_model` has made.
        folder: Where to write.

    Raises:
        InputError: If Python code has built the model, or its guidance or noise scheduler cannot be described.
    """
    if model.content is None:
        raise InputError(
            f"This {type(model).__name__} was not loaded from a folder or a run, so that the arguments of its networks are not known; "
            "export it from its run with `python -m tbd.draw.export`."
        )
    own = {"guidance": describe(model.guidance, "The guidance"), "noise_scheduler": describe(model.noise_scheduler, "The noise scheduler")}
    arguments = {**model.content["init_args"], **{name: component.model_dump() for name, component in own.items()}}
    write_model({**model.content, "init_args": arguments}, model.state_dict(), folder)


def model_content(name: str | os.PathLike, kind: type[nn.Module]) -> dict[str, Any]:
    """Read the class path and arguments of a model.

    Args:
        name: A folder, a packaged model or a hub repository, as for `load_model`.
        kind: The model's class.

    Returns:
        Class path and arguments.

    Raises:
        InputError: If there is no such model.
    """
    return read_content(_resolve(name, kind) / "config.yaml")


def _without_stages(content: dict[str, Any]) -> dict[str, Any]:
    """A model's configuration without what only its training needs and another machine may not have."""
    arguments = {name: value for name, value in content.get("init_args", {}).items() if name not in ("initial", "memory", "compile")}
    if isinstance(training := arguments.get("training"), dict):
        arguments["training"] = {name: value for name, value in training.items() if name != "trainable"}
    return {**content, "init_args": arguments}


def _reason(error: Exception) -> str:
    """What a parser says of a class path, without the values that were given and the other types that would do."""
    found = re.search(r"class_path '(.+?)':\s*(.+)", str(error))
    return f"{found[1]}: {found[2]}" if found else " ".join(str(error).split())


def _for_drawing(content: dict[str, Any], kind: Any) -> dict[str, Any]:
    """The configuration of what draws alone, where that is wanted and one of a trained model is given."""
    if "trained_by" not in vars(kind) or content.get("class_path") not in kind.trained_by:
        return content
    arguments = {name: value for name, value in content.get("init_args", {}).items() if name not in kind.training_arguments}
    return {"class_path": f"{kind.__module__}.{kind.__qualname__}", "init_args": arguments}


def _word(kind: type) -> str:
    """``MotionDiffusion`` → "motion model"."""
    return f"{kind.__name__.removesuffix('Diffusion').removesuffix('Sampler').lower()} model"


def _parser() -> ArgumentParser:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(nn.Module, "model", required=True)
    return parser


def _resolve(name: str | os.PathLike, kind: type) -> Path:
    """Explicit path, packaged, hub: in this order."""
    folder = find_model_folder(name)
    if folder is not None:
        return folder
    try:
        return hub_folder(str(name), _word(kind), lambda paths: [CONFIG, WEIGHTS] if {CONFIG, WEIGHTS} <= set(paths) else [])
    except InputError as error:
        packaged = ", ".join(sorted(p.parent.name for p in PACKAGED.glob("*/model.safetensors"))) or "none"
        raise InputError(
            f"There is no {_word(kind)} {name}: not a folder, not packaged with tbd (packaged: {packaged}), not in the hub's local "
            "cache, and the hub could not be reached or does not have it."
        ) from error


def export_command(save: Callable[[str, str, str], None], description: str) -> None:
    """Run the command line of an export.

    Args:
        save: Exports a run: checkpoint, configuration, folder.
        description: What ``--help`` shows.
    """
    parser = ArgumentParser(description=description)
    parser.add_argument("checkpoint", help="a Lightning checkpoint")
    parser.add_argument("config", help="the config.yaml that training saved")
    parser.add_argument("folder", help="where to write config.yaml and model.safetensors")
    options = parser.parse_args()
    save(options.checkpoint, options.config, options.folder)


if __name__ == "__main__":
    export_command(save_model, "Export a training run as a model folder.")
