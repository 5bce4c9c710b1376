"""The head as a volume: how deep every pixel of a portrait lies, how far it goes with the head, how the skin carries it."""

from typing import Literal

import numpy as np

from tbd.face import topology
from tbd.face.geometry import LEFT_CORNER, RIGHT_CORNER, FaceGeometry
from tbd.face.render.grid import Interpolator
from tbd.face.render.layers.glasses import Glasses
from tbd.utils.tracks import smoothstep

NECK = 0.95
"""Inter-ocular distances below the chin at which the body stands still."""
_NECK_HALF, _SHOULDER, _RISE, _BESIDE = 0.5, 1.1, 0.55, 0.9
"""Half the width of a neck, beyond which shoulders begin, wholly within so much; how far over the chin what stands so far aside begins to
let go of the head, and over which height it does (inter-ocular distances): shoulders stay where they are when a head tilts or nods."""
_RINGS = ((1.22, -0.16), (1.6, -0.55), (2.3, -0.95))
"""Rings about the outline of the face, by size, and how far behind the outline the hair and the ears there lie."""
_ROOM = 0.36
"""Inter-ocular distances outside the outline that expressions need at least to die away."""
_NEAR = 0.32
"""Inter-ocular distances from the outline within which skin is held back."""
_HAIR = 2.3
"""Inter-ocular distances from between the eyes within which even wide hair goes all the way with the head."""
_SLOPE = 2.2
"""The steepest that the surface may fall away from the viewer."""
_STILL = (1.3, 1.62)
"""Rings, by size, where expressions have died away: the first sideways and up, the second below the chin."""

LOWER_SKIN = frozenset(np.unique([row[1:-1] for row in topology.LOWER_LIP_ROWS]).tolist())
UPPER_SKIN = frozenset(np.unique([row[1:-1] for row in topology.UPPER_LIP_ROWS]).tolist())
_TOP_LIDS = topology.EYE_TOP[1:-1] + topology.mirrored(topology.EYE_TOP[1:-1])
_BOTTOM_LIDS = topology.EYE_BOTTOM[1:-1] + topology.mirrored(topology.EYE_BOTTOM[1:-1])
_NOT_SKIN = topology.IRIS + topology.mirrored(topology.IRIS)


class HeadVolume:
    """One portrait's head.

    Args:
        face: The portrait.
        glasses: What it wears: lenses stand in one plane before the temples.
    """

    def __init__(self, face: FaceGeometry, glasses: Glasses | None = None) -> None:
        self._face, self._glasses = face, glasses
        self._points = self._plane_points()
        self.outline = self._points[list(topology.FACE_OVAL)]
        """(36, 3) the outline of the face in the camera's frame."""

    def plane(self, pixels: np.ndarray) -> np.ndarray:
        """Turn (..., 2) pixels (x, y) into (..., 2) inter-ocular distances from the head's origin, y up."""
        return (pixels - self._face.origin) / np.float32(self._face.scale) * np.array([1, -1], np.float32)

    def camera(self, pixels: np.ndarray) -> np.ndarray:
        """Lay pixels onto the head's surface.

        Args:
            pixels: (rows, columns, 2) pixels (x, y) of a grid.

        Returns:
            (rows, columns, 3) float32 inter-ocular distances in the camera's frame, from the head's origin.
        """
        plane = self.plane(pixels)
        depth = self._depth(plane.reshape(-1, 2)).reshape(plane.shape[:-1])
        step = float(np.linalg.norm(plane[0, 1] - plane[0, 0])) if plane.shape[1] > 1 else 1.0
        if self._glasses is not None:
            lenses = self._glasses.lenses(pixels)
            for lens, corner in zip(lenses, (RIGHT_CORNER, LEFT_CORNER)):
                depth = np.where(lens, np.maximum(depth, self._points[corner, 2]), depth)
        depth = limit_slope(depth, _SLOPE * step)[..., None]
        return np.concatenate([plane, depth], -1).astype(np.float32)

    def head_weight(self, pixels: np.ndarray) -> np.ndarray:
        """Return how far (..., 2) pixels (x, y) go with the head: (...) float32, 1 all the way, 0 stands still."""
        return self._head_weight(self.plane(pixels)).astype(np.float32)

    def _plane_points(self) -> np.ndarray:
        """(478, 3) the mesh in the camera's frame, inter-ocular distances."""
        points = (self._face.points[:, :2] - self._face.origin) / self._face.scale * [1, -1]
        turned = self._face.canonical @ self._face.rotation.T
        return np.column_stack([points, turned[:, 2]])

    def _outline(self) -> tuple[np.ndarray, np.ndarray]:
        """The outline of the face (36, 3) and its centre (3,), in the camera's frame."""
        outline = self._points[list(topology.FACE_OVAL)]
        return outline, outline.mean(0)

    def _depth(self, at: np.ndarray) -> np.ndarray:
        """(N, 2) places → (N,) depth towards the viewer: the mesh inside, a rounded skull about it."""
        outline, centre = self._outline()
        rings = [np.column_stack([(outline[::2, :2] - centre[:2]) * size + centre[:2], outline[::2, 2] + drop]) for size, drop in _RINGS]
        known = np.concatenate([np.delete(self._points, _NOT_SKIN, 0), *rings])
        depth = Interpolator(known[:, :2], stiffness=0.02)(known[:, 2:], at)[:, 0]
        return np.clip(depth, outline[:, 2].min() - 1.1, known[:, 2].max())

    def _head_weight(self, plane: np.ndarray) -> np.ndarray:
        """(rows, columns, 2) → (rows, columns): the head and its hair above, the shoulders below, the neck between."""
        chin, top = self._points[152, :2], self._points[10, :2]
        down = (chin - top) / np.linalg.norm(chin - top)
        below = (plane - chin) @ down
        aside = np.abs((plane - chin) @ np.array([-down[1], down[0]]))
        shoulder = smoothstep((aside - _NECK_HALF) / _SHOULDER)
        follow = 1 - smoothstep((below + _RISE * shoulder - 0.02) / (NECK + shoulder * (_BESIDE - NECK)))
        return follow * (1 - smoothstep((np.linalg.norm(plane, axis=-1) - _HAIR) / 1.5))

    def skin(self, part: Literal["upper", "lower"]) -> "SkinField":
        """Spread displacements of the mesh over the picture with one part of the lips and lids, the other being cut loose.

        Args:
            part: The lips and lids that the skin belongs to.

        Returns:
            The field.
        """
        left_out = set(_NOT_SKIN) | ((LOWER_SKIN | set(_BOTTOM_LIDS)) if part == "upper" else (UPPER_SKIN | set(_TOP_LIDS)))
        used = [i for i in range(len(self._points)) if i not in left_out]
        outline, centre = self._outline()
        lowness = smoothstep((centre - outline)[:, 1] / (centre - outline)[:, 1].max())[:, None]
        size = _STILL[0] + (_STILL[1] - _STILL[0]) * lowness
        outwards = outline[:, :2] - centre[:2]
        radius = np.linalg.norm(outwards, axis=1, keepdims=True)
        # On the far side of a turned face the outline is near: skin there still needs room to move.
        away = np.maximum(radius * (size - 1), _ROOM)
        still = np.concatenate([centre[:2] + outwards / radius * (radius + away + more) for more in (0.0, 0.25)])
        return SkinField(self._points[used, :2], used, still)


