"""What MediaPipe's 478 points are: which mirror each other, which ring the lips and eyes, which join into triangles.

Needs numpy alone; `triangles` imports MediaPipe when it is called. Rings are listed once, for the subject's right side
(the image's left); `mirrored` gives the other.
"""

from collections.abc import Iterable
from functools import cache
from typing import Literal, get_args

import numpy as np

from tbd.face.geometry import mirror_points
from tbd.face.light_mediapipe import load_mediapipe

LIP_TOP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LIP_BOTTOM = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
"""The inner contours of the lips from the subject's right corner to the left; equal places face each other."""
UPPER_LIP_ROWS = (
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306),
    (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292),
    LIP_TOP,
)
LOWER_LIP_ROWS = (
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
    (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306),
    (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292),
    LIP_BOTTOM,
)
"""The rows of each lip, from the skin's edge to the inner contour; equal places lie one above the other."""
MOUTH_CORNERS = (61, 291)

EYE_TOP = (33, 246, 161, 160, 159, 158, 157, 173, 133)
EYE_BOTTOM = (33, 7, 163, 144, 145, 153, 154, 155, 133)
"""The lid edges of the right eye from the outer corner to the inner; equal places face each other."""
UPPER_LID_ROWS = ((247, 30, 29, 27, 28, 56, 190), (113, 225, 224, 223, 222, 221, 189))
LOWER_LID_ROWS = ((25, 110, 24, 23, 22, 26, 112), (31, 228, 229, 230, 231, 232, 233))
"""The two rows of skin next to each lid edge, the nearer first, over the seven points between the corners."""
EYE_CORNER_SKIN = (130, 226, 243, 244)
IRIS = (468, 469, 470, 471, 472)
"""Right iris: centre, then its ring. 471 and 469 are its left and right ends in the image, 470 the top, 472 the bottom."""
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""The outline of the face, clockwise in the image from the top of the forehead."""


Side = Literal["Right", "Left"]
"""Sides of a face, the subject's own."""
SIDES: tuple[Side, ...] = get_args(Side)


def mirrored(points: Iterable[int]) -> tuple[int, ...]:
    """Mirror points to the other side of the face.

    Args:
        points: Indices of mesh points.

    Returns:
        The points at the same places of the other side, in the same order.

    Example:
        >>> mirrored((33, 133, 10))
        (263, 362, 10)
    """
    return tuple(int(i) for i in mirror_points()[list(points)])


def on_side(points: Iterable[int], side: Side) -> tuple[int, ...]:
    """Select points of the right side of the face, or their mirror images on the left.

    Args:
        points: Indices as this module lists them, for the subject's right.
        side: The side that is wanted.

    Returns:
        The points in the same order.

    Example:
        >>> on_side(EYE_TOP[:2], "Right"), on_side(EYE_TOP[:2], "Left")
        ((33, 246), (263, 466))
    """
    return tuple(points) if side == "Right" else mirrored(points)


def outwards(side: Side) -> int:
    """Tell where in the picture the temple of a side lies: 1 to the right (the subject's left side), -1 to the left."""
    return 1 if side == "Left" else -1


@cache
def triangles() -> np.ndarray:
    """Return the (852, 3) int triangles of the skin's mesh, in which the eyes and the mouth are holes; they are not oriented.

    MediaPipe's Python package names the tesselation by its edges, three for every triangle, so the triangles are the
    edges' closed triples, without two triples about the nostrils that enclose a third triangle.
    """
    load_mediapipe()
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    near: dict[int, set[int]] = {}
    for a, b in FACEMESH_TESSELATION:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    found = {tuple(sorted((a, b, c))) for a in near for b in near[a] for c in near[a] & near[b]}
    found -= {(49, 64, 129), (279, 294, 358)}
    return np.array(sorted(found))
