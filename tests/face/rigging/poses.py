"""Faces in poses, for tests of the rig and its parts."""

import numpy as np

from tbd.face import topology
from tbd.face.channels import BLENDSHAPES
from tbd.face.rig import Rig

AT = {name: i for i, name in enumerate(BLENDSHAPES)}


SIDED = [name[:-4] for name in BLENDSHAPES if name.endswith("Left") and name not in ("jawLeft", "mouthLeft")]


EYES = {
    "Right": (topology.EYE_TOP, topology.EYE_BOTTOM),
    "Left": (topology.mirrored(topology.EYE_TOP), topology.mirrored(topology.EYE_BOTTOM)),
}


def pose(**channels: float) -> np.ndarray:
    values = np.zeros(len(BLENDSHAPES), np.float32)
    for name, value in channels.items():
        for channel in [name] if name in AT else [name + "Left", name + "Right"]:
            values[AT[channel]] = value
    return values


def moved(rig: Rig, **channels: float) -> np.ndarray:
    return rig.canonical + rig.displace(pose(**channels))


def lid_gap(points: np.ndarray, side: str) -> np.ndarray:
    top, bottom = EYES[side]
    return points[list(top[1:-1]), 1] - points[list(bottom[1:-1]), 1]
