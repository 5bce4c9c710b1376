"""What a turn opens to view: ears and hair keep their width, jaw and neck their form, where a picture can only be stretched."""

import numpy as np

from tbd.face.render.head import limit_slope
from tbd.utils.tracks import smoothstep

_EAR, _EAR_WIDTH = 0.5, 0.45
"""How steeply what stands beside a cheek falls away, and as far out as an ear reaches (inter-ocular distances)."""
_CHEEK = 1.2
"""How steeply the far cheek of a turned head does."""
_BEHIND = 1.6
"""How steeply farther out."""
_SKULL, _HAIR, _HIDDEN_WIDTH = 0.5, 0.8, 0.6
"""How steeply hair falls away beside a forehead and beside a cheek where a turn hides it: what comes into sight behind it is more of the
same, about a round skull more than about a cheek; and as far out as that holds (inter-ocular distances)."""
_HEIGHTS = ((0.35, 0.4), (-0.45, 0.4))
"""How far over the brows a forehead begins wholly, over which height it does so, and likewise where cheeks with an ear or hair beside them
begin (inter-ocular distances)."""
_JAW, _JAW_WIDTH, _LOW = 0.5, 0.35, 0.6
"""How far the jaw's angles lie behind the chin for a nod, as a share of what the mesh says; over which width inside and outside the outline
this comes to hold (inter-ocular distances); and from which share of the lower half of the face on wholly."""
_THROAT = 0.6
"""How steeply the throat falls away from the jaw's edge for a nod."""
_TURNED = (0.12, 0.32)
"""Sine of a portrait's yaw from which on it has a far cheek, and from which on wholly."""
_ASIDE = (0.35, 0.7)
"""Direction of the outline (1 to the side) from which on it is a side, and from which on wholly."""


def opened_sides(camera: np.ndarray, outline: np.ndarray, facing: float = 0.0, brows: float = np.inf) -> np.ndarray:
    """Compute how much nearer the sides of a head are drawn while a turn opens them to view.

    Beside the cheek's outline the surface plunges. Turned to the viewer, a picture of the plunge, which is a picture of the ear, is
    stretched to two thirds more than its width, where an ear is seen to widen by a fifth or so and the head behind it comes into sight,
    which no picture from the front shows; the far cheek of a head that is turned already swells. Turned away, the plunge presses
    together what disappears, as it should; but less than the surface says: a skull is round and as wide seen from anywhere, and hair
    would be pressed into a line beside forehead and cheek.

    Args:
        camera: (rows, columns, 3) the head's surface over a grid, as `HeadVolume.camera` returns it.
        outline: (N, 2 or more) the outline of the face in the same frame.
        facing: −1..1, how far the portrait faces the right side of the picture: the sine of its yaw.
        brows: How high the brows lie, in the same frame.

    Returns:
        (2, rows, columns) float32 ≥ 0, to be added to the depth while the left side of the picture is opened to view, and the right one.
    """
    edge, depth = _Edge(camera, outline), camera[..., 2]
    plane, outside = edge.plane, np.where(edge.beyond, edge.distance, 0)
    gentle = limit_slope(depth, float(_CHEEK * np.linalg.norm(plane[0, 1] - plane[0, 0])))
    aside = edge.outwards[..., 0]
    fall = _EAR * np.minimum(outside, _EAR_WIDTH) + _BEHIND * np.maximum(outside - _EAR_WIDTH, 0)
    skull, cheek_too = (smoothstep((plane[..., 1] - brows - whole) / over + 1) for whole, over in _HEIGHTS)
    hidden_fall = (_HAIR + skull * (_SKULL - _HAIR)) * np.minimum(outside, _HIDDEN_WIDTH) + _BEHIND * np.maximum(outside - _HIDDEN_WIDTH, 0)
    sides, hidden = [], []
    for sign in (-1, 1):
        cheek = depth + smoothstep(np.array((sign * facing - _TURNED[0]) / (_TURNED[1] - _TURNED[0]), np.float32)) * (gentle - depth)
        beside = edge.read(cheek)
        raised = np.maximum(np.where(outside > 0, beside - fall, cheek) - depth, 0)
        side = smoothstep((sign * aside - _ASIDE[0]) / (_ASIDE[1] - _ASIDE[0]))
        sides.append(raised * side)
        hidden.append(np.where(outside > 0, np.maximum(beside - hidden_fall - depth, 0), 0) * side * cheek_too)
    return (np.stack(sides) + np.stack(hidden[::-1])).astype(np.float32)


