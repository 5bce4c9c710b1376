"""The state dict that Hallo and EmoCAST publish (``net.pth``) → the names of `HalloDenoiser`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tbd.draw.video.hallo.denoiser import HalloDenoiser
from tbd.errors import InputError

_RENAMED = (
    (r"^denoising_unet\.", "unet."),
    (r"^reference_unet\.", "reference."),
    (r"^imageproj\.", "face_projection."),
    (r"^audioproj\.", "audio_projection."),
    (r"\.attn2_(\d)\.", r".attn2.\1."),
    (r"\.zero_conv_full\.", ".zero_conv.0."),
    (r"\.zero_conv_face\.", ".zero_conv.1."),
    (r"\.zero_conv_lip\.", ".zero_conv.2."),
    (r"\.attn_audioemo\.", ".words_audio."),
    (r"\.postnorm_audioemo\.", ".words_norm."),
    (r"\.to_(k|v)_ip\.0\.", r".to_\1_ip."),
    (r"\.temporal_transformer\.", "."),
    (r"\.attention_blocks\.\d\.pos_encoder\.", ".pos_embed."),
    (r"\.attention_blocks\.0\.", ".attn1."),
    (r"\.attention_blocks\.1\.", ".attn2."),
    (r"(motion_modules.*)\.norms\.0\.", r"\1.norm1."),
    (r"(motion_modules.*)\.norms\.1\.", r"\1.norm2."),
    (r"\.ff_norm\.", ".norm3."),
)
_MOTION = re.compile(r"denoising_unet\.(down_blocks|up_blocks)\.(\d+)\.motion_modules\.")
_NOT_RUN = "motion modules of levels without attention, which the published programs do not run"
_COPIED = "second copies of a table of sines"


@dataclass(frozen=True)
class Converted:
    """A published state dict in our names.

    Args:
        state: Name → weight.
        unused: Reason → published names that are not used for it.
        silent: Names of ours that are loaded but change nothing: what lies behind the reference UNet's last self-attention.
    """

    state: dict[str, Tensor]
    unused: dict[str, tuple[str, ...]]
    silent: tuple[str, ...]


def rename(name: str) -> str:
    """Translate a published name.

    Args:
        name: Such as ``denoising_unet.mid_block.audio_modules.0.transformer_blocks.0.attn2_0.to_q.weight``.

    Returns:
        Our name.

    Example:
        >>> rename("denoising_unet.mid_block.motion_modules.0.temporal_transformer.transformer_blocks.0.norms.1.bias")
        'unet.mid_block.motion_modules.0.transformer_blocks.0.norm2.bias'
    """
    for pattern, other in _RENAMED:
        name = re.sub(pattern, other, name)
    return name


def convert(state: Mapping[str, Tensor], source: str = "The checkpoint") -> Converted:
    """Translate a published state dict.

    Args:
        state: Published name → weight.
        source: What messages call it.

    Returns:
        Its weights under our names, and what is not used.

    Raises:
        InputError: If these are not such a network's weights.
    """
    levels = _levels(state, source)
    unused: dict[str, list[str]] = {}
    ours: dict[str, Tensor] = {}
    for name, value in state.items():
        reason = None
        if name.endswith(".attention_blocks.1.pos_encoder.pe"):
            reason = _COPIED
        if (match := _MOTION.match(name)) and (match[1], int(match[2])) not in levels:
            reason = _NOT_RUN
        if reason is not None:
            unused.setdefault(reason, []).append(name)
        else:
            ours[rename(name)] = value
    spatial = (re.match(r"reference\.up_blocks\.\d+\.attentions\.\d+(?=\.)", name) for name in ours)
    last = max((match[0] for match in spatial if match), key=lambda name: [int(part) for part in re.findall(r"\d+", name)], default="-")
    tail = rf"{re.escape(last)}\.(proj_out|transformer_blocks\.0\.(attn1|attn2|norm2|norm3|ff))\."
    return Converted(ours, {why: tuple(names) for why, names in unused.items()}, tuple(n for n in ours if re.match(tail, n)))


def options_of(state: Mapping[str, Tensor], source: str = "The checkpoint") -> dict[str, Any]:
    """Read the arguments of `HalloDenoiser` off a published state dict.

    Args:
        state: Published name → weight.
        source: What messages call it.

    Returns:
        Argument → value.

    Raises:
        InputError: If these are not such a network's weights.
    """
    attended = {i for part, i in _levels(state, source) if part == "down_blocks"}
    count = 1 + max(int(name.split(".")[2]) for name in state if name.startswith("denoising_unet.down_blocks."))
    widths = [state[f"denoising_unet.down_blocks.{i}.resnets.0.conv1.weight"].shape[0] for i in range(count)]
    layers = 1 + max(int(name.split(".")[4]) for name in state if name.startswith("denoising_unet.down_blocks.0.resnets."))
    words = any(name.endswith("to_k_ip.0.weight") for name in state)
    table = next(value for name, value in state.items() if name.endswith("pos_encoder.pe"))
    audio_width = state["audioproj.norm.weight"].shape[0]
    unet = {
        "in_channels": state["denoising_unet.conv_in.weight"].shape[1],
        "out_channels": state["denoising_unet.conv_out.weight"].shape[0],
        "block_out_channels": widths,
        "layers_per_block": layers,
        "down_block_types": ["CrossAttnDownBlock2D" if i in attended else "DownBlock2D" for i in range(count)],
        "up_block_types": ["CrossAttnUpBlock2D" if i in attended else "UpBlock2D" for i in reversed(range(count))],
        "cross_attention_dim": state["imageproj.norm.weight"].shape[0],
        "attention_head_dim": 8,  # the number of heads, which diffusers calls so
    }
    return {
        "unet": unet,
        "audio_inputs": state["audioproj.proj1.weight"].shape[1],
        "audio_hidden": state["audioproj.proj1.weight"].shape[0],
        "audio_tokens": state["audioproj.proj3.weight"].shape[0] // audio_width,
        "audio_width": audio_width,
        "face_embedding": state["imageproj.proj.weight"].shape[1],
        "words": words,
        "max_frames": table.shape[1],
    }


def load_published(state: Mapping[str, Tensor], source: str = "The checkpoint", **options: Any) -> HalloDenoiser:
    """Build a denoiser from a published state dict.

    Args:
        state: Published name → weight.
        source: What messages call it.
        options: Arguments of `HalloDenoiser` beside those that the weights decide.

    Returns:
        The denoiser, with these very tensors as weights.

    Raises:
        InputError: If a weight is missing, unknown or of another shape; the sentence names it.
    """
    with torch.device("meta"):
        denoiser = HalloDenoiser(**{**options_of(state, source), **options})
    fill(denoiser, state, source)
    return denoiser


def fill(denoiser: HalloDenoiser, state: Mapping[str, Tensor], source: str = "The checkpoint") -> None:
    """Give a denoiser a published network's weights; what was not published starts without an effect.

    Args:
        denoiser: Of the same configuration, perhaps on the ``meta`` device.
        state: Published name → weight; these very tensors become the denoiser's.
        source: What messages call them.

    Raises:
        InputError: If a weight is missing, unknown or of another shape; the sentence names it.
    """
    converted, own = convert(state, source), denoiser.state_dict()
    new = {name for name in own if name not in converted.state and _is_added(name)}
    found = [
        *(f"{name} has another shape" for name, value in converted.state.items() if name in own and value.shape != own[name].shape),
        *(f"{name} is missing" for name in own if name not in converted.state and name not in new),
        *(f"{name} is unknown" for name in sorted(set(converted.state) - set(own))),
    ]
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        raise InputError(f"{source} is not the network that it is named for: {found[0]}{more}.")
    fresh = {name: torch.zeros(own[name].shape) if "_value" in name else torch.randn(own[name].shape) * 0.02 for name in new}
    denoiser.load_state_dict({**converted.state, **fresh}, assign=True)


def _is_added(name: str) -> bool:
    """Whether a weight is none that was published: plan attention's."""
    return name == "null_tokens" or ".processor.emotion_" in name or ".processor.muscle_" in name


def _levels(state: Mapping[str, Tensor], source: str) -> set[tuple[str, int]]:
    """Which blocks of the denoising UNet have attention, such as (``down_blocks``, 0)."""
    found = {
        (match[1], int(match[2]))
        for match in (re.match(r"denoising_unet\.(down_blocks|up_blocks)\.(\d+)\.attentions\.", name) for name in state)
        if match
    }
    needed = ("denoising_unet.conv_in.weight", "reference_unet.conv_in.weight", "face_locator.conv_in.weight", "imageproj.norm.weight")
    missing = [name for name in (*needed, "audioproj.proj1.weight", "denoising_unet.conv_out.weight") if name not in state]
    if missing or not found:
        raise InputError(
            f"{source} holds no network of Hallo or EmoCAST: {(missing or ['denoising_unet.down_blocks.0.attentions'])[0]} is missing, "
            f"and its first weight is {next(iter(state), 'none')}."
        )
    return found
