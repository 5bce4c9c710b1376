"""The eyeball under the lids: its iris turns, and what the lids hid is painted in the colours of what they show."""

import numpy as np

from tbd.face import topology
from tbd.face.geometry import FaceGeometry
from tbd.face.render.contour import Aperture, Opening, affine_from_points, aperture_coverage, edge_ramp, warp_texture
from tbd.face.render.eyes.brow_skin import BROW_LOWER
from tbd.face.render.eyes.lids import LidEdges, lid_curves, wing_share
from tbd.face.render.grid import spread
from tbd.face.render.skin import shadow_tint
from tbd.utils.tracks import smoothstep

Window = tuple[slice, slice]
"""Rows and columns."""

SOFT = 0.014
"""Width of the lids' edges, in inter-ocular distances."""
_CLEAR = ((0.004, 0.03), (0.003, 0.016))
"""From how far below the upper edge, and above the lower one, the eyeball is free of lashes and their shade, and over how far that
begins, in inter-ocular distances."""
_SHADE, _SHADE_REACH = 0.3, 0.035
"""Log light that a lowered lid takes from the eye under it, and inter-ocular distances over which that fades."""
_NARROW = 0.03
"""Inter-ocular distances that the narrowest eye counts as open."""
_IRIS = 0.064
"""Radius of an iris in inter-ocular distances (5.8 mm)."""
_DOWN = 0.2
"""Of an eye's opening, how far its lid has come down when its skin is painted wholly."""
_UNFOLDS, _FOLDED, _LASH_FADE = 0.88, (0.25, 0.75), 0.045
"""How much of its fold a lid loses, between which shares of its way (eyes that narrow keep it), and over how many inter-ocular distances
above its lashes that begins."""
_MARGIN = (0.12, 0.15, 0.12)
"""Inter-ocular distances beyond the lids (aside, up, down) that are drawn with them."""


