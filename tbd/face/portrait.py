"""The square of head and shoulders that a portrait is drawn from."""

import numpy as np

from tbd.face.geometry import FaceGeometry

_HEADROOM = 2.4
"""Side of a portrait's square, in heights of the face mesh (hair line to chin): the head with its hair, and shoulders."""
_LEAST_HEADROOM = 1.7
"""Where the picture ends nearer than that, the square shrinks to here before the picture is continued outwards."""
_ABOVE = 0.46
"""Where in the square the middle of the face lies, from the top: there is more below a face than above."""


def portrait_window(points: np.ndarray, shape: tuple[int, ...]) -> tuple[float, float, float]:
    """The square of head and shoulders around a face.

    It stays inside the picture as far as that leaves room around the face.

    Args:
        points: (N, 2 or 3) pixels of the face mesh.
        shape: of the image, (H, W, …).

    Returns:
        left, top, side in pixels; the square may reach outside where the face is close to the picture's border.
    """
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    face = float((high - low).max())
    height, width = shape[:2]
    side = float(np.clip(min(height, width), _LEAST_HEADROOM * face, _HEADROOM * face))
    corner = (low + high) / 2 - side * np.array([0.5, _ABOVE])
    room = np.array([width, height]) - side
    inside = np.where(room >= 0, np.clip(corner, 0, np.maximum(room, 0)), np.clip(corner, room, 0))
    return float(inside[0]), float(inside[1]), side


def portrait_crop(image: np.ndarray, points: np.ndarray, size: int) -> np.ndarray:
    """The square of head and shoulders at `size` × `size` pixels.

    Where it reaches outside, the picture's edge is continued, ever softer.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (N, 2 or 3) pixels of the face mesh.
        size: pixels.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    return _cut(image, portrait_window(points, image.shape), size)


def crop_portrait(geometry: FaceGeometry, size: int) -> FaceGeometry:
    """`portrait_crop` of a located face, with the mesh carried over exactly instead of being located again."""
    left, top, side = portrait_window(geometry.points, geometry.image.shape)
    return geometry.cropped(left, top, _cut(geometry.image, (left, top, side), size), size / side)


def _cut(image: np.ndarray, window: tuple[float, float, float], size: int) -> np.ndarray:
    from PIL import Image

    left, top, side = window
    height, width = image.shape[:2]
    pads = [max(int(np.ceil(beyond)), 0) for beyond in (-left, -top, left + side - width, top + side - height)]
    padded = _continued(image, pads) if any(pads) else image
    x, y = left + pads[0], top + pads[1]
    box = (x, y, min(x + side, padded.shape[1]), min(y + side, padded.shape[0]))
    return np.array(Image.fromarray(padded).resize((size, size), Image.Resampling.LANCZOS, box=box))


def _continued(image: np.ndarray, pads: list[int]) -> np.ndarray:
    """A picture continued outwards by its edge's pixels, blurred more the farther out. `pads`: left, top, right, bottom."""
    import cv2

    left, top, right, bottom = pads
    padded = np.pad(image, ((top, bottom), (left, right), (0, 0)), mode="edge")
    soft = cv2.GaussianBlur(padded, (0, 0), max(max(pads) / 6, 1))
    y, x = np.ogrid[: padded.shape[0], : padded.shape[1]]
    out_x = np.maximum(np.maximum(left - x, x - (padded.shape[1] - 1 - right)), 0)
    out_y = np.maximum(np.maximum(top - y, y - (padded.shape[0] - 1 - bottom)), 0)
    share = np.clip(np.maximum(out_x, out_y) / max(max(pads) / 3, 1), 0, 1)[..., None].astype(np.float32)
    return np.rint(padded * (1 - share) + soft * share).astype(np.uint8)
