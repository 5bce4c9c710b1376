"""Crop protocols: which square of a video becomes the clip, one for the whole clip, from the face's track over all of it.

A square that stands still keeps the head's own motion and adds none; it is also what HDTF's authors did. Each protocol has a
name and a version, which a cache keeps: change a number, and the version must rise.
"""

from dataclasses import dataclass

import numpy as np

from tbd.data.sources.base import RawClip

_LEAST = 1.15
"""Least width of a square, in widths of the merged face box, where the frame ends too near for the protocol's margin."""


@dataclass(frozen=True)
class CropProtocol:
    """How the square is found.

    Args:
        name: With its version, as caches and reports give it.
        margin: Width of the square, in widths of the box around the face mesh (hair line to chin) merged over the clip.
        above: Height of the middle of that box in the square, 0 at the top and 1 at the bottom.
        annotated: Whether to take the data set's own box where it has one, and its own margin where it has none.
    """

    name: str
    margin: float
    above: float
    annotated: bool = False

    def square(self, points: np.ndarray, height: int, width: int, raw: RawClip | None = None) -> tuple[int, int, int]:
        """Find the square of a clip.

        Args:
            points: (T, N, 2 or 3) mesh points in pixels of the frame.
            height: Of the frame.
            width: Of the frame.
            raw: The clip, with its data set's annotations.

        Returns:
            Left, top and width in even pixels. It lies inside the frame unless the face alone fills that.

        Example:
            >>> still = np.array([[[400.0, 300.0], [600.0, 500.0]]])
            >>> CROPS["portrait"].square(still, 1080, 1920)
            (320, 228, 360)
        """
        if self.annotated and raw is not None and raw.box is not None:
            return _even(*scaled_box(raw.box, raw.box_height, height), height, width)
        low, high = points[..., :2].min((0, 1)), points[..., :2].max((0, 1))
        box = float((high - low).max())
        margin = raw.zoom if self.annotated and raw is not None else self.margin
        extent = float(np.clip(min(height, width), min(_LEAST, margin) * box, margin * box))
        left, top = (low + high) / 2 - extent * np.array([0.5, self.above])
        return _even(left, top, extent, height, width)


CROPS = {
    "portrait": CropProtocol("portrait-1", 1.8, 0.48),
    "tight": CropProtocol("tight-1", 1.3, 0.5),
    "hdtf": CropProtocol("hdtf-1", 1.2, 0.5, annotated=True),
}
"""``portrait``: the head with its hair and a little of the shoulders. ``tight``: the face, as recognisers want it. ``hdtf``: as HDTF's
authors cut: the annotated square at the video's real size, or the merged face box enlarged by the annotated ratio."""


def scaled_box(box: tuple[int, int, int], box_height: int, height: int) -> tuple[float, float, float]:
    """Scale an annotated square to a video's size, since annotations hold for the size at which they were measured alone.

    Args:
        box: Left, top and width.
        box_height: Height of the video that `box` was measured on; 0 for the same.
        height: Height of the video at hand.

    Returns:
        Left, top and width in pixels of the video at hand.

    Example:
        >>> scaled_box((400, 120, 480), 720, 360)
        (200.0, 60.0, 240.0)
    """
    factor = height / box_height if box_height else 1.0
    left, top, width = box
    return left * factor, top * factor, width * factor


def _even(left: float, top: float, extent: float, height: int, width: int) -> tuple[int, int, int]:
    """Round to even numbers, inside the frame as far as it is large enough."""
    whole = 2 * round(extent / 2)
    corner = []
    for place, room in ((left, width), (top, height)):
        low, high = sorted((0, room - whole))
        corner.append(2 * round(float(np.clip(place, low, high)) / 2))
    return corner[0], corner[1], whole
