"""`MouthUNet`: painted mouth, its mask and another view of the person → the mouth as video would show it."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = 7
"""Painted RGB, mask, RGB of the person at rest."""


class MouthUNet(nn.Module):
    """A U-Net whose output is added to what is painted, within the mask alone.

    Args:
        width: Channels at the full resolution; each of the levels below has twice as many, up to eight times.
        levels: Resolutions below the full one.

    Shape:
        - crops: (B, 7, H, W), −1..1 and the mask 0..1; H and W are multiples of ``2 ** levels``.
        - Output: (B, 3, H, W), −1..1.

    Example:
        >>> MouthUNet(8, 2)(torch.zeros(1, 7, 32, 32)).shape
        torch.Size([1, 3, 32, 32])
    """

    def __init__(self, width: int = 24, levels: int = 4) -> None:
        super().__init__()
        widths = [width * min(2**level, 8) for level in range(levels + 1)]
        self.proj_in = nn.Conv2d(CHANNELS, width, 3, padding=1)
        self.down = nn.ModuleList(_Block(a, b, 2) for a, b in pairwise(widths))
        self.middle = _Block(widths[-1], widths[-1])
        self.up = nn.ModuleList(_Block(b + a, a) for b, a in pairwise(widths[::-1]))
        self.proj_out = nn.Conv2d(width, 3, 3, padding=1)
        for parameter in self.proj_out.parameters():
            nn.init.zeros_(parameter)

    def forward(self, crops: Tensor) -> Tensor:
        """Finish mouths.

        Args:
            crops: See the class.

        Returns:
            See the class.
        """
        hidden = self.proj_in(crops)
        skips = []
        for block in self.down:
            skips.append(hidden)
            hidden = block(hidden)
        hidden = self.middle(hidden)
        for block in self.up:
            skip = skips.pop()
            hidden = functional.interpolate(hidden, size=skip.shape[-2:], mode="nearest")
            hidden = block(torch.cat([hidden, skip], 1))
        painted, mask = crops[:, :3], crops[:, 3:4]
        return painted + mask * self.proj_out(functional.silu(hidden))


class _Block(nn.Module):
    """Two convolutions with a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(_groups(inputs), inputs), nn.GroupNorm(_groups(outputs), outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, hidden: Tensor) -> Tensor:
        added = self.conv1(functional.silu(self.norm1(hidden)))
        added = self.conv2(functional.silu(self.norm2(added)))
        return self.shortcut(hidden) + added


def _groups(channels: int) -> int:
    return next(groups for groups in (8, 4, 2, 1) if channels % groups == 0)


class PatchDiscriminator(nn.Module):
    """Tells filmed mouths from drawn ones, patch by patch (Isola et al. 2017).

    Args:
        width: Channels of its first layer.

    Shape:
        - crops: (B, 3, H, W) and mask (B, 1, H, W).
        - Output: (B, 1, H / 8, W / 8) logits.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        norm = nn.utils.parametrizations.spectral_norm
        self.layers = nn.Sequential(
            norm(nn.Conv2d(4, width, 4, 2, 1)), nn.LeakyReLU(0.2),
            norm(nn.Conv2d(width, 2 * width, 4, 2, 1)), nn.LeakyReLU(0.2),
            norm(nn.Conv2d(2 * width, 4 * width, 4, 2, 1)), nn.LeakyReLU(0.2),
            norm(nn.Conv2d(4 * width, 1, 3, 1, 1)),
        )  # fmt: skip

    def forward(self, crops: Tensor, mask: Tensor) -> Tensor:
        """Judge crops.

        Args:
            crops: See the class.
            mask: See the class.

        Returns:
            See the class.
        """
        logits: Tensor = self.layers(torch.cat([crops, mask], 1))
        return logits
