"""The network that takes noise away: a transformer over windows of motion."""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tbd.draw.conditioning.plan_encoder import PlanEmbeds
from tbd.face.channels import CHANNELS


class Denoiser(nn.Module, ABC):
    """Predicts clean motion from noisy motion and its conditions. It never sees a guidance scale.

    An implementation declares the widths of the embeddings that it takes, `plan_dim` and `audio_dim`.
    """

    plan_dim: int
    audio_dim: int

    @abstractmethod
    def forward(
        self, noisy: Tensor, timestep: Tensor, audio_embeds: Tensor, audio_mask: Tensor, plan: PlanEmbeds, past: Tensor, past_mask: Tensor
    ) -> Tensor:
        """One prediction.

        Args:
            noisy: (B, T, 58) normalised motion with noise.
            timestep: (B,) the noise scheduler's training timestep.
            audio_embeds: (B, T, audio_dim).
            audio_mask: (B,) 1 where the audio is given, 0 where it is withheld.
            plan: tokens of width plan_dim and their presence; a withheld group has presence 0.
            past: (B, T, 58) normalised motion of the frames already drawn, zeros elsewhere.
            past_mask: (B, T) 1 at the frames already drawn.

        Returns:
            (B, T, 58) the prediction, in the noise scheduler's prediction type.
        """


class MotionTransformer(Denoiser):
    """Self-attention over time, cross-attention to the plan, and the audio added frame by frame.

    The plan enters twice. Each frame is given the sum of its tokens, each weighted by its presence then: a linear path,
    so that an action's intensity and timing arrive exactly. And it attends to the same tokens, so that muscles can work
    together. Timesteps modulate every block by one shared map plus the block's own offset (PixArt-α, arXiv 2310.00426),
    which saves a third of the parameters of adaLN-zero (DiT, arXiv 2212.09748).

    Args:
        dim: width, also of the plan's and the audio's embeddings.
        depth: number of blocks.
        heads: attention heads; `dim` is a multiple of twice their number.
        dropout: in training, within the blocks.
    """

    def __init__(self, dim: int = 320, depth: int = 6, heads: int = 5, dropout: float = 0.05) -> None:
        super().__init__()
        if dim % (2 * heads):
            raise ValueError(f"dim {dim} is no multiple of twice the {heads} heads, which rotary positions need.")
        self.plan_dim = self.audio_dim = self.dim = dim
        channels = len(CHANNELS)
        self.proj_in = nn.Linear(2 * channels + 1, dim)
        self.audio = nn.Linear(dim, dim)
        self.no_audio = nn.Parameter(torch.zeros(dim))
        self.global_track = nn.Linear(dim, dim, bias=False)
        self.local_track = nn.Linear(dim, dim, bias=False)
        self.null_token = nn.Parameter(torch.randn(dim) * 0.02)
        self.time = nn.Sequential(nn.Linear(256, dim), nn.SiLU(), nn.Linear(dim, dim), nn.SiLU())
        self.modulate = nn.Linear(dim, 6 * dim)
        self.blocks = nn.ModuleList(_Block(dim, heads, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)
        self.proj_out = nn.Linear(dim, channels)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)
        nn.init.zeros_(self.proj_out.weight)
        nn.init.zeros_(self.proj_out.bias)

    def forward(
        self, noisy: Tensor, timestep: Tensor, audio_embeds: Tensor, audio_mask: Tensor, plan: PlanEmbeds, past: Tensor, past_mask: Tensor
    ) -> Tensor:
        x = self.proj_in(torch.cat([noisy, past, past_mask[..., None]], -1))  # (B, T, D)
        audio_mask = audio_mask[:, None, None].to(x.dtype)
        x = x + audio_mask * self.audio(audio_embeds) + (1 - audio_mask) * self.no_audio  # (B, T, D)
        x = x + torch.einsum("bst,bsd->btd", plan.global_presence, self.global_track(plan.global_tokens))
        x = x + torch.einsum("bnt,bnd->btd", plan.local_presence, self.local_track(plan.local_tokens))
        tokens, bias = self._plan_memory(plan)  # (B, 1+S+N, D), (B, 1, T, 1+S+N)
        modulation = self.modulate(self.time(_timestep_features(timestep))).unflatten(-1, (6, -1))  # (B, 6, D)
        angles = _rotary_angles(x.shape[1], self.blocks[0].head_dim, x.device)  # (T, head_dim/2)
        for block in self.blocks:
            x = block(x, modulation, tokens, bias, angles)  # (B, T, D)
        return self.proj_out(self.norm(x))  # (B, T, 58)

    def _plan_memory(self, plan: PlanEmbeds) -> tuple[Tensor, Tensor]:
        """All tokens behind one that is always there, and the log of their presence as attention bias."""
        null = self.null_token.expand(len(plan.global_tokens), 1, -1)
        tokens = torch.cat([null, plan.global_tokens, plan.local_tokens], 1)
        presence = torch.cat([plan.global_presence, plan.local_presence], 1).transpose(1, 2)  # (B, T, S+N)
        bias = F.pad(torch.log(presence.clamp(min=1e-6)), (1, 0))
        return tokens, bias[:, None].to(tokens.dtype)


