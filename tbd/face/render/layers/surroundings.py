"""What a place beside the person has about it: the background a little farther out, and the person a little farther in."""

import numpy as np

_FARTHER, _ASIDE = np.linspace(0.33, 0.78, 10), np.linspace(-0.3, 0.3, 13)
"""Inter-ocular distances from the person, outwards (beyond what strands of hair reach) and along its outline, where the background is."""
_INWARDS, _BESIDE = np.linspace(-0.2, 0.0, 6), np.linspace(-0.15, 0.15, 7)
"""Likewise where the person is."""
_RARE = 2
"""Of the background's places, as many may be outliers."""
_SAME, _SURE, _DOUBT = 6.0, 3.0, 8.0
"""Grey levels of the most different channel: what differs from the background by no more than the first is its own (by no more than the
second, where the person has the colour as well), and what differs by the last more is not."""


class Surroundings:
    """Looks about from places outside the person.

    Args:
        alpha: (H, W) float32 0..1, the person.
        scale: Pixels per inter-ocular distance.
        wanted: (H, W) bool, the N places, none of them where alpha is above 0.9.
    """

    def __init__(self, alpha: np.ndarray, scale: float, wanted: np.ndarray) -> None:
        import cv2

        self._person, self._scale, self._wanted = alpha > 0.9, np.float32(scale), wanted
        at = np.argwhere(wanted)
        away = (~self._person).astype(np.uint8)
        self._away, labels = cv2.distanceTransformWithLabels(away, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        nearest = np.zeros((labels.max() + 1, 2), np.float32)
        nearest[labels[self._person]] = np.argwhere(self._person)
        self._edge = nearest[labels[wanted]]  # (N, 2) rows and columns
        self._outwards = (at - self._edge) / self._away[wanted][:, None]
        self._along = np.stack([-self._outwards[:, 1], self._outwards[:, 0]], -1)

    def _look(self, steps: np.ndarray, asides: np.ndarray, valid: np.ndarray):
        """Places at some distances: their rows and columns (N,), and which of them are valid."""
        for step in steps:
            for aside in asides:
                move = self._scale * (np.float32(step) * self._outwards + np.float32(aside) * self._along)
                at = np.round(self._edge + move).astype(np.intp)
                inside = (at >= 0).all(1) & (at < valid.shape).all(1)
                row, column = np.where(inside[:, None], at, 0).T
                yield row, column, inside & valid[row, column]

    def most_behind(self, values: np.ndarray) -> np.ndarray:
        """Return (N,) about the greatest of some values (H, W) that the background has farther out; 0 where nothing of it is seen."""
        behind = self._away > _FARTHER[0] * self._scale
        found = np.array([np.where(seen, values[row, column], 0) for row, column, seen in self._look(_FARTHER, _ASIDE, behind)])
        most: np.ndarray = np.partition(found, -_RARE - 1, 0)[-_RARE - 1]
        return most

    def own_colour(self, image: np.ndarray) -> np.ndarray:
        """Tell what has colours that the background does not have farther out.

        Args:
            image: (H, W, 3) uint8 RGB.

        Returns:
            (H, W) float32, 0 where the background has the colour, 1 where it does not, and 0 where it is not wanted.
        """
        import cv2

        soft = cv2.GaussianBlur(image, (0, 0), 0.7).astype(np.int16)
        own, behind = soft[self._wanted], self._away > _FARTHER[0] * self._scale

        def unlike(look) -> np.ndarray:
            return np.array([np.where(seen, np.abs(soft[row, column] - own).max(1), 255) for row, column, seen in look])

        background = np.partition(unlike(self._look(_FARTHER, _ASIDE, behind)), _RARE, 0)[_RARE]
        same = np.clip(2 * unlike(self._look(_INWARDS, _BESIDE, self._person)).min(0), _SURE, _SAME)
        share = np.zeros(image.shape[:2], np.float32)
        share[self._wanted] = np.clip((background - same) / _DOUBT, 0, 1)
        return share
