"""`Aperture`: an opening in the skin, mouth or eye, bounded by two contours that meet in its corners."""

from dataclasses import dataclass

import numpy as np

from tbd.face.render.grid import spread

_DENSE = 65
"""Places along a contour after smoothing its control points into a curve."""
_PER_PIXEL = 4
"""Resolution of the contour's height table."""


@dataclass(frozen=True)
class Opening:
    """An aperture in one frame, over the (h, w) pixels of its window.

    Args:
        along: (h, w) float32, pixels along the line from corner to corner, 0 in the middle.
        above: (h, w) float32, pixels below the upper contour (negative above it).
        below: (h, w) float32, pixels above the lower contour (negative below it).
        half: Half the distance between the corners, in pixels.
    """

    along: np.ndarray
    above: np.ndarray
    below: np.ndarray
    half: float

    def within(self, box: tuple[slice, slice]) -> "Opening":
        """Return the same opening over a part (rows, columns) of its window."""
        return Opening(self.along[box], self.above[box], self.below[box], self.half)

    def coverage(self, soft: float, blur: float = 0.0) -> np.ndarray:
        """Compute how much of the inside shows.

        Args:
            soft: Pixels from the contours, where it is 0, inwards to where it is 1.
            blur: Standard deviation in pixels by which the picture's own edges are softer than that.

        Returns:
            (h, w) float32 0..1.
        """
        return aperture_coverage(self.above, self.below, soft, blur)


def aperture_coverage(above: np.ndarray, below: np.ndarray, soft: float, blur: float) -> np.ndarray:
    """Compute `Opening.coverage` from distances to the contours.

    Args:
        above: (h, w) pixels below the upper contour.
        below: (h, w) pixels above the lower contour.
        soft: As for `Opening.coverage`.
        blur: As for `Opening.coverage`.

    Returns:
        (h, w) float32 0..1.
    """
    ramp = edge_ramp(soft, blur)
    # A blurred edge lies on both sides of its contour, but lips and lids that touch show nothing.
    out = np.minimum(np.float32((ramp - soft) / 2), np.maximum(above + below, 0) / 2) if blur > 0 else 0
    return np.clip((np.minimum(above, below) + out) / np.float32(ramp), 0, 1)


def edge_ramp(soft: float, blur: float) -> float:
    """Compute the width of an edge in a blurred picture.

    Args:
        soft: Its width in a sharp picture, in pixels.
        blur: Standard deviation of the blur, in pixels.

    Returns:
        Pixels from nothing to all.
    """
    return float(np.hypot(soft, 12**0.5 * blur))


