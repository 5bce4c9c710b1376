"""What MediaPipe's 478 points are: which mirror each other, which ring the lips and eyes, which join into triangles.

Needs numpy alone; `triangles` imports MediaPipe when it is called. Rings are listed once, for the subject's right side
(the image's left); `mirrored` gives the other.
"""

from collections.abc import Iterable
from functools import cache

import numpy as np

MIRROR = np.array(
  (
    0, 1, 2, 248, 4, 5, 6, 249, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 250, 251, 252, 253, 254, 255, 256, 257, 258, 259, 260,
    261, 262, 263, 264, 265, 266, 267, 268, 269, 270, 271, 272, 273, 274, 275, 276, 277, 278, 279, 280, 281, 282, 283, 284, 285,
    286, 287, 288, 289, 290, 291, 292, 293, 294, 295, 296, 297, 298, 299, 300, 301, 302, 303, 304, 305, 306, 307, 308, 309, 310,
    311, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 322, 323, 94, 324, 325, 326, 327, 328, 329, 330, 331, 332, 333, 334, 335,
    336, 337, 338, 339, 340, 341, 342, 343, 344, 345, 346, 347, 348, 349, 350, 351, 352, 353, 354, 355, 356, 357, 358, 359, 360,
    361, 362, 363, 364, 365, 366, 367, 368, 369, 370, 371, 372, 373, 374, 375, 376, 377, 378, 379, 151, 152, 380, 381, 382, 383,
    384, 385, 386, 387, 388, 389, 390, 164, 391, 392, 393, 168, 394, 395, 396, 397, 398, 399, 175, 400, 401, 402, 403, 404, 405,
    406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 195, 419, 197, 420, 199, 200, 421, 422, 423, 424, 425, 426,
    427, 428, 429, 430, 431, 432, 433, 434, 435, 436, 437, 438, 439, 440, 441, 442, 443, 444, 445, 446, 447, 448, 449, 450, 451,
    452, 453, 454, 455, 456, 457, 458, 459, 460, 461, 462, 463, 464, 465, 466, 467, 3, 7, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
    30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61,
    62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93,
    95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120,
    121, 122, 123, 124, 125, 126, 127, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139, 140, 141, 142, 143, 144, 145,
    146, 147, 148, 149, 150, 153, 154, 155, 156, 157, 158, 159, 160, 161, 162, 163, 165, 166, 167, 169, 170, 171, 172, 173, 174,
    176, 177, 178, 179, 180, 181, 182, 183, 184, 185, 186, 187, 188, 189, 190, 191, 192, 193, 194, 196, 198, 201, 202, 203, 204,
    205, 206, 207, 208, 209, 210, 211, 212, 213, 214, 215, 216, 217, 218, 219, 220, 221, 222, 223, 224, 225, 226, 227, 228, 229,
    230, 231, 232, 233, 234, 235, 236, 237, 238, 239, 240, 241, 242, 243, 244, 245, 246, 247, 473, 476, 475, 474, 477, 468, 471,
    470, 469, 472,
  )
)  # fmt: skip
"""(478,) each point's partner on the other side of the face; points of the midline are their own. Found as the optimal
assignment between faces and their mirror images (the tesselation itself is not quite symmetric)."""

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


def mirrored(points: Iterable[int]) -> tuple[int, ...]:
    """The same points on the other side of the face, in the same order.

    Example:
        >>> mirrored((33, 133, 10))
        (263, 362, 10)
    """
    return tuple(int(i) for i in MIRROR[list(points)])


@cache
def triangles() -> np.ndarray:
    """(852, 3) int, the triangles of the skin's mesh; the eyes and the mouth are holes in it. Counted from the image's own
    edges, not oriented. Imports MediaPipe.

    MediaPipe's Python package names the tesselation by its edges, three for every triangle, so the triangles are the
    edges' closed triples, without two triples about the nostrils that enclose a third triangle.
    """
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    near: dict[int, set[int]] = {}
    for a, b in FACEMESH_TESSELATION:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    found = {tuple(sorted((a, b, c))) for a in near for b in near[a] for c in near[a] & near[b]}
    found -= {(49, 64, 129), (279, 294, 358)}
    return np.array(sorted(found))
