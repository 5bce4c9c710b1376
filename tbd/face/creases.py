"""Creases: where skin folds it darkens, and lightens beside the fold. Geometry alone reads as neither anger nor disgust.

Each crease is a stroke or a spot on the mesh with the blendshapes that deepen it; together they make maps of log light in
the portrait's own pixels, which the renderer mixes by the coefficients and multiplies into the skin.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tbd.face import topology as mesh
from tbd.face.motion import BLENDSHAPES


@dataclass(frozen=True)
class Crease:
    """One fold of the skin.

    Args:
        name: what anatomists or FACS call it.
        path: mesh points it runs along, on the subject's left half; a place between points is a tuple of them (their mean).
            A path of one place is a round spot.
        depth: log light at its bottom, negative for dark; −0.35 takes away 30 % of the light.
        width: its half-width in inter-ocular distances.
        ridge: log light of the ridges beside it, as a share of `depth` with the sign turned.
        by: the blendshapes that deepen it, without Left and Right where they have sides, and how much.
        whole: it lies on the midline and is drawn once, deepened by the mean of both sides.
    """

    name: str
    path: tuple[int | tuple[int, ...], ...]
    depth: float
    width: float
    by: dict[str, float]
    ridge: float = 0.35
    whole: bool = False


CREASES = (
    Crease("glabellar line", ((9, 336, 336), (8, 285, 285, 285), (8, 285, 417, 417)), -0.55, 0.016, {"browDown": 1.0}),
    Crease("glabellar shadow", ((8, 9),), -0.25, 0.075, {"browDown": 1.0, "noseSneer": 0.4}, 0.0, True),
    Crease("shadow of the lowered brow", ((413, 441, 285), 442, 443, 444), -0.38, 0.045, {"browDown": 1.0, "noseSneer": 0.3}, 0.0),
    Crease("bunch above the lowered brow", (336, 296, 334), 0.12, 0.04, {"browDown": 1.0}, 0.0),
    Crease("procerus fold", ((193, 168, 168), 168, (417, 168, 168)), -0.4, 0.016, {"browDown": 0.5, "noseSneer": 1.0}, 0.5, True),
    Crease("forehead line, lowest", ((296, 299, 296), (336, 337, 336), (9, 9, 151), (107, 108, 107), (66, 69, 66)),
           -0.3, 0.014, {"browInnerUp": 1.0, "browOuterUp": 0.35}, 0.6, True),
    Crease("forehead line, middle", ((296, 299), (336, 337), (9, 151), (107, 108), (66, 69)),
           -0.32, 0.015, {"browInnerUp": 1.0, "browOuterUp": 0.4}, 0.6, True),
    Crease("forehead line, highest", ((299, 299, 296), (337, 337, 336), (151, 151, 9), (108, 108, 107), (69, 69, 66)),
           -0.26, 0.015, {"browInnerUp": 0.8, "browOuterUp": 0.45}, 0.6, True),
    Crease("forehead line, side", ((299, 296), (333, 334), (298, 293)), -0.26, 0.016, {"browOuterUp": 1.0}, 0.6),
    Crease("forehead line, side, higher", ((299, 299, 296), (333, 333, 334), (298, 298, 293)), -0.22, 0.016, {"browOuterUp": 1.0}, 0.6),
    Crease("opened upper lid", (442, 443, 444), 0.14, 0.04, {"eyeWide": 0.8, "browOuterUp": 0.5, "browInnerUp": 0.4}, 0.0),
    Crease("nasolabial fold", ((358, 423), 426, (426, 436), 436, (432, 287)), -0.42, 0.02,
           {"mouthSmile": 0.9, "noseSneer": 1.0, "mouthUpperUp": 0.7, "mouthDimple": 0.3, "cheekSquint": 0.2}, 0.35),
    Crease("raised cheek", ((280, 425),), 0.13, 0.12, {"mouthSmile": 0.8, "cheekSquint": 0.6, "noseSneer": 0.4}, 0.0),
    Crease("nose wrinkle, upper", ((168, 6), (417, 351), (465, 412)), -0.42, 0.012, {"noseSneer": 1.0, "browDown": 0.1}, 0.6),
    Crease("nose wrinkle, lower", ((6, 197), (351, 419), (343, 412)), -0.42, 0.012, {"noseSneer": 1.0}, 0.6),
    Crease("nose wing furrow", (420, 360, 358), -0.4, 0.014, {"noseSneer": 1.0, "mouthSmile": 0.25, "mouthUpperUp": 0.3}, 0.4),
    Crease("crow's foot, upper", ((359, 446), (342, 353), 353), -0.3, 0.009, {"mouthSmile": 0.45, "cheekSquint": 0.8, "eyeSquint": 0.3}, 0.5),
    Crease("crow's foot, middle", (446, 265, (265, 372)), -0.32, 0.009, {"mouthSmile": 0.45, "cheekSquint": 0.8, "eyeSquint": 0.3}, 0.5),
    Crease("crow's foot, lower", ((261, 446), (340, 265), 345), -0.28, 0.009, {"mouthSmile": 0.45, "cheekSquint": 0.8, "eyeSquint": 0.3}, 0.5),
    Crease("infraorbital fold", (453, 452, 451, 450, 449, 448), -0.3, 0.014,
           {"cheekSquint": 0.8, "eyeSquint": 0.7, "mouthSmile": 0.3, "noseSneer": 0.5}, 0.6),
    Crease("lower lid pouch", ((256, 452), (253, 450), (339, 448)), 0.1, 0.018, {"eyeSquint": 0.7, "cheekSquint": 0.6, "mouthSmile": 0.3}, 0.0),
    Crease("corner shadow", (291,), -0.4, 0.028, {"mouthSmile": 0.6, "mouthFrown": 1.0, "mouthDimple": 1.0, "mouthStretch": 0.6, "mouthPress": 0.7}, 0.0),
    Crease("corner pit", ((287, 291),), -0.35, 0.035, {"mouthDimple": 1.0, "mouthSmile": 0.35}, 0.0),
    Crease("marionette line", ((291, 287), (273, 287), (422, 432), 424), -0.42, 0.018, {"mouthFrown": 1.0, "mouthStretch": 0.3}, 0.4),
    Crease("mentolabial fold", (421, (313, 18), 18, (83, 18), 201), -0.32, 0.028,
           {"mouthShrugLower": 1.0, "mouthFrown": 0.6, "mouthPucker": 0.5, "mouthRollLower": 0.4, "mouthPress": 0.4}, 0.2, True),
    Crease("chin boss", ((200, 199),), 0.13, 0.08, {"mouthShrugLower": 1.0, "mouthFrown": 0.5, "mouthPress": 0.3}, 0.0, True),
    Crease("chin dimple", ((428, 199), (262, 428)), -0.25, 0.018, {"mouthShrugLower": 1.0, "mouthFrown": 0.5}, 0.3),
    Crease("stretched cheek", ((427, 411), (434, 416)), -0.2, 0.07, {"jawOpen": 0.8, "mouthPucker": 0.7, "mouthFunnel": 0.4}, 0.0),
    Crease("neck band", (364, 365), -0.1, 0.05, {"mouthStretch": 0.8}, 0.0),
    Crease("puffed cheek", ((425, 411, 427),), 0.18, 0.14, {"cheekPuff": 1.0}, 0.0),
    Crease("furrow before the puffed cheek", (426, 436, 432), -0.25, 0.02, {"cheekPuff": 1.0}, 0.0),
    Crease("shadow under the lower lip", ((17, 18),), -0.2, 0.06, {"mouthPucker": 1.0, "mouthFunnel": 0.6}, 0.0, True),
)  # fmt: skip


def crease_maps(points: np.ndarray, places: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Maps of log light over a picture, and how the blendshapes mix them.

    Args:
        points: (478, 2) pixels of the face at rest.
        places: (M, 2) pixels at which the maps are wanted.
        scale: pixels per inter-ocular distance.

    Returns:
        maps (K, M) float32 of log light, and mix (52, K) float32: ``light = exp(coefficients @ mix @ maps)``.
    """
    maps, mix = [], []
    for crease in CREASES:
        sides = ("",) if crease.whole else ("Left", "Right")
        for side in sides:
            maps.append(_draw(crease, points, places, scale, side == "Right"))
            mix.append(_mix(crease, side))
    return np.array(maps, np.float32), np.array(mix, np.float32).T


