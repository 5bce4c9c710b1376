"""Glasses: whether a portrait wears them, and where their rims are, which go with the skull and not with the skin.

A lens is edged all round: from the middle of each eye, a closed path is sought that crosses the strongest edges (dynamic programming over
angles, as for active contours; Amini et al. 1990). Brows, bags and hair edge an eye on some sides; rims do so on all of them, on both
eyes alike, and a bridge joins them.
"""

from dataclasses import dataclass

import numpy as np

from tbd.face import topology
from tbd.face.geometry import LEFT_CORNER, RIGHT_CORNER, FaceGeometry
from tbd.utils.tracks import smoothstep

_ANGLES = 72
_RADII = np.arange(0.13, 0.42, 0.008)
"""Inter-ocular distances from the middle of an eye, upwards and downwards."""
_WIDER = 1.25
"""How much wider than high lenses are."""
_BEND = 2
"""Steps of radius by which a rim may change from one angle to the next."""


_LEAST_RIM = 0.15
"""Strength of rims times strength of the bridge over the skin's own contrast from which on there are glasses. Chosen on 57 portraits and
stills of 127 people: 16 of 23 who wear glasses are found (the others are rimless, thin or blurred), and 1 of 161 who wear none."""
_PLAIN = 0.01
"""Contrast that the smoothest skin counts as."""
_DARK = 0.8
"""Log light that tinted lenses take from the skin about the eyes."""
_RIGID, _GIVES = 0.035, 0.13
"""Inter-ocular distances from a rim within which nothing moves by itself, and over which skin comes to move freely."""


@dataclass(frozen=True)
class Glasses:
    """The glasses of a portrait.

    Args:
        rims: (2, N, 2) pixels (x, y) along the rims about the subject's right and left eye.
        temples: (2, 2, 2) pixels, where each arm leaves its rim and where it passes the temple.
        tinted: Whether the lenses are so dark that the eyes behind them are not to be drawn.
    """

    rims: np.ndarray
    temples: np.ndarray
    tinted: bool

    def stiffness(self, image: np.ndarray, scale: float) -> np.ndarray:
        """Compute how far each pixel is held by the glasses.

        Args:
            image: (H, W, 3), the picture.
            scale: Pixels per inter-ocular distance.

        Returns:
            (H, W) float32: 1 on rims, bridge and arms, which move with the skull alone, falling to 0.
        """
        import cv2

        free = np.ones(image.shape[:2], np.uint8)
        right, left = (rim.round().astype(np.int32) for rim in self.rims)
        inner = np.linalg.norm(self.rims[0][:, None] - self.rims[1][None], axis=-1)
        nearest = np.unravel_index(inner.argmin(), inner.shape)
        cv2.polylines(free, [right, left], True, (0,), max(round(0.02 * scale), 1))
        cv2.polylines(free, [np.stack([right[nearest[0]], left[nearest[1]]])], False, (0,), max(round(0.02 * scale), 1))
        cv2.polylines(free, list(self.temples.round().astype(np.int32)), False, (0,), max(round(0.02 * scale), 1))
        distance = cv2.distanceTransform(free, cv2.DIST_L2, 5) / scale
        return (1 - smoothstep((distance - _RIGID) / _GIVES)).astype(np.float32)

    def lenses(self, places: np.ndarray) -> np.ndarray:
        """Tell which pixels (rows, columns, 2) lie on a lens or its rim.

        Args:
            places: (rows, columns, 2) pixels (x, y).

        Returns:
            (2, rows, columns) bool, for the subject's right and left eye.
        """
        inside = []
        for rim in self.rims:
            middle = rim.mean(0)
            angle = np.arctan2(*(rim - middle).T[::-1])
            order = np.argsort(angle)
            reach = np.linalg.norm(rim - middle, axis=1)[order]
            off = places - middle
            limit = np.interp(np.arctan2(off[..., 1], off[..., 0]), angle[order], reach, period=2 * np.pi)
            inside.append(np.linalg.norm(off, axis=-1) < 1.12 * limit)
        return np.array(inside)


def find_glasses(face: FaceGeometry) -> Glasses | None:
    """Find the glasses that a portrait wears.

    Args:
        face: The portrait.

    Returns:
        The glasses, or None where there are none, or none that can be told (rimless ones, a blurred picture).
    """
    found, rims = _search(face)
    if found["rim"] * found["bridge"] < _LEAST_RIM * (found["skin"] + _PLAIN):
        return None
    outer = []
    for rim, temple in zip(rims, ((127, 162), (356, 389))):
        at = face.points[list(temple), :2].mean(0)  # arms run to the tops of the ears
        outer.append([rim[np.linalg.norm(rim - at, axis=1).argmin()], at])
    return Glasses(rims, np.array(outer), found["dark"] > _DARK)


def measure_rims(face: FaceGeometry) -> dict[str, float]:
    """Measure what speaks for glasses; see `find_glasses`.

    Args:
        face: The portrait.

    Returns:
        Strengths of edges in levels of log light: ``rim``, all round both eyes; ``bridge``; ``skin``, of the face
            elsewhere; and ``dark``, what the lenses take from the skin behind them.
    """
    return _search(face)[0]


