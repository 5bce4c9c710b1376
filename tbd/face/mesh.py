"""MediaPipe's face mesh models: the 478 points of one face, and with the landmarker its pose and blendshapes."""

import os
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import NUM_POINTS
from tbd.face.light_mediapipe import load_mediapipe
from tbd.face.mediapipe_log import suppress_mediapipe_logs
from tbd.media.rates import FPS


@dataclass(frozen=True)
class FaceDetection:
    """A model's output for one face.

    Args:
        points: (478, 3) float32 pixels as `FaceGeometry.points`.
        rotation: (3, 3) float32 as `FaceGeometry.rotation`, where the model estimates it.
        distance: Distance from the camera to the face in any unit, where the model estimates it.
        blendshapes: (52,) float32 in 0..1, in the order of `tbd.face.channels.BLENDSHAPES`, where the model estimates them.
        appearance: (E,) float32 in 0..1, what its pixels look like by the classes of whoever reads them; at most 8 classes.
    """

    points: np.ndarray
    rotation: np.ndarray | None = None
    distance: float | None = None
    blendshapes: np.ndarray | None = None
    appearance: np.ndarray | None = None

    def shifted(self, x: float, y: float) -> "FaceDetection":
        """Shift the points.

        Args:
            x: Pixels to the right.
            y: Pixels down.

        Returns:
            The same face, shifted.
        """
        return replace(self, points=self.points + np.array([x, y, 0], np.float32))


class FaceModel(ABC):
    """A graph of MediaPipe's C++ library that locates one face and follows it from frame to frame.

    Use it as a context manager, entered anew for each clip, in the process that made it.
    """

    def __enter__(self) -> "FaceModel":
        self.reset()
        return self

    @abstractmethod
    def __exit__(self, *_: object) -> None:
        """Close the graph."""

    @abstractmethod
    def reset(self) -> None:
        """Forget the previous frame."""

    @abstractmethod
    def __call__(self, image: np.ndarray) -> FaceDetection | None:
        """Locate the face in an (H, W, 3) uint8 RGB image; None where there is none."""


class MeshModel(FaceModel):
    """The face mesh of the wheel with refined eyes, lips and irises: points alone."""

    _graph: Any = None

    def __exit__(self, *_: object) -> None:
        """Close the graph."""
        if self._graph is not None:
            with suppress(ValueError):  # a graph that failed is closed already
                self._graph.close()
            self._graph = None

    def reset(self) -> None:
        """Forget the previous frame; the first call starts the graph."""
        with suppress_mediapipe_logs():
            load_mediapipe()
            from mediapipe.python.solutions.face_mesh import FaceMesh

            if self._graph is None:
                self._graph = FaceMesh(max_num_faces=1, refine_landmarks=True)
            else:
                self._graph.reset()
            self._graph.process(np.zeros((64, 64, 3), np.uint8))  # its threads start now, while their log lines are dropped

    def __call__(self, image: np.ndarray) -> FaceDetection | None:
        """Locate the face in an (H, W, 3) uint8 RGB image; None where there is none."""
        with suppress_mediapipe_logs():
            faces = self._graph.process(np.ascontiguousarray(image)).multi_face_landmarks
        return FaceDetection(_pixels(faces[0].landmark, image)) if faces else None


class LandmarkerModel(FaceModel):
    """MediaPipe Tasks' face landmarker: points, pose and blendshapes.

    Args:
        path: Path of ``face_landmarker.task``.
        video: Whether to follow the face from frame to frame; otherwise each picture stands on its own.
    """

    _landmarker: Any = None

    def __init__(self, path: str | os.PathLike, video: bool) -> None:
        self._path, self._video, self._frame = path, video, 0

    def __exit__(self, *_: object) -> None:
        """Close the graph."""
        if self._landmarker is not None:
            with suppress_mediapipe_logs():
                self._landmarker.close()
            self._landmarker = None

    def reset(self) -> None:
        """Start the graph; one that follows a video goes on as it is."""
        if self._landmarker is not None and not self._video:
            return
        self.__exit__()
        with suppress_mediapipe_logs():
            load_mediapipe()
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
        """Locate the face in an (H, W, 3) uint8 RGB image; None where there is none."""
        with suppress_mediapipe_logs():
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
        values = np.array([scores.get(name, 0.0) for name in BLENDSHAPES], np.float32)
        return FaceDetection(_pixels(result.face_landmarks[0], image), (turn @ unturn).astype(np.float32), float(-pose[2, 3]), values)


def _pixels(landmarks: Any, image: np.ndarray) -> np.ndarray:
    """MediaPipe's normalised landmarks in an image → (478, 3) float32 pixels, z towards the viewer.

    MediaPipe scales z like x and counts it away from the viewer.
    """
    height, width = image.shape[:2]
    points = np.array([(p.x, p.y, p.z) for p in landmarks], np.float32)
    return points.reshape(NUM_POINTS, 3) * np.array([width, height, -width], np.float32)
