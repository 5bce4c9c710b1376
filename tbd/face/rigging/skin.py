"""The skin of one face: how far it follows muscles that insert in it. Needs numpy alone."""

from collections.abc import Sequence

import numpy as np

from tbd.face import topology
from tbd.face.geometry import NUM_POINTS
from tbd.face.rigging.muscles import MusclePull, Part
from tbd.utils.tracks import smoothstep

Shape = tuple[str, np.ndarray]
"""A blendshape's name and its (478, 3) displacement at coefficient 1, in inter-ocular distances."""


class Skin:
    """The skin of one face.

    Args:
        canonical: (478, 3) float64, this face's points in its canonical frame, `FaceGeometry.canonical`.

    Attributes:
        canonical: As given.
        jaw: (478,) `jaw_weight` of the points.
        mobility: (478,) 0..1, how freely each point follows its neighbours.
    """

    def __init__(self, canonical: np.ndarray) -> None:
        self.canonical = canonical
        self.jaw = jaw_weight(canonical)
        self.mobility = _mobility()
        lateral = _laterality(canonical)
        self._parts: dict[Part, float | np.ndarray] = {
            "skin": 1.0, "lower": self.jaw, "upper": 1 - self.jaw, "inner": 1 - lateral, "outer": lateral,
        }  # fmt: skip

    def contract(self, pull: MusclePull) -> list[Shape]:
        """Contract one muscle fully.

        Args:
            pull: Its row of the table.

        Returns:
            The channels that the row moves (two where it serves each side), with their displacements.
        """
        vector = np.array(pull.towards)
        left = self.drag(pull.at, np.broadcast_to(vector, (len(pull.at), 3)), pull.reach, pull.part, pull.firm)
        if pull.span == "whole":
            return [(pull.channel, left)]
        vector = vector * [-1, 1, 1]
        mirrored = topology.mirrored(pull.at)
        right = self.drag(mirrored, np.broadcast_to(vector, (len(pull.at), 3)), pull.reach, pull.part, pull.firm)
        if pull.span == "each side":
            return [(f"{pull.channel}Left", left), (f"{pull.channel}Right", right)]
        both = left + right
        # A point on both insertions (the midline) must not be drawn twice.
        twice = np.minimum(self.falloff(pull.at, pull.reach, pull.firm), self.falloff(mirrored, pull.reach, pull.firm))
        return [(pull.channel, both / (1 + twice[:, None]))]

    def falloff(self, at: Sequence[int], reach: float, firm: float = 0.0) -> np.ndarray:
        """Weigh every point by its distance to an insertion.

        Args:
            at: Points of the insertion.
            reach: Inter-ocular distances beyond `firm` at which the weight is 0.1.
            firm: Inter-ocular distances within which the weight is 1.

        Returns:
            (478,) weights 0..1.
        """
        distance = np.linalg.norm(self.canonical[:, None] - self.canonical[list(at)], axis=-1).min(1)
        return np.exp(-2.3 * (np.maximum(distance - firm, 0) / reach) ** 2)

    def drag(self, at: Sequence[int], displacement: np.ndarray, reach: float, part: Part = "skin", firm: float = 0.0) -> np.ndarray:
        """Move some points; the skin follows, less with distance. Lids and irises stay: they have their own muscles.

        Args:
            at: The N points that are moved.
            displacement: (N, 3) how far, in inter-ocular distances.
            reach: Inter-ocular distances at which the skin follows by a tenth.
            part: The part of the skin that follows, see `MusclePull`.
            firm: Inter-ocular distances within which everything moves as one piece.

        Returns:
            (478, 3) displacement of all points.
        """
        squared = ((self.canonical[:, None] - self.canonical[list(at)]) ** 2).sum(-1)
        closeness = np.exp(-8 * squared / reach**2) + 1e-12
        follow = closeness @ displacement / closeness.sum(1, keepdims=True)
        weight = self.falloff(at, reach, firm) * self.mobility
        weight = weight * self._parts[part]
        return follow * weight[:, None]


def jaw_weight(canonical: np.ndarray) -> np.ndarray:
    """Tell how far each point hangs on the jaw.

    The lips split sharply between the corners; beyond them the cheek passes from skull to jaw, ever more slowly.

    Args:
        canonical: (478, 3) points in the canonical frame.

    Returns:
        (478,) 1 at the chin and the lower lip, 0 at the skull and the upper lip.
    """
    corners = canonical[list(topology.MOUTH_CORNERS)]
    centre, half = corners.mean(0), np.abs(corners[1, 0] - corners[0, 0]) / 2 + 1e-6
    across = np.abs(canonical[:, 0] - centre[0]) / half
    height = canonical[:, 1]
    # from just above the nose's base to below the lower lip
    high, low = canonical[2, 1] + 0.08, canonical[18, 1] - 0.02
    beyond = smoothstep((across - 0.55) / 0.85)
    above = 0.02 + beyond * max(high - centre[1] - 0.02, 0)
    below = 0.02 + beyond * max(centre[1] - low - 0.02, 0)
    weight = smoothstep((centre[1] + above - height) / (above + below))
    turn = np.clip(across, 0, 1) ** 3
    for rows, at_middle in ((topology.UPPER_LIP_ROWS, 0.03), (topology.LOWER_LIP_ROWS, 1.0)):
        lip = np.unique(rows)
        weight[lip] = at_middle + (0.4 - at_middle) * turn[lip]
    weight[list(topology.MOUTH_CORNERS)] = 0.4
    return weight


def _laterality(canonical: np.ndarray) -> np.ndarray:
    """(478,) 0 from the midline to the inner ends of the brows, 1 from their outer halves to the temples."""
    aside = np.abs(canonical[:, 0])
    inner, outer = aside[[55, 285]].mean(), aside[[53, 283]].mean()
    return smoothstep((aside - inner) / max(outer - inner, 1e-6))


def _mobility() -> np.ndarray:
    """(478,) how freely skin follows its neighbours: irises and lid edges not at all, the skin about the eyes a little."""
    mobility = np.ones(NUM_POINTS)
    for side in topology.SIDES:
        mobility[list(topology.on_side(topology.IRIS + topology.EYE_TOP + topology.EYE_BOTTOM, side))] = 0
        mobility[list(topology.on_side(topology.UPPER_LID_ROWS[0] + topology.EYE_CORNER_SKIN, side))] = 0.25
        mobility[list(topology.on_side(topology.LOWER_LID_ROWS[0], side))] = 0.25
        mobility[list(topology.on_side(topology.LOWER_LID_ROWS[1], side))] = 0.65
        mobility[list(topology.on_side(topology.UPPER_LID_ROWS[1], side))] = 0.65
    return mobility
