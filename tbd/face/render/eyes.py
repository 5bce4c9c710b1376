"""The eyeball under the lids: its iris turns, and what the lids hid is painted in the colours of what they show."""

import numpy as np

from tbd.face import topology
from tbd.face.geometry import FaceGeometry
from tbd.face.render.contour import Aperture, Opening, affine_from_points, aperture_coverage, blend, edge_ramp, warp_texture

LASHES = 0.016
"""Inter-ocular distances below the mesh's contour that still belong to the upper lid: its lashes go along with it."""
SOFT = 0.014
"""Width of the lids' edges, in inter-ocular distances."""
_REACH = (0.16, 0.3)
"""Half the window's size about an eye beyond its corners, in inter-ocular distances, and room for the head to move."""


class Eye:
    """One eye of a portrait.

    Args:
        face: The portrait.
        side: The subject's own.
        pixels: (rows, columns) slices of the picture, the window that it may move in.
        blur: Pixels (standard deviation) by which the portrait's edges are softer than a sharp one's.

    Attributes:
        aperture: The opening between the lids.
    """

    def __init__(self, face: FaceGeometry, side: topology.Side, pixels: tuple[slice, slice], blur: float = 0.0) -> None:
        self._iris = list(topology.on_side(topology.IRIS, side))
        self._face, self._rest = face, face.points[:, :2].astype(np.float64)
        self.aperture = Aperture(topology.on_side(topology.EYE_TOP, side), topology.on_side(topology.EYE_BOTTOM, side), pixels)
        self._open = max(self._gap(self._rest[self.aperture.top], self._rest[self.aperture.bottom]), 1e-3)
        self._soft, self._lash, self._blur = max(SOFT * face.scale, 0.8), LASHES * face.scale, blur
        corners = face.canonical[[self.aperture.top[0], self.aperture.top[-1]]]
        middle = face.canonical[self._iris].mean(0)
        middle[2] = corners[:, 2].mean()
        self._anchors = middle + np.array([[0, 0, 0], [0.2, 0, 0], [0, 0.2, 0]], np.float32)
        self._white, self._coloured = self._paint()

    def _paint(self) -> tuple[np.ndarray, np.ndarray]:
        """The white (h, w, 3) and the iris (h, w, 4, colour times alpha and alpha), float32, over the window."""
        rows, columns = self.aperture.pixels
        image = self._face.image[rows, columns].astype(np.float32)
        opening = self.aperture.open(self._rest[self.aperture.top], self._rest[self.aperture.bottom])
        above = self._below_lashes(opening)
        beyond = (edge_ramp(self._soft, self._blur) - self._soft) / 2  # a blurred edge shows the eye outside its contour, too
        shown = (above > -beyond) & (opening.below > -beyond)
        inside = (above > self._soft * 0.5) & (opening.below > self._soft * 0.5)
        ring = self._rest[self._iris]
        centre, radius = ring[0], 1.04 * float(np.linalg.norm(ring[1:] - ring[0], axis=1).mean())
        y, x = np.mgrid[rows, columns].astype(np.float32)
        distance = np.hypot(x - centre[0], y - centre[1])
        disc = np.clip((radius + 0.5 * self._soft - distance) / (1.2 * self._soft) + 0.5, 0, 1)
        white = _fill_white(image, inside & (distance > radius + self._soft), opening.half)
        full = _fill_iris(image, inside, distance, radius)
        sharp = np.where((shown & (disc > 0))[..., None], image, disc[..., None] * full + (1 - disc[..., None]) * white)
        # Outside the iris the white shows the portrait's own pixels (veins, corners), where they can be seen.
        white = np.where((shown & (disc <= 0))[..., None], image, white)
        alpha = disc[..., None]
        coloured = np.where(alpha > 0, sharp - (1 - alpha) * white, 0)
        return white, np.concatenate([coloured, alpha], -1).astype(np.float32)

    def draw(self, frame: np.ndarray, moved: np.ndarray, skull: np.ndarray, lower: np.ndarray) -> None:
        """Draw the lower lid and the eyeball into a frame that shows the skin of the upper lid.

        Args:
            frame: (h, w, 3) uint8 RGB, the window of the frame, changed in place.
            moved: (478, 2) the mesh of this frame in pixels of the picture.
            skull: (3, 2) pixels of the picture where `anchors` are in this frame: they turn with the skull.
            lower: (h, w, 3) uint8 RGB, the skin of the lower lid.
        """
        top, bottom = moved[self.aperture.top], moved[self.aperture.bottom]
        opening = self.aperture.open(top, bottom)
        # What lies between the lashes is the eye itself: a closing lid must not take it along.
        above = self._below_lashes(opening, np.clip(self._gap(top, bottom) / self._open, 0, 1))
        # The upper lid lies over the lower one; below its lashes comes the eyeball, then the lower lid.
        blend(frame, lower, np.clip(above / np.float32(edge_ramp(self._soft, self._blur)) + np.float32(0.5), 0, 1))
        box = self.aperture.box(top, bottom)
        cover = aperture_coverage(above[box], opening.below[box], self._soft, self._blur)
        if cover.any():
            blend(frame[box], self._eyeball(moved, skull, box), cover)

    @staticmethod
    def _gap(top: np.ndarray, bottom: np.ndarray) -> float:
        """Pixels between the middles of the lids; negative where they overlap."""
        middle, down = len(top) // 2, np.array([top[0, 1] - top[-1, 1], top[-1, 0] - top[0, 0]])
        down = down * (1 if down[1] > 0 else -1) / max(float(np.linalg.norm(down)), 1e-6)
        return float((bottom[middle] - top[middle]) @ down)

    def _below_lashes(self, opening: Opening, openness: float = 1.0) -> np.ndarray:
        """(h, w) pixels below the edge of the upper lid with its lashes."""
        return opening.above - np.float32(self._lash * openness) * np.clip(1 - (opening.along / np.float32(opening.half)) ** 2, 0, 1)

    def _eyeball(self, moved: np.ndarray, skull: np.ndarray, box: tuple[slice, slice]) -> np.ndarray:
        """(h, w, 3) float32: the eyeball as it would be seen without lids, over a part of the window."""
        rest = self._face.project(self._anchors)[:, :2]
        turn = affine_from_points(rest, skull)
        centre = self._rest[self._iris[0]]
        gaze = turn.copy()
        gaze[:, 2] += moved[self._iris[0]] - (turn[:, :2] @ centre + turn[:, 2])
        white = warp_texture(self._white, turn, self.aperture.pixels, box)
        iris = warp_texture(self._coloured, gaze, self.aperture.pixels, box)
        return iris[..., :3] + (1 - iris[..., 3:]) * white

    @property
    def anchors(self) -> np.ndarray:
        """(3, 3) float32 canonical points that turn with the skull."""
        return self._anchors


