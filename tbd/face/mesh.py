"""MediaPipe's face models: where faces are, and the 478 points of one.

The short-range detector sees faces down to a fifth of the picture, the full-range one to about a tenth; smaller ones are
looked for in overlapping tiles. A mesh model then works on a window cut around the face, at its full resolution.
"""

import os
import re
import sys
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import numpy as np

from tbd.face.geometry import NUM_POINTS
from tbd.face.motion import BLENDSHAPES, FPS

MIN_SCORE = 0.7
"""A face counts from this detector score on; animals and patterns that resemble faces score below it."""
_WINDOW = 2.2
"""Side of the window around a face, in sides of the face's box: room for the head to move before the window follows."""
_SETTLE = 3
"""Passes over a still: the first finds the region by the detector, the next ones by the mesh, which is steadier."""
_STDERR = threading.RLock()
_NOISE = re.compile(rb"^(INFO: Created TensorFlow|WARNING: All log messages before absl|[IW]\d{4} )")


@contextmanager
def quiet() -> Iterator[None]:
    """Drop the log lines that MediaPipe's C++ writes to standard error; everything else written meanwhile is kept.

    Standard error belongs to the whole process, so threads take turns.
    """
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _STDERR, tempfile.TemporaryFile() as caught:
        sys.stderr.flush()
        saved = os.dup(2)
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            caught.seek(0)
            kept = b"".join(line for line in caught if not _NOISE.match(line))
            if kept:
                os.write(2, kept)


