"""What the published networks attend to: the portrait, who is in it, and words about a feeling."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from tbd.draw.video.attention import MaskedTokens, multi_head, project_out, read_tokens

IDENTITY_TOKENS = 4
"""Number of tokens that stand for a face."""


@dataclass
class HalloContext:
    """What the layers of the denoising UNet read besides the latents, for B rows of T new frames.

    Args:
        frames: T.
        portrait: Name of a self-attention → (B, K, h·w, C), the portrait's input of the same attention of the reference UNet, in K
            readings that the frames take in turn.
        past: Name of a self-attention → (B, P, h·w, C), the same of the frames before the window.
        given: Places of the rows that attend to the portrait.
        withheld: Places of the rows that do not.
        tokens: (B or B·T, L, D) keys of the cross-attention: words, if any, and `IDENTITY_TOKENS` for the face.
        audio: (B·T, M, A) keys of the audio attention.
        masks: For each level of the UNet (B, 3, h·w) 0..1: where what surrounds the face, the face and the lips lie.
        scales: Strength of the audio in those three places.
        words: (B·T, L, A) words that ask the audio; None for a network without.
        emotion: Keys of a plan's emotions, for a network with plan attention.
        muscles: Keys of a plan's muscles.
    """

    frames: int
    portrait: dict[str, Tensor]
    past: dict[str, Tensor]
    given: Tensor
    withheld: Tensor
    tokens: Tensor
    audio: Tensor
    masks: Sequence[Tensor]
    scales: tuple[float, float, float] = (1.0, 1.0, 1.0)
    words: Tensor | None = None
    emotion: MaskedTokens | None = None
    muscles: MaskedTokens | None = None


class PortraitSelfAttention:
    """Self-attention of the denoising UNet: of the rows that are given the portrait, its tokens are further keys.

    Args:
        name: The name of the attention in `HalloContext.portrait`.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @torch.compiler.disable(reason="each layer has a name of its own, and rows are counted on the CPU")
    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        context: HalloContext | None = None,
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
        t, portrait = context.frames, context.portrait[self.name]
        query, key, value = (project(hidden_states).unflatten(0, (-1, t)) for project in (attn.to_q, attn.to_k, attn.to_v))
        out = torch.empty_like(query)  # (B, T, h·w, C)
        for rows, more in ((context.withheld, False), (context.given, True)):
            if not len(rows):
                continue
            k, v = (x if len(rows) == len(x) else x[rows] for x in (key, value))
            if more:  # projected once for a window, not once for each of its frames
                chosen = portrait if len(rows) == len(portrait) else portrait[rows]
                turns = torch.arange(t, device=query.device) % chosen.shape[1]
                far = (project(chosen)[:, turns] for project in (attn.to_k, attn.to_v))  # (b, T, h·w, C) each
                k, v = (torch.cat(pair, 2) for pair in zip((k, v), far))  # (b, T, 2·h·w, C)
            q = query if len(rows) == len(query) else query[rows]
            found = multi_head(attn.heads, q.flatten(0, 1), k.flatten(0, 1), v.flatten(0, 1)).unflatten(0, (-1, t))
            out = found if len(rows) == len(query) else out.index_copy(0, rows, found)
        return project_out(attn, out.flatten(0, 1))


class TokenCrossAttention(nn.Module):
    """Cross-attention to the face's tokens, with keys of its own for words before them and for a muscle plan.

    Args:
        tokens: Width of the tokens.
        inner: Width of keys and values.
        words: Whether words come before the face's tokens: then the layer's own keys are theirs, and the face has others
            (IP-Adapter, arXiv 2308.06721).
        plan: Width of a plan's tokens; 0 for none. Its values are zero at first, so that a published network starts as it was.
    """

    def __init__(self, tokens: int, inner: int, words: bool = False, plan: int = 0) -> None:
        super().__init__()
        self.words, self.plan = words, plan
        if words:
            self.to_k_ip, self.to_v_ip = (nn.Linear(tokens, inner, bias=False) for _ in range(2))
        if plan:
            self.emotion_key, self.muscle_key = (nn.Linear(plan, inner, bias=False) for _ in range(2))
            self.emotion_value, self.muscle_value = (nn.Linear(plan, inner, bias=False) for _ in range(2))
            nn.init.zeros_(self.emotion_value.weight)
            nn.init.zeros_(self.muscle_value.weight)

    # diffusers reads the signature of `__call__`, which nn.Module's own would hide
    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        context: HalloContext | None = None,
        keep: Callable[[str, Tensor], None] | None = None,
    ) -> Tensor:
        """Attend; called by diffusers.

        Args:
            attn: The layer.
            hidden_states: (N, h·w, C) its input.
            encoder_hidden_states: (B or N, L, D) the tokens.
            attention_mask: Not read.
            context: The conditions, of the denoising UNet alone.
            keep: Not read.

        Returns:
            (N, h·w, C) its output.
        """
        assert encoder_hidden_states is not None
        query = attn.to_q(hidden_states)
        faces = encoder_hidden_states[:, -IDENTITY_TOKENS:]
        near = encoder_hidden_states[:, :-IDENTITY_TOKENS] if self.words else faces
        out = read_tokens(attn, query, near, attn.to_k, attn.to_v)
        if self.words:
            out = out + read_tokens(attn, query, faces, self.to_k_ip, self.to_v_ip)
        if self.plan and context is not None and context.emotion is not None and context.muscles is not None:
            for given, key, value in (
                (context.emotion, self.emotion_key, self.emotion_value),
                (context.muscles, self.muscle_key, self.muscle_value),
            ):
                out = out + read_tokens(attn, query, given.tokens, key, value, given.at(query.shape[1]))
        return project_out(attn, out)
