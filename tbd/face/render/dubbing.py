"""Another mouth and another feeling for somebody who is filmed: head, hair, light and background stay the video's own.

Up to three frames of the video, in which the face is most at rest, turned to one side, straight and to the other, are the portraits. They
are drawn with the new expression, their heads still, and laid into every frame by the mesh: from the drawn mesh to the same mesh in the
frame's pose. The two that are turned most like the frame are mixed. The frame's own chin is brought to where the new one is, the light of
the frame is taken over where it changes slowly, and the edge is soft.
"""

from collections.abc import Sequence

import numpy as np

from tbd.face import topology
from tbd.face.geometry import FaceGeometry, fit_similarity, matrix_to_euler, rigid_weights
from tbd.face.render.grid import Interpolator, sample
from tbd.face.render.warp import PortraitWarper

_REACH = 1.35
"""Side of the window about a face, in sides of its box."""
_CELLS = 14
"""Cells of the fields per inter-ocular distance."""
_STILL = 1.6
"""Size of the ring about the face outside of which a frame stays as it is."""
_LIGHT = 0.22
"""Inter-ocular distances over which light is compared."""
_SOFT = 0.07
"""Standard deviation of the mask's edge, in inter-ocular distances."""
_INSIDE = 0.93
"""How far the mask reaches towards the outline of the face."""
_FOREHEAD = 0.5
"""How far it reaches from the brows towards the top of the forehead, where hair may hang."""
_SKIN = [i for i in range(468) if i not in (*topology.IRIS, *topology.mirrored(topology.IRIS))]
_OVAL = list(topology.FACE_OVAL)
_BROWS = (105, 334)
_MOUTH = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]


class _Reference:
    """A portrait that is ready to be drawn, and how far it is turned."""

    def __init__(self, face: FaceGeometry, neutralize: float, shading: float) -> None:
        low, high = _window(face.points, face.image.shape)
        image = np.ascontiguousarray(face.image[low[1] : high[1], low[0] : high[0]])
        self.portrait = face.cropped(float(low[0]), float(low[1]), image)
        self.warper = PortraitWarper(self.portrait, neutralize, shading, close_lips=1.0)
        self.yaw = float(matrix_to_euler(face.rotation)[1])