def _search(face: FaceGeometry) -> tuple[dict[str, float], np.ndarray]:
    import cv2

    scale = face.scale
    grey = cv2.cvtColor(face.image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    light = np.log(cv2.GaussianBlur(grey, (0, 0), max(0.008 * scale, 0.5)) + 12)
    points = face.points[:, :2].astype(np.float64)
    axis = points[LEFT_CORNER] - points[RIGHT_CORNER]
    axis /= np.linalg.norm(axis)
    down = np.array([-axis[1], axis[0]])
    rims, weakest, dark = [], [], []
    for side in topology.SIDES:
        lids = points[list(topology.on_side(topology.EYE_TOP + topology.EYE_BOTTOM, side))]
        near = np.ptp(lids @ axis) / max(0.36 * scale, 1e-6)  # the far eye of a turned head is narrow, and so is its lens
        middle = lids.mean(0) + 0.03 * scale * down
        angle = np.arange(_ANGLES) / _ANGLES * 2 * np.pi
        ray = np.cos(angle)[:, None] * axis * _WIDER * np.clip(near, 0.6, 1.1) + np.sin(angle)[:, None] * down
        places = middle + _RADII[None, :, None] * scale * ray[:, None]
        seen = _at(light, places)
        edges = np.abs(np.gradient(seen, axis=1))
        edges = cv2.GaussianBlur(edges.astype(np.float32), (0, 0), sigmaX=1.2, sigmaY=0.8, borderType=cv2.BORDER_REPLICATE)
        path = _closed_path(np.minimum(edges, np.quantile(edges, 0.97)))
        strength = edges[np.arange(_ANGLES), path]
        lower = np.sin(angle) > -0.3
        weakest.append(float(np.quantile(strength[lower], 0.25)))
        rim = places[np.arange(_ANGLES), path]
        rims.append(rim)
        # Skin behind the lens, against the cheek below it: halfway between the eye and the rim, where it is no brow.
        behind = _at(light, middle + 0.7 * (rim[lower] - middle))
        dark.append(float(np.median(_at(light, points[[50, 280, 205, 425]])) - np.median(behind)))
    skin = [_texture(light, points[i], 0.1 * scale) for i in (50, 280, 205, 425, 151)]
    found = {"rim": min(weakest), "dark": min(dark), "bridge": _bridge(light, points, axis, down, scale), "skin": float(np.median(skin))}
    return found, np.array(rims)


def _closed_path(edges: np.ndarray) -> np.ndarray:
    """(A,) the column of each row along the closed path of the strongest edges."""
    twice = np.concatenate([edges, edges, edges])
    best, back = twice[0].copy(), np.zeros(twice.shape, int)
    columns = np.arange(edges.shape[1])
    for row in range(1, len(twice)):
        steps = []
        for step in range(-_BEND, _BEND + 1):
            previous = columns + step
            value = np.where((previous >= 0) & (previous < len(columns)), best[np.clip(previous, 0, len(columns) - 1)], -np.inf)
            steps.append(value - 0.02 * edges.mean() * abs(step))
        choice = np.argmax(steps, 0)
        back[row] = columns + choice - _BEND
        best = np.max(steps, 0) + twice[row]
    path = [int(np.argmax(best))]
    for row in range(len(twice) - 1, 0, -1):
        path.append(int(np.clip(back[row, path[-1]], 0, len(columns) - 1)))
    return np.array(path[::-1])[len(edges) : 2 * len(edges)]


def _bridge(light: np.ndarray, points: np.ndarray, axis: np.ndarray, down: np.ndarray, scale: float) -> float:
    """The strongest edge that runs across the root of the nose."""
    root = points[168]
    across, along = np.linspace(-0.045, 0.045, 10), np.arange(-0.06, 0.17, 0.008)
    places = root + scale * (across[None, :, None] * axis + along[:, None, None] * down)
    profile = _at(light, places)
    edges = np.gradient(profile, axis=0)
    # Edges of a bridge run all the way across; those of brows and shadows do not.
    return float(np.abs(np.sort(edges, 1)[:, 2:-2].mean(1)).max())


def _texture(light: np.ndarray, at: np.ndarray, reach: float) -> float:
    """The usual change of light over 0.008 inter-ocular distances in a patch of skin."""
    grid = np.linspace(-1, 1, 25) * reach
    patch = _at(light, at + np.stack(np.meshgrid(grid, grid), -1))
    return float(np.abs(np.gradient(patch, axis=0)).mean())


def _at(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The values at pixels (..., 2), those outside brought to the picture's edge."""
    import cv2

    flat = places.reshape(-1, places.shape[-2], 2).astype(np.float32)
    # OpenCV's stubs do not know that both coordinates may come in one array.
    seen = cv2.remap(values, flat, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(seen).reshape(places.shape[:-1])
