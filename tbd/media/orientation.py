"""Apply the display matrix of decoded frames, which rotates by right angles and may mirror."""

from typing import Any

import numpy as np

_UPRIGHT = (1, 0, 0, 1)


def orientation(frame: Any) -> tuple[int, int, int, int]:
    """Read how a frame's axes are displayed.

    Args:
        frame: PyAV video frame.

    Returns:
        a, b, c, d of −1, 0 or 1: pixel (x, y) is displayed at (a·x + c·y, b·x + d·y), as in FFmpeg's display matrix. Other
        angles are rounded to right angles.
    """
    from av.sidedata.sidedata import SideDataContainer

    # not the frame's own `side_data`, which refers to the frame: every picture would stay in memory until the garbage collector comes
    matrix = SideDataContainer(frame).get("DISPLAYMATRIX")  # type: ignore[call-arg]  # whose stub leaves the argument out
    if matrix is None:
        return _UPRIGHT
    a, b, _, c, d, *_ = np.frombuffer(bytes(matrix), np.int32).tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return (_sign(a), 0, 0, _sign(d)) if a and d else _UPRIGHT
    return (0, _sign(b), _sign(c), 0) if b and c else _UPRIGHT


def _sign(number: int) -> int:
    return 1 if number > 0 else -1


def is_upright(frame: Any) -> bool:
    """Return whether a PyAV frame is displayed as it lies in memory."""
    return orientation(frame) == _UPRIGHT


def is_sideways(frame: Any) -> bool:
    """Return whether a PyAV frame's width is displayed as its height."""
    return orientation(frame)[0] == 0


def to_upright(frame: Any, pixels: np.ndarray) -> np.ndarray:
    """Rotate and mirror pixels as their frame is displayed.

    Args:
        frame: PyAV frame that they come from.
        pixels: (H, W, 3) as they lie in memory.

    Returns:
        (H, W, 3) or (W, H, 3), contiguous.
    """
    a, b, c, d = orientation(frame)
    if (a, b, c, d) == _UPRIGHT:
        return pixels
    shown = pixels if a else pixels.transpose(1, 0, 2)
    return np.ascontiguousarray(shown[:: (d or b), :: (a or c)])
