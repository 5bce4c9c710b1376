"""`FaceGeometry`: one face in one image, as a mesh that can be turned and pulled. Needs numpy alone."""

from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

NUM_POINTS = 478
"""MediaPipe's face mesh: 468 points of skin, then 5 of each iris (468–472 the subject's right, 473–477 the left)."""
RIGHT_CORNER, LEFT_CORNER = 33, 263
"""The outer corners of the subject's right and left eye."""
VIEW_DISTANCE = 7.0
"""From the viewer to the face, in inter-ocular distances (about 60 cm): how much a face grows as it comes nearer."""


@dataclass(frozen=True)
class FaceGeometry:
    """A face's mesh in an image and in its own frame, joined by a scaled orthographic camera.

    Args:
        image: (H, W, 3) uint8 RGB, the whole picture.
        points: (478, 3) float32 pixels: x right, y down, z towards the viewer (MediaPipe's z with its sign turned).
        canonical: (478, 3) float32, this person's own mesh with the head's pose taken out: x to the image's right,
            y up, z towards the viewer, in inter-ocular distances (outer eye corner 33 to outer eye corner 263 is 1),
            origin midway between those corners.
        rotation: (3, 3) float32, head frame → camera frame (x right, y up, z towards the viewer), right-handed.
        scale: Pixels per inter-ocular distance.
        origin: (2,) float32, the pixel (x, y) that the canonical origin falls on.
        faces_seen: How many faces the picture holds; this is the largest, or the one that was chosen.
        metadata: The tracker's name and version; ``turned``, degrees anticlockwise, where the given picture was turned upright;
            ``small``, pixels of its width, where the face was found in few.
        picture_box: Left, top, right, bottom in whole pixels: the part of the image that is a picture, where the rest is a margin
            that has been put round it and does not move; None where there is none.
    """

    image: np.ndarray
    points: np.ndarray
    canonical: np.ndarray
    rotation: np.ndarray
    scale: float
    origin: np.ndarray
    faces_seen: int = 1
    metadata: dict[str, Any] = field(default_factory=dict)
    picture_box: tuple[int, int, int, int] | None = None

    def project(self, canonical: np.ndarray, rotation: np.ndarray | None = None, translation: np.ndarray | None = None) -> np.ndarray:
        """Project points of the head's frame onto the image.

        Args:
            canonical: (..., N, 3) in inter-ocular distances.
            rotation: (..., 3, 3) rotation matrix, an extra turn of the head about its own frame, before the resting rotation.
            translation: (..., 3), an extra shift in inter-ocular distances, in the camera's frame. Its z makes the face
                larger as it comes nearer, as seen from `VIEW_DISTANCE`.

        Returns:
            (..., N, 3) pixels: x right, y down, z towards the viewer.
        """
        turn = self.rotation if rotation is None else self.rotation @ rotation
        camera = canonical @ np.swapaxes(turn, -1, -2)
        if translation is not None:
            shift = np.asarray(translation)[..., None, :]
            camera = camera * (VIEW_DISTANCE / (VIEW_DISTANCE - shift[..., 2:])) + shift
        pixels = camera * np.float32(self.scale)
        pixels[..., 1] *= -1
        pixels[..., :2] += self.origin
        return pixels

    def without_margin(self) -> "FaceGeometry":
        """Return the same face in the picture alone, cut out as `picture_box` says."""
        if self.picture_box is None:
            return self
        left, top, right, bottom = self.picture_box
        return self.cropped(left, top, np.ascontiguousarray(self.image[top:bottom, left:right]))

    def cropped(self, left: float, top: float, image: np.ndarray, zoom: float = 1.0) -> "FaceGeometry":
        """Return the same face in a picture cut from this one at (`left`, `top`) and then enlarged by `zoom`.

        Args:
            left: Pixel column of this picture at the new one's left edge; may lie outside.
            top: Pixel row of this picture at the new one's upper edge; may lie outside.
            image: (H, W, 3) uint8 RGB, the new picture.
            zoom: New pixels per old pixel.

        Returns:
            The face with its points in pixels of the new picture.
        """
        shift = np.array([left, top], np.float32)
        points = self.points.copy()
        points[:, :2] -= shift
        points, origin = points * np.float32(zoom), (self.origin - shift) * np.float32(zoom)
        return replace(self, image=image, points=points, scale=self.scale * zoom, origin=origin, picture_box=None)


def euler_to_matrix(angles: np.ndarray) -> np.ndarray:
    """Turn (..., 3) pitch, yaw, roll in radians into (..., 3, 3) float64 matrices ``Rz(roll) @ Ry(yaw) @ Rx(pitch)``."""
    pitch, yaw, roll = np.moveaxis(np.asarray(angles, np.float64), -1, 0)
    cx, sx, cy, sy, cz, sz = np.cos(pitch), np.sin(pitch), np.cos(yaw), np.sin(yaw), np.cos(roll), np.sin(roll)
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def matrix_to_euler(matrix: np.ndarray) -> np.ndarray:
    """Turn (..., 3, 3) rotation matrices into (..., 3) pitch, yaw, roll in radians; yaw lies within ±90°."""
    matrix = np.asarray(matrix)
    yaw = np.arcsin(np.clip(-matrix[..., 2, 0], -1, 1))
    pitch = np.arctan2(matrix[..., 2, 1], matrix[..., 2, 2])
    roll = np.arctan2(matrix[..., 1, 0], matrix[..., 0, 0])
    return np.stack([pitch, yaw, roll], -1)


