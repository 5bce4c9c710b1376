"""Pictures, points and boxes in quarter turns."""

from typing import Protocol

import numpy as np


class ImageLike(Protocol):
    """What stands in for an (H, W, 3) uint8 RGB array where only ``shape`` and two slices are used."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, 3)."""

    def __getitem__(self, window: tuple[slice, slice], /) -> np.ndarray:
        """(h, w, 3) uint8 RGB of ``image[top:bottom, left:right]``."""


class RotatedImage:
    """A picture after quarter turns, which turns only the parts that are read.

    Args:
        image: (H, W, 3) uint8 RGB, or a `tbd.media.lazy_frame.LazyFrame`.
        turn: Quarter turns anticlockwise.
    """

    def __init__(self, image: ImageLike, turn: int) -> None:
        self._image, self._turn = image, turn % 4
        height, width = image.shape[:2]
        self.shape: tuple[int, ...] = (width, height, 3) if turn % 2 else (height, width, 3)

    def __getitem__(self, window: tuple[slice, slice]) -> np.ndarray:
        """(h, w, 3) uint8 RGB of ``image[top:bottom, left:right]`` of the turned picture."""
        (top, bottom, _), (left, right, _) = (s.indices(n) for s, n in zip(window, self.shape[:2]))
        corners = rotate_points(np.array([[left, top], [right, bottom]]), self.shape, -self._turn)
        (x0, y0), (x1, y1) = corners.min(0).astype(int), corners.max(0).astype(int)
        return np.ascontiguousarray(np.rot90(self._image[y0:y1, x0:x1], self._turn))


def rotate_points(points: np.ndarray, shape: tuple[int, ...], turn: int) -> np.ndarray:
    """Carry places in a picture over to ``np.rot90(picture, turn)``.

    Args:
        points: (N, 2) or (N, 3) pixels: x right, y down; a third coordinate is kept.
        shape: The picture's shape before the turn, (H, W, …).
        turn: Quarter turns anticlockwise; may be negative.

    Returns:
        The places in the turned picture, of the shape of `points`.

    Example:
        >>> rotate_points(np.array([[10.0, 2.0]]), (50, 100, 3), 1).tolist()
        [[2.0, 90.0]]
    """
    points = np.array(points)
    height, width = shape[:2]
    for _ in range(turn % 4):
        points[:, 0], points[:, 1] = points[:, 1].copy(), width - points[:, 0]
        height, width = width, height
    return points


def wrap_degrees(degrees: float) -> int:
    """Bring an angle to whole degrees above −180 up to 180.

    Args:
        degrees: Any angle.

    Returns:
        The nearest whole degree.

    Example:
        >>> wrap_degrees(180), wrap_degrees(270), wrap_degrees(-225)
        (180, -90, 135)
    """
    return round(180 - (180 - degrees) % 360)
