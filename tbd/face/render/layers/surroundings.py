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
        self._outwards = ((at - self._edge) / self._away[wanted][:, None]).astype(np.float32)
        self._along = np.stack([-self._outwards[:, 1], self._outwards[:, 0]], -1)

    def _look(self, steps: np.ndarray, asides: np.ndarray, valid: np.ndarray):
        """Places at some distances: their rows and columns (N,), and which of them are valid."""
        height, width = valid.shape
        (down, across), (down_along, across_along), (top, left) = self._outwards.T, self._along.T, self._edge.T
        for step in steps:
            for aside in asides:
                far, along = self._scale * np.float32(step), self._scale * np.float32(aside)
                row = np.rint(top + far * down + along * down_along).astype(np.int32)
                column = np.rint(left + far * across + along * across_along).astype(np.int32)
                inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
                row, column = np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)
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

        # plane by plane: numpy is slow where the last axis has but three numbers
        planes = [np.ascontiguousarray(plane, np.int16) for plane in cv2.split(cv2.GaussianBlur(image, (0, 0), 0.7))]
        own, behind = [plane[self._wanted] for plane in planes], self._away > _FARTHER[0] * self._scale

        def unlike(look) -> np.ndarray:
            found = []
            for row, column, seen in look:
                red, green, blue = (np.abs(plane[row, column] - mine) for plane, mine in zip(planes, own))
                found.append(np.where(seen, np.maximum(np.maximum(red, green), blue), np.int16(255)))
            return np.array(found)

        background = np.partition(unlike(self._look(_FARTHER, _ASIDE, behind)), _RARE, 0)[_RARE]
        same = np.clip(2 * unlike(self._look(_INWARDS, _BESIDE, self._person)).min(0), _SURE, _SAME)
        share = np.zeros(image.shape[:2], np.float32)
        share[self._wanted] = np.clip((background - same) / _DOUBT, 0, 1)
        return share
