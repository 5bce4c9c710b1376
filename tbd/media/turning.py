"""Which way up a decoded frame is shown: display matrices, which turn by right angles and may mirror."""

from typing import Any

import numpy as np

_UPRIGHT = (1, 0, 0, 1)


def orientation(frame: Any) -> tuple[int, int, int, int]:
    """How a frame's axes are shown.

    Args:
        frame: A PyAV video frame.

    Returns:
        a, b, c, d of −1, 0 or 1: pixel (x, y) is shown at (a·x + c·y, b·x + d·y), as in FFmpeg's display matrix. Angles between right
        ones are rounded.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return _UPRIGHT
    a, b, _, c, d, *_ = np.frombuffer(bytes(matrix), np.int32).tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return (_sign(a), 0, 0, _sign(d)) if a and d else _UPRIGHT
    return (0, _sign(b), _sign(c), 0) if b and c else _UPRIGHT


def _sign(number: int) -> int:
    return 1 if number > 0 else -1


def is_turned(frame: Any) -> bool:
    """Whether a frame is shown otherwise than it lies in memory."""
    return orientation(frame) != _UPRIGHT


def is_sideways(frame: Any) -> bool:
    """Whether a frame's width is shown as its height."""
    return orientation(frame)[0] == 0


def turned(frame: Any, pixels: np.ndarray) -> np.ndarray:
    """Turn pixels as their frame is shown.

    Args:
        frame: The frame that they come from.
        pixels: (H, W, 3).

    Returns:
        (H, W, 3) or (W, H, 3), contiguous.
    """
    a, b, c, d = orientation(frame)
    if (a, b, c, d) == _UPRIGHT:
        return pixels
    shown = pixels if a else pixels.transpose(1, 0, 2)
    return np.ascontiguousarray(shown[:: (d or b), :: (a or c)])
