"""`LipSeam`: the dark line of lips that touch, which must not go along with a lip that leaves the other."""

import numpy as np

from tbd.face.render.contour import Opening
from tbd.face.render.grid import spread
from tbd.utils.tracks import smoothstep

_REACH = 0.055
"""Inter-ocular distances from the seam within which a lip lies in its shadow."""
_PLACES = 25
"""Along the seam, from corner to corner, the shadow is told apart at so many places."""
_LIT = 0.92
"""A lip is out of the shadow where it first is so bright, against the brightest within reach."""
_GONE = 0.035
"""Lips that are so many inter-ocular distances apart throw no shadow on each other."""
_LEFT = (0.6, 0.3)
"""What of it stays on the upper lip, whose edge turns away from the light, and on the lower one."""
_ENDS = 0.25
"""Share of half the seam over which, towards the corners, the shadow stays."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class LipSeam:
    """What lips that touch in a portrait lack of light beside their seam.

    Args:
        image: (h, w, 3) uint8 RGB, the window of the portrait.
        opening: The opening between its lips at rest, which has no height.
        scale: Pixels per inter-ocular distance.
    """

    def __init__(self, image: np.ndarray, opening: Opening, scale: float) -> None:
        self._scale = scale
        place = opening.along / opening.half
        upper, lower = (_lacking(image, place, -edge, _REACH * scale) for edge in (opening.above, opening.below))
        self._rows = len(upper)
        self._given = np.concatenate([lip * np.float32(1 - left) for lip, left in zip((upper, lower), _LEFT)])

    def light(self, frame: np.ndarray, opening: Opening) -> None:
        """Give lips that have parted the light they lack, in place; where they touch nothing changes.

        Args:
            frame: (h, w, 3) uint8 RGB, the window of a frame with its lips and nothing between them yet.
            opening: The opening in that frame.
        """
        import cv2

        reach = np.float32(_REACH * self._scale)
        about = (opening.above > -reach) & (opening.below > -reach) & (np.abs(opening.along) < np.float32(opening.half))
        rows, columns = np.flatnonzero(about.any(1)), np.flatnonzero(about.any(0))
        if not len(rows):
            return
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        near = opening.within(box)
        parted = smoothstep((near.above + near.below) / np.float32(_GONE * self._scale))
        if not parted.any():
            return
        upper = near.above < near.below
        x = (near.along / np.float32(near.half) + 1) * np.float32((_PLACES - 1) / 2)
        # the upper lip's rows, then the lower one's; each ends in one of nothing
        y = np.clip(np.where(upper, -near.above, -near.below), 0, self._rows - 1) + np.where(upper, 0, self._rows)
        given = cv2.remap(self._given, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        part = frame[box]
        part[...] = np.minimum(part + spread(parted) * given + np.float32(0.5), 255)


def _lacking(image: np.ndarray, place: np.ndarray, distance: np.ndarray, reach: float) -> np.ndarray:
    """(rows, places, 3) float32 grey levels that a lip lacks, a row a pixel from its edge; nothing beyond the last."""
    from scipy.ndimage import gaussian_filter, gaussian_filter1d

    rows = int(np.ceil(reach)) + 2
    inside = (distance > -0.5) & (distance < rows - 0.5) & (np.abs(place) <= 1)
    where = np.round(distance[inside]).astype(int), np.round((place[inside] + 1) * (_PLACES - 1) / 2).astype(int)
    total, count = np.zeros((rows, _PLACES, 3)), np.zeros((rows, _PLACES, 1))
    np.add.at(total, where, image[inside])
    np.add.at(count, where, 1)
    total, count = (gaussian_filter1d(values, 1.2, axis=1, mode="nearest") for values in (total, count))
    seen = total / np.maximum(count, 1e-6)
    bright = seen @ _LUMA
    lit = bright >= _LIT * bright.max(0)
    first = np.argmax(lit, 0)
    flat = seen[first, np.arange(_PLACES)]
    before = np.arange(rows)[:, None] < first
    lack = np.where(before[..., None], np.maximum(flat - seen, 0), 0)
    ends = smoothstep((1 - np.abs(np.linspace(-1, 1, _PLACES))) / _ENDS)
    lack = gaussian_filter(lack * ends[:, None], (0.5, 0.8, 0), mode="nearest")
    lack[-1] = 0
    return lack.astype(np.float32)
