"""The tongue: an ellipsoid that rests behind the lower teeth, met by lines of sight."""

import numpy as np

from tbd.face.render.mouth.dental_arch import RigidFrame
from tbd.utils.tracks import smoothstep

_CENTRE = np.array([0.0, -0.035, -0.25])
"""Its back rises to where the rows meet, as in the mouths of filmed people (set on eight; docs/mouth.md)."""
_RADII = np.array([0.215, 0.1, 0.27])
_LIGHT = np.array([0.0, 0.55, 0.835])
"""Where light comes from, in the jaw's frame: through the open lips, a little from above."""
_WET = np.array([0.0, 0.35, 0.937])
"""Halfway between the light and the viewer, for what glistens."""


def tongue(frame: RigidFrame, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Look at the tongue.

    Args:
        frame: Where the jaw lies.
        x: (1, w) or (h, w) pixel columns.
        y: (h, 1) or (h, w) pixel rows.

    Returns:
        (h, w) float32 how much of each pixel it covers, and (h, w) float32 how much of the light it throws back.
    """
    axes = frame.axes
    # A line of sight is all points of one pixel: a place on it, and its direction towards the viewer.
    back = np.linalg.pinv(axes)
    direction = np.cross(axes[0], axes[1])
    direction = direction / np.linalg.norm(direction) * (1 if direction[2] > 0 else -1)
    dx, dy = np.broadcast_arrays(x - frame.origin[0], y - frame.origin[1])
    start = [(dx * back[i, 0] + dy * back[i, 1] - _CENTRE[i]) / _RADII[i] for i in range(3)]
    ray = direction / _RADII
    a, b = ray @ ray, sum(s * r for s, r in zip(start, ray))
    root = b**2 - a * (sum(s**2 for s in start) - 1)
    far = np.sqrt(np.maximum(root, 0))
    t = (far - b) / a
    point = [s + t * r for s, r in zip(start, ray)]
    normal = [p / r for p, r in zip(point, _RADII)]
    length = np.sqrt(sum(n**2 for n in normal))
    lit = np.maximum(sum(n * g for n, g in zip(normal, _LIGHT)) / length, 0)
    gloss = np.maximum(sum(n * g for n, g in zip(normal, _WET)) / length, 0) ** 24
    near = smoothstep((point[2] + 0.35) / 1.3)
    groove = 1 - 0.1 * np.exp(-((point[0] / 0.09) ** 2)) * smoothstep((0.75 - point[2]) / 0.4)
    light = (0.35 + 0.65 * lit) * (0.2 + 0.8 * near) * groove + 0.08 * gloss * near
    cover = smoothstep(far / (np.sqrt(a) * 0.6))
    return cover.astype(np.float32), light.astype(np.float32)
