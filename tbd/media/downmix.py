"""Mix channels to mono, without losing a voice where channels cancel each other."""

import numpy as np

_BLOCK_SECONDS = 0.25
"""Length of the blocks whose power is measured."""
_MIN_POWER_RATIO = 0.1
"""Power of the mean relative to the louder channel below which channels cancel each other. It is a quarter where the other channel is
silent, and half where the two are uncorrelated."""
_MAX_CANCELLED = 0.1
"""Share of the loud blocks that may cancel before one channel is taken instead of the mean."""


def to_mono(samples: np.ndarray, sample_rate: int) -> tuple[np.ndarray, bool]:
    """Average channels, or take the loudest one if they cancel each other (one is inverted).

    Args:
        samples: (C, N) float32.
        sample_rate: Samples per second.

    Returns:
        (N,) float32 samples, and whether the channels cancel each other.

    Example:
        >>> voice = np.sin(np.arange(16_000) / 20).astype(np.float32)
        >>> to_mono(np.stack([voice, voice]), 16_000)[1], to_mono(np.stack([voice, -voice]), 16_000)[1]
        (False, True)
    """
    mixed = samples.mean(0)
    if len(samples) == 1:
        return mixed, False
    powers = np.stack([_powers(channel, sample_rate) for channel in samples])  # (C, blocks)
    loudest = powers.max(0)
    loud = loudest > 1e-3 * loudest.max(initial=0)
    cancelled = loud & (_powers(mixed, sample_rate) < _MIN_POWER_RATIO * loudest)
    if cancelled.sum() <= _MAX_CANCELLED * loud.sum():
        return mixed, False
    return samples[int(powers.sum(1).argmax())].copy(), True


def _powers(channel: np.ndarray, sample_rate: int) -> np.ndarray:
    """(N,) → (blocks,) variance of each block, so that a constant offset does not count."""
    size = max(min(round(_BLOCK_SECONDS * sample_rate), len(channel)), 1)
    blocks = channel[: len(channel) // size * size].reshape(-1, size)
    return blocks.var(1)
