"""A memory of what a language model has read that is not copied for every token."""

from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

ROOM = 512
"""Tokens by which a full buffer grows."""


class GrowingLayer(DynamicLayer):
    """`DynamicLayer` in buffers with room at their end.

    The original joins all keys and values anew for each token, half of the time of writing behind a prompt of 3,000 tokens.
    """

    _buffers: tuple[Tensor, Tensor] | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Add further tokens.

        Args:
            key_states: Their keys.
            value_states: Their values.
            *args: What the caller's version of transformers passes besides; not used.
            **kwargs: The same.

        Returns:
            The keys and values of all tokens.

        Shape:
            ``key_states``, ``value_states``: (B, H, n, D); returned: (B, H, N, D)
        """
        before = self.get_seq_length() if self.is_initialized else 0
        after = before + key_states.shape[-2]
        if self._buffers is None or self._buffers[0].shape[-2] < after:
            self._buffers = self._with_room(key_states, self.keys, before, after), self._with_room(value_states, self.values, before, after)
            self.is_initialized, self.dtype, self.device = True, key_states.dtype, key_states.device
        for buffer, new in zip(self._buffers, (key_states, value_states)):
            buffer[..., before:after, :] = new
        self.keys, self.values = (buffer[..., :after, :] for buffer in self._buffers)
        return self.keys, self.values

    @staticmethod
    def _with_room(new: Tensor, old: Tensor | None, before: int, after: int) -> Tensor:
        """A longer buffer that begins with what the old one held."""
        buffer = torch.empty(*new.shape[:-2], (after // ROOM + 1) * ROOM, new.shape[-1], dtype=new.dtype, device=new.device)
        if old is not None and before:
            buffer[..., :before, :] = old
        return buffer


def make_cache(model: PreTrainedModel) -> DynamicCache:
    """Make an empty memory for a model; layers of other kinds (sliding windows, linear attention) stay as transformers has them.

    Args:
        model: Reads with it.

    Returns:
        The memory.
    """
    memory = DynamicCache(config=model.config)
    memory.layers = [GrowingLayer() if type(layer) is DynamicLayer else layer for layer in memory.layers]
    return memory
