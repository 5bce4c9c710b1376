"""What the video denoiser attends to besides itself: the portrait, the plan's emotions and muscles, the audio.

These are attention processors of diffusers' `Attention`, which they use as it is: its projections serve the frame's own
tokens and the emotions, and only what Stable Diffusion has no weights for is added, with an output of zero at first.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from torch.nn import functional as F

from tbd.draw.conditioning.plan_encoder import PlanEmbeds

_LEAST = 1e-9
"""Presence of a hidden token, so that its logarithm is finite."""
_PAD = 8
"""Key counts are padded to multiples of this: fused attention wants aligned masks, and compiled code few shapes."""


@dataclass
class MaskedTokens:
    """The keys of one cross-attention: tokens, and the presence of each.

    Args:
        tokens: (B', M, D), one row for each clip, or for each frame of each clip where the tokens differ between frames.
        bias: Number of queries → (B·T, 1, 1 or queries, M) logarithm of the tokens' presence, added to the attention's logits.
            Under 0 for tokens whose bias is the same for every query.
    """

    tokens: Tensor
    bias: dict[int, Tensor]

    def at(self, queries: int) -> Tensor:
        """The bias of an attention with so many queries."""
        return self.bias[queries] if queries in self.bias else self.bias[0]


@dataclass
class Context:
    """All that a denoiser's attention reads, made once for each call of the denoiser.

    Args:
        frames: T.
        reference: Name of a self-attention → (B, h·w, C), the input of the same attention of the reference branch.
        emotion: Keys of the cross-attention to the emotions.
        muscles: Keys of the cross-attention to the muscles.
        audio: Keys of the cross-attention to the audio.
    """

    frames: int
    reference: dict[str, Tensor]
    emotion: MaskedTokens
    muscles: MaskedTokens
    audio: MaskedTokens


class ReferenceWriterAttnProcessor:
    """Self-attention of the reference branch, which hands out its input.

    Args:
        name: The name under which it does so.
    """

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
        """Attend, and hand out the input; called by diffusers.

        Args:
            attn: The layer.
            hidden_states: (B, h·w, C) its input.
            encoder_hidden_states: Not read.
            attention_mask: Not read.
            keep: Takes the name and the input.

        Returns:
            (B, h·w, C) its output.
        """
        if keep is not None:
            keep(self.name, hidden_states)
        return _attend(attn, hidden_states, attn.to_k(hidden_states), attn.to_v(hidden_states))


class PlainAttnProcessor:
    """Attention as it is, without masks: cross-attention where there are further tokens, otherwise self-attention."""

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        keep: Callable[[str, Tensor], None] | None = None,
    ) -> Tensor:
        """Attend; called by diffusers.

        Args:
            attn: The layer.
            hidden_states: (N, L, C) its input.
            encoder_hidden_states: (N, M, D) tokens to attend to; None for the input itself.
            attention_mask: Not read.
            keep: Not read.

        Returns:
            (N, L, C) its output.
        """
        tokens = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        return project_out(attn, multi_head(attn.heads, attn.to_q(hidden_states), attn.to_k(tokens), attn.to_v(tokens)))


class ReferenceAttention:
    """Self-attention of the denoiser: each frame's keys and values, followed by the portrait's at the same place of the network.

    Args:
        name: The name of the attention in `Context.reference`.
    """

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
        """Attend; called by diffusers.

        Args:
            attn: The layer.
            hidden_states: (B·T, h·w, C) its input.
            encoder_hidden_states: Not read.
            attention_mask: Not read.
            context: The conditions.

        Returns:
            (B·T, h·w, C) its output.
        """
        assert context is not None  # diffusers passes it by name, behind arguments with defaults
        reference = context.reference[self.name]  # (B, h·w, C)
        # projected once for a clip, not once for each of its frames
        key, value = (
            torch.cat([project(hidden_states), project(reference).repeat_interleave(context.frames, 0)], 1)
            for project in (attn.to_k, attn.to_v)
        )  # each (B·T, 2·h·w, C)
        return _attend(attn, hidden_states, key, value)


class PlanAudioAttention(nn.Module):
    """Cross-attention of the denoiser: the sum of three attentions of one query, to the emotions, the muscles and the audio.

    Decoupled as in IP-Adapter (arXiv 2308.06721). The emotions use the layer's own keys and values; muscles and audio have
    keys and values of their own, the latter zero at first, so that a pretrained layer starts as it was.

    Args:
        tokens: Width of the tokens.
        inner: Width of keys and values.
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
        """Attend; called by diffusers.

        Args:
            attn: The layer.
            hidden_states: (B·T, h·w, C) its input.
            encoder_hidden_states: Not read.
            attention_mask: Not read.
            context: The conditions.

        Returns:
            (B·T, h·w, C) its output.
        """
        assert context is not None  # as above
        query = attn.to_q(hidden_states)  # (B·T, h·w, C)
        total = torch.zeros_like(query)
        for given, key, value in (
            (context.emotion, attn.to_k, attn.to_v),
            (context.muscles, self.muscle_key, self.muscle_value),
            (context.audio, self.voice_key, self.voice_value),
        ):
            total = total + read_tokens(attn, query, given.tokens, key, value, given.at(query.shape[1]))
        return project_out(attn, total)


def multi_head(heads: int, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    """Attend with several heads.

    Args:
        heads: H.
        query: (N, L, C).
        key: (N, M, C).
        value: (N, M, C).
        bias: Added to the logits; broadcastable to (N, H, L, M).

    Returns:
        (N, L, C), before the output projection.
    """
    query, key, value = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (query, key, value))  # (N, H, …, d)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=bias).transpose(1, 2).flatten(2)


def read_tokens(attn: Attention, query: Tensor, tokens: Tensor, key: nn.Module, value: nn.Module, bias: Tensor | None = None) -> Tensor:
    """Attend to tokens that several frames may share.

    Args:
        attn: The layer, which says how many heads there are.
        query: (N, L, C) projected queries.
        tokens: (B, M, D) tokens, of N/B frames each; projected before they are repeated.
        key: Projects them to keys.
        value: Projects them to values.
        bias: Added to the logits; broadcastable to (N, H, L, M).

    Returns:
        (N, L, C), before the output projection.
    """
    each = len(query) // len(tokens)
    k, v = (project(tokens).repeat_interleave(each, 0) for project in (key, value))
    return multi_head(attn.heads, query, k, v, None if bias is None else bias.to(query.dtype))


def project_out(attn: Attention, x: Tensor) -> Tensor:
    """Apply a layer's output projection.

    Args:
        attn: The layer.
        x: (N, L, C).

    Returns:
        (N, L, C).
    """
    return attn.to_out[1](attn.to_out[0](x))


def mask_tokens(tokens: Tensor, presence: Tensor, null: Tensor) -> MaskedTokens:
    """Build the keys of tokens that every place of a frame attends to alike.

    Args:
        tokens: (B, M, D), or (B·T, M, D) where they differ between frames.
        presence: (B, M, T) 0..1.
        null: (D,) a token that is always present, so that there is something to attend to where all others are hidden.

    Returns:
        The tokens behind the null token, and their bias.
    """
    tokens, bias = _behind_null(tokens, torch.log(presence.clamp(min=_LEAST)).transpose(1, 2), null)  # (B', 1+M, D), (B, T, 1+M)
    return MaskedTokens(tokens, {0: bias.flatten(0, 1)[:, None, None]})


def mask_region_tokens(plan: PlanEmbeds, region_masks: Tensor, sizes: list[tuple[int, int]], null: Tensor) -> MaskedTokens:
    """Build the keys of muscle tokens, each of which acts in its own region of the face.

    Args:
        plan: The tokens of B clips.
        region_masks: (B, 5, h, w) 0..1, where in the latent each region of `REGIONS` lies.
        sizes: (height, width) of every level at which the denoiser attends.
        null: (D,) as for `mask_tokens`.

    Returns:
        The tokens behind the null token, and their bias at each level.
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


def audio_windows(audio_embeds: Tensor, reach: int = 2) -> Tensor:
    """Collect each frame's audio features and its neighbours'.

    Args:
        audio_embeds: (B, T, D) one feature for each frame.
        reach: Number of neighbours on each side.

    Returns:
        (B·T, 2·reach + 1, D).
    """
    padded = F.pad(audio_embeds.transpose(1, 2), (reach, reach), mode="replicate")  # (B, D, T+2R)
    return padded.unfold(2, 2 * reach + 1, 1).permute(0, 2, 3, 1).flatten(0, 1)


def _behind_null(tokens: Tensor, bias: Tensor, null: Tensor) -> tuple[Tensor, Tensor]:
    """Put the null token first, and hidden padding last."""
    rest = -(tokens.shape[1] + 1) % _PAD
    tokens = F.pad(torch.cat([null.expand(len(tokens), 1, -1).to(tokens.dtype), tokens], 1), (0, 0, 0, rest))
    return tokens, F.pad(F.pad(bias, (1, 0)), (0, rest), value=-1e4)


def _attend(attn: Attention, hidden_states: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return project_out(attn, multi_head(attn.heads, attn.to_q(hidden_states), key, value))
