"""Creases: where skin folds, one side of the fold turns from the light and the other to it, and its bottom is in shade.

Each crease is a stroke or a spot on the mesh with the blendshapes that deepen it; together they make maps of log light in
the portrait's own pixels, which the renderer mixes by the coefficients and multiplies into the skin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tbd.face import topology
from tbd.face.channels import BLENDSHAPES
from tbd.utils.tracks import smoothstep


@dataclass(frozen=True)
class Crease:
    """One fold of the skin.

    Args:
        name: Its name in anatomy or FACS.
        path: Mesh points that it runs along, on the subject's left half; a place between points is a tuple of them (their mean).
            A path of one place is a round spot.
        depth: Log light at its bottom, negative for dark; −0.35 takes away 30 % of the light.
        width: Its half-width in inter-ocular distances.
        ridge: Log light of the ridges beside it, as a share of `depth` with the sign turned.
        by: The blendshapes that deepen it, without Left and Right where they have sides, and how much.
        lit: How much of the light that its ridges and slopes gain is shown.
        whole: Whether it lies on the midline and is drawn once, deepened by the mean of both sides.
        onset: How much of `by` it takes to begin. A fold with an onset is one that strong movements press into any skin, smooth or
            lined: it is as sharp and as deep on all.
    """

    name: str
    path: tuple[int | tuple[int, ...], ...]
    depth: float
    width: float
    by: dict[str, float]
    ridge: float = 0.35
    whole: bool = False
    onset: float = 0.0
    lit: float = 1.0


_BRIDGE = 0.3
"""The bridge of the nose shines already: a bright line beside a fold reads as a scratch there."""
_COLUMNS = ((9, 151, 10), (336, 337, 338), (296, 299, 297), (334, 333, 332))
"""Mesh points of the forehead from the midline to the left temple: over the brow, in the middle, under the hair."""


def _forehead(height: int, columns: int) -> tuple[tuple[int, ...], ...]:
    """Lay a line across the forehead, about level, a little lower on the midline, as folds of the frontalis run.

    Args:
        height: Tenths of the way from the brow to the middle of the forehead; above 10 towards the hair.
        columns: How many of `_COLUMNS` it reaches on each side beyond the midline.

    Returns:
        A path, from left to right.
    """
    places = []
    for column, (low, middle, high) in enumerate(_COLUMNS[: columns + 1]):
        tenths = height - (column == 0)
        under, over = (low, middle) if tenths <= 10 else (middle, high)
        share = tenths if tenths <= 10 else tenths - 10
        places.append((under,) * (10 - share) + (over,) * share)
    return (*places[::-1], *(topology.mirrored(place) for place in places[1:]))


_SMILE_LINES = {"mouthSmile": 0.45, "cheekSquint": 0.8, "eyeSquint": 0.3}
_LID_LINES = {"cheekSquint": 0.8, "eyeSquint": 0.7, "mouthSmile": 0.3, "noseSneer": 0.5}
_CORNER = {"mouthSmile": 0.6, "mouthFrown": 0.8, "mouthDimple": 1.0, "mouthStretch": 0.6, "mouthPress": 0.7}
_CHIN = {"mouthShrugLower": 1.0, "mouthFrown": 0.6, "mouthPucker": 0.4, "mouthRollLower": 0.4, "mouthPress": 0.4}
_NOSE_FOLD = {"mouthSmile": 0.8, "noseSneer": 1.0, "mouthUpperUp": 0.6, "mouthDimple": 0.3, "cheekSquint": 0.2}

CREASES = (
    Crease("glabellar line", ((9, 336, 337), (9, 336, 336), (8, 285, 285, 285), (8, 417)), -0.4, 0.03, {"browDown": 1.0}),
    Crease("glabellar furrow", ((9, 9, 336, 337), (9, 336), (8, 285, 285), (8, 8, 417, 285)),
           -0.52, 0.021, {"browDown": 1.0, "noseSneer": 0.3}, 0.3, onset=0.25),
    Crease("glabellar shadow", ((8, 9),), -0.26, 0.09, {"browDown": 1.0, "noseSneer": 0.4}, 0.0, True),
    Crease("shadow of the lowered brow", ((413, 441, 285), 442, 443, 444), -0.4, 0.05, {"browDown": 1.0, "noseSneer": 0.3}, 0.0),
    Crease("procerus fold", ((193, 168, 168), 168, (417, 168, 168)),
           -0.3, 0.02, {"browDown": 0.5, "noseSneer": 1.0}, 0.4, True, lit=_BRIDGE),
    Crease("forehead line, lowest", _forehead(3, 2), -0.2, 0.022, {"browInnerUp": 1.0, "browOuterUp": 0.15}, 0.12, True),
    Crease("forehead line, middle", _forehead(9, 2), -0.24, 0.024, {"browInnerUp": 1.0, "browOuterUp": 0.2}, 0.12, True),
    Crease("forehead line, highest", _forehead(14, 2), -0.2, 0.024, {"browInnerUp": 0.8, "browOuterUp": 0.2}, 0.12, True),
    Crease("forehead furrow, lower", _forehead(5, 3), -0.25, 0.024, {"browInnerUp": 1.0, "browOuterUp": 0.25}, 0.2, True, onset=0.3),
    Crease("forehead furrow, higher", _forehead(12, 3), -0.21, 0.026, {"browInnerUp": 1.0, "browOuterUp": 0.25}, 0.2, True, onset=0.35),
    Crease("forehead line, side", ((299, 296), (333, 334), (298, 293)), -0.2, 0.022, {"browOuterUp": 1.0}, 0.12),
    Crease("forehead line, side, higher", ((299, 299, 296), (333, 333, 334), (298, 298, 293)), -0.16, 0.022, {"browOuterUp": 1.0}, 0.12),
    Crease("nasolabial fold", ((358, 423), 426, (426, 436), 436, (432, 287)), -0.34, 0.036, _NOSE_FOLD),
    Crease("nasolabial furrow", ((358, 423), 426, (426, 436), 436), -0.34, 0.014, _NOSE_FOLD, 0.3, onset=0.35),
    Crease("raised cheek", ((280, 425),), 0.1, 0.14, {"mouthSmile": 0.8, "cheekSquint": 0.6, "noseSneer": 0.4}, 0.0),
    Crease("nose wrinkle, upper", ((168, 6), (417, 351), (465, 412)), -0.26, 0.022, {"noseSneer": 1.0, "browDown": 0.1}, 0.3, lit=_BRIDGE),
    Crease("nose wrinkle, lower", ((6, 197), (351, 419), (343, 412)), -0.26, 0.022, {"noseSneer": 1.0}, 0.3, lit=_BRIDGE),
    Crease("nose wrinkle, deep", ((168, 6, 6), (417, 351), (465, 412, 351)), -0.26, 0.02, {"noseSneer": 1.0}, 0.3, onset=0.3, lit=_BRIDGE),
    Crease("nose wing furrow", (420, 360, 358), -0.32, 0.02, {"noseSneer": 1.0, "mouthSmile": 0.2, "mouthUpperUp": 0.3}),
    Crease("crow's foot, upper", ((359, 446), (342, 353), 353), -0.2, 0.012, _SMILE_LINES, 0.4),
    Crease("crow's foot, middle", (446, 265, (265, 372)), -0.2, 0.012, _SMILE_LINES, 0.4),
    Crease("crow's foot, lower", ((261, 446), (340, 265), 345), -0.18, 0.012, _SMILE_LINES, 0.4),
    Crease("infraorbital fold", (453, 452, 451, 450, 449, 448), -0.22, 0.02, _LID_LINES, 0.4),
    Crease("corner shadow", (291,), -0.3, 0.035, _CORNER, 0.0),
    Crease("corner pit", ((287, 291),), -0.28, 0.04, {"mouthDimple": 1.0, "mouthSmile": 0.3}, 0.0),
    Crease("marionette line", ((291, 287), (273, 287), (273, 422), 424), -0.28, 0.03, {"mouthFrown": 1.0, "mouthStretch": 0.3}, 0.2),
    Crease("mentolabial fold", (421, (313, 18), 18, (83, 18), 201), -0.3, 0.035, _CHIN, 0.15, True),
    Crease("chin boss", ((200, 199),), 0.11, 0.09, {"mouthShrugLower": 1.0, "mouthFrown": 0.5, "mouthPress": 0.3}, 0.0, True),
    Crease("chin dimple", ((428, 199), (262, 428)), -0.16, 0.03, {"mouthShrugLower": 1.0, "mouthFrown": 0.5}, 0.2),
    Crease("stretched cheek", ((427, 411), (434, 416)), -0.16, 0.1, {"jawOpen": 0.8, "mouthPucker": 0.6, "mouthFunnel": 0.4}, 0.0),
    Crease("puffed cheek", ((425, 411, 427),), 0.16, 0.16, {"cheekPuff": 1.0}, 0.0),
    Crease("furrow before the puffed cheek", (426, 436, 432), -0.22, 0.03, {"cheekPuff": 1.0}, 0.0),
    Crease("shadow under the lower lip", ((17, 18),), -0.18, 0.07, {"mouthPucker": 1.0, "mouthFunnel": 0.6}, 0.0, True),
)  # fmt: skip

_SOFTER, _SHALLOWER = 0.014, 0.45
"""On the smoothest skin: by how much, in inter-ocular distances, folds are blurred, and how much of their depth they lack."""
_PRESSED, _LACKED = 0.8, 0.35
"""Of that softness, and of that lack of depth, what furrows have that strong movements press into it."""
_THIN = 0.024
"""Half-width, in inter-ocular distances, up to which a fold is a line: lines are left to those that a face has already, mostly."""
_LINE_SHARE = 0.4
"""How much of its depth a line that a face does not have yet is given."""
_SLOPE = 0.9
"""How steep the sides of a fold of depth 1 are, as a change of the normal."""
_REACH = 6.0
"""Half-widths from a fold beyond which nothing of it is seen (a thousandth of its depth)."""
_DETAIL = 0.03
"""Of the width of the window about a face: what is wider is no fold but the face's form."""
_HIDDEN = 0.75
"""The least share of a fold that must lie on skin: half a fold, beside a fringe or a rim, is none."""


