"""Portraits that do not show their mouth: a mask, a scarf or a hand before it is no skin that could speak."""

import numpy as np

from tbd.face import topology
from tbd.face.geometry import FaceGeometry

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
_LIGHT = 130.0
"""Lightness of a face from which on `_PLAIN` and `_SEAM` hold as they are; in the dark they are less."""
_UPPER = [6, 197, 195, 117, 346, 50, 280, 118, 347, 9, 151]
_AROUND = [164, 165, 391, 18, 200, 199, 83, 313, 57, 287, 43, 273, 92, 322]
_CHIN = [200, 199, 208, 428, 171, 396, 32, 262, 211, 431]
_ACROSS = 0.16
"""Inter-ocular distances above and below the line between the lips that are searched for them."""


def is_mouth_occluded(face: FaceGeometry) -> bool:
    """Tell whether something before the mouth hides it.

    A tracker always finds a mouth; the picture shows whether there is one: lips differ from the skin about them, and closed lips
    meet in a dark line. Neither may be seen for a mouth to count as covered, or what is there has no hue of skin.

    Args:
        face: The portrait.

    Returns:
        True where the mouth seems occluded. A patterned cloth or a hand whose fingers resemble lips may pass for a mouth.
    """
    import cv2

    scale, points = face.scale, face.points[:, :2].astype(np.float64)
    lab = cv2.cvtColor(cv2.GaussianBlur(face.image, (0, 0), max(0.012 * scale, 0.5)), cv2.COLOR_RGB2LAB)
    upper, around, chin = (np.median(_at(lab, points[ids]), 0) for ids in (_UPPER, _AROUND, _CHIN))
    if min(np.hypot(*(around - upper)[1:]), np.hypot(*(chin - upper)[1:])) > _CLOTH:
        return True
    lightness = _profile(lab, points, scale)
    dim = float(np.clip(upper[0] / _LIGHT, 0.25, 1))
    if np.ptp(lightness) < _PLAIN * dim:
        return True
    gap = float(np.linalg.norm(points[list(topology.LIP_TOP)] - points[list(topology.LIP_BOTTOM)], axis=1).max())
    seam = min(lightness[10:15].max(), lightness[18:23].max()) - lightness[14:19].min()
    return bool(gap < _CLOSED * scale and seam < _SEAM * dim and np.ptp(lightness) < _MOUSTACHE * dim)


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
