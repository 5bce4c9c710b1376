"""The mouth of a portrait: the lower lip under the upper one, and what shows between them."""

import numpy as np

from tbd.face import topology
from tbd.face.geometry import FaceGeometry
from tbd.face.render.contour import Opening, affine_from_points, blend, edge_ramp, warp_texture
from tbd.face.render.mouth.dental_arch import RigidFrame, upper_arch
from tbd.face.render.mouth.interior import BEHIND, MouthInterior, arch_resolution
from tbd.face.render.mouth.lips import LipAperture, lip_coverage
from tbd.face.render.mouth.open_mouth import OwnTeeth, find_lip_edges, find_teeth, mirror_lips, tooth_likeness
from tbd.face.render.mouth.palette import Palette
from tbd.face.render.mouth.seam import LipSeam
from tbd.utils.tracks import smoothstep

OPEN_AT_REST, WIDE_AT_REST = 0.045, 0.09
"""Inter-ocular distances between the lips from which on a portrait's mouth counts as open: where it shows teeth, and in any case."""
SOFT = 0.016
"""Width of the lips' edges, in inter-ocular distances."""
_EDGE, _LEAST_EDGE = 0.45, 0.65
"""Standard deviation of an edge's blur, in its widths, and at least, in pixels."""
_SEAM_WIDTH, _SEAM_DEPTH = 0.012, 0.35
"""The shadow between closed lips: inter-ocular distances, and how much of the light it takes."""
_RIM = 0.018
"""Width of the edge in which lips and what they open upon mix, in inter-ocular distances."""
_RAISED = 0.09
"""The most that teeth may stand higher or lower than usual."""
_SEAM_DROP = 0.012
"""Lips that are open in the portrait would meet at most so far below its upper lip, in inter-ocular distances."""