def crease_maps(
    points: np.ndarray,
    places: np.ndarray,
    scale: float,
    soft: float = 0.0,
    light: np.ndarray | None = None,
    skin: np.ndarray | None = None,
    depth: float = 1.0,
    blur: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw maps of log light over a picture, and compute how the blendshapes mix them.

    Args:
        points: (478, 2) pixels of the face at rest.
        places: (M, 2) pixels at which the maps are wanted.
        scale: Pixels per inter-ocular distance.
        soft: Inter-ocular distances by which folds are blurred; what they darken stays the same on the whole.
        light: (2,) the portrait's light, see `estimate_light`; from above and in front by default.
        skin: (M,) 0..1, how much each place is bare skin; everywhere by default.
        depth: Share of their depth that folds have on this skin; those with an onset have all of it.
        blur: Inter-ocular distances by which the picture is softer than a sharp one, and folds with an onset with it.

    Returns:
        Maps (K, M) float32 of log light, and mix (52, K) float32:
        ``light = exp(saturate_depth(coefficients @ mix, crease_onsets()) @ maps)``.
    """
    light = np.array([0.0, 0.3]) if light is None else light
    maps, mix = [], []
    for crease in CREASES:
        sides = ("",) if crease.whole else ("Left", "Right")
        for side in sides:
            pressed = float(np.hypot(blur, _PRESSED * soft))
            drawn = _draw(crease, points, places, scale, side == "Right", pressed if crease.onset else soft, light)
            drawn *= 1 - _LACKED * (1 - depth) if crease.onset else depth
            maps.append(drawn if skin is None else drawn * skin * _shown(drawn, skin))
            mix.append(_mix(crease, side))
    return np.array(maps, np.float32), np.array(mix, np.float32).T


def _shown(drawn: np.ndarray, skin: np.ndarray) -> float:
    """0..1: 1 for a fold on skin, 0 for one that is hidden in good part."""
    share = float((np.abs(drawn) * skin).sum() / max(float(np.abs(drawn).sum()), 1e-9))
    return float(smoothstep(np.array((share - _HIDDEN + 0.15) / 0.3)))


def crease_onsets() -> np.ndarray:
    """Return the (K,) float32 onsets of the folds that `crease_maps` draws."""
    return np.array([crease.onset for crease in CREASES for _ in range(1 if crease.whole else 2)], np.float32)


def saturate_depth(amounts: np.ndarray, onset: np.ndarray | float = 0.0) -> np.ndarray:
    """Limit how deep folds get that several movements deepen together, by a tanh.

    Args:
        amounts: (..., K) how much the movements deepen each.
        onset: (K,) how much of it each needs to begin.

    Returns:
        (..., K) float32 depths.
    """
    begun = np.maximum(amounts - onset, 0) / (1 - np.asarray(onset, np.float32))
    return (np.float32(1.2) * np.tanh(begun / np.float32(1.2))).astype(np.float32)


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


def _draw(crease: Crease, points: np.ndarray, places: np.ndarray, scale: float, mirror: bool, soft: float, light: np.ndarray) -> np.ndarray:
    """(M,) log light of one crease at full depth."""
    path = _curve(np.array([_place(points, at, mirror) for at in crease.path]))
    width = float(np.hypot(crease.width, 1.4 * soft))  # a Gaussian's exp(-x²/w²) has w = √2 σ
    reach = _REACH * width * scale
    near = np.flatnonzero(((places > path.min(0) - reach) & (places < path.max(0) + reach)).all(1))
    light_of_all = np.zeros(len(places))
    light_of_all[near] = _profile(crease, path, places[near], width, scale, light)
    return light_of_all


def _profile(crease: Crease, path: np.ndarray, places: np.ndarray, width: float, scale: float, light: np.ndarray) -> np.ndarray:
    """(M,) log light of a crease of this half-width, in inter-ocular distances, along a path (N, 2) in pixels."""
    away, along = _to_path(places, path)
    across = np.linalg.norm(away, axis=1) / (width * scale)
    # A valley with soft sides, and skin that bulges beside it.
    profile = 0.65 * np.exp(-(across**2)) + 0.35 * np.exp(-((across / 2.2) ** 2))
    if crease.ridge:
        profile -= crease.ridge * np.exp(-(((across - 2.6) / 1.3) ** 2))
        # The side that falls away towards the bottom faces across the fold: it gains or loses by where the light comes from.
        facing = -away / (width * scale) @ (light * [1, -1])
        profile += _SLOPE * facing * np.exp(-(across**2)) * np.sign(crease.depth)
    # Folds are deepest in their middle and run out at their ends.
    ends = 1.0 if len(path) == 1 else smoothstep(np.minimum(along, 1 - along) * 2)
    share = _LINE_SHARE if crease.ridge and crease.width <= _THIN and not crease.onset else 1.0
    if crease.ridge:
        profile = np.where(profile < 0, crease.lit * profile, profile)  # of a fold's sign, so what is below 0 gains light
    return crease.depth * share * crease.width / width * profile * ends


def _place(points: np.ndarray, at: int | Sequence[int], mirror: bool) -> np.ndarray:
    ids = [at] if isinstance(at, int) else list(at)
    return points[list(topology.mirrored(ids)) if mirror else ids].mean(0)


def _curve(path: np.ndarray) -> np.ndarray:
    """(N, 2) → (4 (N − 1) + 1, 2): a smooth curve through the places of a path; skin does not fold in corners."""
    from scipy.interpolate import CubicSpline

    if len(path) < 3:
        return path
    at = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1) + 1e-6)])
    steps = np.interp(np.linspace(0, len(path) - 1, 4 * (len(path) - 1) + 1), np.arange(len(path)), at)
    curve: np.ndarray = CubicSpline(at, path, bc_type="natural")(steps)
    return curve


def _to_path(places: np.ndarray, path: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The way (M, 2) to each place from the nearest point of a path, and how far along it (0..1) that lies."""
    if len(path) == 1:
        return places - path[0], np.zeros(len(places))
    lengths = np.linalg.norm(np.diff(path, axis=0), axis=1)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    away, best, along = np.zeros((len(places), 2)), np.full(len(places), np.inf), np.zeros(len(places))
    for i, (a, b) in enumerate(pairwise(path)):
        t = np.clip((places - a) @ (b - a) / max(lengths[i] ** 2, 1e-9), 0, 1)
        way = places - a - t[:, None] * (b - a)
        distance = (way**2).sum(1)
        closer = distance < best
        away[closer], best[closer], along[closer] = way[closer], distance[closer], (starts[i] + t[closer] * lengths[i]) / starts[-1]
    return away, along


def shown_depth(maps: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Measure how deep folds are in the portrait itself.

    Args:
        maps: (K, rows, columns) log light of each fold at full depth.
        light: (rows, columns) log light of the portrait.

    Returns:
        (K,) 0..1, the least-squares share of each map in the portrait: 0 where there is no such fold, 1 where it is full.
    """
    import cv2

    def details(values: np.ndarray) -> np.ndarray:
        return values - cv2.GaussianBlur(values, (0, 0), max(_DETAIL * values.shape[1], 1))

    folds = np.stack([details(fold.astype(np.float32)) for fold in maps]).reshape(len(maps), -1)
    shares: np.ndarray = folds @ details(light.astype(np.float32)).ravel() / np.maximum((folds**2).sum(1), 1e-6)
    return np.clip(shares, 0, 1)


def crease_softness(smoothness: float, blur: float) -> tuple[float, float]:
    """Choose how the folds of a face are drawn.

    Args:
        smoothness: 0..1, see `skin_smoothness`.
        blur: Inter-ocular distances by which the picture is softer than a sharp one.

    Returns:
        The `soft` of `crease_maps`, and a factor on the depth.
    """
    return float(np.hypot(_SOFTER * smoothness, blur)), 1 - _SHALLOWER * smoothness
