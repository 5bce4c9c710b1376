"""What the video denoiser attends to besides itself: the portrait, the plan's feelings and muscles, the voice.

These are attention processors of diffusers' `Attention`, which they use as it is: its projections serve the frame's own
tokens and the feelings, and only what Stable Diffusion has no weights for is added, silent at first.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from torch.nn import functional as F

from tbd.draw.conditioning.plan_encoder import PlanEmbeds

_LEAST = 1e-9
"""Presence of a token that is not there, so that its logarithm is finite."""
_PAD = 8
"""Key counts are padded to multiples of this: fused attention wants aligned masks, and compiled code few shapes."""


@dataclass
class MaskedTokens:
    """The keys of one cross-attention: tokens, and how far each is there.

    Args:
        tokens: (B', M, D), one row for each clip, or for each frame of each clip where the tokens differ between frames.
        bias: queries' size → (B·T, 1, 1 or queries, M) logarithm of the tokens' presence, added to the attention's logits.
            Under 0 for tokens whose bias is the same for every query.
    """

    tokens: Tensor
    bias: dict[int, Tensor]

    def at(self, queries: int) -> Tensor:
        return self.bias[queries] if queries in self.bias else self.bias[0]


@dataclass
class Context:
    """All that a denoiser's attention reads, made once for each call of the denoiser.

    Args:
        frames: T.
        portrait: name of a self-attention → (B, h·w, C), what the reference branch saw there.
        emotion, muscles, voice: the keys of the three cross-attentions.
    """

    frames: int
    portrait: dict[str, Tensor]
    emotion: MaskedTokens
    muscles: MaskedTokens
    voice: MaskedTokens


class ReferenceWriterAttnProcessor:
    """Self-attention of the reference branch, which gives its input away under `name`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        keep: Callable[[str, Tensor], None] | None = None,
    ) -> Tensor:
        keep(self.name, hidden_states)
        return _attend(attn, hidden_states, attn.to_k(hidden_states), attn.to_v(hidden_states))


class PlainCrossAttnProcessor:
    """Cross-attention of the reference branch, which is told nothing but the portrait."""

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        keep: Callable[[str, Tensor], None] | None = None,
    ) -> Tensor:
        return _attend(attn, hidden_states, attn.to_k(encoder_hidden_states), attn.to_v(encoder_hidden_states))