class Eye:
    """One eye of a portrait.

    Args:
        face: The portrait.
        side: The subject's own.
        pixels: (rows, columns) slices of the picture, the window that it may move in.
        upper: (h, w, 3) uint8 RGB, the window at rest with the clean skin of the upper lid, see `paint_clean_lids`.
        lower: (h, w, 3) uint8 RGB, likewise of the lower lid.
        blur: Pixels (standard deviation) by which the portrait's edges are softer than a sharp one's.
        opened: (478, 2) pixels of the mesh with its eyes open, where the portrait's are shut: its eyeballs are then made up.
        lash_height: (h, w) pixels over the upper lid's edge up to which its lashes reach, see `CleanLids`.

    Attributes:
        aperture: The opening between the lids.
    """

    def __init__(
        self,
        face: FaceGeometry,
        side: topology.Side,
        pixels: Window,
        upper: np.ndarray,
        lower: np.ndarray,
        blur: float = 0.0,
        opened: np.ndarray | None = None,
        lash_height: np.ndarray | None = None,
    ) -> None:
        self._iris = list(topology.on_side(topology.IRIS, side))
        self._shut = opened is not None
        self._brow = list(topology.on_side(BROW_LOWER, side))
        self._face, self._rest = face, face.points[:, :2].astype(np.float64)
        self.aperture = eye_aperture(side, pixels)
        top, bottom = self._rest[self.aperture.top], self._rest[self.aperture.bottom]
        free = self._rest if opened is None else opened
        self._open = _gap(free[self.aperture.top], free[self.aperture.bottom])
        self._soft, self._blur = max(SOFT * face.scale, 0.8), blur
        corners = face.canonical[[self.aperture.top[0], self.aperture.top[-1]]]
        middle = face.canonical[self._iris].mean(0)
        middle[2] = corners[:, 2].mean()
        self._anchors = middle + np.array([[0, 0, 0], [0.2, 0, 0], [0, 0.2, 0]], np.float32)
        self._white, self._coloured = self._paint() if opened is None else self._imagine(opened)
        opening, whole = self.aperture.open(top, bottom), (slice(None), slice(None))
        image = face.image[pixels].astype(np.float32)
        clean = self._compose(opening, self._rest, face.project(self._anchors)[:, :2], upper, lower, whole)
        tint = shadow_tint(face.image, face.points[:, :2])
        curves, self._outwards = lid_curves(top, bottom), topology.outwards(side)
        self._lashes = 0.0 if lash_height is None else float(np.median(lash_height))
        self._edges = LidEdges(
            image, clean, opening, curves, pixels, face.scale, blur, self._shut, tint, lash_height=lash_height, outwards=self._outwards
        )

    def _paint(self) -> tuple[np.ndarray, np.ndarray]:
        """The white (h, w, 3) and the iris (h, w, 4, colour times alpha and alpha), float32, over the window."""
        rows, columns = self.aperture.pixels
        image = self._face.image[rows, columns].astype(np.float32)
        opening = self.aperture.open(self._rest[self.aperture.top], self._rest[self.aperture.bottom])
        inside = (opening.above > self._soft) & (opening.below > self._soft * 0.5)
        ring = self._rest[self._iris]
        centre, radius = ring[0], 1.04 * float(np.linalg.norm(ring[1:] - ring[0], axis=1).mean())
        y, x = np.mgrid[rows, columns].astype(np.float32)
        distance = np.hypot(x - centre[0], y - centre[1])
        disc = np.clip((radius + 0.5 * self._soft - distance) / (1.2 * self._soft) + 0.5, 0, 1)
        white = _fill_white(image, inside & (distance > radius + self._soft), opening.half)
        full = _fill_iris(image, inside, distance, radius)
        # The eyeball shows the portrait's own pixels (veins, corners, catch lights) where lashes and their shade end.
        seen = [smoothstep((way / self._face.scale - start) / over) for way, (start, over) in zip((opening.above, opening.below), _CLEAR)]
        shown = (seen[0] * seen[1])[..., None].astype(np.float32)
        alpha = disc[..., None]
        painted = alpha * full + (1 - alpha) * white
        sharp = painted + shown * (image - painted)
        white = white + np.where(alpha > 0, 0, shown) * (image - white)
        coloured = np.where(alpha > 0, sharp - (1 - alpha) * white, 0)
        return white.astype(np.float32), np.concatenate([coloured, alpha], -1).astype(np.float32)

    def _imagine(self, opened: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """An eyeball as `_paint` returns it for an eye that the portrait does not show, in the light and the colours of the face."""
        rows, columns = self.aperture.pixels
        skin = np.median(self._face.image[rows, columns].reshape(-1, 3), 0).astype(np.float32)
        bright, colourful = float(skin.max()), float(np.ptp(skin) > 6)
        white = np.float32(0.78) * bright + np.float32(0.22) * skin
        iris = bright * np.array([0.36, 0.24, 0.17] if colourful else [0.25] * 3, np.float32)
        y, x = np.mgrid[rows, columns].astype(np.float32)
        centre, radius = opened[self._iris[0]] - (opened - self._rest)[self._iris[0]], _IRIS * self._face.scale
        distance = np.hypot(x - centre[0], y - centre[1]) / radius
        disc = np.clip((1 - distance) * radius / (1.2 * self._soft) + 0.5, 0, 1)[..., None]
        # Dark at its rim, lighter towards the lower middle, where light that enters above leaves it again.
        depth = 1 - 0.5 * smoothstep((distance - 0.7) / 0.3) + 0.35 * np.clip((y - centre[1]) / radius, 0, 1) * (distance < 1)
        colour = iris * depth[..., None]
        colour *= 1 - 0.85 * np.clip((0.42 - distance) * radius / (1.2 * self._soft) + 0.5, 0, 1)[..., None]
        catch = np.hypot(x - centre[0] + 0.3 * radius, y - centre[1] + 0.35 * radius) / (0.17 * radius)
        colour += (white - colour) * np.clip((1 - catch) * 0.17 * radius + 0.5, 0, 1)[..., None]
        # A ball: the white darkens towards the corners.
        ball = 1 - 0.35 * np.clip(np.abs(x - centre[0]) / (2.2 * radius), 0, 1) ** 2
        return (white * ball[..., None]).astype(np.float32), np.concatenate([colour * disc, disc], -1).astype(np.float32)

    def box(self, moved: np.ndarray) -> Window:
        """Find the part of the window that an eye and its lids take up in one frame.

        Args:
            moved: (478, 2) the mesh of this frame in pixels of the picture.

        Returns:
            (rows, columns) slices of the window.
        """
        scale = self._face.scale
        points = moved[self.aperture.top + self.aperture.bottom] - [self.aperture.pixels[1].start, self.aperture.pixels[0].start]
        corners, brow = self.aperture.top[:: len(self.aperture.top) - 1], self._brow
        lift = (moved - self._rest)[corners, 1].mean() - (moved - self._rest)[brow, 1].min()
        above = np.array([_MARGIN[0] * scale, _MARGIN[1] * scale + max(float(lift), 0.0)])
        low = points.min(0) - above
        low[1] = min(low[1], moved[brow, 1].mean() - self.aperture.pixels[0].start)  # a lid that is shut reaches up to its brow
        low = np.floor(low).astype(int)
        high = np.ceil(points.max(0) + np.array(_MARGIN[::2]) * scale).astype(int)
        height, width = self.aperture.shape
        left, top = np.clip(low, 0, [width - 1, height - 1])
        right, bottom = np.clip(high, [left + 1, top + 1], [width, height])
        return slice(int(top), int(bottom)), slice(int(left), int(right))

    def draw(self, frame: np.ndarray, moved: np.ndarray, skull: np.ndarray, upper: np.ndarray, lower: np.ndarray, box: Window) -> None:
        """Draw the eye and its lids into a frame.

        Args:
            frame: (h, w, 3) uint8 RGB, the box of the frame, changed in place.
            moved: (478, 2) the mesh of this frame in pixels of the picture.
            skull: (3, 2) pixels of the picture where `anchors` are in this frame: they turn with the skull.
            upper: (h, w, 3) uint8 RGB, the clean skin of the upper lid in this frame, over the box.
            lower: (h, w, 3) uint8 RGB, the clean skin of the lower lid in this frame, over the box.
            box: (rows, columns) slices of the window that are drawn, see `box`.
        """
        top, bottom = moved[self.aperture.top], moved[self.aperture.bottom]
        opening = self.aperture.open(top, bottom, box)
        closing = (self._open - _gap(top, bottom)) / max(self._open, _NARROW * self._face.scale)
        picture = self._compose(opening, moved, skull, upper, lower, box, closing)
        picture += np.float32(0.5)
        picture *= np.exp(self._edges.light(opening, closing))
        painted = self._painted(opening, closing)
        picture += spread(1 - painted) * (frame - picture)
        frame[:] = np.clip(picture, 0, 255)

    def _painted(self, opening: Opening, closing: float) -> np.ndarray:
        """(h, w) 0..1, where the eye is drawn over the warped portrait: between the lids and below them, and above as a lid comes down.

        Painted skin has no lashes and no make-up, which go with the lid's edge; a rising brow would draw one away from the other. What it
        draws out is the portrait's own skin. Above the lashes the portrait's own skin gives way more slowly: its fold flattens as the
        lid comes down.
        """
        if self._shut:
            return np.ones_like(opening.above)
        lid = smoothstep(np.array(closing / _DOWN, np.float32))
        fold = np.float32(_UNFOLDS) * smoothstep(np.array((closing - _FOLDED[0]) / (_FOLDED[1] - _FOLDED[0]), np.float32))
        over = -opening.above
        high = smoothstep((over - np.float32(self._lashes)) / np.float32(_LASH_FADE * self._face.scale))
        high = high * (1 - wing_share(opening, self._outwards))
        edge = np.clip(over / np.float32(self._soft), 0, 1)
        painted: np.ndarray = 1 + edge * (lid + high * (fold - lid) - 1)
        return painted

    def _compose(
        self,
        opening: Opening,
        moved: np.ndarray,
        skull: np.ndarray,
        upper: np.ndarray,
        lower: np.ndarray,
        box: Window,
        closing: float = 0.0,
    ) -> np.ndarray:
        """(h, w, 3) float32: lids and eyeball without what darkens the edges."""
        picture = upper.astype(np.float32)
        # The upper lid lies over the lower one; below its edge comes the eyeball, then the lower lid.
        under = np.clip(opening.above / np.float32(edge_ramp(self._soft, self._blur)) + np.float32(0.5), 0, 1)
        picture += spread(under) * (lower - picture)
        cover = aperture_coverage(opening.above, opening.below, self._soft, self._blur)
        rows, columns = np.flatnonzero(cover.any(1)), np.flatnonzero(cover.any(0))
        if not len(rows):
            return picture
        part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        start = box[0].start or 0, box[1].start or 0
        inner = tuple(slice(s.start + first, s.stop + first) for s, first in zip(part, start))
        eyeball = self._eyeball(moved, skull, (inner[0], inner[1]))
        shade = np.float32(_SHADE * np.clip(2 * closing, 0, 1))
        if shade > 0:
            depth = np.maximum(opening.above[part], 0) / np.float32(_SHADE_REACH * self._face.scale)
            eyeball = eyeball * spread(np.exp(-shade * np.exp(-depth)))
        picture[part] += spread(cover[part]) * (eyeball - picture[part])
        return picture

    def _eyeball(self, moved: np.ndarray, skull: np.ndarray, box: Window) -> np.ndarray:
        """(h, w, 3) float32: the eyeball as it would be seen without lids, over a part of the window."""
        rest = self._face.project(self._anchors)[:, :2]
        turn = affine_from_points(rest, skull)
        centre = self._rest[self._iris[0]]
        gaze = turn.copy()
        gaze[:, 2] += moved[self._iris[0]] - (turn[:, :2] @ centre + turn[:, 2])
        white = warp_texture(self._white, turn, self.aperture.pixels, box)
        iris = warp_texture(self._coloured, gaze, self.aperture.pixels, box)
        return iris[..., :3] + spread(1 - iris[..., 3]) * white

    @property
    def anchors(self) -> np.ndarray:
        """(3, 3) float32 canonical points that turn with the skull."""
        return self._anchors


def eye_aperture(side: topology.Side, pixels: Window) -> Aperture:
    """Return the opening between the lids of one side.

    Args:
        side: The subject's left or right.
        pixels: Window (rows, columns) of the picture.

    Returns:
        The opening.
    """
    return Aperture(topology.on_side(topology.EYE_TOP, side), topology.on_side(topology.EYE_BOTTOM, side), pixels)


def _gap(top: np.ndarray, bottom: np.ndarray) -> float:
    """Pixels between the middles of the lids; negative where they overlap."""
    middle, down = len(top) // 2, np.array([top[0, 1] - top[-1, 1], top[-1, 0] - top[0, 0]])
    down = down * (1 if down[1] > 0 else -1) / max(float(np.linalg.norm(down)), 1e-6)
    return float((bottom[middle] - top[middle]) @ down)


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
        rings[ring] = np.median(image[here], 0) if here.sum() > 2 else overall
    smooth = np.clip(distance / radius * 8 - 0.5, 0, 7.999)
    low = smooth.astype(int)
    return rings[low] + (smooth - low)[..., None].astype(np.float32) * (rings[low + 1] - rings[low])
