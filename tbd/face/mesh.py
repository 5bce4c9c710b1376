"""MediaPipe's face models of the wheel: where faces are, and the 478 points of one. No download.

The short-range detector sees faces down to a fifth of the picture, the full-range one to about a tenth; smaller ones are
looked for in overlapping tiles. The mesh model then works on a window cut around the face, at its full resolution.
"""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import numpy as np

from tbd.face.geometry import NUM_POINTS

MIN_SCORE = 0.7
"""A face counts from this detector score on; animals and patterns that resemble faces score below it."""
_WINDOW = 2.2
"""Side of the window around a face, in sides of the face's box: room for the head to move before the window follows."""
_SETTLE = 3
"""Passes over a still: the first finds the region by the detector, the next ones by the mesh, which is steadier."""
_NOISE = re.compile(rb"^(INFO: Created TensorFlow|WARNING: All log messages before absl|[IW]\d{4} )")


@contextmanager
def quiet() -> Iterator[None]:
    """Drop the log lines that MediaPipe's C++ writes to standard error; everything else written meanwhile is kept."""
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            caught.seek(0)
            kept = [line for line in caught if not _NOISE.match(line)]
            os.write(2, b"".join(kept)) if kept else None


def find_faces(image: np.ndarray) -> np.ndarray:
    """Every face in a picture.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        (N, 4) float32 boxes: left, top, right, bottom in pixels, the largest first; N may be 0.
    """
    with quiet():
        from mediapipe.python.solutions.face_detection import FaceDetection

        with FaceDetection(0.5, 0) as near, FaceDetection(0.5, 1) as far:
            for tiles in (1, 3, 7):
                if tiles > 1 and max(image.shape[:2]) < 400 * (tiles // 2):
                    break  # a tile would be smaller than what the detector sees at a glance
                found = [box for window in _tiles(image, tiles) for model in (near, far) for box in _detect(model, image, window)]
                boxes = _merge(found)
                if len(boxes):
                    return boxes
    return np.zeros((0, 4), np.float32)


def _tiles(image: np.ndarray, count: int) -> Iterator[tuple[int, int, int, int]]:
    """`count` × `count` windows that overlap by half."""
    height, width = image.shape[:2]
    high, wide = 2 * height // (count + 1), 2 * width // (count + 1)
    for row in range(count):
        for column in range(count):
            top, left = row * (height - high) // max(count - 1, 1), column * (width - wide) // max(count - 1, 1)
            yield left, top, left + wide, top + high


def _detect(model, image: np.ndarray, window: tuple[int, int, int, int]) -> Iterator[tuple[float, ...]]:
    """Boxes with their score, (left, top, right, bottom, score), that one detector sees in one window."""
    left, top, right, bottom = window
    for detection in model.process(np.ascontiguousarray(image[top:bottom, left:right])).detections or ():
        box = detection.location_data.relative_bounding_box
        x, y, w, h = (box.xmin, box.ymin, box.width, box.height) * np.tile([right - left, bottom - top], 2)
        yield left + x, top + y, left + x + w, top + y + h, detection.score[0]


def _merge(found: list[tuple[float, ...]]) -> np.ndarray:
    """One box per face: the surest of those that overlap, where it is sure enough; the largest first."""
    kept: list[tuple[float, ...]] = []
    for box in sorted(found, key=lambda b: -b[4]):
        if box[4] >= MIN_SCORE and all(_overlap(box, other) < 0.3 for other in kept):
            kept.append(box)
    kept.sort(key=lambda b: -(b[2] - b[0]) * (b[3] - b[1]))
    return np.array([b[:4] for b in kept], np.float32).reshape(-1, 4)


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Intersection over the smaller box."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return max(wide, 0) * max(high, 0) / max(smaller, 1e-6)


class MeshModel:
    """MediaPipe's face mesh with refined eyes, lips and irises, following one face from frame to frame.

    It holds a graph of the C++ library: use it as a context manager, one per clip, in the process that made it.
    """

    def __enter__(self) -> "MeshModel":
        with quiet():
            from mediapipe.python.solutions.face_mesh import FaceMesh

            self._graph = FaceMesh(max_num_faces=1, refine_landmarks=True)
            self._graph.process(np.zeros((64, 64, 3), np.uint8))  # its threads start now, while they are not heard
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ValueError):  # a graph that failed is closed already
            self._graph.close()

    def reset(self) -> None:
        """Forget the face of the frame before."""
        with quiet():
            self._graph.reset()
            self._graph.process(np.zeros((64, 64, 3), np.uint8))

    def __call__(self, image: np.ndarray) -> np.ndarray | None:
        """(H, W, 3) uint8 RGB → (478, 3) float32 as `FaceGeometry.points`, or None where no face is seen."""
        with quiet():
            faces = self._graph.process(np.ascontiguousarray(image)).multi_face_landmarks
        return landmarks_to_points(faces[0].landmark, image.shape) if faces else None