class Mouth:
    """The mouth of a portrait.

    Args:
        face: The portrait.
        pixels: (rows, columns) slices of the picture, the window that it may move in.
        blur: Pixels (standard deviation) by which the portrait's edges are softer than a sharp one's.

    Attributes:
        aperture: The opening between the lips.
        open_at_rest: Whether the portrait's mouth is open.
        lips: Of such a mouth, two windows (h, w, 3) uint8 with the upper and the lower lip alone.
        anchors: (4, 3) float64 canonical points that turn with the skull: where the lips' seam meets the incisors, and one
            inter-ocular distance to the image's right of it, above it and before it.
    """

    def __init__(self, face: FaceGeometry, pixels: tuple[slice, slice], blur: float = 0.0) -> None:
        self._face, self._blur = face, blur
        self.aperture = LipAperture(topology.LIP_TOP, topology.LIP_BOTTOM, pixels)
        self._soft = max(SOFT * face.scale, 0.9)
        self._edge_blur = float(np.hypot(max(_EDGE * self._soft, _LEAST_EDGE), blur))
        rest = face.points[:, :2].astype(np.float64)
        top, bottom = rest[list(topology.LIP_TOP)], rest[list(topology.LIP_BOTTOM)]
        self._gap = ((bottom - top) @ _downwards(bottom)).max()
        wide, parted = self._gap > WIDE_AT_REST * face.scale, self._gap > OPEN_AT_REST * face.scale
        self.open_at_rest = bool(wide or (parted and _shows_teeth(face, top, bottom)))
        upper, lower = face.canonical[[13, 14]].astype(np.float64)
        middle = face.canonical[list(topology.MOUTH_CORNERS), 0].mean()
        seam = upper[1] - min((upper[1] - lower[1]) / 2, _SEAM_DROP)
        self.anchors: np.ndarray = np.array([middle, seam, upper[2] - BEHIND]) + np.vstack([np.zeros(3), np.eye(3)])
        self.lips: tuple[np.ndarray, np.ndarray] | None = None
        self._seam: LipSeam | None = None
        self._image = face.image[pixels]
        self._palette = Palette.of(face)
        self._grain = self._palette.grain(self._image.shape[:2])
        if self.open_at_rest:
            self._prepare_open(top, bottom)
        else:
            self._ease = (bottom - top) / 2, (top - bottom) / 2
            self._seam = LipSeam(self._image, self.aperture.open(top + self._ease[0], bottom + self._ease[1]), face.scale)
            self._interior = MouthInterior(face, self._palette, blur)

    def _prepare_open(self, top: np.ndarray, bottom: np.ndarray) -> None:
        """Look at a mouth that is open in the portrait: its edges, lips and teeth."""
        face, (rows, columns) = self._face, self.aperture.pixels
        self._ease = find_lip_edges(self._image, self.aperture, top, bottom, face.scale)
        top, bottom = top + self._ease[0], bottom + self._ease[1]
        self._gap = float(((bottom - top) @ _downwards(bottom)).max())
        opening = self.aperture.open(top, bottom)
        edge = float(np.hypot(max(_RIM * face.scale, 1.0), 2 * self._blur))
        self.lips = mirror_lips(self._image, opening, face.scale, edge)
        inside = np.minimum(opening.above, opening.below) > 0
        full = float(np.percentile(MouthInterior(face, self._palette).shade(opening)[inside].mean(-1), 90))
        self._interior = MouthInterior(face, self._palette, self._blur, full=full)
        skull = RigidFrame.of(face.project(self.anchors)[:, :2])

        shade = self._interior.shade(opening)

        def look(raised: float) -> OwnTeeth | None:
            arch = upper_arch(arch_resolution(face.scale), raised)
            return find_teeth(self._image, opening, arch, skull, (columns.start, rows.start), _lips(face), shade)

        first = look(0.0)
        raised = 0.0 if first is None else float(np.clip(first.raised, -_RAISED, _RAISED))
        own = look(raised)  # on a row that stands where this one stands
        if own is None:
            return
        self._palette.tooth = np.median(own.colour[own.share > 0.5], 0)
        self._interior = MouthInterior(face, self._palette, self._blur, own=own, raised=raised, full=full)

    def draw(
        self,
        frame: np.ndarray,
        moved: np.ndarray,
        skull: np.ndarray,
        jaw: np.ndarray,
        lower: np.ndarray,
        protruded: float = 0.0,
        moving: float = 1.0,
    ) -> None:
        """Draw the lower lip and the inside of the mouth into a frame that shows the skin above them.

        Args:
            frame: (h, w, 3) uint8 RGB, the window of the frame, changed in place.
            moved: (478, 2) the mesh of this frame in pixels of the picture.
            skull: (4, 2) pixels of the picture where `anchors` are in this frame as parts of the skull.
            jaw: The same as parts of the jaw.
            lower: (h, w, 3) uint8 RGB, the skin below the lips.
            protruded: How far the lips stand out beyond their rest, in inter-ocular distances; negative where a smile draws their
                corners back.
            moving: 0..1, whether the lips have left their rest, in which a mouth that is open in the portrait shows its own inside.
        """
        top, bottom = moved[self.aperture.top] + self._ease[0], moved[self.aperture.bottom] + self._ease[1]
        opening = self.aperture.open(top, bottom)
        # Where the lips overlap, each covers half; where they part, the split hides under the inside of the mouth.
        split = (opening.above - opening.below) / np.float32(1.2 * edge_ramp(self._soft, self._blur)) + np.float32(0.5)
        blend(frame, lower, np.clip(split, 0, 1))
        if self._seam is not None:
            self._seam.light(frame, opening)
        if self.open_at_rest:
            parted = float(np.clip(((bottom - top) @ _downwards(bottom)).max() / self._gap, 0, 1))
            if parted < 1:
                self._draw_seam(frame, opening, 1 - parted)
        box = self._box(top, bottom)
        near = opening.within(box)
        cover = lip_coverage(near, self._edge_blur)
        if cover.any():
            rows, columns = (slice(edge.start + part.start, edge.start + part.stop) for edge, part in zip(self.aperture.pixels, box))
            x, y = np.arange(columns.start, columns.stop)[None], np.arange(rows.start, rows.stop)[:, None]
            inside = self._interior.draw(near, RigidFrame.of(skull), RigidFrame.of(jaw), x, y, protruded)
            inside = self._palette.add_grain(inside, self._grain[box])
            if self.open_at_rest and moving < 1:
                turn = affine_from_points(self._face.project(self.anchors[:3])[:, :2], skull[:3])
                photograph = warp_texture(self._image.astype(np.float32), turn, self.aperture.pixels, box)
                inside = photograph + np.float32(moving) * (inside - photograph)
            blend(frame[box], inside, cover)

    def _box(self, top: np.ndarray, bottom: np.ndarray) -> tuple[slice, slice]:
        """The part of the window that the inside and its soft edge may reach."""
        reach = 3 * self._edge_blur
        return self.aperture.box(np.concatenate([top - reach, top + reach]), np.concatenate([bottom - reach, bottom + reach]))

    def _draw_seam(self, frame: np.ndarray, opening: Opening, closed: float) -> None:
        """The shadow where lips meet, which a portrait with an open mouth has no pixels of."""
        sharp = _SEAM_WIDTH * self._face.scale
        width = np.hypot(sharp, 2**0.5 * self._blur)
        across = (opening.above - opening.below) / np.float32(2 * width)
        ends = smoothstep((1 - np.abs(opening.along) / np.float32(opening.half)) / 0.15)
        shadow = np.float32(_SEAM_DEPTH * closed * sharp / width) * np.exp(-(across**2)) * ends
        blend(frame, np.broadcast_to(self._palette.depth, frame.shape), shadow)


def _lips(face: FaceGeometry) -> np.ndarray:
    """(N, 3) colours of both lips."""
    rows = np.array(topology.UPPER_LIP_ROWS[1:3] + topology.LOWER_LIP_ROWS[1:3])[:, 2:-2]
    x, y = np.clip(np.round(face.points[rows.ravel(), :2]).astype(int), 0, np.array(face.image.shape[1::-1]) - 1).T
    return face.image[y, x]


def _shows_teeth(face: FaceGeometry, top: np.ndarray, bottom: np.ndarray) -> bool:
    """Whether teeth show between the lips: a small gap without teeth is as good as closed."""
    import cv2

    mask = np.zeros(face.image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(np.concatenate([top, bottom[::-1]])).astype(np.int32)], (1,))
    return tooth_likeness(face.image, mask > 0, _lips(face)) is not None


def _downwards(contour: np.ndarray) -> np.ndarray:
    """(2,) the direction across a contour (N, 2) from corner to corner, towards the chin."""
    axis = contour[-1] - contour[0]
    return np.array([-axis[1], axis[0]]) / max(np.linalg.norm(axis), 1e-6)
