"""Dense fields over a picture: grids, smooth interpolation of scattered points, inversion of displacements.

Fields live on a coarse grid, since skin moves smoothly; what is sharp (lids, lips) is cut at full size by its contour.
"""

from dataclasses import dataclass

import numpy as np

SOFTNESS = 0.03
"""Rounding of the interpolation kernel about its centres, in inter-ocular distances."""

_LEAST_STRETCH = 0.45
"""Where a field folds or nearly does, steps are taken as if it shrank the skin to this."""

_RATE, _LONGEST_STEP = np.float32(0.9), np.float32(3.0)
"""Newton's steps are shortened a little, and none is longer than this many cells: found on the widest open mouths, where
whole steps leap over the lip."""

_ENOUGH = 0.01
"""Cells; a field that has come this near is taken."""


@dataclass(frozen=True)
class Grid:
    """A coarse grid over a picture: every cell is a square of `step` pixels, and the last ones may reach over the edge.

    Args:
        height: Rows of the picture, in pixels.
        width: Columns of the picture, in pixels.
        step: Pixels per cell.
    """

    height: int
    width: int
    step: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return -(-self.height // self.step), -(-self.width // self.step)

    def centres(self) -> np.ndarray:
        """Return (rows, columns, 2) float32 pixel coordinates (x, y) of the cells' centres."""
        rows, columns = self.shape
        x, y = np.meshgrid(np.arange(columns), np.arange(rows))
        return ((np.stack([x, y], -1) + 0.5) * self.step - 0.5).astype(np.float32)

    def window(self, low: np.ndarray, high: np.ndarray) -> tuple[slice, slice]:
        """Find the cells that cover a rectangle of pixels.

        Args:
            low: (2,) pixel (x, y) of its upper left corner.
            high: (2,) pixel (x, y) of its lower right corner.

        Returns:
            (rows, columns) slices of cells, cut at the picture's edge.
        """
        rows, columns = self.shape
        x0, y0 = np.floor(np.asarray(low) / self.step).astype(int)
        x1, y1 = np.ceil(np.asarray(high) / self.step).astype(int)
        return slice(max(y0, 0), max(min(y1, rows), 1)), slice(max(x0, 0), max(min(x1, columns), 1))

    def pixels(self, window: tuple[slice, slice]) -> tuple[slice, slice]:
        """Return the (rows, columns) slices of pixels under such slices of cells."""
        rows, columns = window
        return (
            slice(rows.start * self.step, min(rows.stop * self.step, self.height)),
            slice(columns.start * self.step, min(columns.stop * self.step, self.width)),
        )

    def bounds(self, stretch: float) -> tuple[np.ndarray, np.ndarray]:
        """Bound displacements so that they draw no edge of the picture into sight.

        Nothing is known beyond an edge, so what lies there may leave the picture but not come in: the nearer a place to an
        edge, the less far it goes inwards, and what lies between is stretched.

        Args:
            stretch: By how much the skin beside an edge may lengthen, 1 for twice its length.

        Returns:
            Least and greatest displacement, each (rows, columns, 2) float32 (x, y), in cells.
        """
        rows, columns = self.shape
        y, x = (np.arange(count, dtype=np.float32) + np.float32(0.5) for count in (rows, columns))
        far_y, far_x = np.float32(self.height / self.step) - y, np.float32(self.width / self.step) - x
        most = np.stack(np.broadcast_arrays(x[None], y[:, None]), -1)
        least = np.stack(np.broadcast_arrays(far_x[None], far_y[:, None]), -1)
        return -np.float32(stretch) * np.maximum(least, 0), np.float32(stretch) * most

    def upsample(self, field: np.ndarray, window: tuple[slice, slice] | None = None) -> np.ndarray:
        """Interpolate a field on cells linearly to the pixels under them.

        Args:
            field: (rows, columns, ...) float32, on the cells of `window`.
            window: (rows, columns) slices of cells; all by default.

        Returns:
            The field on the pixels, (height, width, ...) of the window.
        """
        import cv2

        rows, columns = field.shape[:2]
        full = cv2.resize(field, (columns * self.step, rows * self.step), interpolation=cv2.INTER_LINEAR)
        if window is None:
            return full[: self.height, : self.width]
        down, across = self.pixels(window)
        return full[: down.stop - down.start, : across.stop - across.start]


class Interpolator:
    """Smooth interpolation of values at scattered points of the plane (multiquadric radial basis and a constant).

    The multiquadric hardly overshoots between centres, unlike thin plates, so skin does not bulge where nothing pulls.

    Args:
        points: (N, 2), in inter-ocular distances so that `SOFTNESS` means the same on every face.
        stiffness: Smoothing; 0 passes through every value.
    """

    def __init__(self, points: np.ndarray, stiffness: float = 1e-3) -> None:
        self._points = np.asarray(points, np.float64)
        count = len(points)
        system = np.ones((count + 1, count + 1))
        system[:count, :count] = self._kernel(self._points) - stiffness * np.eye(count)
        system[count, count] = 0
        self._inverse = np.linalg.inv(system)[:, :count]

    def _kernel(self, at: np.ndarray) -> np.ndarray:
        squared = (at**2).sum(1)[:, None] + (self._points**2).sum(1) - 2 * at @ self._points.T
        return np.sqrt(np.maximum(squared, 0) + SOFTNESS**2)

    def __call__(self, values: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Interpolate.

        Args:
            values: (N, C) at the points.
            at: (M, 2) places, in inter-ocular distances.

        Returns:
            (M, C) float32 at the places.
        """
        weights = self._inverse @ values
        kernel = self._kernel(np.asarray(at, np.float64)).astype(np.float32)
        return kernel @ weights[:-1].astype(np.float32) + weights[-1].astype(np.float32)


def invert(displacement: np.ndarray, start: np.ndarray | None = None, steps: int = 6) -> np.ndarray:
    """Compute the backward field of a forward one: the root of ``b + d(x + b)`` by Newton's method with a diagonal Jacobian.

    The diagonal, how much the skin stretches across and along, is what a plain fixed point fails on (lids, corners of the
    mouth stretch threefold); shear needs no help.

    Args:
        displacement: (rows, columns, 2) float32 (x, y), in cells: what stands at x moves to x + d(x).
        start: A first guess at the result, of the same shape.
        steps: The most iterations.

    Returns:
        (rows, columns, 2) float32, in cells: what is seen at x comes from x + b(x). Exactly zero where nothing moves.
    """
    import cv2

    # one plane for x and one for y: numpy is slow where the last axis has but two numbers, and this is half of what a frame costs
    rows, columns = displacement.shape[:2]
    across, down = np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32)[:, None]
    moved_x, moved_y = (np.ascontiguousarray(displacement[..., i]) for i in range(2))
    stretch = gradient(moved_x.T).T, gradient(moved_y)
    field = cv2.merge([moved_x, moved_y, *(np.maximum(change + 1, np.float32(_LEAST_STRETCH)) for change in stretch)])
    back = [-moved_x, -moved_y] if start is None else [start[..., i].copy() for i in range(2)]
    for _ in range(steps):
        seen: list[np.ndarray] = list(
            cv2.split(cv2.remap(field, across + back[0], down + back[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
        )
        longest = 0.0
        for plane, missed, stretched in zip(back, seen[:2], seen[2:]):
            missed += plane
            missed *= _RATE
            missed /= stretched
            far = cv2.norm(missed, cv2.NORM_INF)
            longest = max(longest, far)
            plane -= missed if far <= _LONGEST_STEP else np.clip(missed, -_LONGEST_STEP, _LONGEST_STEP, out=missed)
        if longest < _ENOUGH:
            break
    return cv2.merge(back)


def gradient(plane: np.ndarray) -> np.ndarray:
    """Compute what `numpy.gradient` gives along the first axis, to the last bit; that takes three times as long on small planes.

    Args:
        plane: (rows, columns) float32.

    Returns:
        (rows, columns) float32.
    """
    if len(plane) < 2:
        return np.gradient(plane, axis=0)
    out = np.empty_like(plane)
    np.subtract(plane[2:], plane[:-2], out=out[1:-1])
    out[1:-1] /= 2
    np.subtract(plane[1], plane[0], out=out[0])
    np.subtract(plane[-1], plane[-2], out=out[-1])
    return out


def spread(plane: np.ndarray, channels: int = 3) -> np.ndarray:
    """Repeat a plane for each channel of a picture: numpy multiplies that much faster than it broadcasts over a last axis of 2 or 3.

    Args:
        plane: (h, w) float32 or float64.
        channels: How many.

    Returns:
        (h, w, channels) of the plane's dtype.
    """
    import cv2

    return cv2.merge([plane] * channels)


def sample(image: np.ndarray, places: np.ndarray, border: int) -> np.ndarray:
    """Read an image or a field at places between its pixels, by linear interpolation.

    Args:
        image: (H, W) or (H, W, C), uint8 or float32.
        places: (h, w, 2) float32 pixels (x, y) of the image.
        border: OpenCV's border mode, for places outside.

    Returns:
        (h, w) or (h, w, C) of the image's dtype.
    """
    import cv2

    # OpenCV's stubs do not know that both coordinates may come in one array.
    return cv2.remap(image, places, None, cv2.INTER_LINEAR, borderMode=border)  # type: ignore[call-overload]