class ReferenceAttention:
    """Self-attention of the denoiser: each frame's keys and values, and behind them the portrait's at the same place of the network."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        context: Context | None = None,
    ) -> Tensor:
        seen = context.portrait[self.name]  # (B, h·w, C)
        # projected once for a clip, not once for each of its frames
        key, value = (
            torch.cat([project(hidden_states), project(seen).repeat_interleave(context.frames, 0)], 1) for project in (attn.to_k, attn.to_v)
        )  # each (B·T, 2·h·w, C)
        return _attend(attn, hidden_states, key, value)


class PlanAudioAttention(nn.Module):
    """Cross-attention of the denoiser: one query asks the feelings, the muscles and the voice separately, and adds the answers.

    Decoupled as in IP-Adapter (arXiv 2308.06721). The feelings use the layer's own keys and values; muscles and voice have
    keys and values of their own, the latter zero at first, so that a pretrained layer starts as it was.

    Args:
        tokens: width of the tokens.
        inner: width of keys and values.
    """

    def __init__(self, tokens: int, inner: int) -> None:
        super().__init__()
        self.muscle_key, self.voice_key = (nn.Linear(tokens, inner, bias=False) for _ in range(2))
        self.muscle_value, self.voice_value = (nn.Linear(tokens, inner, bias=False) for _ in range(2))
        nn.init.zeros_(self.muscle_value.weight)
        nn.init.zeros_(self.voice_value.weight)

    # diffusers reads the signature of `__call__`, which nn.Module's own would hide
    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        context: Context | None = None,
    ) -> Tensor:
        query = _heads(attn.to_q(hidden_states), attn.heads)  # (B·T, H, h·w, d)
        answer = torch.zeros_like(query)
        for heard, key, value in (
            (context.emotion, attn.to_k, attn.to_v),
            (context.muscles, self.muscle_key, self.muscle_value),
            (context.voice, self.voice_key, self.voice_value),
        ):
            each = len(query) // len(heard.tokens)
            k, v = (_heads(project(heard.tokens).repeat_interleave(each, 0), attn.heads) for project in (key, value))
            answer = answer + F.scaled_dot_product_attention(query, k, v, attn_mask=heard.at(query.shape[2]).to(query.dtype))
        return _joined(attn, answer)


def mask_tokens(tokens: Tensor, presence: Tensor, null: Tensor) -> MaskedTokens:
    """Tokens that every place of a frame hears alike.

    Args:
        tokens: (B, M, D), or (B·T, M, D) where they differ between frames.
        presence: (B, M, T) 0..1.
        null: (D,) a token that is always there, so that one who hears nothing has something to attend to.
    """
    tokens, bias = _behind_null(tokens, torch.log(presence.clamp(min=_LEAST)).transpose(1, 2), null)  # (B', 1+M, D), (B, T, 1+M)
    return MaskedTokens(tokens, {0: bias.flatten(0, 1)[:, None, None]})


def mask_region_tokens(plan: PlanEmbeds, region_masks: Tensor, sizes: list[tuple[int, int]], null: Tensor) -> MaskedTokens:
    """Muscles, each of which is heard in its own region of the face.

    Args:
        plan: of B clips.
        region_masks: (B, 5, h, w) 0..1, where in the latent each region of `REGIONS` lies.
        sizes: (height, width) of every level at which the denoiser attends.
        null: (D,) as for `mask_tokens`.
    """
    presence = torch.log(plan.local_presence.clamp(min=_LEAST)).transpose(1, 2)  # (B, T, N)
    bias: dict[int, Tensor] = {}
    for size in sizes:
        masks = F.adaptive_avg_pool2d(region_masks.float(), size).flatten(2)  # (B, 5, h·w)
        masks = F.pad(masks, (0, 0, 0, 1), value=1.0)  # what concerns the whole face
        where = masks.gather(1, plan.local_region[..., None].expand(-1, -1, masks.shape[-1]))  # (B, N, h·w)
        where = torch.log(where.clamp(min=_LEAST)).transpose(1, 2)  # (B, h·w, N)
        tokens, joint = _behind_null(plan.local_tokens, presence[:, :, None] + where[:, None], null)  # (B, T, h·w, 1+N)
        bias[size[0] * size[1]] = joint.flatten(0, 1)[:, None]
    return MaskedTokens(tokens, bias)


def voice_windows(audio_embeds: Tensor, reach: int = 2) -> Tensor:
    """(B, T, D) one feature for each frame → (B·T, 2·reach+1, D), each frame's own and its neighbours'."""
    padded = F.pad(audio_embeds.transpose(1, 2), (reach, reach), mode="replicate")  # (B, D, T+2R)
    return padded.unfold(2, 2 * reach + 1, 1).permute(0, 2, 3, 1).flatten(0, 1)


def _behind_null(tokens: Tensor, bias: Tensor, null: Tensor) -> tuple[Tensor, Tensor]:
    """Put the null token first, and padding that nobody hears last."""
    rest = -(tokens.shape[1] + 1) % _PAD
    tokens = F.pad(torch.cat([null.expand(len(tokens), 1, -1).to(tokens.dtype), tokens], 1), (0, 0, 0, rest))
    return tokens, F.pad(F.pad(bias, (1, 0)), (0, rest), value=-1e4)


def _attend(attn: Attention, hidden_states: Tensor, key: Tensor, value: Tensor) -> Tensor:
    query, key, value = (_heads(x, attn.heads) for x in (attn.to_q(hidden_states), key, value))
    return _joined(attn, F.scaled_dot_product_attention(query, key, value))


def _heads(x: Tensor, heads: int) -> Tensor:
    """(B, M, H·d) → (B, H, M, d)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _joined(attn: Attention, answer: Tensor) -> Tensor:
    """(B, H, M, d) → (B, M, C) through the layer's outlet."""
    return attn.to_out[1](attn.to_out[0](answer.transpose(1, 2).flatten(2)))
