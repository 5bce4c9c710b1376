"""What a face must be for a tracker to use it: large enough, within the picture, turned towards the viewer."""

import numpy as np

from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry, bounding_box, matrix_to_euler
from tbd.face.tracking.detection_file import DetectionRows

MIN_FACE = 48
"""Pixels: the least height or width of a face that can be rendered or tracked."""
MAX_TURN = np.radians(45)
"""How far a portrait's head may be turned or tilted: beyond it, half of the face is not in the picture."""
MAX_TILT = np.radians(30)
"""How far a portrait's head may be tilted and still be drawn as it is; a picture tilted further is turned level."""
_MAX_OUTSIDE = 0.04
"""The part of the mesh that may lie outside the picture (a chin or an ear's edge)."""


def require_size(detections: DetectionRows, source: str) -> None:
    """Check that a clip's face is large enough.

    Args:
        detections: The frames in which it was found.
        source: What messages call the video.

    Raises:
        InputError: If its median size is below `MIN_FACE`.
    """
    some = detections.points[:: max(len(detections) // 100, 1)]
    side = float(np.median([np.ptp(points[:, :2], 0).max() for points in some]))
    if side < MIN_FACE:
        raise InputError(f"The face in {source} is {side:.0f} pixels high; give one of at least {MIN_FACE} pixels.")


def require_usable(geometry: FaceGeometry, source: str) -> None:
    """Check that a portrait's face can be rendered.

    Args:
        geometry: The face in its upright picture.
        source: What messages call the picture.

    Raises:
        InputError: If the face is too small, cut by the border, or turned away.
    """
    left, top, right, bottom = bounding_box(geometry.points)
    height, width = geometry.image.shape[:2]
    side = max(right - left, bottom - top)
    if side < MIN_FACE:
        raise InputError(f"The face in {source} is {side:.0f} pixels high; give one of at least {MIN_FACE} pixels.")
    xy = geometry.points[:, :2]
    outside = ((xy < 0) | (xy >= [width, height])).any(1).mean()
    if outside > _MAX_OUTSIDE:
        raise InputError(f"The face in {source} is cut by the border ({outside:.0%} of it lies outside); show the whole face.")
    turn, roll = np.arccos(np.clip(geometry.rotation[2, 2], -1, 1)), abs(matrix_to_euler(geometry.rotation)[2])
    if max(turn, roll) > MAX_TURN:
        how = f"turned {np.degrees(turn):.0f}° away" if turn > MAX_TURN else f"tilted by {np.degrees(roll):.0f}°"
        raise InputError(f"The face in {source} is {how}; give one within {np.degrees(MAX_TURN):.0f}° of upright and frontal.")
