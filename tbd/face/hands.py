"""Hands before a face, by MediaPipe's hand landmarker, which its wheel carries."""

import numpy as np

from tbd.face.geometry import FaceGeometry
from tbd.face.light_mediapipe import load_mediapipe
from tbd.face.mediapipe_log import suppress_mediapipe_logs

_REACH = 0.4
"""Sides of the face's box that are searched beyond it, either way: a palm is found where some of it is seen."""
_SIDE = 384
"""Pixels to which a larger part of the picture is brought; the palm detector sees 192."""
_SURE = 0.6
"""The least score of palm and landmarks."""
_FINGER = 0.11
"""Half the thickness of a finger, of the length of a palm."""
_CHAINS = ((0, 1, 2, 3, 4), (0, 5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (0, 17, 18, 19, 20))
_BESIDE_THUMB = (0, 1, *range(5, 21))
"""What lies between fingers is hidden with them; what lies between thumb and palm may be seen."""


def hand_mask(face: FaceGeometry) -> np.ndarray:
    """Find what of a picture hands cover.

    Args:
        face: The face; hands are searched for about it.

    Returns:
        (H, W) bool, of the picture's size.
    """
    import cv2

    image, points = face.image, face.points[:, :2]
    low, high = points.min(0), points.max(0)
    reach = _REACH * float((high - low).max())
    left, top = np.maximum(np.floor(low - reach), 0).astype(int)
    right, bottom = np.minimum(np.ceil(high + reach), image.shape[1::-1]).astype(int)
    part = np.ascontiguousarray(image[top:bottom, left:right])
    zoom = min(_SIDE / max(part.shape[:2]), 1.0)
    part = cv2.resize(part, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA) if zoom < 1 else part
    covered = np.zeros(image.shape[:2], np.uint8)
    for hand in _find_hands(part):
        _draw(covered, hand * (right - left, bottom - top) + (left, top))
    return covered > 0


def _find_hands(image: np.ndarray) -> list[np.ndarray]:
    """(21, 2) landmarks of each hand, in shares of the picture's width and height."""
    with suppress_mediapipe_logs():
        load_mediapipe()
        from mediapipe.python.solutions.hands import Hands

        with Hands(static_image_mode=True, max_num_hands=2, min_detection_confidence=_SURE) as model:
            found = model.process(image).multi_hand_landmarks or ()
    return [np.array([(point.x, point.y) for point in hand.landmark]) for hand in found]


def _draw(covered: np.ndarray, hand: np.ndarray) -> None:
    """Fill in palm and fingers of a hand, (21, 2) pixels. In place."""
    import cv2

    thick = max(round(2 * _FINGER * float(np.linalg.norm(hand[9] - hand[0]))), 1)
    places = np.round(hand).astype(np.int32)
    cv2.fillConvexPoly(covered, cv2.convexHull(places[list(_BESIDE_THUMB)]), (1,))
    for chain in _CHAINS:
        cv2.polylines(covered, [places[list(chain)]], False, (1,), thick)
