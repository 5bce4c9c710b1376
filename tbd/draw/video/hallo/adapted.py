"""`AdaptedHalloDenoiser`: a published network that learns to follow muscle plans, by attention of its own and low-rank adapters."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from tbd.draw.single_file import read_weights
from tbd.draw.video.hallo.convert import fill, options_of
from tbd.draw.video.hallo.denoiser import HalloDenoiser
from tbd.errors import InputError
from tbd.metrics.faces.identity import FaceEmbedder
from tbd.weights import resolve_set, weight_sets

_TARGETS = ("to_q", "to_k", "to_v", "to_out.0")
"""Layers of attention that get adapters."""


class AdaptedHalloDenoiser(HalloDenoiser):
    """Hallo's network with attention to muscle plans and LoRA adapters (arXiv 2106.09685), which both start without an effect.

    What trains is said by the model's ``training.trainable``: ``denoiser.unet.*lora_*``, ``denoiser.unet.*emotion_*``,
    ``denoiser.unet.*muscle_*`` and ``denoiser.null_tokens``. Adapters need ``pip install 'tbd[adapters]'``.

    Args:
        weights: ``hallo`` or ``emocast``, as `tbd weights fetch` has put them; or the path of a ``net.pth``.
        plan_dim: Width of the plan's tokens.
        lora_rank: Rank of the adapters of every attention of the denoising UNet; 0 for none.
        network: Arguments of `HalloDenoiser`, for random weights instead, as an exported folder describes it.
        embedder: See `HalloDenoiser`.

    Raises:
        InputError: If weights are missing or another network's, or peft is not installed.
    """

    hub_arguments = ()

    def __init__(
        self,
        weights: str = "hallo",
        plan_dim: int = 320,
        lora_rank: int = 16,
        network: dict[str, Any] | None = None,
        embedder: FaceEmbedder | None = None,
    ) -> None:
        own = {"plan_dim": plan_dim, "embedder": embedder}
        if network is not None:
            super().__init__(**{**network, **own})
            self.network = network
        else:
            path = _path(weights)
            state = read_weights(path)
            published = options_of(state, str(path))
            with torch.device("meta"):
                super().__init__(**{**published, **own})
            fill(self, state, str(path))
            self.network = published
        self.lora_rank = lora_rank
        if lora_rank:
            add_lora(self.unet, lora_rank)

    def describe(self, init_args: dict[str, Any]) -> dict[str, Any]:
        """See `PortableModule.describe`."""
        kept = {name: value for name, value in init_args.items() if name == "embedder"}
        return {**kept, "plan_dim": self.plan_dim, "lora_rank": self.lora_rank, "network": self.network}


def add_lora(unet: nn.Module, rank: int) -> None:
    """Put low-rank adapters beside the projections of every attention, in place.

    Args:
        unet: The network.
        rank: Rank of the adapters; their scale is 1.

    Raises:
        InputError: If peft is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise InputError("Adapters need peft: pip install 'tbd[adapters]'.") from error
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=rank, target_modules=list(_TARGETS)), unet)
    for name, parameter in unet.named_parameters():
        parameter.requires_grad_(True)  # peft freezes all else; here the model's configuration says what trains
        if "lora_" in name:
            parameter.data = parameter.data.float()


def _path(weights: str) -> Path:
    if weights in weight_sets() and not Path(weights).exists():
        return next(path for file, path in resolve_set(weights).items() if file.endswith("-net"))
    if not Path(weights).is_file():
        raise InputError(f"There are no weights {weights}; give {', '.join(weight_sets())}, or the path of a net.pth.")
    return Path(weights)
