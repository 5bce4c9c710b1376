"""Tracks, arrays over time: the stretches in which one is true, a smooth step, and a filter that is fed piece by piece."""

import math

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


class LowPass:
    """A low-pass filter of first order, fed piece by piece: it starts at the first value that it is given.

    Args:
        cutoff: Frequency above which a track is damped, in Hz.
        rate: Values a second.

    Example:
        >>> low_pass = LowPass(0.5, 25)
        >>> low_pass(np.ones((2, 1))).ravel().tolist(), low_pass(np.zeros((3, 1))).ravel().round(2).tolist()
        ([1.0, 1.0], [0.88, 0.78, 0.69])
    """

    def __init__(self, cutoff: float, rate: float) -> None:
        self._share = 1 - math.exp(-2 * math.pi * cutoff / rate)
        self._level: np.ndarray | None = None

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Filter the next (T, C) values; float64 of the same shape."""
        slow = np.empty(values.shape)
        level = values[0] if self._level is None else self._level
        for frame, now in enumerate(values):
            level = slow[frame] = level + self._share * (now - level)
        self._level = np.array(level)
        return slow
