"""The transformers that the published networks add to Stable Diffusion's: one reads the audio, one the other frames."""

from typing import Any

import torch
from diffusers.models.attention import BasicTransformerBlock, FeedForward
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from torch.nn import functional as F

from tbd.draw.video.attention import PlainAttnProcessor
from tbd.draw.video.hallo.attention import HalloContext

PLACES = ("full", "face", "lip")
"""Where audio attention acts: around the face, on it, on the lips; Hallo's names."""
_EMOTION_HEAD = 80
"""Width of a head of the words' attention to the audio, which EmoCAST has at every level."""


class AudioBlock(nn.Module):
    """Self-attention, three attentions to the audio in three places, feed-forward.

    Args:
        dim: Width of the frame's tokens.
        heads: Number of heads.
        audio_dim: Width of the audio tokens.
        words: Whether words ask the audio first, and the frame attends to their answer (EmoCAST).
    """

    def __init__(self, dim: int, heads: int, audio_dim: int, words: bool = False) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(dim) for _ in range(3))
        self.attn1 = _attention(dim, None, heads, dim // heads)
        self.attn2 = nn.ModuleList([_attention(dim, audio_dim, heads, dim // heads) for _ in PLACES])
        self.zero_conv = nn.ModuleList([nn.Conv2d(dim, dim, 1) for _ in PLACES])
        for parameter in self.zero_conv.parameters():
            nn.init.zeros_(parameter)
        self.ff = FeedForward(dim)
        self.words_audio = _attention(audio_dim, audio_dim, heads, _EMOTION_HEAD) if words else None
        self.words_norm = nn.LayerNorm(audio_dim) if words else None

    def forward(self, x: Tensor, level: int, context: HalloContext) -> Tensor:
        """Let each place of the frames attend to the audio.

        Args:
            x: (B·T, h·w, C) tokens of the frames.
            level: The level of the UNet, which decides the masks' size.
            context: The conditions.

        Returns:
            (B·T, h·w, C) tokens.
        """
        x = x + self.attn1(self.norm1(x))
        normed, audio = self.norm2(x), context.audio
        if self.words_audio is not None and self.words_norm is not None:
            audio = self.words_norm(self.words_audio(context.words, encoder_hidden_states=audio))
        masks = context.masks[level].repeat_interleave(context.frames, 0).to(x.dtype)  # (B·T, 3, h·w)
        for i, (attn, conv) in enumerate(zip(self.attn2, self.zero_conv)):
            read = attn(normed, encoder_hidden_states=audio) * masks[:, i, :, None]
            x = x + context.scales[i] * _each_pixel(conv, read)
        return x + self.ff(self.norm3(x))


class AudioTransformer(nn.Module):
    """An `AudioBlock` between two convolutions of one pixel, frame by frame.

    Args:
        channels: Channels of the feature map.
        dim: Width of the tokens. In the first layer of a level it is the level's before, which has fewer.
        heads: Number of heads.
        audio_dim: Width of the audio tokens.
        groups: Groups of the normalisation.
        words: See `AudioBlock`.
    """

    def __init__(self, channels: int, dim: int, heads: int, audio_dim: int, groups: int, words: bool = False) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, eps=1e-6)
        self.proj_in = nn.Conv2d(channels, dim, 1)
        self.transformer_blocks = nn.ModuleList([AudioBlock(dim, heads, audio_dim, words)])
        self.proj_out = nn.Conv2d(dim, channels, 1)

    def forward(self, x: Tensor, level: int, context: HalloContext) -> Tensor:
        """Let frames read the audio.

        Args:
            x: (B·T, C, h, w) feature maps.
            level: The level of the UNet.
            context: The conditions.

        Returns:
            (B·T, C, h, w) feature maps.
        """
        tokens = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)  # (B·T, h·w, D)
        for block in self.transformer_blocks:
            tokens = block(tokens, level, context)
        return x + self.proj_out(tokens.transpose(1, 2).unflatten(2, x.shape[2:]))


class MotionTransformer(nn.Module):
    """Attention of each place to the same place of all frames (AnimateDiff, arXiv 2307.04725).

    Unlike diffusers' `AnimateDiffTransformer3D` each frame is normalised by itself, as AnimateDiff's own code does.

    Args:
        channels: Channels of the feature map.
        heads: Number of heads.
        groups: Groups of the normalisation.
        max_frames: Most frames.
    """

    def __init__(self, channels: int, heads: int, groups: int, max_frames: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, eps=1e-6)
        self.proj_in = nn.Linear(channels, channels)
        block = BasicTransformerBlock(
            channels,
            heads,
            channels // heads,
            double_self_attention=True,
            positional_embeddings="sinusoidal",
            num_positional_embeddings=max_frames,
        )
        for attn in (block.attn1, block.attn2):
            attn.set_processor(PlainAttnProcessor())  # type: ignore[arg-type]  # diffusers lists its own processors alone
        self.transformer_blocks = nn.ModuleList([block])
        self.proj_out = nn.Linear(channels, channels)
        nn.init.zeros_(self.proj_out.weight)
        nn.init.zeros_(self.proj_out.bias)

    def forward(self, x: Tensor, past: Tensor, frames: int) -> Tensor:
        """Let frames read one another and those before them.

        Args:
            x: (B·T, C, h, w) feature maps.
            past: (B, P, h·w, C) features of the frames before.
            frames: T.

        Returns:
            (B·T, C, h, w) feature maps of the new frames.
        """
        height, width = x.shape[2:]
        before = past.transpose(2, 3).unflatten(3, (height, width))  # (B, P, C, h, w)
        every = torch.cat([before.to(x.dtype), x.unflatten(0, (-1, frames))], 1)  # (B, P+T, C, h, w)
        tokens = self.norm(every.flatten(0, 1)).unflatten(0, every.shape[:2])
        tokens = self.proj_in(tokens.permute(0, 3, 4, 1, 2).flatten(0, 2))  # (B·h·w, P+T, C)
        for block in self.transformer_blocks:
            tokens = block(tokens)
        tokens = self.proj_out(tokens[:, past.shape[1] :])  # (B·h·w, T, C)
        return x + tokens.unflatten(0, (len(every), height, width)).permute(0, 3, 4, 1, 2).flatten(0, 1)


def _each_pixel(conv: Any, x: Tensor) -> Tensor:
    """A convolution of one pixel, which is a linear layer, of (N, L, C)."""
    return F.linear(x, conv.weight[:, :, 0, 0], conv.bias)


def _attention(query: int, keys: int | None, heads: int, head: int) -> Attention:
    processor: Any = PlainAttnProcessor()
    return Attention(query, cross_attention_dim=keys, heads=heads, dim_head=head, processor=processor)
