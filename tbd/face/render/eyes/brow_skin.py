"""`BrowSkin`: the skin between a brow and its lid, which gives way where it is plain when the brow rises.

A mesh stretches all of it evenly: lashes, made-up lids, the shade of a hood and the lower half of the brow become long smears. In film a
brow goes up as one piece, what stands on the lid stays with the lid, and the fold between them opens.
"""

import numpy as np

from tbd.face import topology
from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import FaceGeometry
from tbd.face.render.eyes.lids import lid_curves
from tbd.face.render.grid import sample
from tbd.utils.tracks import smoothstep

RAISED = tuple(BLENDSHAPES.index(name) for name in ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"))
"""The modes that raise brows."""
BROW_LOWER, BROW_UPPER = (46, 53, 52, 65, 55), (70, 63, 105, 66, 107)
"""Rows of the brow of the subject's right side, from the temple to the nose."""
_REACH, _TOWARDS_NOSE, _FADE = 2.2, 1.75, 0.5
"""Half-widths of the eye, from its middle, as far as the skin is followed, at the temple and towards the nose, and over how many of them
that ends."""
_PLACES, _HEIGHTS = 89, 48
"""Places along an eye, and heights from the lid to the brow, at which the skin is looked at."""
_LEAST_ROOM = 0.04
"""Inter-ocular distances from a lid to its brow at least."""
_LASHES = 0.035
"""Inter-ocular distances over the lid's edge that go with the lid: lashes and liner."""
_FINE = 0.008
"""Inter-ocular distances (standard deviation) over which the skin is averaged before it is looked at."""
_ROUGH = 1.6
"""Change of log light in an inter-ocular distance from which on skin is taken for marked, and is hardly stretched."""
_FIRM = 0.015
"""How much the firmest skin gives way, as a share of the plainest."""
_BRIGHT = 0.12
"""Log light by which skin that gives way less by e is darker than the plainest beside it."""
_HAIR, _OFF = 0.025, 0.1
"""Inter-ocular distances from the middle of a brow to its lower edge, and by which a brow usually lies off its mesh at most."""
_SMOOTH, _SMOOTH_HAIR = (0.011, 0.16), 0.24
"""Inter-ocular distances upwards and half-widths of the eye along, over which its giving way is smooth; half-widths over which the
brow's middle is."""


class BrowSkin:
    """The skin between one brow and its eye.

    Args:
        face: The portrait.
        side: The subject's own.
    """

    def __init__(self, face: FaceGeometry, side: topology.Side) -> None:
        points = face.points[:, :2].astype(np.float64)
        top, bottom, low, high = (
            points[list(topology.on_side(ids, side))] for ids in (topology.EYE_TOP, topology.EYE_BOTTOM, BROW_LOWER, BROW_UPPER)
        )
        curves = lid_curves(top, bottom)
        self._middle, self._axis, self._half = curves.middle, curves.axis, curves.half
        self._down = np.array([-curves.axis[1], curves.axis[0]])
        self._scale, self._inwards = face.scale, -topology.outwards(side)
        self._along = np.linspace(-_REACH, _REACH, _PLACES)
        at_lid = np.linspace(-curves.half - 2, curves.half + 2, curves.heights.shape[1])
        self._lid = np.interp(self._along * curves.half, at_lid, curves.heights[0])
        self._brow = np.minimum(self._rail((low + high) / 2), self._lid - _LEAST_ROOM * face.scale)
        self._profile = self._give_way(face.image)

    def _rail(self, contour: np.ndarray) -> np.ndarray:
        """(_PLACES,) pixels below the line between the eye's corners at which a row of the mesh lies; beyond its ends it runs on level."""
        across, down = (contour - self._middle) @ self._axis, (contour - self._middle) @ self._down
        order = np.argsort(across)
        return np.interp(self._along * self._half, across[order], down[order])

    def _pixels(self, along: np.ndarray, down: np.ndarray) -> np.ndarray:
        """(..., 2) pixels at places along the eye (half-widths) and below the line between its corners (pixels)."""
        return self._middle + (along * self._half)[..., None] * self._axis + down[..., None] * self._down

    def _give_way(self, image: np.ndarray) -> np.ndarray:
        """(_HEIGHTS, _PLACES) 0..1: which share of the brow's way each height goes, 0 at the lid and 1 in the brow."""
        from scipy.ndimage import gaussian_filter

        share, room = np.linspace(0, 1, _HEIGHTS)[:, None], (self._lid - self._brow) / self._scale
        light, height = self._log_light(image, share), share * room
        rough = np.abs(np.gradient(light, axis=0)) * (_HEIGHTS - 1) / room
        free = smoothstep(height / _LASHES) * smoothstep((_hair_height(light, room) - height) / _HAIR - 0.5)
        brightest = np.where(free > 0.3, light, -np.inf).max(0, initial=float(light.min()))
        giving = _FIRM + free * np.exp(np.minimum(light - brightest, 0) / _BRIGHT) / (1 + (rough / _ROUGH) ** 2)
        smooth = _SMOOTH[0] / float(np.median(room)) * _HEIGHTS, _SMOOTH[1] / (2 * _REACH) * _PLACES
        giving = gaussian_filter(giving, smooth, mode="nearest")
        way = np.concatenate([np.zeros((1, _PLACES)), np.cumsum((giving[1:] + giving[:-1]) / 2, 0)])
        shares: np.ndarray = way / way[-1]
        return shares

    def _log_light(self, image: np.ndarray, share: np.ndarray) -> np.ndarray:
        """(_HEIGHTS, _PLACES) log light from the lid to the brow."""
        import cv2

        grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (0, 0), max(_FINE * self._scale, 0.6)).astype(np.float32)
        along = np.broadcast_to(self._along, (_HEIGHTS, _PLACES))
        places = self._pixels(along, self._lid + share * (self._brow - self._lid)).astype(np.float32)
        return np.log(sample(grey, places, cv2.BORDER_REPLICATE) + 12)

    def place(self, pixels: np.ndarray) -> tuple[np.ndarray, ...]:
        """Tell where pixels lie between the lid and the brow.

        Args:
            pixels: (..., 2) pixels (x, y).

        Returns:
            (...) which share of the brow's way each goes, (...) 0..1 how far that holds, and (..., 2) the pixels on the lid's edge and
            in the brow between which each lies.
        """
        import cv2

        off = pixels - self._middle
        along, down = off @ self._axis / self._half, off @ self._down
        at = (along + _REACH) / (2 * _REACH) * (_PLACES - 1)
        lid, brow = (np.interp(at, np.arange(_PLACES), rail) for rail in (self._lid, self._brow))
        share = (lid - down) / (lid - brow)
        end = np.where(along * self._inwards > 0, _TOWARDS_NOSE, _REACH)
        holds = smoothstep((end - np.abs(along)) / _FADE) * ((share > 0) & (share < 1))
        table = np.stack([at, np.clip(share, 0, 1) * (_HEIGHTS - 1)], -1).astype(np.float32)
        goes = sample(self._profile.astype(np.float32), table.reshape(1, -1, 2), cv2.BORDER_REPLICATE).reshape(at.shape)
        return goes, holds, self._pixels(along, lid), self._pixels(along, brow)


def _hair_height(light: np.ndarray, room: np.ndarray) -> np.ndarray:
    """(_PLACES,) inter-ocular distances over the lid at which the brow is darkest: a mesh often lies above it."""
    from scipy.ndimage import gaussian_filter1d

    share = np.linspace(0, 1, _HEIGHTS)[:, None]
    likely = np.where(share < 0.4, -np.inf, -light - 0.5 * ((1 - share) * room / _OFF) ** 2)
    height: np.ndarray = gaussian_filter1d(share[likely.argmax(0), 0] * room, _SMOOTH_HAIR / (2 * _REACH) * _PLACES, mode="nearest")
    return height
