"""One pass through a UNet of diffusers, layer by layer: the same for every video denoiser, whatever its layers attend to."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from tbd.draw.video.feature_reuse import DeepFeatures
from tbd.errors import InputError

Attend = Callable[[Any, int, Tensor, int], Tensor]
"""A block, the number of a layer in it, (N, C, h, w) what the layer's convolutions made, and the level → what its attention makes of it."""


def embed_time(unet: Any, timestep: Tensor, like: Tensor, frames: int) -> Tensor:
    """Embed timesteps as a UNet's layers take them.

    Args:
        unet: A UNet of diffusers.
        timestep: (B,) timesteps.
        like: A tensor of the layers' type.
        frames: T.

    Returns:
        (B·T, E) embeddings, each repeated for its window's frames.
    """
    return unet.time_embedding(unet.time_proj(timestep).to(like.dtype)).repeat_interleave(frames, 0)


def run_unet(unet: Any, x: Tensor, emb: Tensor, attend: Attend, deep: DeepFeatures | None = None) -> Tensor:
    """Run a UNet from behind its first convolution to its end.

    Args:
        unet: A UNet of diffusers.
        x: (N, C, h, w) what the first convolution made.
        emb: (N, E) the embedded timesteps.
        attend: What follows each layer's convolutions.
        deep: What the deep layers made at an earlier step, where that is reused.

    Returns:
        (N, C, h, w) the prediction.

    Raises:
        InputError: If more layers are to be computed at every step than the last block has.
    """
    last, deepest = unet.up_blocks[-1], len(unet.down_blocks) - 1
    shallow = len(last.resnets)
    if deep is not None:
        if deep.layers > shallow:
            raise InputError(f"At every step {deep.layers} layers are to be computed; the last block has {shallow}.")
        shallow = deep.layers
    reused = None if deep is None else deep.kept
    skipped = [x]

    def up(block: Any, layers: Iterable[int], x: Tensor, level: int) -> Tensor:
        for j in layers:
            x = attend(block, j, block.resnets[j](torch.cat([x, skipped.pop()], 1), emb), level)
        return x

    behind = len(last.resnets) - shallow
    if reused is None:
        for level, block in enumerate(unet.down_blocks):
            for j, resnet in enumerate(block.resnets):
                x = attend(block, j, resnet(x, emb), level)
                skipped.append(x)
            for sampler in block.downsamplers or ():
                x = sampler(x)
                skipped.append(x)
        x = unet.mid_block.resnets[0](x, emb)
        for j, resnet in enumerate(unet.mid_block.resnets[1:]):
            x = resnet(attend(unet.mid_block, j, x, deepest), emb)
        for i, block in enumerate(unet.up_blocks[:-1]):
            x = up(block, range(len(block.resnets)), x, deepest - i)
            for sampler in block.upsamplers or ():
                x = sampler(x, skipped[-1].shape[-2:])
        x = up(last, range(behind), x, 0)
        if deep is not None:
            deep.keep(x)
    else:
        block = unet.down_blocks[0]
        for j, resnet in enumerate(block.resnets[: shallow - 1]):
            x = attend(block, j, resnet(x, emb), 0)
            skipped.append(x)
        x = reused
    x = up(last, range(behind, len(last.resnets)), x, 0)
    return unet.conv_out(unet.conv_act(unet.conv_norm_out(x)))
