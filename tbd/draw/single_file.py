"""Networks from single files of weights, as Stable Diffusion's and AnimateDiff's community shares them.

A file holds weights alone, no configuration. Stable Diffusion 1.x and 2.x use the layer names of CompVis' latent-diffusion;
AnimateDiff's motion modules have names of their own. diffusers converts both (``from_single_file``), but fetches the
configuration from a hub. Here it is read off the shapes of the weights, so that a file is all that is needed.
"""

import json
import os
import pickle
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.models.unets.unet_motion_model import MotionAdapter
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from tbd.errors import InputError, first_line
from tbd.utils.stand_ins import find_stand_in
from tbd.utils.user_warnings import warn

T = TypeVar("T")
Weights = dict[str, Tensor]
SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin")
_UNET, _VAE = "model.diffusion_model.", "first_stage_model."
_UNET_ROOTS = ("input_blocks.", "middle_block.", "output_blocks.", "time_embed.", "label_emb.", "out.", "down_blocks.")
_HEADS = 8
"""Attention heads of Stable Diffusion 1.x and of AnimateDiff, which no shape tells."""
_HEAD_WIDTH = 64
"""Channels of a head in Stable Diffusion 2.x."""
_SDXL_SCALE = 0.13025
_MOTION = re.compile(r"(?:^|\.)((?:down_blocks|up_blocks)\.\d+|mid_block)\.(motion_modules\..+)$")


def load_single_file(kind: type[T], path: str | os.PathLike) -> T:
    """Build a network from one file of weights.

    Args:
        kind: `UNet2DConditionModel`, `AutoencoderKL` or `MotionAdapter`.
        path: A ``.safetensors``, ``.ckpt``, ``.pt``, ``.pth`` or ``.bin`` file: a whole Stable Diffusion checkpoint, one of
            its networks, or AnimateDiff's motion modules. Files that could run code are not loaded.

    Returns:
        The network in float32.

    Raises:
        InputError: If the file cannot be read, or holds no such network, or only a part of one.
    """
    if kind not in _READERS:
        raise InputError(f"A {kind.__name__} cannot be read from the single file {path}; give a folder with its configuration.")
    select, configure = _READERS[kind]
    content = read_weights(path)
    weights = select(content)
    try:
        config = configure(weights)
        if kind is AutoencoderKL and (clue := _sdxl_clue(path, content)) is not None:
            config["scaling_factor"] = _SDXL_SCALE
            warn(
                f"{path} is the autoencoder of SDXL ({clue}): latents are scaled by {_SDXL_SCALE}, and no UNet of Stable Diffusion 1.x or "
                "2.x draws such latents; give the autoencoder that the UNet was trained with."
            )
    except InputError as error:
        raise InputError(f"{path} cannot be read as {_WORDS[kind]}: {error}.") from error
    except (KeyError, StopIteration, IndexError, ValueError) as error:
        raise InputError(f"{path} holds no weights of {_WORDS[kind]}, or not all of them: {_missing(error)} is not there.") from error
    # a configuration beside converted weights keeps diffusers from asking the hub
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps({"_class_name": kind.__name__, **config}))
        try:
            network = kind.from_single_file(dict(weights), config=folder, local_files_only=True)  # type: ignore[attr-defined]  # all in _READERS have it
        except (RuntimeError, ValueError, KeyError) as error:
            raise InputError(f"{path} holds weights of {_WORDS[kind]} that do not fit together; is the file complete?") from error
    expected = sum(parameter.numel() for parameter in network.parameters())
    found = sum(value.numel() for name, value in weights.items() if not _is_position(name))
    if expected != found:
        raise InputError(f"{path} holds {found:,} weights of {_WORDS[kind]}, which has {expected:,}; is the file complete?")
    return network.float()


