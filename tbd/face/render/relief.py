"""Relief of the skin as light: where the portrait's light comes from, and what a change of the surface does to it.

Skin is taken for matt: its log light goes with the direction that it faces, as far as the portrait itself shows (a first-order fit, as of
spherical harmonics; Ramamoorthi & Hanrahan 2001, An Efficient Representation for Irradiance Environment Maps, SIGGRAPH).
"""

import numpy as np

from tbd.face import topology
from tbd.face.geometry import FaceGeometry

_ABOVE = np.array([0.0, 0.3])
"""The usual light, from above: log light per unit of the normal's sideways and upward part."""
_DOUBT = 6.0
"""Points of skin that the usual light counts for."""
_MOST = 0.6
"""Log light per unit of the normal that the hardest light gives; what a fit finds beyond is colour, not light."""


def surface_normals(points: np.ndarray) -> np.ndarray:
    """Compute the directions that the mesh faces.

    Args:
        points: (478, 3) in the camera's frame: x right, y up, z towards the viewer.

    Returns:
        (478, 3) unit vectors, towards the viewer; the irises' are (0, 0, 1).
    """
    triangles = topology.triangles()
    a, b, c = (points[triangles[:, i]] for i in range(3))
    across = np.cross(b - a, c - a)
    across *= np.where(across[:, 2:] < 0, -1, 1)
    normals = np.zeros((len(points), 3))
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], across)
    normals[np.linalg.norm(normals, axis=1) < 1e-12] = (0, 0, 1)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def estimate_light(face: FaceGeometry, skin: np.ndarray) -> np.ndarray:
    """Estimate how the light on a face changes with the direction that its skin faces.

    Args:
        face: The portrait.
        skin: (H, W) 0..1, how much a pixel looks like skin.

    Returns:
        (2,) log light per unit of the normal's part to the image's right and up: the light's side is positive.
    """
    import cv2

    normals = surface_normals(np.column_stack([face.points[:, 0], -face.points[:, 1], face.points[:, 2]]).astype(np.float64))
    x, y = np.clip(np.round(face.points[:, :2]).astype(int), 0, np.array(face.image.shape[1::-1]) - 1).T
    grey = cv2.cvtColor(cv2.GaussianBlur(face.image, (0, 0), max(0.04 * face.scale, 0.5)), cv2.COLOR_RGB2GRAY)
    light = np.log(grey[y, x].astype(np.float64) + 8)
    weight = skin[y, x] * (normals[:, 2] > 0.35)
    weight[list(topology.LIP_TOP + topology.LIP_BOTTOM + topology.IRIS + topology.mirrored(topology.IRIS))] = 0
    if weight.sum() < 20:
        return _ABOVE.copy()
    found = _ABOVE
    for _ in range(3):  # shadows cast by the nose or hair are no shading: what lies far off counts less
        total = weight.sum()
        off = normals[:, :2] - weight @ normals[:, :2] / total
        change = light - weight @ light / total
        spread = (off * weight[:, None]).T @ off + np.eye(2) * _DOUBT * 0.1
        found = np.linalg.solve(spread, (off * weight[:, None]).T @ change + _DOUBT * 0.1 * _ABOVE)
        weight = skin[y, x] * (normals[:, 2] > 0.35) / (1 + ((change - off @ found) / 0.25) ** 2)
    return found * min(1.0, _MOST / max(float(np.linalg.norm(found)), 1e-9))


def relief_maps(raised: np.ndarray, step: float, light: np.ndarray) -> np.ndarray:
    """Compute what movements of the skin towards the viewer do to its light.

    Args:
        raised: (K, rows, columns) how far each of K movements brings the skin towards the viewer, rows from above.
        step: Size of a cell, in the unit of `raised`.
        light: (2,) as `estimate_light` returns it.

    Returns:
        (K, rows, columns) float32 changes of log light: skin that comes to face the light gains.
    """
    import cv2

    maps = np.empty(raised.shape, np.float32)
    for out, height in zip(maps, raised):
        smooth = cv2.GaussianBlur(height.astype(np.float32), (0, 0), 1.5)
        down, right = np.gradient(smooth, step)
        out[:] = -right * np.float32(light[0]) + down * np.float32(light[1])
    return maps