def _fill_white(image: np.ndarray, seen: np.ndarray, half: float) -> np.ndarray:
    """(h, w, 3) the white of the eye everywhere: visible white, spread smoothly over iris and lids."""
    import cv2

    if seen.sum() < 6:
        return np.full_like(image, np.percentile(image.reshape(-1, 3), 80, axis=0))
    bright = image.mean(-1)
    # Lashes and the iris's rim would smear dark; they weigh little.
    weight = seen * np.clip((bright - np.percentile(bright[seen], 15)) / 20 + 0.3, 0.05, 1)
    total, mass = np.zeros_like(image), np.zeros(image.shape[:2], np.float32)
    for sigma, share in ((0.12, 1.0), (0.35, 0.05), (1.0, 0.002)):
        total += share * cv2.GaussianBlur(image * weight[..., None].astype(np.float32), (0, 0), sigma * half)
        mass += share * cv2.GaussianBlur(weight.astype(np.float32), (0, 0), sigma * half)
    return total / np.maximum(mass, 1e-7)[..., None]


def _fill_iris(image: np.ndarray, inside: np.ndarray, distance: np.ndarray, radius: float) -> np.ndarray:
    """(h, w, 3) the iris as rings of the mean colour that is seen at each distance from the pupil."""
    places = np.clip(distance / radius * 8, 0, 8).astype(int)
    seen = inside & (distance < radius * 1.05)
    rings = np.zeros((9, 3), np.float32)
    overall = image[seen].mean(0) if seen.any() else image[distance < radius].mean(0) if (distance < radius).any() else np.zeros(3)
    for ring in range(9):
        here = seen & (places == ring)
        rings[ring] = image[here].mean(0) if here.sum() > 2 else overall
    smooth = np.clip(distance / radius * 8 - 0.5, 0, 7.999)
    low = smooth.astype(int)
    return rings[low] + (smooth - low)[..., None].astype(np.float32) * (rings[low + 1] - rings[low])