def read_weights(path: str | os.PathLike) -> Weights:
    """Read the tensors of a file of weights, without wrappers such as ``state_dict``.

    Args:
        path: A safetensors file, or a file of `torch.save` that holds tensors and plain values alone.

    Returns:
        Names and tensors.

    Raises:
        InputError: If the file is damaged, or could run code when it is loaded.
    """
    if (instead := find_stand_in(Path(path))) is not None:
        raise InputError(f"{path} holds no weights: {instead}.")
    kind = _file_kind(Path(path))
    if kind is None:
        raise InputError(f"{path} is no file of weights; give a {', '.join(SUFFIXES)} file, or a folder with a configuration.")
    try:
        if kind == "safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=kind == "zip")
    except pickle.UnpicklingError as error:
        raise InputError(f"{path} holds more than weights, which could run code when it is loaded; give a safetensors file.") from error
    except (OSError, EOFError, RuntimeError, ValueError, SafetensorError) as error:
        raise InputError(f"{path} cannot be read as weights ({first_line(error)}); is the file complete?") from error
    while isinstance(content, dict) and (inner := next((w for w in _WRAPPERS if isinstance(content.get(w), dict)), None)):
        content = content[inner]
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no weights but a {type(content).__name__}.")
    weights = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    wrapped = bool(weights) and all(name.startswith(_PARALLEL) for name in weights)
    return {name.removeprefix(_PARALLEL): value for name, value in weights.items()} if wrapped else weights


_WRAPPERS = ("state_dict", "model", "module")
"""Under which names training programs keep the weights in their checkpoints."""
_PARALLEL = "module."
"""What DistributedDataParallel puts before each name."""


def _file_kind(path: Path) -> Literal["safetensors", "zip", "pickle"] | None:
    """How a file keeps weights, by its beginning, since names are changed and files in the hub's cache have none; None for other files."""
    with open(path, "rb") as file:
        head = file.read(9)
    if head.startswith(b"PK"):
        return "zip"
    if head[8:] == b"{" or path.suffix == ".safetensors":
        return "safetensors"
    return "pickle" if head.startswith(b"\x80") or path.suffix in SUFFIXES else None


def _missing(error: Exception) -> str:
    return str(error.args[0]) if isinstance(error, KeyError) else "a layer"


def _unet_weights(weights: Weights) -> Weights:
    """Weights of the UNet under the prefix that a whole checkpoint gives them."""
    if any(name.startswith(_UNET) for name in weights):
        return {name: value for name, value in weights.items() if name.startswith(_UNET)}
    return {_UNET + name: value for name, value in weights.items() if name.startswith(_UNET_ROOTS)}


def _unet_config(weights: Weights) -> dict[str, Any]:
    """Read the configuration of a Stable Diffusion UNet off its weights.

    Source: the layout of ``openaimodel.py`` in CompVis' latent-diffusion: ``input_blocks.0`` is the first convolution; then
    come residual blocks, each level but the last closed by a downsampling ``op``.
    """
    own = {name.removeprefix(_UNET): value for name, value in weights.items()}
    if any(name.startswith("down_blocks.") for name in own):
        raise InputError("its layers are named as diffusers does: give the folder, with its config.json")
    if any(name.startswith("label_emb.") for name in own):
        raise InputError("its UNet is conditioned on sizes or classes as SDXL's is; Stable Diffusion 1.x and 2.x are read")
    levels: list[list[int]] = [[]]
    for i in range(1, 1 + max(int(name.split(".")[1]) for name in own if name.startswith("input_blocks."))):
        if f"input_blocks.{i}.0.op.weight" in own:
            levels.append([])
        else:
            levels[-1].append(i)
    widths = [own[f"input_blocks.{level[-1]}.0.out_layers.3.weight"].shape[0] for level in levels]
    attends = [f"input_blocks.{level[0]}.1.proj_in.weight" in own for level in levels]
    first = levels[attends.index(True)][0]
    linear = own[f"input_blocks.{first}.1.proj_in.weight"].ndim == 2
    return {
        "in_channels": own["input_blocks.0.0.weight"].shape[1],
        "out_channels": own["out.2.weight"].shape[0],
        "block_out_channels": widths,
        "layers_per_block": len(levels[0]),
        "down_block_types": ["CrossAttnDownBlock2D" if attended else "DownBlock2D" for attended in attends],
        "up_block_types": ["CrossAttnUpBlock2D" if attended else "UpBlock2D" for attended in reversed(attends)],
        "cross_attention_dim": own[f"input_blocks.{first}.1.transformer_blocks.0.attn2.to_k.weight"].shape[1],
        "use_linear_projection": linear,
        # diffusers calls the number of heads attention_head_dim
        "attention_head_dim": [width // _HEAD_WIDTH for width in widths] if linear else _HEADS,
    }


def _vae_weights(weights: Weights) -> Weights:
    prefix = next((p for p in (_VAE, "vae.") if any(name.startswith(p) for name in weights)), "")
    parts = tuple(prefix + part for part in ("encoder.", "decoder.", "quant_conv.", "post_quant_conv."))
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(parts)}