class _Block(nn.Module):
    """Self-attention with rotary positions, cross-attention to the plan, feed-forward; pre-norm."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.head_dim = heads, dim // heads
        self.offset = nn.Parameter(torch.zeros(6, dim))
        self.norm1 = nn.LayerNorm(dim, elementwise_affine=False)
        self.norm2 = nn.LayerNorm(dim)
        self.norm3 = nn.LayerNorm(dim, elementwise_affine=False)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.self_attn_out = nn.Linear(dim, dim)
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.cross_attn_out = nn.Linear(dim, dim)
        self.feed = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU("tanh"), nn.Dropout(dropout), nn.Linear(4 * dim, dim))
        self.dropout = nn.Dropout(dropout)
        # gates start open by the offset alone, since the shared map starts at zero
        nn.init.ones_(self.offset[2])
        nn.init.ones_(self.offset[5])

    def forward(self, x: Tensor, modulation: Tensor, tokens: Tensor, bias: Tensor, angles: Tensor) -> Tensor:
        shift1, scale1, gate1, shift2, scale2, gate2 = (modulation + self.offset)[:, :, None].unbind(1)  # each (B, 1, D)
        h = self.norm1(x) * (1 + scale1) + shift1
        q, k, v = self.qkv(h).unflatten(-1, (3, self.heads, self.head_dim)).permute(2, 0, 3, 1, 4)  # (B, H, T, d)
        h = F.scaled_dot_product_attention(_rotate(q, angles), _rotate(k, angles), v)
        x = x + gate1 * self.dropout(self.self_attn_out(h.transpose(1, 2).flatten(2)))  # (B, T, D)
        q = self.query(self.norm2(x)).unflatten(-1, (self.heads, self.head_dim)).transpose(1, 2)  # (B, H, T, d)
        k, v = self.key_value(tokens).unflatten(-1, (2, self.heads, self.head_dim)).permute(2, 0, 3, 1, 4)  # (B, H, M, d)
        h = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        x = x + self.dropout(self.cross_attn_out(h.transpose(1, 2).flatten(2)))  # (B, T, D)
        h = self.norm3(x) * (1 + scale2) + shift2
        return x + gate2 * self.dropout(self.feed(h))  # (B, T, D)


def _timestep_features(timestep: Tensor, width: int = 256) -> Tensor:
    """(B,) → (B, 256) sines and cosines (Vaswani et al. 2017)."""
    frequencies = torch.exp(-math.log(10_000) * torch.arange(width // 2, device=timestep.device) / (width // 2))
    angles = timestep[:, None].float() * frequencies
    return torch.cat([angles.sin(), angles.cos()], -1)


def _rotary_angles(length: int, head_dim: int, device: torch.device) -> Tensor:
    """(T, head_dim/2) rotary position angles (Su et al. 2021, arXiv 2104.09864)."""
    frequencies = 1000.0 ** (-torch.arange(0, head_dim, 2, device=device) / head_dim)
    return torch.arange(length, device=device)[:, None] * frequencies


def _rotate(x: Tensor, angles: Tensor) -> Tensor:
    """(B, H, T, d) turned by position."""
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)