def _mix(crease: Crease, side: str) -> list[float]:
    """(52,) how much each blendshape deepens a crease of one side ("" on the midline)."""
    row = np.zeros(len(BLENDSHAPES))
    for name, share in crease.by.items():
        if name in BLENDSHAPES:
            row[BLENDSHAPES.index(name)] = share
        else:
            for own in ("Left", "Right") if not side else (side,):
                row[BLENDSHAPES.index(name + own)] = share / (1 if side else 2)
    return row.tolist()


def _draw(crease: Crease, points: np.ndarray, places: np.ndarray, scale: float, mirror: bool) -> np.ndarray:
    """(M,) log light of one crease at full depth."""
    path = np.array([_place(points, at, mirror) for at in crease.path])
    distance, along = _to_path(places, path)
    across = distance / (crease.width * scale)
    profile = np.exp(-(across**2))
    if crease.ridge:
        profile -= crease.ridge * np.exp(-(((across - 2.1) / 1.1) ** 2))
    # Folds are deepest in their middle and run out at their ends.
    ends = 1.0 if len(path) == 1 else np.clip(np.minimum(along, 1 - along) * 5 + 0.25, 0, 1)
    return crease.depth * profile * ends


def _place(points: np.ndarray, at: int | Sequence[int], mirror: bool) -> np.ndarray:
    ids = [at] if isinstance(at, int) else list(at)
    return points[list(mesh.mirrored(ids)) if mirror else ids].mean(0)


def _to_path(places: np.ndarray, path: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance of each place from a path, and how far along it (0..1) its nearest point lies."""
    if len(path) == 1:
        return np.linalg.norm(places - path[0], axis=1), np.zeros(len(places))
    lengths = np.linalg.norm(np.diff(path, axis=0), axis=1)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    best, along = np.full(len(places), np.inf), np.zeros(len(places))
    for i, (a, b) in enumerate(zip(path, path[1:])):
        t = np.clip((places - a) @ (b - a) / max(lengths[i] ** 2, 1e-9), 0, 1)
        distance = np.linalg.norm(places - a - t[:, None] * (b - a), axis=1)
        closer = distance < best
        best[closer], along[closer] = distance[closer], (starts[i] + t[closer] * lengths[i]) / starts[-1]
    return best, along
