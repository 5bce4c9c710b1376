"""I3D (Carreira and Zisserman 2017), whose logits FVD is defined on (Unterthiner et al. 2018, arXiv 1812.01717).

The layers have the names and shapes of pytorch-i3d's conversion of DeepMind's weights, so that its state dict loads; nothing of it is a
program, as the TorchScript files are that others use.
"""

import os

import torch
from torch import Tensor, nn
from typing_extensions import override

from tbd.metrics.networks.same_padding import pad_same
from tbd.metrics.video_frechet import VideoNetwork
from tbd.weights import load_into

_SIDE = 224
_CLASSES = 400
_EPSILON = 1e-3
_MIXED = {
    "3b": (192, (64, 96, 128, 16, 32, 32)),
    "3c": (256, (128, 128, 192, 32, 96, 64)),
    "4b": (480, (192, 96, 208, 16, 48, 64)),
    "4c": (512, (160, 112, 224, 24, 64, 64)),
    "4d": (512, (128, 128, 256, 24, 64, 64)),
    "4e": (512, (112, 144, 288, 32, 64, 64)),
    "4f": (528, (256, 160, 320, 32, 128, 128)),
    "5b": (832, (256, 160, 320, 32, 128, 128)),
    "5c": (832, (384, 192, 384, 48, 128, 128)),
}
"""Module → channels in, and of its branches: 1, 3 reduced, 3, 3 reduced, 3, pooled."""
_POOLS = {
    "Conv3d_1a_7x7": ((1, 3, 3), (1, 2, 2)),
    "Conv3d_2c_3x3": ((1, 3, 3), (1, 2, 2)),
    "3c": ((3, 3, 3), (2, 2, 2)),
    "4f": ((2, 2, 2), (2, 2, 2)),
}
"""Layer → window and step of the pooling behind it."""


class I3D(VideoNetwork):
    """I3D on pictures, trained on Kinetics-400: windows of 16 frames, 224², the 400 logits before the softmax.

    Published FVDs are mostly of DeepMind's own module of TensorFlow; this is its network with converted weights. Frames are resized
    bilinearly without antialiasing and brought to −1..1, as the original's `preprocess` does.

    Args:
        weights: A registered name or a file with pytorch-i3d's state dict; None leaves the network as `torch` initializes it.

    Raises:
        WeightsNotFoundError: If the weights are not on this machine.
        InputError: If the file holds another network.

    Example:
        >>> I3D(None).embed(torch.zeros(1, 16, 3, 32, 32, dtype=torch.uint8)).shape
        torch.Size([1, 400])
    """

    frames, features = 16, _CLASSES

    def __init__(self, weights: str | os.PathLike | None = "i3d-kinetics") -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = _Unit(3, 64, 7, 2)
        self.Conv3d_2b_1x1 = _Unit(64, 64, 1)
        self.Conv3d_2c_3x3 = _Unit(64, 192, 3)
        for name, (channels, branches) in _MIXED.items():
            self.add_module(f"Mixed_{name}", _Mixed(channels, branches))
        self.logits = _Unit(1024, _CLASSES, 1, plain=True)
        if weights is not None:
            load_into(self, weights, "I3D as pytorch-i3d names its layers")
        self.eval()

    @override
    def embed(self, windows: Tensor) -> Tensor:
        frames = windows.flatten(0, 1).float()
        frames = nn.functional.interpolate(frames, size=(_SIDE, _SIDE), mode="bilinear", align_corners=False)
        x = (frames / 127.5 - 1).unflatten(0, windows.shape[:2]).transpose(1, 2)  # (B, 3, T, 224, 224)
        for name in ("Conv3d_1a_7x7", "Conv3d_2b_1x1", "Conv3d_2c_3x3", *_MIXED):
            x = getattr(self, f"Mixed_{name}" if name in _MIXED else name)(x)
            if name in _POOLS:
                x = _pool(x, *_POOLS[name])
        x = nn.functional.avg_pool3d(x, (2, 7, 7), stride=1)  # (B, 1024, T / 8 − 1, 1, 1)
        return self.logits(x).mean((2, 3, 4))  # (B, 400)


class _Unit(nn.Module):
    """A convolution padded as TensorFlow pads, with normalization and ReLU; ``plain`` is with a bias alone."""

    def __init__(self, before: int, after: int, window: int, step: int = 1, plain: bool = False) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(before, after, window, stride=step, bias=plain)
        if not plain:
            self.bn = nn.BatchNorm3d(after, eps=_EPSILON, momentum=0.01)
        self.plain = plain

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv3d(pad_same(x, self.conv3d.kernel_size, self.conv3d.stride))
        return x if self.plain else nn.functional.relu(self.bn(x))


class _Mixed(nn.Module):
    """Inception's module: four branches side by side."""

    def __init__(self, before: int, after: tuple[int, ...]) -> None:
        super().__init__()
        self.b0 = _Unit(before, after[0], 1)
        self.b1a, self.b1b = _Unit(before, after[1], 1), _Unit(after[1], after[2], 3)
        self.b2a, self.b2b = _Unit(before, after[3], 1), _Unit(after[3], after[4], 3)
        self.b3b = _Unit(before, after[5], 1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = _pool(x, (3, 3, 3), (1, 1, 1))
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(pooled)], 1)


def _pool(x: Tensor, window: tuple[int, int, int], step: tuple[int, int, int]) -> Tensor:
    return nn.functional.max_pool3d(pad_same(x, window, step), window, step)  # nothing negative comes, so zeros will do here, too