def jaw_for_nods(camera: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Compute how much nearer jaw and neck are drawn where a nod moves them up or down.

    The angles of the jaw lie far behind the chin, and the surface of a portrait plunges beyond them. A nod moves what lies behind the
    eyes against the face: with the chin up the angles sank beside it, which made a broad jaw with corners, and with the chin down neck and
    shoulders rose. A neck is a column that stays where the trunk holds it.

    Args:
        camera: (rows, columns, 3) the head's surface over a grid, as `HeadVolume.camera` returns it.
        outline: (N, 2 or more) the outline of the face in the same frame.

    Returns:
        (rows, columns) float32 ≥ 0, to be added to the depth for what goes up and down.
    """
    edge, depth = _Edge(camera, outline), camera[..., 2]
    at_edge, chin = edge.read(depth), outline[outline[:, 1].argmin()]
    low = smoothstep((edge.middle[1] - edge.places[..., 1]) / (_LOW * (edge.middle[1] - chin[1])))
    deepest = chin[2] + _JAW * (at_edge - chin[2])
    inside = np.maximum(deepest - at_edge, 0) * (1 - smoothstep(edge.distance / _JAW_WIDTH))
    outside = np.maximum(deepest - _THROAT * np.minimum(edge.distance, _JAW_WIDTH) - depth, 0)
    return (low * np.where(edge.beyond, outside, inside)).astype(np.float32)


class _Edge:
    """The outline of a face as it is seen from each place of a grid.

    Args:
        camera: (rows, columns, 3) the head's surface over a grid.
        outline: (N, 2 or more) the outline of the face in the same frame.

    Attributes:
        plane: (rows, columns, 2) float32, the grid's places.
        places: (rows, columns, 2) the nearest points of the outline to these.
        middle: (2,) of the outline.
        outwards: (rows, columns, 2) unit vectors from the middle to `places`.
        distance: (rows, columns) from the outline.
        beyond: (rows, columns) bool, outside of it.
    """

    def __init__(self, camera: np.ndarray, outline: np.ndarray) -> None:
        self.plane, self.middle = camera[..., :2].astype(np.float32), outline[:, :2].mean(0)
        self.places = _nearest_on(outline[:, :2].astype(np.float32), self.plane.reshape(-1, 2)).reshape(self.plane.shape)
        from_middle, away = self.places - self.middle, self.plane - self.places
        self.outwards = from_middle / np.linalg.norm(from_middle, axis=-1, keepdims=True)
        self.distance, self.beyond = np.linalg.norm(away, axis=-1), (away * from_middle).sum(-1) > 0
        size = np.maximum(np.array(self.plane.shape[1::-1]) - 1, 1)
        step = np.maximum(np.abs(self.plane[-1, -1] - self.plane[0, 0]), 1e-6) / size
        self._column, self._row = ((self.places - self.plane[0, 0]) * [1, -1] / step).astype(np.float32).transpose(2, 0, 1)

    def read(self, depth: np.ndarray) -> np.ndarray:
        """Return (rows, columns) float32, what (rows, columns) values over the grid are at the nearest points of the outline."""
        import cv2

        found: np.ndarray = cv2.remap(depth.astype(np.float32), self._column, self._row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return found


def _nearest_on(outline: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(M, 2) the nearest points of a closed outline (N, 2) to places (M, 2)."""
    best, found = np.full(len(places), np.inf, np.float32), np.zeros_like(places)
    for start, end in zip(outline, np.roll(outline, -1, 0)):
        way = end - start
        share = np.clip((places - start) @ way / max(float(way @ way), 1e-9), 0, 1)[:, None]
        point = start + share * way
        distance = ((places - point) ** 2).sum(1)
        closer = distance < best
        best[closer], found[closer] = distance[closer], point[closer]
    return found