class FaceDubber:
    """Lays a drawn face into the frames of a video.

    Args:
        references: The faces of the frames that are the portraits, one or more.
        neutralize: As for `tbd.face.render.renderer.MeshWarpRenderer`.
        shading: Likewise.
    """

    def __init__(self, references: Sequence[FaceGeometry], neutralize: float = 0.5, shading: float = 1.0) -> None:
        self._references = sorted((_Reference(face, neutralize, shading) for face in references), key=lambda reference: reference.yaw)

    def draw(self, frame: np.ndarray, points: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Draw one frame.

        Args:
            frame: (H, W, 3) uint8 RGB of the video.
            points: (478, 3) pixels of its face, as `FaceGeometry.points`.
            values: (58,) of a `Motion`; its head is not read, since the head is the video's.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        values = values.copy()
        values[52:] = 0
        poses = [fit_similarity(ref.portrait.canonical, points * [1, -1, 1], rigid_weights()) for ref in self._references]
        shares = self._shares(float(np.mean([matrix_to_euler(rotation)[1] for _, rotation, _ in poses])))
        used = [(share, ref, pose) for share, ref, pose in zip(shares, self._references, poses) if share > 0]
        meshes, target = [], np.zeros((len(points), 2))
        for share, reference, (scale, rotation, shift) in used:
            meshes.append(reference.warper.mesh(values))
            target += share * (scale * reference.warper.canonical_mesh(values) @ rotation.T + shift)[:, :2] * [1, -1]
        low, high = _window(np.concatenate([target, points[:, :2]]), frame.shape)
        part = frame[low[1] : high[1], low[0] : high[0]]
        target, own = target - low, points[:, :2].astype(np.float64) - low
        unit = float(scale)
        fitted = self._fit_outline(part, own, target, unit)
        face = np.zeros_like(fitted)
        for (share, reference, _), mesh in zip(used, meshes):
            face += np.float32(share) * self._lay(reference.warper.draw(values), mesh, target, unit, part.shape)
        mask = _mask(target, unit, part.shape)
        face = _match_light(face, fitted, mask, (target, own), unit)
        out = frame.copy()
        out[low[1] : high[1], low[0] : high[0]] = np.clip(fitted + mask[..., None] * (face - fitted) + 0.5, 0, 255).astype(np.uint8)
        return out

    def _shares(self, yaw: float) -> np.ndarray:
        """(N,) how much of each portrait is shown of a head that is turned by `yaw`; they sum to 1."""
        turns = np.array([reference.yaw for reference in self._references])
        return np.array([np.interp(yaw, turns, unit) for unit in np.eye(len(turns))]) if len(turns) > 1 else np.ones(1)

    def _fit_outline(self, part: np.ndarray, own: np.ndarray, target: np.ndarray, unit: float) -> np.ndarray:
        """(h, w, 3) float32: the frame with its outline of the face, chin and all, where the new face has it."""
        import cv2

        oval, centre = target[_OVAL], target[_OVAL].mean(0)
        ring = centre + (oval - centre) * _STILL
        moved = np.concatenate([own[_OVAL] - oval, np.zeros_like(ring)])
        places, field = _field(np.concatenate([oval, ring]) / unit, moved, part.shape, unit)
        away = np.linalg.norm((places - centre) / np.maximum(np.ptp(oval, axis=0) / 2, 1), axis=-1)
        field *= np.clip((_STILL - away) / 0.3, 0, 1)[..., None].astype(np.float32)
        return sample(part, _pixels(part.shape) + _enlarged(field, part.shape), cv2.BORDER_REPLICATE).astype(np.float32)

    def _lay(self, drawn: np.ndarray, mesh: np.ndarray, target: np.ndarray, unit: float, shape: tuple[int, ...]) -> np.ndarray:
        """(h, w, 3) float32: the drawn face, its mesh laid onto the target."""
        import cv2

        known = np.column_stack([target[_SKIN], np.ones(len(_SKIN))])
        affine = np.linalg.lstsq(known, mesh[_SKIN], rcond=None)[0]  # (3, 2)
        _, field = _field(target[_SKIN] / unit, mesh[_SKIN] - known @ affine, shape, unit)
        pixels = _pixels(shape)
        places = pixels @ affine[:2].astype(np.float32) + affine[2].astype(np.float32) + _enlarged(field, shape)
        return sample(drawn, places, cv2.BORDER_REPLICATE).astype(np.float32)


def _window(points: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Left and top, right and bottom, in whole pixels, of the part of a picture about a face."""
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    centre, half = (low + high) / 2, _REACH * (high - low).max() / 2
    edge = np.array(shape[1::-1])
    return np.clip(np.floor(centre - half), 0, edge - 2).astype(int), np.clip(np.ceil(centre + half), 2, edge).astype(int)


def _pixels(shape: tuple[int, ...]) -> np.ndarray:
    """(h, w, 2) float32 (x, y) of all pixels."""
    return np.stack(np.meshgrid(np.arange(shape[1], dtype=np.float32), np.arange(shape[0], dtype=np.float32)), -1)


def _field(points: np.ndarray, values: np.ndarray, shape: tuple[int, ...], unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Places (rows, columns, 2) of coarse cells in pixels, and (rows, columns, 2) float32 of the values interpolated there."""
    rows, columns = (max(int(np.ceil(side / unit * _CELLS)), 2) for side in shape[:2])
    x, y = ((np.arange(count) + 0.5) * side / count - 0.5 for count, side in ((columns, shape[1]), (rows, shape[0])))
    places = np.stack(np.meshgrid(x, y), -1)
    return places, Interpolator(points)(values, places.reshape(-1, 2) / unit).reshape(rows, columns, 2)


def _enlarged(field: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    import cv2

    return cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


def _mask(target: np.ndarray, unit: float, shape: tuple[int, ...]) -> np.ndarray:
    """(h, w) float32 0..1: where the drawn face is shown."""
    import cv2

    oval = target[_OVAL].copy()
    centre = oval.mean(0)
    up = oval[0] - target[152]
    length = float(np.linalg.norm(up))
    up /= max(length, 1e-6)
    brows = float(((target[list(_BROWS)] - centre) @ up).max())
    height = (oval - centre) @ up
    oval -= np.maximum(height - brows, 0)[:, None] * (1 - _FOREHEAD) * up
    oval = centre + (oval - centre) * _INSIDE
    mask = np.zeros(shape[:2], np.float32)
    cv2.fillPoly(mask, [np.round(oval * 8).astype(np.int32)], (1.0,), cv2.LINE_AA, 3)
    soft = max(_SOFT * unit, 1.0)
    eroded = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * int(1.5 * soft) + 1,) * 2))
    return cv2.GaussianBlur(eroded, (0, 0), soft)


def _match_light(face: np.ndarray, frame: np.ndarray, mask: np.ndarray, meshes: tuple[np.ndarray, ...], unit: float) -> np.ndarray:
    """The drawn face in the light of the frame: what differs slowly over skin, mouths and eyes left out."""
    import cv2

    weight = (mask > 0.05).astype(np.float32)
    for mesh in meshes:
        for ids in (_MOUTH, list(topology.EYE_TOP + topology.EYE_BOTTOM), list(topology.mirrored(topology.EYE_TOP + topology.EYE_BOTTOM))):
            hull = cv2.convexHull(np.round(mesh[ids]).astype(np.int32))
            cv2.fillPoly(weight, [hull], (0.0,))
            cv2.polylines(weight, [hull], True, (0.0,), max(int(0.16 * unit), 1))
    small = (max(int(face.shape[1] * 24 / unit), 8), max(int(face.shape[0] * 24 / unit), 8))
    share = cv2.resize(weight, small, interpolation=cv2.INTER_AREA)
    differs = cv2.resize(frame - face, small, interpolation=cv2.INTER_AREA) * share[..., None]
    sigma = _LIGHT * 24
    slow = cv2.GaussianBlur(differs, (0, 0), sigma) / (cv2.GaussianBlur(share, (0, 0), sigma) + 0.02)[..., None]
    return face + cv2.resize(slow, (face.shape[1], face.shape[0]), interpolation=cv2.INTER_LINEAR)
