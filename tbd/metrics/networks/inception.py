"""Inception networks of five metrics that are all called FID, each with its own preprocessing of frames."""

import io
import os
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from tbd.errors import InputError, TBDError
from tbd.utils.options.literals import checks_literals
from tbd.weights import load_into, load_state

if TYPE_CHECKING:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    from torchvision.models import Inception3

Flavour = Literal["torchmetrics", "pytorch-fid", "torch-fidelity", "clean-fid", "eat"]
FEATURES = 2048
_SIDE = 299
_MIXED = (
    "Mixed_5b",
    "Mixed_5c",
    "Mixed_5d",
    "Mixed_6a",
    "Mixed_6b",
    "Mixed_6c",
    "Mixed_6d",
    "Mixed_6e",
    "Mixed_7a",
    "Mixed_7b",
    "Mixed_7c",
)


class InceptionFeatures(nn.Module):
    """Inception's pooled features of frames, under a flavour's own resizing and scaling.

    | flavour | network | resized to 299 | scaled |
    | --- | --- | --- | --- |
    | ``torchmetrics`` | TensorFlow's of 2015 | bilinear, antialiased | (x − 128) / 128 |
    | ``pytorch-fid`` | the same | bilinear, plain | 2 x / 255 − 1 |
    | ``torch-fidelity`` | the same | bilinear as TensorFlow 1 has it, corners at whole pixels | (x − 128) / 128 |
    | ``clean-fid`` | the same | Pillow's bicubic in floats, antialiased, clipped to 0..255 | (x − 128) / 128 |
    | ``eat`` | torchvision's ImageNet | bilinear, plain | 2 x / 255 − 1, then torchvision's own on top of it, channels as BGR |

    The five give different distances for the same frames; EAT's doubled scaling and swapped channels are quirks that its
    published numbers have.

    Args:
        flavour: One of the five.
        weights: A registered name or a file with a state dict; None for the registered one for the flavour.

    Raises:
        WeightsNotFoundError: If the weights are not on this machine.
        InputError: If the file holds another network.
    """

    @checks_literals
    def __init__(self, flavour: Flavour = "torchmetrics", weights: str | os.PathLike | None = None) -> None:
        super().__init__()
        self.flavour = flavour
        self.network: Inception3 | FeatureExtractorInceptionV3
        if flavour == "eat":
            self.network = _torchvision(weights if weights is not None else "inception-imagenet")
        else:
            self.network = _tensorflow(weights if weights is not None else "inception-fid")
        pools = ("maxpool1", "maxpool2") if flavour == "eat" else ("MaxPool_1", "MaxPool_2")
        self._layers = (
            "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", pools[0], "Conv2d_3b_1x1", "Conv2d_4a_3x3", pools[1], *_MIXED,
        )  # fmt: skip

    def prepare(self, frames: Tensor) -> Tensor:
        """Resize and scale (N, 3, H, W) uint8 frames as the network takes them, (N, 3, 299, 299) float32."""
        frames = frames.float()
        if self.flavour == "torchmetrics":
            return (interpolate(frames, size=(_SIDE, _SIDE), mode="bilinear", align_corners=False, antialias=True) - 128) / 128
        if self.flavour == "torch-fidelity":
            return (_resize_like_tensorflow(frames) - 128) / 128
        if self.flavour == "clean-fid":
            return (_resize_like_pillow(frames) - 128) / 128
        frames = 2 * interpolate(frames / 255, size=(_SIDE, _SIDE), mode="bilinear", align_corners=False) - 1
        return self.network._transform_input(frames.flip(1)) if self.flavour == "eat" else frames

    def forward(self, frames: Tensor) -> Tensor:
        """Compute (N, 2048) features of (N, 3, H, W) uint8 RGB frames."""
        x = self.prepare(frames)  # (N, 3, 299, 299)
        for name in self._layers:
            x = getattr(self.network, name)(x)
        return adaptive_avg_pool2d(x, 1).flatten(1)  # (N, 2048)


def _resize_like_tensorflow(frames: Tensor) -> Tensor:
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

    return interpolate_bilinear_2d_like_tensorflow1x(frames, size=(_SIDE, _SIDE), align_corners=False)


def _resize_like_pillow(frames: Tensor) -> Tensor:
    """clean-fid's resizing: each channel by itself as floats, so that nothing is rounded (Parmar et al. 2022)."""
    from PIL import Image

    def resize(channel: np.ndarray) -> np.ndarray:
        return np.asarray(Image.fromarray(channel).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)).clip(0, 255)

    resized = [resize(channel) for frame in frames.cpu().numpy() for channel in frame]
    return torch.from_numpy(np.stack(resized)).view(-1, 3, _SIDE, _SIDE).to(frames.device)


def _torchvision(weights: str | os.PathLike) -> "Inception3":
    from torchvision.models import inception_v3

    network = inception_v3(weights=None, init_weights=False, transform_input=True)
    load_into(network, weights, "torchvision's Inception")
    return network


def _tensorflow(weights: str | os.PathLike) -> "FeatureExtractorInceptionV3":
    """torch-fidelity's network.

    Its constructor reads a file with all that pickle can do, so it gets one of ours, in memory, that holds the tensors alone.
    """
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise TBDError("FID and KID need the package torch-fidelity: pip install torch-fidelity.") from error
    clean = io.BytesIO()
    torch.save(load_state(weights), clean)
    clean.seek(0)
    try:
        return FeatureExtractorInceptionV3("inception-v3-compat", [str(FEATURES)], clean)
    except RuntimeError as error:
        raise InputError(
            f"{os.fspath(weights)} does not hold the weights of FID's Inception ({str(error).splitlines()[-1].strip()})."
        ) from error
