"""Rendering and cropping in a line, for tests."""

import numpy as np

from tbd.face.channels import INDEX
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.render.mouth.palette import Palette
from tbd.face.render.renderer import MeshWarpRenderer


def cut(face: FaceGeometry, left: int, top: int, right: int, bottom: int) -> FaceGeometry:
    return face.cropped(left, top, np.ascontiguousarray(face.image[top:bottom, left:right]))


def draw(face: FaceGeometry, *frames: dict[str, float], **options) -> list[np.ndarray]:
    motion = Motion.zeros(len(frames))
    for i, frame in enumerate(frames):
        for name, value in frame.items():
            for channel in [name] if name in INDEX else [name + "Left", name + "Right"]:
                motion[channel][i] = value
    return list(MeshWarpRenderer(**options).render(face, motion))


def around(face: FaceGeometry, points, margin: float = 0.0) -> tuple[slice, slice]:
    low, high = face.points[list(points), :2].min(0) - margin * face.scale, face.points[list(points), :2].max(0) + margin * face.scale
    return slice(int(low[1]), int(high[1]) + 1), slice(int(low[0]), int(high[0]) + 1)


def palette(skin=(226, 180, 160), lip=(180, 105, 100), white=(190, 180, 172)) -> Palette:
    return Palette(*(np.array(colour, np.float64) for colour in (skin, lip, white)), np.zeros((8, 8), np.float32))
