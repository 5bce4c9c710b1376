"""Several channels → one, without losing a voice to channels that cancel each other."""

import numpy as np

_BLOCK = 0.25
"""Seconds over which loudness is measured."""
_CANCELLED = 0.1
"""The mean of channels has a quarter of the louder one's power where the other is silent, and half of it where they have nothing in
common. Below this part of it they cancel each other."""
_SHARE = 0.1
"""The part of a recording's loud blocks that must be cancelled before its channels are not mixed."""


def mono(samples: np.ndarray, sample_rate: int) -> tuple[np.ndarray, bool]:
    """Mix channels by their mean, or take the loudest one where they cancel each other (one is inverted).

    Args:
        samples: (C, N) float32.
        sample_rate: Samples a second.

    Returns:
        (N,) float32, and whether the channels cancel each other.

    Example:
        >>> voice = np.sin(np.arange(16_000) / 20).astype(np.float32)
        >>> mono(np.stack([voice, voice]), 16_000)[1], mono(np.stack([voice, -voice]), 16_000)[1]
        (False, True)
    """
    mixed = samples.mean(0)
    if len(samples) == 1:
        return mixed, False
    powers = np.stack([_powers(channel, sample_rate) for channel in samples])  # (C, blocks)
    loudest = powers.max(0)
    loud = loudest > 1e-3 * loudest.max(initial=0)
    cancelled = loud & (_powers(mixed, sample_rate) < _CANCELLED * loudest)
    if cancelled.sum() <= _SHARE * loud.sum():
        return mixed, False
    return samples[int(powers.sum(1).argmax())].copy(), True


def _powers(channel: np.ndarray, sample_rate: int) -> np.ndarray:
    """(N,) → mean squares of blocks, each without its constant offset."""
    size = max(min(round(_BLOCK * sample_rate), len(channel)), 1)
    blocks = channel[: len(channel) // size * size].reshape(-1, size)
    return blocks.var(1)
