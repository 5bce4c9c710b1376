"""The small networks that turn a face's embedding, a face's place and audio features into what the UNets read."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tbd.draw.video.hallo.attention import IDENTITY_TOKENS


class FaceProjection(nn.Module):
    """A face's embedding → `IDENTITY_TOKENS` tokens.

    Args:
        embedding: Width of the embedding.
        dim: Width of the tokens.
    """

    def __init__(self, embedding: int, dim: int) -> None:
        super().__init__()
        self.proj, self.norm = nn.Linear(embedding, IDENTITY_TOKENS * dim), nn.LayerNorm(dim)

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, E) → (B, 4, D)."""
        return self.norm(self.proj(embedding).unflatten(-1, (IDENTITY_TOKENS, -1)))


class FaceLocator(nn.Module):
    """A mask of the face in pixels → a feature map of the latents' size, which is added to the UNet's first.

    Args:
        channels: Channels of the feature map.
        widths: Channels of the layers before; each but the first halves the size.
    """

    def __init__(self, channels: int, widths: Sequence[int] = (16, 32, 64, 128)) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList()
        for narrow, wide in pairwise(widths):
            self.blocks += [nn.Conv2d(narrow, narrow, 3, padding=1), nn.Conv2d(narrow, wide, 3, stride=2, padding=1)]
        self.conv_out = nn.Conv2d(widths[-1], channels, 3, padding=1)
        for parameter in self.conv_out.parameters():
            nn.init.zeros_(parameter)

    def forward(self, mask: Tensor) -> Tensor:
        """(B, 3, H, W) 0..1 → (B, C, H/8, W/8)."""
        x = F.silu(self.conv_in(mask))
        for block in self.blocks:
            x = F.silu(block(x))
        return self.conv_out(x)


class AudioProjection(nn.Module):
    """The features of a frame and its neighbours → tokens.

    Args:
        inputs: Width of the features, of all neighbours and layers together.
        hidden: Width of the layers between.
        tokens: Number of tokens.
        dim: Width of a token.
    """

    def __init__(self, inputs: int, hidden: int = 512, tokens: int = 32, dim: int = 768) -> None:
        super().__init__()
        self.tokens = tokens
        self.proj1, self.proj2 = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden)
        self.proj3, self.norm = nn.Linear(hidden, tokens * dim), nn.LayerNorm(dim)

    def forward(self, features: Tensor) -> Tensor:
        """(…, inputs) → (…, tokens, dim)."""
        x = torch.relu(self.proj2(torch.relu(self.proj1(features))))
        return self.norm(self.proj3(x).unflatten(-1, (self.tokens, -1)))
