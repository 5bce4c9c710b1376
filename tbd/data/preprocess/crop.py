"""Which square of a video becomes the clip: one for the whole clip, from the face's track over all of it.

A square that stands still keeps the head's own motion and adds none; it is also what HDTF's authors did. Each protocol has a
name and a version, which a cache keeps: change a number, and the version must rise.
"""

from dataclasses import dataclass

import numpy as np

from tbd.data.sources.base import RawClip

_LEAST = 1.15
"""The least side of a square, in sides of the merged face box, where the picture ends too near for the protocol's margin."""


@dataclass(frozen=True)
class CropProtocol:
    """How the square is found.

    Args:
        name: with its version, as caches and reports give it.
        margin: side of the square, in sides of the box around the face mesh (hair line to chin) merged over the clip.
        above: where in the square the middle of that box lies, from the top.
        annotated: take the data set's own box where it has one, and its own margin where it has none.
    """

    name: str
    margin: float
    above: float
    annotated: bool = False

    def square(self, points: np.ndarray, height: int, width: int, raw: RawClip | None = None) -> tuple[int, int, int]:
        """The square of a clip.

        Args:
            points: (T, N, 2 or 3) mesh points in pixels of the picture.
            height, width: of the picture.
            raw: the clip, with its data set's annotations.

        Returns:
            left, top, side: even pixels. It lies inside the picture unless the face alone fills that.

        Example:
            >>> still = np.array([[[400.0, 300.0], [600.0, 500.0]]])
            >>> CROPS["portrait"].square(still, 1080, 1920)
            (320, 228, 360)
        """
        if self.annotated and raw is not None and raw.box is not None:
            return _even(*scaled_box(raw, height), height, width)
        low, high = points[..., :2].min((0, 1)), points[..., :2].max((0, 1))
        box = float((high - low).max())
        margin = raw.zoom if self.annotated and raw is not None else self.margin
        side = float(np.clip(min(height, width), min(_LEAST, margin) * box, margin * box))
        left, top = (low + high) / 2 - side * np.array([0.5, self.above])
        return _even(left, top, side, height, width)


CROPS = {
    "portrait": CropProtocol("portrait-1", 1.8, 0.48),
    "tight": CropProtocol("tight-1", 1.3, 0.5),
    "hdtf": CropProtocol("hdtf-1", 1.2, 0.5, annotated=True),
}
"""``portrait``: the head with its hair and a little of the shoulders. ``tight``: the face, as recognisers want it. ``hdtf``: as HDTF's
authors cut: the annotated square at the video's real size, or the merged face box enlarged by the annotated ratio."""


def scaled_box(raw: RawClip, height: int) -> tuple[float, float, float]:
    """A clip's annotated square in pixels of a video of `height`: boxes hold for the size at which they were measured alone."""
    factor = height / raw.box_height if raw.box_height else 1.0
    return tuple(value * factor for value in raw.box)


def _even(left: float, top: float, side: float, height: int, width: int) -> tuple[int, int, int]:
    """Even numbers, and inside the picture as far as it is large enough."""
    whole = 2 * round(side / 2)
    corner = []
    for place, room in ((left, width), (top, height)):
        low, high = sorted((0, room - whole))
        corner.append(2 * round(float(np.clip(place, low, high)) / 2))
    return corner[0], corner[1], whole