def _vae_config(weights: Weights) -> dict[str, Any]:
    """Read the configuration of a Stable Diffusion autoencoder off its weights."""
    if "encoder.down_blocks.0.resnets.0.conv1.weight" in weights:
        raise InputError("its layers are named as diffusers does: give the folder, with its config.json")
    count = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.down."))
    blocks = 1 + max(int(name.split(".")[4]) for name in weights if name.startswith("encoder.down.0.block."))
    return {
        "in_channels": weights["encoder.conv_in.weight"].shape[1],
        "out_channels": weights["decoder.conv_out.weight"].shape[0],
        "latent_channels": weights["decoder.conv_in.weight"].shape[1],
        "block_out_channels": [weights[f"encoder.down.{i}.block.0.conv2.weight"].shape[0] for i in range(count)],
        "down_block_types": ["DownEncoderBlock2D"] * count,
        "up_block_types": ["UpDecoderBlock2D"] * count,
        "layers_per_block": blocks,
        "scaling_factor": 0.18215,  # of Stable Diffusion 1.x and 2.x; see `_sdxl_clue`
    }


def _sdxl_clue(path: str | os.PathLike, content: Weights) -> str | None:
    """How a file says that its autoencoder is SDXL's, which has the layers of Stable Diffusion 1.x; None where it does not."""
    if any(name.startswith("conditioner.") for name in content):
        return "its text encoders lie beside it"
    if _file_kind(Path(path)) == "safetensors":
        with safe_open(path, framework="pt") as file:
            about = (file.metadata() or {}).get("modelspec.architecture", "")
        if about:
            return f"it calls itself {about}" if "-xl-" in f"{about}-" else None
    return "so its name says" if re.search(r"sd[ _.-]?xl", Path(path).name, re.IGNORECASE) else None


def _motion_weights(weights: Weights) -> Weights:
    """Motion modules alone, without the prefixes that training wrappers add."""
    found = ((_MOTION.search(name), value) for name, value in weights.items())
    return {f"{match[1]}.{match[2]}": value for match, value in found if match}


def _motion_config(weights: Weights) -> dict[str, Any]:
    levels = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("down_blocks."))
    layers = 1 + max(int(name.split(".")[3]) for name in weights if name.startswith("down_blocks.0."))
    return {
        "block_out_channels": [_proj_in(weights, f"down_blocks.{i}").shape[0] for i in range(levels)],
        "motion_layers_per_block": layers,
        "motion_num_attention_heads": _HEADS,
        "motion_max_seq_length": next(value for name, value in weights.items() if _is_position(name)).shape[1],
        "use_motion_mid_block": any(name.startswith("mid_block.") for name in weights),
    }


def _is_position(name: str) -> bool:
    """Whether a tensor is a table of sines, which is no parameter: AnimateDiff's name for it, or diffusers'."""
    return name.endswith((".pos_encoder.pe", ".pos_embed.pe"))


def _proj_in(weights: Weights, block: str) -> Tensor:
    return next(value for name, value in weights.items() if name.startswith(block) and name.endswith("proj_in.weight"))


_READERS: dict[type, tuple[Callable[[Weights], Weights], Callable[[Weights], dict[str, Any]]]] = {
    UNet2DConditionModel: (_unet_weights, _unet_config),
    AutoencoderKL: (_vae_weights, _vae_config),
    MotionAdapter: (_motion_weights, _motion_config),
}
_WORDS: dict[type, str] = {
    UNet2DConditionModel: "a Stable Diffusion UNet",
    AutoencoderKL: "a Stable Diffusion autoencoder",
    MotionAdapter: "AnimateDiff's motion modules",
}