class SkinField:
    """Spreads displacements of mesh points over the plane; they die away outside the face.

    Args:
        points: (N, 2) the mesh points in use, in inter-ocular distances.
        used: (N,) their indices among the 478.
        still: (M, 2) places that do not move.
    """

    def __init__(self, points: np.ndarray, used: list[int], still: np.ndarray) -> None:
        self._used, self._still = used, len(still)
        self._spread = Interpolator(np.concatenate([points, still]))

    def __call__(self, modes: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Spread displacements.

        Args:
            modes: (K, 478, 3) displacements of the mesh.
            at: (M, 2) places, in inter-ocular distances.

        Returns:
            (K, M, 3) float32 displacements of the places.
        """
        count = len(modes)
        values = np.concatenate([modes[:, self._used], np.zeros((count, self._still, 3))], 1)
        values = values.transpose(1, 0, 2).reshape(-1, count * 3)
        return self._spread(values, at).reshape(-1, count, 3).transpose(1, 0, 2)


def limit_slope(depth: np.ndarray, rise: float) -> np.ndarray:
    """The lowest surface above `depth` (rows, columns) that rises at most `rise` from one cell to the next.

    Where the head turns away from the viewer, the mesh plunges; a picture that is warped cannot show what lies behind, so
    there the surface is drawn less steep and does not fold over itself when it turns.

    Args:
        depth: (rows, columns) towards the viewer.
        rise: From one cell to the next.

    Returns:
        (rows, columns).
    """
    out = depth.copy()
    reach = max(int(1.5 / max(rise, 1e-6)), 1)
    for _ in range(min(reach, 64)):
        before = out.copy()
        for axis in (0, 1):
            ahead, behind = (slice(1, None), slice(None)), (slice(None, -1), slice(None))
            if axis:
                ahead, behind = ahead[::-1], behind[::-1]
            out[ahead] = np.maximum(out[ahead], out[behind] - rise)
            out[behind] = np.maximum(out[behind], out[ahead] - rise)
        if np.array_equal(before, out):
            break
    return out


def limit_to_outline(modes: np.ndarray, face: FaceGeometry) -> np.ndarray:
    """Limit displacements so that they do not push skin over the outline of a turned face.

    On the far side of a turned head a corner of the mouth is close to the outline, behind which skin would slide out of
    sight; a warped picture can only press it together, so what moves sideways towards a near outline moves less.

    Args:
        modes: (K, 478, 3) displacements in the head's frame.
        face: The portrait.

    Returns:
        (K, 478, 3) float32.
    """
    points = face.points[:, :2] / face.scale
    outline = points[list(topology.FACE_OVAL)]
    top, bottom = outline[:, 1].argmin(), outline[:, 1].argmax()
    room = np.full((2, len(points)), np.inf)
    for edge_of, (start, end) in enumerate(((bottom, top), (top, bottom))):
        edge = np.roll(outline, -start, 0)[: (end - start) % len(outline) + 1]
        edge = edge[np.argsort(edge[:, 1])]
        room[edge_of] = np.abs(points[:, 0] - np.interp(points[:, 1], edge[:, 1], edge[:, 0]))
    across = face.rotation[0]
    sideways = modes @ across  # (K, 478), positive to the image's right
    free = smoothstep(np.where(sideways > 0, room[1], room[0]) / _NEAR)
    free[:, list(_NOT_SKIN)] = 1
    return (modes - ((1 - free) * sideways)[..., None] * across).astype(np.float32)
