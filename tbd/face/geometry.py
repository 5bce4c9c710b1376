"""`FaceGeometry`: one face in one image, as a mesh that can be turned and pulled. Needs numpy alone."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

NUM_POINTS = 478
"""MediaPipe's face mesh: 468 points of skin, then 5 of each iris (468–472 the subject's right, 473–477 the left)."""


@dataclass(frozen=True)
class FaceGeometry:
    """A face's mesh in an image and in its own frame, joined by a scaled orthographic camera.

    Args:
        image: (H, W, 3) uint8 RGB, the whole picture.
        points: (478, 3) float32 pixels: x right, y down, z towards the viewer (MediaPipe's z with its sign turned).
        canonical: (478, 3) float32, this person's own mesh with the head's pose taken out: x to the image's right,
            y up, z towards the viewer, in inter-ocular distances (outer eye corner 33 to outer eye corner 263 is 1),
            origin midway between those corners.
        rotation: (3, 3) float32, head frame → camera frame (x right, y up, z to the viewer), right-handed.
        scale: pixels per inter-ocular distance.
        origin: (2,) float32, the pixel that the canonical origin falls on.
        faces_seen: how many faces the picture holds; this is the largest.
        metadata: the tracker's name and version.
    """

    image: np.ndarray
    points: np.ndarray
    canonical: np.ndarray
    rotation: np.ndarray
    scale: float
    origin: np.ndarray
    faces_seen: int = 1
    metadata: dict[str, Any] = field(default_factory=dict)

    def project(self, canonical: np.ndarray, rotation: np.ndarray | None = None, translation: np.ndarray | None = None) -> np.ndarray:
        """Points of the head's frame → pixels.

        Args:
            canonical: (..., N, 3) in inter-ocular distances.
            rotation: (..., 3, 3), an extra turn of the head about its own frame, before the resting rotation.
            translation: (..., 3), an extra shift in inter-ocular distances, in the camera's frame.

        Returns:
            (..., N, 3) pixels: x right, y down, z towards the viewer.
        """
        turn = self.rotation if rotation is None else self.rotation @ rotation
        camera = canonical @ np.swapaxes(turn, -1, -2)
        if translation is not None:
            camera = camera + np.asarray(translation)[..., None, :]
        pixels = camera * np.float32(self.scale)
        pixels[..., 1] *= -1
        pixels[..., :2] += self.origin
        return pixels


def euler_to_matrix(angles: np.ndarray) -> np.ndarray:
    """(..., 3) pitch, yaw, roll in radians → (..., 3, 3), ``Rz(roll) @ Ry(yaw) @ Rx(pitch)``."""
    pitch, yaw, roll = np.moveaxis(np.asarray(angles, np.float64), -1, 0)
    cx, sx, cy, sy, cz, sz = np.cos(pitch), np.sin(pitch), np.cos(yaw), np.sin(yaw), np.cos(roll), np.sin(roll)
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def matrix_to_euler(matrix: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotation → (..., 3) pitch, yaw, roll in radians; yaw within ±90°."""
    matrix = np.asarray(matrix)
    yaw = np.arcsin(np.clip(-matrix[..., 2, 0], -1, 1))
    pitch = np.arctan2(matrix[..., 2, 1], matrix[..., 2, 2])
    roll = np.arctan2(matrix[..., 1, 0], matrix[..., 0, 0])
    return np.stack([pitch, yaw, roll], -1)