def find_faces(image: np.ndarray, small: bool = True) -> np.ndarray:
    """Every face in a picture.

    Args:
        image: (H, W, 3) uint8 RGB.
        small: where none is found at a glance, look for small ones in tiles, which takes up to a second.

    Returns:
        (N, 4) float32 boxes: left, top, right, bottom in pixels, the largest first; N may be 0.
    """
    with quiet():
        from mediapipe.python.solutions.face_detection import FaceDetection

        with FaceDetection(0.5, 0) as near, FaceDetection(0.5, 1) as far:
            for tiles in (1, 3, 7) if small else (1,):
                if tiles > 1 and max(image.shape[:2]) < 400 * (tiles // 2):
                    break  # faces that only tiles would show are too small to be of use
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


@dataclass(frozen=True)
class Sight:
    """What a model sees of one face.

    Args:
        points: (478, 3) float32 as `FaceGeometry.points`.
        rotation: (3, 3) as `FaceGeometry.rotation`, where the model tells it.
        distance: from the camera to the face in any unit, where the model tells it.
        blendshapes: (52,) in the order of `tbd.face.motion.BLENDSHAPES`, where the model tells them.
    """

    points: np.ndarray
    rotation: np.ndarray | None = None
    distance: float | None = None
    blendshapes: np.ndarray | None = None

    def shifted(self, x: float, y: float) -> "Sight":
        return replace(self, points=self.points + np.float32([x, y, 0]))


class FaceModel(ABC):
    """A graph of MediaPipe's C++ library that sees one face and follows it from frame to frame.

    Use it as a context manager, one per clip, in the process that made it.
    """

    def __enter__(self) -> "FaceModel":
        self.reset()
        return self

    @abstractmethod
    def __exit__(self, *_: object) -> None:
        """Close the graph."""

    @abstractmethod
    def reset(self) -> None:
        """Forget the frame before."""

    @abstractmethod
    def __call__(self, image: np.ndarray) -> Sight | None:
        """(H, W, 3) uint8 RGB → what is seen, or None where no face is."""


class MeshModel(FaceModel):
    """The face mesh of the wheel with refined eyes, lips and irises: points alone."""

    _graph = None

    def __exit__(self, *_: object) -> None:
        if self._graph is not None:
            with suppress(ValueError):  # a graph that failed is closed already
                self._graph.close()

    def reset(self) -> None:
        with quiet():
            from mediapipe.python.solutions.face_mesh import FaceMesh

            if self._graph is None:
                self._graph = FaceMesh(max_num_faces=1, refine_landmarks=True)
            else:
                self._graph.reset()
            self._graph.process(np.zeros((64, 64, 3), np.uint8))  # its threads start now, while they are not heard

    def __call__(self, image: np.ndarray) -> Sight | None:
        with quiet():
            faces = self._graph.process(np.ascontiguousarray(image)).multi_face_landmarks
        return Sight(_pixels(faces[0].landmark, image)) if faces else None


class LandmarkerModel(FaceModel):
    """MediaPipe Tasks' face landmarker: points, pose and blendshapes.

    Args:
        path: ``face_landmarker.task``.
        video: follow the face from frame to frame; otherwise each picture is seen on its own.
    """

    _landmarker = None

    def __init__(self, path: str | os.PathLike, video: bool) -> None:
        self._path, self._video, self._frame = path, video, 0

    def __exit__(self, *_: object) -> None:
        if self._landmarker is not None:
            with quiet():
                self._landmarker.close()

    def reset(self) -> None:
        if self._landmarker is not None and not self._video:
            return
        self.__exit__()
        with quiet():
            from mediapipe.tasks.python import BaseOptions, vision

            options = vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=str(self._path)),
                running_mode=vision.RunningMode.VIDEO if self._video else vision.RunningMode.IMAGE,
                output_face_blendshapes=True,
                output_facial_transformation_matrixes=True,
            )
            self._landmarker = vision.FaceLandmarker.create_from_options(options)
            self(np.zeros((64, 64, 3), np.uint8))

    def __call__(self, image: np.ndarray) -> Sight | None:
        with quiet():
            import mediapipe

            picture = mediapipe.Image(mediapipe.ImageFormat.SRGB, np.ascontiguousarray(image))
            self._frame += 1
            # Time stamps only have to grow; those of 25 frames a second suit the smoothing of the landmarks.
            if self._video:
                result = self._landmarker.detect_for_video(picture, self._frame * 1000 // FPS)
            else:
                result = self._landmarker.detect(picture)
        if not result.face_landmarks:
            return None
        # Its own 52 names are `_neutral` and all of ARKit's but tongueOut.
        scores = {category.category_name: category.score for category in result.face_blendshapes[0]}
        pose = np.asarray(result.facial_transformation_matrixes[0], np.float64)
        turn, _, unturn = np.linalg.svd(pose[:3, :3])
        values = np.float32([scores.get(name, 0.0) for name in BLENDSHAPES])
        return Sight(_pixels(result.face_landmarks[0], image), (turn @ unturn).astype(np.float32), float(-pose[2, 3]), values)


def _pixels(landmarks, image: np.ndarray) -> np.ndarray:
    """MediaPipe's normalised landmarks in an image → (478, 3) float32 pixels, z towards the viewer.

    MediaPipe scales z like x and counts it away from the viewer.
    """
    height, width = image.shape[:2]
    return np.float32([(p.x, p.y, p.z) for p in landmarks]).reshape(NUM_POINTS, 3) * np.float32([width, height, -width])


class FaceFollower:
    """Runs a model on a window around the largest face; the window moves when the face nears its edge."""

    def __init__(self, model: FaceModel) -> None:
        self._model = model
        self._window: tuple[int, int, int, int] | None = None
        self._lost = 0
        self.faces_seen = 0

    def settle(self, image: np.ndarray) -> Sight | None:
        """The largest face of a still picture that the model confirms, or None."""
        for box in self._search(image):
            self._move(image, box)
            for _ in range(_SETTLE):
                sight = self._run(image)
            if sight is not None:
                return sight
        return None

    def follow(self, frame: np.ndarray) -> Sight | None:
        """The face in the next frame of a video, or None where it is lost."""
        sight = self._run(frame) if self._window else None
        if sight is None:
            boxes = self._search(frame, small=self._lost % FPS == 0)
            self._lost += 1
            if not len(boxes):
                self._window = None
                return None
            self._move(frame, boxes[0])
            sight = self._run(frame)
        if sight is not None:
            self._lost = 0
            if self._near_edge(sight.points, frame):
                self._move(frame, bounds(sight.points))
        return sight

    def _search(self, image: np.ndarray, small: bool = True) -> np.ndarray:
        boxes = find_faces(image, small)
        self.faces_seen = max(self.faces_seen, len(boxes))
        return boxes

    def _move(self, image: np.ndarray, box: np.ndarray) -> None:
        height, width = image.shape[:2]
        half = _WINDOW * max(box[2] - box[0], box[3] - box[1]) / 2
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        self._window = (max(int(x - half), 0), max(int(y - half), 0), min(int(x + half) + 1, width), min(int(y + half) + 1, height))
        self._model.reset()

    def _run(self, image: np.ndarray) -> Sight | None:
        left, top, right, bottom = self._window
        sight = self._model(image[top:bottom, left:right])
        return None if sight is None else sight.shifted(left, top)

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
