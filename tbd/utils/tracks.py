"""Tracks, arrays over time: the stretches in which one is true, and a smooth step."""

import numpy as np


def runs(mask: np.ndarray, shortest: int = 1) -> list[tuple[int, int]]:
    """Find the stretches of True.

    Args:
        mask: (T,) bool.
        shortest: Frames below which a stretch does not count.

    Returns:
        First and one-past-last frame of each, in order.

    Example:
        >>> runs(np.array([0, 1, 1, 0, 1], bool)), runs(np.array([0, 1, 1, 0, 1], bool), shortest=2)
        ([(1, 3), (4, 5)], [(1, 3)])
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], np.asarray(mask, bool), [False]])))
    return [(first, last) for first, last in edges.reshape(-1, 2).tolist() if last - first >= shortest]


def smoothstep(x: np.ndarray) -> np.ndarray:
    """Return 0 below 0, 1 above 1, and 3x² − 2x³ between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