class Aperture:
    """Two contours of mesh points, and the window of pixels in which they may move.

    Args:
        top: Mesh points of the upper contour from corner to corner.
        bottom: Mesh points of the lower contour, equal in number; the corners are shared.
        pixels: (rows, columns) slices of the picture.
    """

    def __init__(self, top: tuple[int, ...], bottom: tuple[int, ...], pixels: tuple[slice, slice]) -> None:
        from scipy.interpolate import CubicSpline

        self.top, self.bottom, self.pixels = list(top), list(bottom), pixels
        rows, columns = pixels
        self._x = np.arange(columns.start, columns.stop, dtype=np.float32)[None]
        self._y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
        knots = np.linspace(0, 1, len(top))
        self._curve = CubicSpline(knots, np.eye(len(top)))(np.linspace(0, 1, _DENSE))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the window in pixels."""
        return self._y.shape[0], self._x.shape[1]

    def open(self, top: np.ndarray, bottom: np.ndarray, box: tuple[slice, slice] = (slice(None), slice(None))) -> Opening:
        """Lay the opening between two contours.

        Args:
            top: (N, 2) pixels (x, y) of the picture, the upper contour from corner to corner.
            bottom: (N, 2) pixels, the lower contour.
            box: (rows, columns) slices of the window that are wanted; all by default.

        Returns:
            The opening over the box.
        """
        start, end = (top[0] + bottom[0]) / 2, (top[-1] + bottom[-1]) / 2
        if end[0] < start[0]:
            start, end, top, bottom = end, start, top[::-1], bottom[::-1]
        middle, half = (start + end) / 2, max(float(np.linalg.norm(end - start)) / 2, 1.0)
        axis = (end - start) / (2 * half)
        x, y = self._x[:, box[1]] - np.float32(middle[0]), self._y[box[0]] - np.float32(middle[1])
        along = x * np.float32(axis[0]) + y * np.float32(axis[1])
        down = y * np.float32(axis[0]) - x * np.float32(axis[1])
        span = np.arange(-half - 2, half + 2, 1 / _PER_PIXEL)
        place = np.clip((along - span[0]) * _PER_PIXEL + 0.5, 0, len(span) - 1).astype(np.int32)
        tables = self._shape(self._heights(top - middle, axis, span), self._heights(bottom - middle, axis, span), span / half)
        heights = [table[place] for table in tables]
        return Opening(along, down - heights[0], heights[1] - down, half)

    def _shape(self, top: np.ndarray, bottom: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return heights (N,) of both contours as they are drawn, from those of the mesh at places −1..1 from corner to corner."""
        return top, bottom

    def box(self, top: np.ndarray, bottom: np.ndarray) -> tuple[slice, slice]:
        """Find the part of the window that two contours enclose, with a margin of two pixels.

        Args:
            top: (N, 2) pixels (x, y) of the picture.
            bottom: (N, 2) pixels of the picture.

        Returns:
            (rows, columns) slices of the window.
        """
        contours = np.concatenate([top, bottom]) - [self.pixels[1].start, self.pixels[0].start]
        (left, above), (right, below) = np.floor(contours.min(0)) - 2, np.ceil(contours.max(0)) + 3
        height, width = self.shape
        rows = slice(int(np.clip(above, 0, height - 1)), int(np.clip(below, 1, height)))
        return rows, slice(int(np.clip(left, 0, width - 1)), int(np.clip(right, 1, width)))

    def _heights(self, contour: np.ndarray, axis: np.ndarray, span: np.ndarray) -> np.ndarray:
        """Distance below the line between the corners, at each place along it."""
        curve = self._curve @ contour
        along = np.maximum.accumulate(curve @ axis)
        return np.interp(span, along, curve @ np.array([-axis[1], axis[0]])).astype(np.float32)


def affine_from_points(rest: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Find the affine map that carries three points from one place to another; exactly the identity where they are equal.

    Args:
        rest: (3, 2) pixels (x, y) of the points at rest.
        now: (3, 2) pixels of the points in a frame.

    Returns:
        (2, 3) matrix as OpenCV takes it.
    """
    base, moved = rest[1:] - rest[0], now[1:] - now[0]
    turn = np.eye(2) + np.linalg.solve(base, moved - base).T
    return np.column_stack([turn, now[0] - turn @ rest[0]])


def warp_texture(texture: np.ndarray, matrix: np.ndarray, pixels: tuple[slice, slice], box: tuple[slice, slice]) -> np.ndarray:
    """Move a texture by an affine map of the whole picture.

    Args:
        texture: (h, w, C) float32, drawn over the window `pixels`.
        matrix: (2, 3) map of pixels (x, y) of the picture.
        pixels: (rows, columns) slices of the picture that the texture covers.
        box: (rows, columns) slices of that window that are wanted.

    Returns:
        (rows, columns, C) of the box.
    """
    import cv2

    corner = np.array([pixels[1].start, pixels[0].start], np.float64)
    local = matrix.copy()
    local[:, 2] += matrix[:, :2] @ corner - corner - [box[1].start, box[0].start]
    size = (box[1].stop - box[1].start, box[0].stop - box[0].start)
    return cv2.warpAffine(texture, local, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def blend(below: np.ndarray, above: np.ndarray, alpha: np.ndarray) -> None:
    """Lay one picture over another in place; where both are equal, or alpha is 0, the lower one keeps its exact values.

    Args:
        below: (h, w, 3) uint8 RGB, changed in place.
        above: (h, w, 3) RGB 0..255 of any dtype.
        alpha: (h, w) float32 0..1, how much of `above` shows.
    """
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    if not len(rows):
        return
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    base = below[part].astype(np.float32)
    base += spread(alpha[part]) * (above[part] - base)
    below[part] = np.clip(base + np.float32(0.5), 0, 255)
