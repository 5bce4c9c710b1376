"""The mesh points of a motion that is known exactly."""

import numpy as np

from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import FaceGeometry, euler_to_matrix, mean_face
from tbd.face.motion import Motion
from tbd.face.rig import Rig


def points_of(motion: Motion, size: int = 256) -> np.ndarray:
    """(T, 478, 3) float32 pixels: what a motion does to the mean face, in the middle of a picture of `size`.

    For motions that are known exactly: nothing is tracked, so the points hold no jitter but the motion's own.
    """
    still = np.eye(3, dtype=np.float32)
    camera = FaceGeometry(np.zeros((size, size, 3), np.uint8), mean_face(), mean_face(), still, size / 3, np.full(2, size / 2, np.float32))
    moved = mean_face() + Rig(mean_face()).displace(motion.values[:, : len(BLENDSHAPES)])
    turns, shifts = euler_to_matrix(motion.head[:, :3]).astype(np.float32), motion.head[:, 3:]
    return camera.project(moved.astype(np.float32), turns, shifts).astype(np.float32)
