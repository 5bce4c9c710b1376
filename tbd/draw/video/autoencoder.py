"""`LatentCodec`: frames ↔ the latents that the video model draws in."""

import os
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from tbd.draw.pretrained import PortableModule, from_source, plain


class LatentCodec(PortableModule):
    """A frozen image autoencoder, frame by frame.

    Args:
        autoencoder: Hub name, folder or file of an `AutoencoderKL` or of a whole Stable Diffusion, or the arguments of one with
            random weights.
        subfolder: Where in a pipeline, if not in ``vae``.
        chunk: Frames that are encoded or decoded at once, so that long windows need no more memory.
    """

    hub_arguments = ("autoencoder",)
    """See `tbd.utils.hub`."""

    def __init__(self, autoencoder: str | dict[str, Any], subfolder: str | None = None, chunk: int = 8) -> None:
        super().__init__()
        if isinstance(autoencoder, (str, os.PathLike)):
            self.autoencoder = from_source(AutoencoderKL, autoencoder, subfolder)
        else:
            self.autoencoder = AutoencoderKL(**autoencoder)
        self.requires_grad_(False)
        self.chunk = chunk

    @property
    def channels(self) -> int:
        """Number of latent channels."""
        return self.autoencoder.config.latent_channels

    @property
    def factor(self) -> int:
        """Pixels of an image along the side of one latent pixel."""
        return 2 ** (len(self.autoencoder.config.block_out_channels) - 1)

    def describe(self, init_args: dict[str, Any]) -> dict[str, Any]:
        """See `PortableModule.describe`."""
        config = {name: value for name, value in self.autoencoder.config.items() if not name.startswith("_")}
        return {"autoencoder": plain(config), "chunk": self.chunk}

    @torch.no_grad()
    def encode(self, frames: Tensor) -> Tensor:
        """(..., 3, H, W) in 0..1 → (..., C, H/f, W/f), about unit variance; the posterior's mode, so that it can be cached."""
        flat = frames.reshape(-1, *frames.shape[-3:]).to(self.autoencoder.dtype) * 2 - 1
        parts = [self.autoencoder.encode(part).latent_dist.mode() for part in flat.split(self.chunk)]
        encoded = torch.cat(parts) * self.autoencoder.config.scaling_factor
        return encoded.reshape(*frames.shape[:-3], *encoded.shape[1:])

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """(..., C, h, w) → (..., 3, f·h, f·w) in 0..1."""
        flat = latents.reshape(-1, *latents.shape[-3:]).to(self.autoencoder.dtype) / self.autoencoder.config.scaling_factor
        parts = [self.autoencoder.decode(part).sample for part in flat.split(self.chunk)]
        decoded = torch.cat(parts)
        return (decoded.reshape(*latents.shape[:-3], *decoded.shape[1:]) / 2 + 0.5).clamp(0, 1)
