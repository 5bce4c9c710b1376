"""Trackers: a picture → `FaceGeometry`, a video → `Motion`.

Two models see slightly different points, so results of two trackers are never mixed in one experiment: each result's
metadata names its tracker and version.
"""

from abc import ABC, abstractmethod
from importlib.metadata import version

import numpy as np

from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry, matrix_to_euler, remove_pose
from tbd.face.mesh import FaceFollower, MeshModel, bounds

MIN_FACE = 48
"""Pixels: the least height or width of a face that shows enough to be drawn."""
MAX_TURN = np.radians(45)
"""How far a head may be turned or tilted: beyond it, half of the face is not in the picture."""
_MAX_OUTSIDE = 0.04
"""The part of the mesh that may lie outside the picture (a chin or an ear's edge)."""


class Tracker(ABC):
    """Finds a face and follows it."""

    name: str
    """Names the tracker in results."""

    @abstractmethod
    def locate(self, image: np.ndarray, source: str = "the image") -> FaceGeometry:
        """The largest face of a still picture.

        Args:
            image: (H, W, 3) uint8 RGB.
            source: what messages call the picture, usually its file name.

        Raises:
            InputError: there is no face, or it is cut by the border, turned more than 45°, or smaller than 48 pixels.
        """

    @property
    def metadata(self) -> dict[str, str]:
        return {"tracker": self.name, "tracker_version": f"mediapipe {version('mediapipe')}"}


class FaceMeshTracker(Tracker):
    """MediaPipe's face mesh of the wheel; coefficients by bounded least squares against our own rig. No download."""

    name = "face_mesh"

    def locate(self, image: np.ndarray, source: str = "the image") -> FaceGeometry:
        with MeshModel() as model:
            follower = FaceFollower(model, model.reset)
            points = follower.settle(image)
        if points is None:
            raise InputError(f"No face was found in {source}; give a picture in which a human face can be seen from the front.")
        geometry = FaceGeometry(image, points, *remove_pose(points), max(follower.faces_seen, 1), self.metadata)
        require_usable(geometry, source)
        return geometry


def require_usable(geometry: FaceGeometry, source: str) -> None:
    """Raise InputError where a face cannot be drawn from: too small, cut by the border, or turned away."""
    left, top, right, bottom = bounds(geometry.points)
    height, width = geometry.image.shape[:2]
    if max(right - left, bottom - top) < MIN_FACE:
        raise InputError(f"The face in {source} is {bottom - top:.0f} pixels high; give one of at least {MIN_FACE} pixels.")
    xy = geometry.points[:, :2]
    outside = ((xy < 0) | (xy >= [width, height])).any(1).mean()
    if outside > _MAX_OUTSIDE:
        raise InputError(f"The face in {source} is cut by the border ({outside:.0%} of it lies outside); show the whole face.")
    turn, roll = np.arccos(np.clip(geometry.rotation[2, 2], -1, 1)), abs(matrix_to_euler(geometry.rotation)[2])
    if max(turn, roll) > MAX_TURN:
        how = f"turned {np.degrees(turn):.0f}° away" if turn > MAX_TURN else f"tilted by {np.degrees(roll):.0f}°"
        raise InputError(f"The face in {source} is {how}; give one within {np.degrees(MAX_TURN):.0f}° of upright and frontal.")
