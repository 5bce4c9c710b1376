"""Portraits that do not show their mouth: a mask, a scarf, a cup, a microphone or a hand before it is no skin that could speak."""

import numpy as np

from tbd.face import topology
from tbd.face.geometry import FaceGeometry
from tbd.face.hands import hand_mask

_PLAIN = 20.0
"""Levels of lightness (0..255) across a mouth below which no lips are seen: on 60 portraits 28 at least, on plain masks 14 at most."""
_SEAM = 3.0
"""Levels by which the line between closed lips is darker than both: 7 at least where lips are seen."""
_CLOSED = 0.04
"""Inter-ocular distances between lips that count as closed."""
_MOUSTACHE = 55.0
"""Levels across a mouth from which on a moustache hangs over the line between the lips; fingers reach 50."""
_CLOTH = 18.0
"""Distance of hue (a, b of CIELAB) from the upper face's at which what surrounds the lips and the chin is no skin; beards and
shades reach 12."""
_RED, _REDNESS, _LEAST_RED = 10.0, 0.6, 3.0
"""Lips are at least as red as the skin above them. By how much less red (a of CIELAB) what is there is none: so much, or this share of
how red the skin is, where that is red at all; black, white, blue and green things are."""
_OBJECT, _BESIDE = 0.4, 0.45
"""Shares of the lips that are less red than skin, and of what surrounds them that has another hue, from which on something lies before
them: at most 0.19 and 0.30 on 57 portraits (paintings, beards, lipstick, dark and pale skin), at least 0.63 with black, white and patterned
things drawn before the mouths of 12 of them, and 0.59 with red ones."""
_REDDER = 6.0
"""Lips that are so much redder than what surrounds them (a of CIELAB; half of the portraits') are no hand: with hands before 30 portraits
what is there is so by 5 at most."""
_HAND = 0.4
"""Share of mouth and chin that a hand covers from which on they do not speak: a mesh places lips that it does not see where there is
room for them. Of 78 real hands that were put before the mouths of 50 portraits 66 are noticed so."""
_LIGHT = 130.0
"""Lightness of a face from which on `_PLAIN` and `_SEAM` hold as they are; in the dark they are less."""
_UPPER = [6, 197, 195, 117, 346, 50, 280, 118, 347, 9, 151]
_AROUND = [164, 165, 391, 18, 200, 199, 83, 313, 57, 287, 43, 273, 92, 322]
_CHIN = [200, 199, 208, 428, 171, 396, 32, 262, 211, 431]
_OUTER_LIPS = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185]
_INNER_LIPS = list(topology.LIP_TOP + topology.LIP_BOTTOM[-2:0:-1])
_RING = [164, 165, 391, 322, 410, 287, 273, 335, 406, 313, 18, 83, 182, 106, 43, 57, 186, 92]
_MOUTH_AND_CHIN = [164, 165, 92, 186, 57, 43, 202, 32, 171, 175, 396, 262, 422, 273, 287, 410, 322, 391]
_ACROSS = 0.16
"""Inter-ocular distances above and below the line between the lips that are searched for them."""


def is_mouth_occluded(face: FaceGeometry) -> bool:
    """Tell whether something before the mouth hides it.

    A tracker always finds a mouth; the picture shows whether there is one: lips differ from the skin about them, and closed lips
    meet in a dark line. Neither may be seen for a mouth to count as covered, or what is there has no hue of skin or of lips, or a hand
    is seen before it.

    Args:
        face: The portrait.

    Returns:
        True where the mouth seems occluded. Single fingers, and things in black-and-white pictures, may pass for a mouth; a pipe or a
        cigarette between lips does not cover them.
    """
    import cv2

    scale, points = face.scale, face.points[:, :2].astype(np.float64)
    lab = cv2.cvtColor(cv2.GaussianBlur(face.image, (0, 0), max(0.012 * scale, 0.5)), cv2.COLOR_RGB2LAB)
    upper, around, chin = (np.median(_at(lab, points[ids]), 0) for ids in (_UPPER, _AROUND, _CHIN))
    if min(np.hypot(*(around - upper)[1:]), np.hypot(*(chin - upper)[1:])) > _CLOTH:
        return True
    lips = _area(face.image.shape, points, _OUTER_LIPS)
    surface, ring = lips & ~_area(face.image.shape, points, _INNER_LIPS), _area(face.image.shape, points, _RING) & ~lips
    if _is_object(lab[surface][:, 1:], lab[ring][:, 1:], upper[1:]):
        return True
    lightness = _profile(lab, points, scale)
    dim = float(np.clip(upper[0] / _LIGHT, 0.25, 1))
    if np.ptp(lightness) < _PLAIN * dim:
        return True
    gap = float(np.linalg.norm(points[list(topology.LIP_TOP)] - points[list(topology.LIP_BOTTOM)], axis=1).max())
    seam = min(lightness[10:15].max(), lightness[18:23].max()) - lightness[14:19].min()
    if gap < _CLOSED * scale and seam < _SEAM * dim and np.ptp(lightness) < _MOUSTACHE * dim:
        return True
    if not surface.any() or np.percentile(lab[surface][:, 1], 25) - np.median(lab[ring][:, 1]) > _REDDER:
        return False
    return bool(hand_mask(face)[_area(face.image.shape, points, _MOUTH_AND_CHIN)].mean() > _HAND)


def _is_object(lips: np.ndarray, ring: np.ndarray, skin: np.ndarray) -> bool:
    """Tell whether lips, or what surrounds them, are a thing, by their hues (N, 2) and that of the upper face (2,): a and b of CIELAB."""
    red = float(skin[0]) - 128  # the middle of 8-bit a
    if red > _LEAST_RED and len(lips) and (lips[:, 0] < skin[0] - min(_RED, _REDNESS * red)).mean() > _OBJECT:
        return True
    return bool(len(ring) and (np.hypot(*(ring - skin).T) > _CLOTH).mean() > _BESIDE)


def _area(shape: tuple[int, ...], points: np.ndarray, outline: list[int]) -> np.ndarray:
    """(H, W) bool, what lies within an outline of the mesh."""
    import cv2

    filled = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(filled, [np.round(points[outline]).astype(np.int32)], (1,))
    return filled > 0


def _profile(lab: np.ndarray, points: np.ndarray, scale: float) -> np.ndarray:
    """(33,) mean lightness from above the lips to below them, at right angles to the line between them."""
    corners = points[list(topology.MOUTH_CORNERS)]
    along = (corners[1] - corners[0]) / max(np.linalg.norm(corners[1] - corners[0]), 1e-6)
    down = np.array([-along[1], along[0]])
    middle = (points[list(topology.LIP_TOP[3:-3])] + points[list(topology.LIP_BOTTOM[3:-3])]) / 2
    places = middle[:, None] + np.linspace(-_ACROSS, _ACROSS, 33)[None, :, None] * scale * down
    return _at(lab, places.reshape(-1, 2))[:, 0].reshape(len(middle), -1).mean(0)


def _at(lab: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N, 3) float64 colours at the pixels (N, 2), those outside brought to the picture's edge."""
    x, y = np.clip(np.round(points).astype(int), 0, np.array(lab.shape[1::-1]) - 1).T
    return lab[y, x].astype(np.float64)
