"""What a turned head or a dropped jaw hides: a warp can hide nothing, so what would be hidden is pressed together, and softly.

And what it cannot show: skin that is drawn out far loses its grain, which would become streaks.
"""

import numpy as np

from tbd.face.render.grid import gradient, sample, spread

_LEAST_WIDTH = 0.3
"""What a fold would hide keeps this share of its width: less is a line of noise, more pushes its surroundings about."""
_PRESSED = 0.8
"""A picture that is pressed together by more than 1 + this is softened, wholly from 2 + this on."""
_SMOOTH = 1.3
"""Cells (standard deviation) over which the field is smoothed there: a slanting outline would be drawn in steps of a cell."""
_DRAWN_OUT = (0.5, 0.2)
"""Of its height in the portrait, what skin keeps that is drawn out: from where on its grain is averaged, and over how much that begins."""
_AVERAGED_SIDEWAYS = 0.018
"""Inter-ocular distances (standard deviation) over which skin is averaged from side to side where it is drawn out up and down."""
_AVERAGED = 1.2
"""Pixels (standard deviation) over which the picture is averaged there, where linear interpolation would leave pixels out."""


def unfold(displacement: np.ndarray, row: int, column: int) -> np.ndarray:
    """Take back folds of a forward field: what lies nearer to the middle of the face hides what lies farther out.

    A turned cheek slides over the hair behind it, and a jaw that drops over the neck. Where a field folds there is no one place that a
    pixel comes from, and searching for it tears the outline into steps. What would be hidden is pressed together instead, to
    `_LEAST_WIDTH` of its width, and pushes on what lies beyond it.

    Above `row` nothing is changed up and down: brows do weigh on lids, which are drawn by themselves.

    Args:
        displacement: (rows, columns, 2) float32 (x, y), in cells; changed in place.
        row: From here on the field is followed downwards.
        column: From here on the field is followed to either side.

    Returns:
        The same field; bit for bit where nothing folds.
    """
    rows, columns = displacement.shape[:2]
    free = np.float32(1 - _LEAST_WIDTH)
    across, down = np.arange(columns, dtype=np.float32) * free, np.arange(rows, dtype=np.float32)[:, None] * free
    right, left, below = slice(column, None), slice(column, None, -1), slice(row, None)
    for plane, at, axis, farthest in (
        (displacement[:, right, 0], across[right], 1, np.maximum),
        (displacement[:, left, 0], across[left], 1, np.minimum),
        (displacement[below, :, 1], down[below], 0, np.maximum),
    ):
        place = plane + at
        plane += farthest.accumulate(place, axis=axis) - place
    return displacement


def pressed_share(back: np.ndarray) -> np.ndarray | None:
    """Tell where a backward field presses the picture together.

    Args:
        back: (rows, columns, 2) float32, in cells: what is seen at x comes from x + b(x).

    Returns:
        (rows, columns) float32 0..1, soft at its edges; None where it is 0 everywhere.
    """
    import cv2

    x, y = cv2.split(back)
    slopes = [np.abs(slope) for slope in (gradient(x), gradient(y), gradient(x.T).T, gradient(y.T).T)]
    share = np.maximum(np.maximum(slopes[0], slopes[1]), np.maximum(slopes[2], slopes[3])) - np.float32(_PRESSED)
    if share.max() <= 0:
        return None
    return cv2.GaussianBlur(cv2.dilate(np.clip(share, 0, 1), np.ones((3, 3))), (0, 0), 1.0)


def soften_field(back: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Smooth a backward field where it presses the picture together.

    Args:
        back: As for `pressed_share`.
        share: As `pressed_share` returns it.

    Returns:
        (rows, columns, 2) float32.
    """
    import cv2

    smooth: np.ndarray = back + spread(share, 2) * (cv2.GaussianBlur(back, (0, 0), _SMOOTH) - back)
    return smooth


def stretched_share(back: np.ndarray, skin: np.ndarray) -> np.ndarray | None:
    """Tell where a backward field draws skin out up and down.

    Args:
        back: As for `pressed_share`.
        skin: (rows, columns) float32 0..1, in the portrait, what may be averaged.

    Returns:
        (rows, columns) float32 0..1, soft at its edges; None where it is 0 everywhere.
    """
    import cv2

    share = (np.float32(_DRAWN_OUT[0] - 1) - gradient(np.ascontiguousarray(back[..., 1]))) / np.float32(_DRAWN_OUT[1])
    if share.max() <= 0:
        return None
    rows, columns = (np.arange(size, dtype=np.float32) for size in share.shape)
    from_skin = sample(skin, back + np.stack(np.meshgrid(columns, rows), -1), cv2.BORDER_REPLICATE)
    share = np.clip(share, 0, 1) * from_skin
    return None if share.max() <= 0 else cv2.GaussianBlur(share, (0, 0), 1.0)


def average_sideways(foreground: np.ndarray, scale: float) -> np.ndarray:
    """Average a layer from side to side, for where it is drawn out up and down.

    Args:
        foreground: (H, W, 4) uint8.
        scale: Pixels per inter-ocular distance.

    Returns:
        (H, W, 4) uint8.
    """
    import cv2

    across = max(_AVERAGED_SIDEWAYS * scale, 0.5)
    return cv2.GaussianBlur(foreground, (2 * round(3 * across) + 1, 1), across, sigmaY=0.1)


def average_layer(foreground: np.ndarray) -> np.ndarray:
    """Average a layer as far as it is pressed together at most; see `draw_averaged`."""
    import cv2

    return cv2.GaussianBlur(foreground, (0, 0), _AVERAGED)


def draw_averaged(seen: np.ndarray, averaged: np.ndarray, source: np.ndarray, share: np.ndarray) -> None:
    """Lay averages over a layer where it is pressed together or drawn out.

    Args:
        seen: (h, w, 4) uint8, the layer as it is seen in a part of a frame, changed in place.
        averaged: (H, W, 4) uint8, the whole layer as `average_layer` or `average_sideways` returns it.
        source: (h, w, 2) float32 pixels (x, y) of the layer that are seen.
        share: (h, w) float32 0..1, how far to do so.
    """
    import cv2

    rows, columns = (np.flatnonzero((share > 0.01).any(axis)) for axis in (1, 0))
    if not len(rows):
        return
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    smooth = sample(averaged, source[part], cv2.BORDER_REPLICATE)
    weight = np.ascontiguousarray(share[part])
    seen[part] = cv2.blendLinear(smooth, np.ascontiguousarray(seen[part]), weight, 1 - weight)
