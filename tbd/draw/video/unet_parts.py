"""What the video denoisers do with their UNets, whichever blocks these have: find regions, save memory, compile."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Literal

import torch
from diffusers.models.attention import FeedForward
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import nn
from torch.utils.checkpoint import checkpoint

from tbd.errors import InputError


def unet_blocks(unet: Any) -> list[Any]:
    """List a UNet's blocks, from the input to the output.

    Args:
        unet: A UNet of diffusers.

    Returns:
        The blocks of the way down, the one in the middle, those of the way up.
    """
    return [*unet.down_blocks, unet.mid_block, *unet.up_blocks]


def unet_regions(unet: Any, *kinds: str) -> Iterator[nn.Module]:
    """Yield the parts of a UNet's blocks.

    Args:
        unet: A UNet of diffusers.
        kinds: Names of lists of modules, such as ``attentions``; a block may lack them.

    Yields:
        The modules, block by block.
    """
    for block in unet_blocks(unet):
        for kind in kinds:
            yield from getattr(block, kind, None) or ()


def level_sizes(size: Sequence[int], levels: int) -> list[tuple[int, int]]:
    """Compute the sizes of the latent at a UNet's levels: it is halved, rounding up, from each to the next.

    Args:
        size: Height and width of the latent.
        levels: Number of levels.

    Returns:
        Height and width at each level.

    Example:
        >>> level_sizes((9, 16), 3)
        [(9, 16), (5, 8), (3, 4)]
    """
    sizes = [(size[0], size[1])]
    for _ in range(levels - 1):
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes


def checkpoint_regions(regions: Iterable[nn.Module], how: Literal["some", "most"]) -> None:
    """In training, compute activations again instead of keeping them, in place.

    Args:
        regions: Transformers.
        how: ``most`` computes whole regions again, ``some`` their feed-forwards alone.
    """
    for region in regions:
        for part in [region] if how == "most" else [part for part in region.modules() if isinstance(part, FeedForward)]:
            # the random generator's state, which only dropout needs, takes longer to keep than a feed-forward to compute
            random = any(isinstance(m, nn.Dropout) and m.p > 0 for m in part.modules())
            part.forward = partial(checkpoint, part.forward, use_reentrant=False, preserve_rng_state=random)


def compile_repeated(unet: nn.Module, *kinds: type[nn.Module]) -> None:
    """Compile convolution blocks, feed-forwards and further parts, in place: the same code for every layer of one shape.

    Args:
        unet: The UNet.
        kinds: Classes of its further parts; what they hold is compiled with them.
    """
    # the layers' two dozen shapes are compiled once each for training, drawing, and each number of branches
    torch._dynamo.config.cache_size_limit = max(torch._dynamo.config.cache_size_limit, 128)
    inside = {part for module in unet.modules() if isinstance(module, kinds) for part in module.modules() if part is not module}
    for module in unet.modules():
        if isinstance(module, (*kinds, ResnetBlock2D, FeedForward)) and module not in inside:
            module.compile(dynamic=False)


def require_plain_unet(unet: UNet2DConditionModel, source: str) -> None:
    """Refuse a UNet that reads more than noisy latents and text, since it would be given nothing of it.

    Args:
        unet: The UNet.
        source: What the message calls it.

    Raises:
        InputError: If it does.
    """
    config: Any = unet.config
    if config.addition_embed_type is not None or config.class_embed_type is not None or config.num_class_embeds is not None:
        raise InputError(f"{source} holds a UNet that is conditioned on sizes or classes, as SDXL's is; give Stable Diffusion 1.x or 2.x.")
    if config.in_channels != config.out_channels:
        raise InputError(
            f"{source} holds a UNet that takes {config.in_channels} channels and gives {config.out_channels}, as those for inpainting or "
            "editing do; give the base model."
        )
