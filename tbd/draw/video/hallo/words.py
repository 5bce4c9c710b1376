"""The words that a row of a batch is given: those of the emotion, of the muscles, of both, or none."""

from dataclasses import dataclass

import torch
from torch import Tensor

from tbd.draw.conditioning.plan_encoder import PlanEmbeds
from tbd.draw.conditioning.sentence_encoder import LENGTH


@dataclass
class Words:
    """Hidden states of the texts of B windows.

    Args:
        mean: (B, L, D) of the window as a whole.
        empty: (B, L, D) of the empty text.
        frames: (B, T, L, D) of each frame; None where all frames of every window have the same.
    """

    mean: Tensor
    empty: Tensor
    frames: Tensor | None


def words_of(plan: PlanEmbeds, portrait_mask: Tensor, skip: int = 0) -> Words:
    """Choose each row's words by what of the plan it is given.

    A row that is given the portrait but neither emotion nor muscles has the empty text; one that is given nothing keeps the emotion's,
    for whoever mixes the rows' identities as the published programs do.

    Args:
        plan: What `SentencePlanEncoder` gives: as global tokens each segment's text; as local ones the muscles' text, the empty text,
            and for each segment its text and the muscles' as one.
        portrait_mask: (B,) 1 where the portrait is given.
        skip: Frames before the window.

    Returns:
        The words of B rows; the emotion's text changes from frame to frame as its segments do.
    """
    texts = plan.global_tokens.unflatten(1, (-1, LENGTH))  # (B, S, L, D)
    muscles, empty, *both = plan.local_tokens.unflatten(1, (-1, LENGTH)).unbind(1)
    presence = plan.global_presence[:, ::LENGTH, skip:] + 1e-9  # (B, S, T)
    share = presence / presence.sum(1, keepdim=True)
    muscles_given = plan.local_presence.amax((1, 2)) > 0
    emotion_given = (plan.global_presence.amax((1, 2)) > 0) | (~muscles_given & (portrait_mask == 0))

    def chosen(weights: Tensor) -> Tensor:
        """(B, S, T) shares of the segments → (B, T, L, D)."""
        emotion = torch.einsum("bst,bsld->btld", weights.to(texts.dtype), texts)
        joint = torch.einsum("bst,bsld->btld", weights.to(texts.dtype), torch.stack(both, 1))
        at = (slice(None), None, None, None)
        plain = torch.where(emotion_given[at], emotion, empty[:, None])
        return torch.where(muscles_given[at], torch.where(emotion_given[at], joint, muscles[:, None]), plain)

    mean = chosen(share.mean(2, keepdim=True))[:, 0]
    moving = bool((share - share[..., :1]).abs().max() > 1e-4)
    return Words(mean, empty, chosen(share) if moving else None)