def landmarks_to_points(landmarks, shape: tuple[int, ...]) -> np.ndarray:
    """MediaPipe's normalised landmarks in an image of `shape` → (478, 3) float32 pixels, z towards the viewer.

    MediaPipe scales z like x and counts it away from the viewer.
    """
    height, width = shape[:2]
    values = np.array([(p.x, p.y, p.z) for p in landmarks], np.float32)
    assert len(values) == NUM_POINTS
    return values * np.float32([width, height, -width])


class FaceFollower:
    """Runs a mesh model on a window around the largest face; the window moves when the face nears its edge.

    Args:
        model: (H, W, 3) uint8 window → (478, 3) points or None.
        reset: called when the window has moved, since the model's own idea of the place is then wrong.
    """

    def __init__(self, model: Callable[[np.ndarray], np.ndarray | None], reset: Callable[[], None]) -> None:
        self._model, self._reset = model, reset
        self._window: tuple[int, int, int, int] | None = None
        self.faces_seen = 0

    def settle(self, image: np.ndarray) -> np.ndarray | None:
        """Points of the largest face of a still picture that the mesh model confirms, or None."""
        for box in self._search(image):
            self._move(image, box)
            for _ in range(_SETTLE):
                points = self._run(image)
            if points is not None:
                return points
        return None

    def follow(self, frame: np.ndarray) -> np.ndarray | None:
        """(478, 3) points in the next frame of a video, or None where its face is lost."""
        points = self._run(frame) if self._window else None
        if points is None:
            boxes = self._search(frame)
            if not len(boxes):
                self._window = None
                return None
            self._move(frame, boxes[0])
            points = self._run(frame)
        if points is not None and self._near_edge(points, frame):
            self._move(frame, bounds(points))
        return points

    def _search(self, image: np.ndarray) -> np.ndarray:
        boxes = find_faces(image)
        self.faces_seen = max(self.faces_seen, len(boxes))
        return boxes

    def _move(self, image: np.ndarray, box: np.ndarray) -> None:
        height, width = image.shape[:2]
        half = _WINDOW * max(box[2] - box[0], box[3] - box[1]) / 2
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        self._window = (max(int(x - half), 0), max(int(y - half), 0), min(int(x + half) + 1, width), min(int(y + half) + 1, height))
        self._reset()

    def _run(self, image: np.ndarray) -> np.ndarray | None:
        left, top, right, bottom = self._window
        points = self._model(image[top:bottom, left:right])
        return None if points is None else points + np.float32([left, top, 0])

    def _near_edge(self, points: np.ndarray, image: np.ndarray) -> bool:
        """Whether the face has come near an edge of its window that is not the picture's own edge, or has changed its size."""
        box, window = bounds(points), np.array(self._window, np.float32)
        size = max(box[2] - box[0], box[3] - box[1])
        room = np.r_[box[:2] - window[:2], window[2:] - box[2:]]
        inner = np.r_[window[:2] > 0, window[2:] < np.array(image.shape[1::-1])]
        return bool((room[inner] < 0.15 * size).any()) or size < 0.25 * (window[2] - window[0])


def bounds(points: np.ndarray) -> np.ndarray:
    """(4,) left, top, right, bottom of (N, 2 or 3) points."""
    return np.r_[points[:, :2].min(0), points[:, :2].max(0)]
