"""The face of a portrait, and the square of head and shoulders that it is drawn from."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tbd.face.geometry import FaceGeometry
from tbd.face.portrait_notes import note_small
from tbd.face.tracker import Tracker
from tbd.face.tracking.choice import LARGEST, FaceChoice, check_choice
from tbd.utils.options.user_components import attribute_errors_to, require_type

if TYPE_CHECKING:
    from PIL.Image import Image

HEADROOM = 2.4
"""Side of a portrait's square, in heights of the face mesh (hair line to chin): the head with its hair, and shoulders."""
WHOLE_FACE = 1.04
"""The least side, likewise: a picture that shows less than a square of the whole face gets a margin, and no other does."""
_ABOVE = 0.46
"""Where in the square the middle of the face lies, from the top: there is more below a face than above."""
_MARGIN_BLUR = 0.06
"""Standard deviation, in sides of the square, of the blur of a margin."""


def find_face(tracker: Tracker, image: np.ndarray, source: str = "the portrait", face: FaceChoice = LARGEST) -> FaceGeometry:
    """Find a face of a picture.

    Args:
        tracker: Finds the face.
        image: (H, W, 3) uint8 RGB.
        source: What messages call the picture.
        face: Which one of several; see `TalkingHeadPipeline.locate`.

    Returns:
        The face in the whole picture.

    Raises:
        InputError: If no face is found.
        TBDError: If a tracker of the user's fails.
    """
    choice = check_choice(face)
    with attribute_errors_to(tracker, "tracker"):
        # a tracker of a user's that has its own way of locating need not know of choices
        found = tracker.locate(image, source) if choice == LARGEST else tracker.locate(image, source, choice)
    require_type(found, FaceGeometry, tracker, "tracker")
    return note_small(found)


def portrait_window(points: np.ndarray, shape: tuple[int, ...], headroom: float = HEADROOM) -> tuple[float, float, float]:
    """Find the square of head and shoulders around a face, as far as the picture shows them.

    Args:
        points: (N, 2) or (N, 3) pixels of the face mesh.
        shape: Shape of the image, (H, W, …).
        headroom: Side of the square, in heights of the face mesh.

    Returns:
        Left, top and side in pixels. The square lies inside the picture; only where the picture is too narrow or too low for a
        square of the whole face, it reaches outside, evenly on both sides.
    """
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    face = float((high - low).max())
    height, width = shape[:2]
    side = min(max(min(height, width), WHOLE_FACE * face), headroom * face, max(height, width))
    corner = (low + high) / 2 - side * np.array([0.5, _ABOVE])
    left, top = move_inside(corner, np.array([width, height]) - side)
    return left, top, float(side)


def move_inside(corner: np.ndarray, room: np.ndarray) -> tuple[float, float]:
    """Move a window into a picture; where it is larger than the picture it reaches outside, evenly on both sides.

    Args:
        corner: Left and top of the window.
        room: By how much the picture is wider and higher than the window.

    Returns:
        Left and top.
    """
    left, top = np.where(room >= 0, np.clip(corner, 0, np.maximum(room, 0)), room / 2)
    return float(left), float(top)


def crop_portrait_image(image: np.ndarray, points: np.ndarray, size: int) -> np.ndarray:
    """Cut out the square of head and shoulders at `size` × `size` pixels.

    Where it reaches outside the picture there is a margin in the picture's own blurred colours.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (N, 2) or (N, 3) pixels of the face mesh.
        size: Side of the new picture in pixels.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    return _cut(image, portrait_window(points, image.shape), size)[0]


def crop_portrait(geometry: FaceGeometry, size: int, headroom: float = HEADROOM) -> FaceGeometry:
    """Crop a located face as `crop_portrait_image` does; the mesh is carried over exactly instead of being located again.

    Args:
        geometry: The face in the whole picture.
        size: Side of the new picture in pixels.
        headroom: Side of the square, in heights of the face mesh.

    Returns:
        The face in its square; `FaceGeometry.picture_box` says where the square has a margin.
    """
    left, top, side = portrait_window(geometry.points, geometry.image.shape, headroom)
    image, box = _cut(geometry.image, (left, top, side), size)
    whole = box == (0, 0, size, size)
    return replace(geometry.cropped(left, top, image, size / side), picture_box=None if whole else box)


def _cut(image: np.ndarray, window: tuple[float, float, float], size: int) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """The square window at `size` × `size` pixels; see `cut_window`."""
    left, top, side = window
    return cut_window(image, (left, top, side, side), (size, size))


def cut_window(
    image: np.ndarray, window: tuple[float, float, float, float], size: tuple[int, int]
) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """Cut out a part of a picture; where it reaches outside there is a margin in the picture's own blurred colours.

    Args:
        image: (H, W, 3) uint8 RGB.
        window: Left, top, width and height in pixels of the picture.
        size: Columns and rows of the result.

    Returns:
        (rows, columns, 3) uint8 RGB, and the part of it (left, top, right, bottom) that the picture covers.
    """
    from PIL import Image

    left, top, wide, high = window
    height, width = image.shape[:2]
    box = (max(left, 0.0), max(top, 0.0), min(left + wide, float(width)), min(top + high, float(height)))
    zooms = size[0] / wide, size[1] / high
    edges = (round((edge - start) * zoom) for edge, start, zoom in zip(box, (left, top, left, top), zooms * 2))
    x, y, right, bottom = (min(max(edge, 0), most) for edge, most in zip(edges, size * 2))
    seen = Image.fromarray(image).resize((right - x, bottom - y), Image.Resampling.LANCZOS, box=box)
    if (right - x, bottom - y) == size:
        return np.array(seen), (0, 0, *size)
    whole = _margin(seen, size)
    whole[y:bottom, x:right] = np.asarray(seen)
    return whole, (x, y, right, bottom)


def _margin(picture: "Image", size: tuple[int, int]) -> np.ndarray:
    """(rows, columns, 3) uint8: the picture so blurred that nothing but its colours is seen, as television fills out tall pictures."""
    import cv2
    from PIL import Image

    filled = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
    return cv2.GaussianBlur(filled, (0, 0), _MARGIN_BLUR * max(size))
