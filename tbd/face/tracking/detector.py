"""MediaPipe's face detector: where faces are, and which way up.

The short-range detector finds faces down to a fifth of the picture, the full-range one to about a tenth; smaller ones are
searched for in overlapping tiles. Both were trained on upright faces and score a turned face lower, so that the picture is
shown to them in its four quarter turns and each face goes by the turn in which it scores highest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tbd.face.geometry import face_roll
from tbd.face.light_mediapipe import load_mediapipe
from tbd.face.mediapipe_log import suppress_mediapipe_logs
from tbd.face.tracking.rotation import ImageLike, RotatedImage, rotate_points

MIN_SCORE = 0.7
"""A face counts from this detector score on; animals and patterns that resemble faces score below it."""
TURNS = (0, 1, 3, 2)
"""Quarter turns anticlockwise, the likelier first."""
TILES = (1, 3, 7)
"""Tiles along each side of the picture, from the whole of it down to the smallest faces of use."""
_DISAGREEMENT = 0.1
"""The most that mesh and detector may differ in the places of eyes, nose and mouth, in inter-ocular distances. Measured on
104 pictures in four turns: at most 0.06 on 253 meshes that stood as the face does, 0.12 and more on 49 of 52 that did not."""
_TILE_SIDE = 640
"""Pixels to which larger tiles are brought, by averages: detectors see 192, and would sample single pixels of a huge picture, slowly."""
_LEVEL_SIDE, _LEVEL_FACE = 256, 0.42
"""Pixels of the levelled crop in which the detector runs again, and the part of it that the face fills."""
_KEY_POINTS = ((33, 133), (362, 263), (1,), (13, 14))
"""The mesh points of the detector's key points: the subject's right eye, left eye, nose tip, mouth."""


@dataclass(frozen=True)
class DetectedFace:
    """A detector's output for one face.

    Args:
        box: (4,) float32: left, top, right, bottom in pixels of the picture after `turn`.
        turn: Quarter turns anticlockwise of the picture in which the face was found.
        score: Detector score, 0..1.
    """

    box: np.ndarray
    turn: int = 0
    score: float = 1.0


def detect_faces(image: np.ndarray, small: bool = True) -> np.ndarray:
    """Find every face in a picture that is the right way up.

    Args:
        image: (H, W, 3) uint8 RGB.
        small: Whether to search tiles for small faces where none is found in the whole picture, which takes up to a second.

    Returns:
        (N, 4) float32 boxes: left, top, right, bottom in pixels, the largest first; N may be 0.
    """
    for tiles in TILES if small else TILES[:1]:
        groups = detect_rotated_faces(image, (0,), tiles)
        if groups:
            return np.array([group[0].box for group in groups], np.float32)
    return np.zeros((0, 4), np.float32)


def detect_rotated_faces(image: ImageLike, turns: Sequence[int], tiles: int = 1) -> list[list[DetectedFace]]:
    """Find every face in a picture that may be turned.

    Args:
        image: (H, W, 3) uint8 RGB, or what stands in for one.
        turns: Quarter turns anticlockwise in which to search.
        tiles: Number of windows along each side of the picture; they overlap by half.

    Returns:
        One list for each face, the largest first: its detections in every turn, the highest score first.
    """
    if tiles > 1 and max(image.shape[:2]) < 400 * (tiles // 2):
        return []  # faces that only tiles would show are too small to be of use
    image, scale = _shrunk(image, tiles)
    with suppress_mediapipe_logs():
        load_mediapipe()
        from mediapipe.python.solutions.face_detection import FaceDetection

        with FaceDetection(0.5, 0) as near, FaceDetection(0.5, 1) as far:
            found = [
                (turn, box)
                for turn in turns
                for view in [RotatedImage(image, turn)]
                for window in _tiles(view, tiles)
                for model in (near, far)
                for box in _detect(model, view, window)
            ]
    groups = _grouped(found, image.shape)
    return [[replace(face, box=face.box * scale) for face in group] for group in groups] if scale != 1 else groups


def _shrunk(image: ImageLike, tiles: int) -> tuple[ImageLike, float]:
    """A picture whose tiles are no larger than detectors can use, and by how much it was shrunk; a frame of a video stays as it is."""
    import cv2

    side = 2 * max(image.shape[:2]) / (tiles + 1)
    if side < 2 * _TILE_SIDE or not isinstance(image, np.ndarray):
        return image, 1.0
    factor = side / _TILE_SIDE
    sides = [max(round(length / factor), 1) for length in image.shape[1::-1]]
    return cv2.resize(image, sides, interpolation=cv2.INTER_AREA), factor


def _tiles(image: ImageLike, count: int) -> Iterator[tuple[int, int, int, int]]:
    """`count` × `count` windows that overlap by half."""
    height, width = image.shape[:2]
    high, wide = 2 * height // (count + 1), 2 * width // (count + 1)
    for row in range(count):
        for column in range(count):
            top, left = row * (height - high) // max(count - 1, 1), column * (width - wide) // max(count - 1, 1)
            yield left, top, left + wide, top + high


def _detect(model: Any, image: ImageLike, window: tuple[int, int, int, int]) -> Iterator[tuple[float, ...]]:
    """(left, top, right, bottom, score) of each face that one detector finds in one window."""
    left, top, right, bottom = window
    for detection in model.process(np.ascontiguousarray(image[top:bottom, left:right])).detections or ():
        box = detection.location_data.relative_bounding_box
        x, y, w, h = (box.xmin, box.ymin, box.width, box.height) * np.tile([right - left, bottom - top], 2)
        yield left + x, top + y, left + x + w, top + y + h, detection.score[0]


def _grouped(found: list[tuple[int, tuple[float, ...]]], shape: tuple[int, ...]) -> list[list[DetectedFace]]:
    """Detections (turn, box with score) that are sure enough, grouped by where they overlap in the unturned picture."""
    groups: list[tuple[np.ndarray, list[DetectedFace]]] = []
    for turn, (*box, score) in sorted(found, key=lambda f: -f[1][4]):
        face = DetectedFace(np.array(box, np.float32), turn, score)
        place = unrotated_box(face, shape)
        own = next((faces for other, faces in groups if _overlap(place, other) >= 0.3), None)
        if own is None and score >= MIN_SCORE:
            groups.append((place, [face]))
        elif own is not None and turn not in [other.turn for other in own]:
            own.append(face)
    groups.sort(key=lambda group: -(group[0][2] - group[0][0]) * (group[0][3] - group[0][1]))
    return [faces for _, faces in groups]


def unrotated_box(face: DetectedFace, shape: tuple[int, ...]) -> np.ndarray:
    """Carry a face's box back to the picture before its turn.

    Args:
        face: The face, its box in pixels of the turned picture.
        shape: Shape of the picture before the turn, (H, W, …).

    Returns:
        (4,) left, top, right, bottom in pixels of the picture before the turn.
    """
    turned = shape[1::-1] if face.turn % 2 else shape
    corners = rotate_points(face.box.reshape(2, 2), turned, -face.turn)
    return np.r_[corners.min(0), corners.max(0)]


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over the smaller box."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return max(wide, 0) * max(high, 0) / max(smaller, 1e-6)


def mesh_agrees_with_detector(image: ImageLike, points: np.ndarray) -> bool:
    """Check that a mesh has its eyes, nose and mouth where a detector finds them in the picture turned level by the mesh's roll.

    A mesh model lays a face into whatever it is shown. The detector knows nothing of the mesh, so that the two agree on a
    face alone, and only where the mesh is the right way up.

    Args:
        image: (H, W, 3) uint8 RGB, or what stands in for one.
        points: (478, 3) pixels as `FaceGeometry.points`.

    Returns:
        True where they agree.
    """
    crop, matrix = _level_crop(image, points)
    mesh = np.array([points[list(group), :2].mean(0) for group in _KEY_POINTS]) @ matrix[:, :2].T + matrix[:, 2]
    unit = max(float(np.linalg.norm((points[33] - points[263])[:2]) * np.sqrt(abs(np.linalg.det(matrix[:, :2])))), 1e-6)
    with suppress_mediapipe_logs():
        load_mediapipe()
        from mediapipe.python.solutions.face_detection import FaceDetection

        with FaceDetection(MIN_SCORE - 0.1, 0) as detector:
            found = detector.process(crop).detections or ()
    places = [[(p.x, p.y) for p in face.location_data.relative_keypoints][:4] for face in found]
    return any(np.abs(np.array(place) * _LEVEL_SIDE - mesh).mean() < _DISAGREEMENT * unit for place in places)


def _level_crop(image: ImageLike, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A square around a face, turned level by the mesh's roll, and the (2, 3) map from the picture's pixels to its own."""
    import cv2

    height, width = image.shape[:2]
    centre = (points[:, :2].min(0) + points[:, :2].max(0)) / 2
    radius = float(np.linalg.norm(points[:, :2] - centre, axis=1).max())
    reach = 1.5 * radius / _LEVEL_FACE  # the square's diagonal
    left, top = np.clip((centre - reach).astype(int), 0, [width - 1, height - 1])
    right, bottom = np.clip((centre + reach).astype(int) + 1, [left + 1, top + 1], [width, height])
    zoom = _LEVEL_FACE * _LEVEL_SIDE / (2 * radius)
    matrix: np.ndarray = np.array(cv2.getRotationMatrix2D(tuple(map(float, centre)), -np.degrees(face_roll(points)), zoom))
    matrix[:, 2] += _LEVEL_SIDE / 2 - centre
    local = matrix.copy()
    local[:, 2] += matrix[:, :2] @ [left, top]
    pixels = image[top:bottom, left:right]
    shrink = max(int(radius / (_LEVEL_FACE * _LEVEL_SIDE)), 1)  # whole pixels are averaged first, since the turn samples single ones
    if shrink > 1:
        sides = (-(-pixels.shape[1] // shrink), -(-pixels.shape[0] // shrink))
        local[:, :2] *= [pixels.shape[1] / sides[0], pixels.shape[0] / sides[1]]
        pixels = cv2.resize(pixels, sides, interpolation=cv2.INTER_AREA)
    return cv2.warpAffine(pixels, local, (_LEVEL_SIDE, _LEVEL_SIDE), borderMode=cv2.BORDER_REPLICATE), matrix
