"""Mesh points of a motion that is known exactly, without rendering or tracking."""

from functools import cache

import numpy as np

from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import FaceGeometry, euler_to_matrix, mean_face
from tbd.face.motion import Motion
from tbd.face.rig import Rig


@cache
def mean_face_rig() -> Rig:
    """Return the muscles of the mean face, worked out once."""
    return Rig(mean_face())


def landmarks_from_motion(motion: Motion, size: int = 256) -> np.ndarray:
    """Move the mean face, in the middle of a square picture, by a motion; the points hold no jitter but the motion's own.

    Args:
        motion: T frames.
        size: Side of the picture in pixels.

    Returns:
        (T, 478, 3) float32 pixels as `FaceGeometry.points`.
    """
    still = np.eye(3, dtype=np.float32)
    camera = FaceGeometry(np.zeros((size, size, 3), np.uint8), mean_face(), mean_face(), still, size / 3, np.full(2, size / 2, np.float32))
    moved = mean_face() + mean_face_rig().displace(motion.values[:, : len(BLENDSHAPES)])
    turns, shifts = euler_to_matrix(motion.head[:, :3]).astype(np.float32), motion.head[:, 3:]
    return camera.project(moved.astype(np.float32), turns, shifts).astype(np.float32)