@cache
def mean_face() -> np.ndarray:
    """Return the mean resting face: (478, 3) float32 in the head's frame, mirror-symmetric (``tbd/assets/face/README.md``)."""
    with (files("tbd") / "assets/face/mean_face.npy").open("rb") as file:
        face: np.ndarray = np.load(file, allow_pickle=False)
    face.setflags(write=False)
    return face


@cache
def mirror_points() -> np.ndarray:
    """Return the (478,) index of each point's mirror image on the face's other side; a point of the midline is its own."""
    face = mean_face()
    mirrored = face * np.array([-1, 1, 1], np.float32)
    return np.array([np.argmin(((mirrored - point) ** 2).sum(1)) for point in face])


_RIGID = {
    1.0: (33, 133, 362, 263, 6, 168, 197, 195, 5, 4, 1, 2, 98, 327, 129, 358, 48, 278),  # eye corners, nose
    0.5: (127, 356, 162, 389, 21, 251, 54, 284, 234, 454, 93, 323),  # temples and before the ears
    0.3: (117, 346, 118, 347, 123, 352, 116, 345, 143, 372, 111, 340),  # cheekbones
    0.2: (10, 151, 67, 297, 109, 338, 103, 332),  # upper forehead
}
"""Points that lie on bone or cartilage, by how little expressions and speech move them. The choice follows the landmark
basis of MediaPipe's face geometry module, less the lips and the jaw."""


@cache
def rigid_weights() -> np.ndarray:
    """Return (478,) weights 0..1 of each point for finding a head's pose in spite of what its face does."""
    weights = np.zeros(NUM_POINTS)
    for weight, indices in _RIGID.items():
        weights[list(indices)] = weight
    return weights


def fit_similarity(
    source: np.ndarray, target: np.ndarray, weights: np.ndarray, iterations: int = 3
) -> tuple[float, np.ndarray, np.ndarray]:
    """Fit the similarity ``target ≈ scale * source @ rotation.T + shift`` (Umeyama 1991), robust by reweighting.

    Args:
        source: (N, 3) points.
        target: (N, 3) the points that they are to lie on.
        weights: (N,) at least 0; after the first fit, points far off (Geman–McClure) count less.
        iterations: How often to fit; 1 is the plain weighted fit.

    Returns:
        The scale, the (3, 3) rotation and the (3,) shift.
    """
    robust = weights
    for _ in range(iterations):
        w = (robust / robust.sum())[:, None]
        from_mean, to_mean = (w * source).sum(0), (w * target).sum(0)
        a, b = source - from_mean, target - to_mean
        u, s, vt = np.linalg.svd((w * b).T @ a)
        s[2], u[:, 2] = (s[2], u[:, 2]) if np.linalg.det(u @ vt) > 0 else (-s[2], -u[:, 2])
        rotation = u @ vt
        scale = float(s.sum() / (w * a**2).sum())
        shift = to_mean - scale * rotation @ from_mean
        error = ((target - scale * source @ rotation.T - shift) ** 2).sum(1)
        spread = max(float((w[:, 0] * error).sum()), 1e-12)
        robust = weights / (1 + error / (4 * spread)) ** 2
    return scale, rotation, shift


def face_roll(points: np.ndarray) -> float:
    """Return the roll in radians of a mesh (478, 3) as in `FaceGeometry.points`: 0 upright, positive anticlockwise."""
    camera = np.asarray(points, np.float64) * [1, -1, 1]
    return float(matrix_to_euler(fit_similarity(mean_face().astype(np.float64), camera, rigid_weights())[1])[2])


def remove_pose(points: np.ndarray, rotation: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """Take a face's mesh in an image apart into its shape and its place.

    Args:
        points: (478, 3) pixels as in `FaceGeometry.points`.
        rotation: (3, 3), the head's rotation where it is known; by default the one that best lays the rigid points onto
            the mean face's.

    Returns:
        `FaceGeometry`'s canonical (478, 3), rotation (3, 3), scale and origin (2,).
    """
    camera = np.asarray(points, np.float64) * [1, -1, 1]
    if rotation is None:
        rotation = fit_similarity(mean_face().astype(np.float64), camera, rigid_weights())[1]
    corners = camera[[RIGHT_CORNER, LEFT_CORNER]]
    origin, scale = corners.mean(0), float(np.linalg.norm(corners[1] - corners[0]))
    canonical = (camera - origin) @ rotation / scale
    return canonical.astype(np.float32), rotation.astype(np.float32), scale, (origin[:2] * [1, -1]).astype(np.float32)


def bounding_box(points: np.ndarray) -> np.ndarray:
    """Return the (4,) left, top, right, bottom of (N, 2) or (N, 3) points."""
    return np.r_[points[:, :2].min(0), points[:, :2].max(0)]
