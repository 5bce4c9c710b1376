"""Trained video models, ready to draw."""

import os

import torch

from tbd.draw.export import load_model
from tbd.draw.video.diffusion import VideoDiffusion
from tbd.errors import InputError


def load_video_model(checkpoint: str | os.PathLike) -> VideoDiffusion:
    """Load a trained video model, onto the GPU where there is one.

    Args:
        checkpoint: A folder, checkpoint, packaged model or hub repository, as for `load_model`; or the name of a published model,
            ``hallo`` or ``emocast``.

    Returns:
        The model, ready to draw.

    Raises:
        InputError: If there is no such model, or the GPU is too small for it.
    """
    model = _loaded(checkpoint)
    if not torch.cuda.is_available():
        return model.float()
    try:
        model.to("cuda").denoiser.to(torch.bfloat16)  # its products are in bf16 anyway
        return model
    except torch.OutOfMemoryError as error:
        need = sum(p.numel() * p.element_size() for p in model.parameters()) / 2**30
        free = torch.cuda.mem_get_info()[0] / 2**30
        raise InputError(f"The video model takes {need:.1f} GiB and the GPU has {free:.1f} free; close what else runs there.") from error


def _loaded(checkpoint: str | os.PathLike) -> VideoDiffusion:
    from tbd.draw.video.hallo.published import is_published, load_published_model

    return load_published_model(str(checkpoint)) if is_published(os.fspath(checkpoint)) else load_model(checkpoint, VideoDiffusion)
