"""MediaPipe's face mesh models: the 478 points of one face.

A mesh model works on a window cut around the face (see `tbd.face.detector`), at its full resolution.
"""

import os
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tbd.face.channels import BLENDSHAPES
from tbd.face.detector import TILES, TURNS, FoundFace, TurnedImage, find_turned_faces, quiet, stands_as_the_face, turn_points
from tbd.face.geometry import NUM_POINTS, bony_roll
from tbd.media.rates import FPS

_WINDOW = 2.2
"""Side of the window around a face, in sides of the face's box: room for the head to move before the window follows."""
_SETTLE = 3
"""Passes over a still: the first finds the region by the detector, the next ones by the mesh, which is steadier."""


@dataclass(frozen=True)
class FaceDetection:
    """What a model sees of one face.

    Args:
        points: (478, 3) float32 as `FaceGeometry.points`.
        rotation: (3, 3) as `FaceGeometry.rotation`, where the model tells it.
        distance: from the camera to the face in any unit, where the model tells it.
        blendshapes: (52,) in the order of `tbd.face.channels.BLENDSHAPES`, where the model tells them.
    """

    points: np.ndarray
    rotation: np.ndarray | None = None
    distance: float | None = None
    blendshapes: np.ndarray | None = None

    def shifted(self, x: float, y: float) -> "FaceDetection":
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
    def __call__(self, image: np.ndarray) -> FaceDetection | None:
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

    def __call__(self, image: np.ndarray) -> FaceDetection | None:
        with quiet():
            faces = self._graph.process(np.ascontiguousarray(image)).multi_face_landmarks
        return FaceDetection(_pixels(faces[0].landmark, image)) if faces else None


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

    def __call__(self, image: np.ndarray) -> FaceDetection | None:
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
        return FaceDetection(_pixels(result.face_landmarks[0], image), (turn @ unturn).astype(np.float32), float(-pose[2, 3]), values)


def _pixels(landmarks, image: np.ndarray) -> np.ndarray:
    """MediaPipe's normalised landmarks in an image → (478, 3) float32 pixels, z towards the viewer.

    MediaPipe scales z like x and counts it away from the viewer.
    """
    height, width = image.shape[:2]
    return np.float32([(p.x, p.y, p.z) for p in landmarks]).reshape(NUM_POINTS, 3) * np.float32([width, height, -width])


class FaceFollower:
    """Runs a model on a window around the largest face; the window moves when the face nears its edge.

    The picture may be upside down or lie on its side: points are those of the picture after `turn`, in which the face stands.

    Args:
        model: what sees.
        turn: quarter turns anticlockwise after which faces stand upright, where that is known; otherwise it is found with the
            first face and then stays.

    Attributes:
        pixels: (h, w, 3) uint8 RGB, the window that the model saw last.
        corner: (3,) what lies between points of the picture and of the window.
        faces_seen: the most faces that were seen in one frame.
    """

    def __init__(self, model: FaceModel, turn: int | None = None) -> None:
        self._model = model
        self.pixels: np.ndarray | None = None
        self.corner = np.zeros(3, np.float32)
        self._window: tuple[int, int, int, int] | None = None
        self._lost = 0
        self._last: np.ndarray | None = None
        self.turn = turn
        self.faces_seen = 0

    def settle(self, image: np.ndarray) -> FaceDetection | None:
        """The largest face of a still picture that the model confirms, or None."""
        return self._search(image, passes=_SETTLE)

    def follow(self, frame: np.ndarray) -> FaceDetection | None:
        """The face in the next frame of a video, or None where it is lost."""
        view = TurnedImage(frame, self.turn or 0)
        detection = self._run(view) if self._window else None
        if detection is None:
            detection = self._search(frame, small=self._lost % FPS == 0)
            self._lost += 1
        if detection is None:
            self._window = None
            return None
        self._lost, self._last = 0, bounds(detection.points)
        if self._near_edge(detection.points, view):
            self._move(view, self._last)
        return detection

    def _search(self, image: np.ndarray, passes: int = 1, small: bool = True) -> FaceDetection | None:
        """The first face that the mesh confirms: where one was last, in any turn at a glance, then small ones, upright before others."""
        if self._last is not None:
            detection = self._confirmed(image, FoundFace(self._last, self.turn or 0), passes)
            if detection is not None:
                return detection
        turns = TURNS if self.turn is None else (self.turn,)
        looks = [(turns, TILES[0])]
        if small:
            looks += [(part, tiles) for part in (turns[:1], turns[1:]) if part for tiles in TILES[1:]]
        for some, tiles in looks:
            groups = find_turned_faces(image, some, tiles)
            for face in (face for group in groups for face in group):
                detection = self._confirmed(image, face, passes)
                if detection is not None:
                    seen = sum(self.turn in [face.turn for face in group] for group in groups)
                    self.faces_seen = max(self.faces_seen, seen, 1)
                    return detection
        return None

    def _confirmed(self, image: np.ndarray, face: FoundFace, passes: int) -> FaceDetection | None:
        """What the model sees of a face, in the turn in which it stands, if the detector agrees."""
        view = TurnedImage(image, face.turn)
        detection = self._look(view, face.box, passes)
        if detection is None or not stands_as_the_face(view, detection.points):
            return None
        turn = face.turn if self.turn is not None else (face.turn - round(bony_roll(detection.points) / (np.pi / 2))) % 4
        if turn != face.turn:  # the model sees lying faces too
            points = turn_points(detection.points, view.shape, turn - face.turn)
            view = TurnedImage(image, turn)
            detection = self._look(view, bounds(points), passes)
        self.turn = turn if detection is not None else self.turn
        return detection

    def _look(self, view: TurnedImage, box: np.ndarray, passes: int) -> FaceDetection | None:
        self._move(view, box)
        for _ in range(passes):
            detection = self._run(view)
        return detection

    def _move(self, image: Any, box: np.ndarray) -> None:
        height, width = image.shape[:2]
        half = _WINDOW * max(box[2] - box[0], box[3] - box[1]) / 2
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        self._window = (max(int(x - half), 0), max(int(y - half), 0), min(int(x + half) + 1, width), min(int(y + half) + 1, height))
        self._model.reset()

    def _run(self, image: Any) -> FaceDetection | None:
        left, top, right, bottom = self._window
        self.pixels, self.corner = image[top:bottom, left:right], np.float32([left, top, 0])
        detection = self._model(self.pixels)
        return None if detection is None else detection.shifted(left, top)

    def _near_edge(self, points: np.ndarray, image: Any) -> bool:
        """Whether the face has come near an edge of its window that is not the picture's own edge, or has changed its size."""
        box, window = bounds(points), np.array(self._window, np.float32)
        size = max(box[2] - box[0], box[3] - box[1])
        room = np.r_[box[:2] - window[:2], window[2:] - box[2:]]
        inner = np.r_[window[:2] > 0, window[2:] < np.array(image.shape[1::-1])]
        return bool((room[inner] < 0.15 * size).any()) or size < 0.25 * (window[2] - window[0])


def bounds(points: np.ndarray) -> np.ndarray:
    """(4,) left, top, right, bottom of (N, 2 or 3) points."""
    return np.r_[points[:, :2].min(0), points[:, :2].max(0)]
