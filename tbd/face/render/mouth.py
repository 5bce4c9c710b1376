"""What parted lips show: teeth, tongue and the dark behind them, in the portrait's own light, or the portrait's own."""

import numpy as np

from tbd.face import topology
from tbd.face.geometry import FaceGeometry
from tbd.face.render.contour import Aperture, Opening, affine_from_points, blend, edge_ramp, warp_texture
from tbd.face.render.mouth_interior import Palette, lower_teeth, tongue, upper_teeth, with_grain
from tbd.utils.tracks import smoothstep

OPEN_AT_REST, WIDE_AT_REST = 0.045, 0.1
"""Inter-ocular distances between the lips from which on a portrait's mouth counts as open and keeps its own interior: where
it shows teeth, and in any case."""
SOFT = 0.016
"""Width of the lips' edges, in inter-ocular distances."""
BEHIND = 0.03
"""How far the incisors stand behind the middle of the lips."""
_AXES = np.array([[0, 0, 0], [0.2, 0, 0], [0, 0.2, 0]], np.float64)
"""An origin, and places 0.2 inter-ocular distances right and above: three points fix an affine map."""
_INSET = (0.006, -0.018)
"""How far inside the mesh's contours a mouth open at rest is cut, so that the rims of the lips go with the lips."""


_SEAM_WIDTH, _SEAM_DEPTH = 0.012, 0.35
"""The shadow between closed lips: inter-ocular distances, and how much of the light it takes."""
_WARM = np.array([0.85, 1.05, 1.15], np.float32)
"""Exponents of light per colour: what little light there is has gone through lips and cheeks."""


class Mouth:
    """The mouth of a portrait.

    Args:
        face: The portrait.
        pixels: (rows, columns) slices of the picture, the window that it may move in.
        blur: Pixels (standard deviation) by which the portrait's edges are softer than a sharp one's.

    Attributes:
        aperture: The opening between the lips.
        open_at_rest: Whether the portrait's mouth is open and keeps its own interior.
    """

    def __init__(self, face: FaceGeometry, pixels: tuple[slice, slice], blur: float = 0.0) -> None:
        self._face, self._blur = face, blur
        self.aperture = Aperture(topology.LIP_TOP, topology.LIP_BOTTOM, pixels)
        self._soft = max(SOFT * face.scale, 0.9)
        rest = face.points[:, :2].astype(np.float64)
        top, bottom = rest[list(topology.LIP_TOP)], rest[list(topology.LIP_BOTTOM)]
        self._gap = ((bottom - top) @ _downwards(bottom)).max()
        wide, parted = self._gap > WIDE_AT_REST * face.scale, self._gap > OPEN_AT_REST * face.scale
        self.open_at_rest = bool(wide or (parted and _shows_teeth(face, top, bottom)))
        self._ease = _ease(top, bottom, self.open_at_rest, face.scale)
        seam = face.canonical[[13, 14]].mean(0)
        middle = face.canonical[list(topology.MOUTH_CORNERS), 0].mean()
        self._anchors = np.array([middle, seam[1], seam[2] - BEHIND], np.float64) + _AXES
        self._opening = self.aperture.open(top + self._ease[0], bottom + self._ease[1])
        self._paint()

    @property
    def anchors(self) -> np.ndarray:
        """(3, 3) float64 canonical points that turn with the skull."""
        return self._anchors

    def _paint(self) -> None:
        """Textures over the window, float32 colour times alpha and alpha: tongue, lower and upper teeth."""
        rows, columns = self.aperture.pixels
        image = self._face.image[rows, columns].astype(np.float32)
        rest = self._face.project(self._anchors)[:, :2]
        y, x = np.mgrid[rows, columns].astype(np.float32)
        offset = np.stack([x - rest[0, 0], y - rest[0, 1]], -1)
        across, down = (rest[1] - rest[0]) / 0.2, -(rest[2] - rest[0]) / 0.2
        place = offset @ np.linalg.inv(np.stack([across, down])).astype(np.float32)  # inter-ocular distances: aside, down
        palette = Palette.of(self._face, self._inner_white(image))
        grain = palette.grain(image.shape[:2])
        self._palette = palette
        self._tongue = with_grain(self._softened(tongue(place, palette)), grain)
        self._lower = with_grain(self._softened(lower_teeth(place, palette)), grain)
        self._upper = self._own(image) if self.open_at_rest else with_grain(self._softened(upper_teeth(place, palette)), grain)
        self._grain = grain

    def _softened(self, texture: np.ndarray) -> np.ndarray:
        """A texture as soft as the portrait."""
        import cv2

        return cv2.GaussianBlur(texture, (0, 0), self._blur) if self._blur > 0 else texture

    def _inner_white(self, image: np.ndarray) -> np.ndarray | None:
        """(3,) the colour of the teeth that the portrait itself shows."""
        inside = (self._opening.coverage(self._soft) == 1) & (np.abs(self._opening.along) < 0.6 * self._opening.half)
        if not self.open_at_rest or inside.sum() < 12:
            return None
        seen = image[inside]
        return seen[seen.sum(1) >= np.percentile(seen.sum(1), 70)].mean(0)

    def _own(self, image: np.ndarray) -> np.ndarray:
        """(h, w, 4) the inside that the portrait shows, continued upwards for lips that rise, ending where the lower lip hid it."""
        import cv2

        o = self._opening
        y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
        beyond = np.maximum(self._soft - o.above, 0)
        inner = cv2.remap(image, x, y + 2 * beyond, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        gum = smoothstep(beyond / (0.05 * self._face.scale))[..., None]
        inner = inner + gum * (self._palette.gum - inner)
        outside = (edge_ramp(self._soft, self._blur) - self._soft) / 2
        inner = np.where((o.above >= -outside)[..., None], image, inner)
        ramp = edge_ramp(self._soft, self._blur)
        alpha = np.clip((o.below + outside) / ramp + 1, 0, 1) * np.clip((o.half - np.abs(o.along)) / ramp + 1, 0, 1)
        alpha = np.where(np.minimum(o.above, o.below) > -outside, 1, alpha)[..., None]
        return np.concatenate([inner * alpha, alpha], -1).astype(np.float32)

    def draw(self, frame: np.ndarray, moved: np.ndarray, skull: np.ndarray, jaw: np.ndarray, lower: np.ndarray) -> None:
        """Draw the lower lip and the inside of the mouth into a frame that shows the skin above them.

        Args:
            frame: (h, w, 3) uint8 RGB, the window of the frame, changed in place.
            moved: (478, 2) the mesh of this frame in pixels of the picture.
            skull: (3, 2) pixels of the picture where `anchors` are in this frame as parts of the skull.
            jaw: The same as parts of the jaw.
            lower: (h, w, 3) uint8 RGB, the skin below the lips.
        """
        top, bottom, parted = self._contours(moved)
        opening = self.aperture.open(top, bottom)
        # Where the lips overlap, each covers half; where they part, the split hides under the inside of the mouth.
        split = (opening.above - opening.below) / np.float32(1.2 * edge_ramp(self._soft, self._blur)) + np.float32(0.5)
        blend(frame, lower, np.clip(split, 0, 1))
        if parted < 1:
            self._draw_seam(frame, opening, 1 - parted)
        box = self.aperture.box(top, bottom)
        near = opening.within(box)
        cover = near.coverage(self._soft, self._blur)
        if cover.any():
            blend(frame[box], self._inside(near, skull, jaw, box), cover)

    def _draw_seam(self, frame: np.ndarray, opening: Opening, closed: float) -> None:
        """The shadow where lips meet, which a portrait with an open mouth has no pixels of."""
        sharp = _SEAM_WIDTH * self._face.scale
        width = np.hypot(sharp, 2**0.5 * self._blur)
        across = (opening.above - opening.below) / np.float32(2 * width)
        ends = smoothstep((1 - np.abs(opening.along) / np.float32(opening.half)) / 0.15)
        shadow = np.float32(_SEAM_DEPTH * closed * sharp / width) * np.exp(-(across**2)) * ends
        blend(frame, np.broadcast_to(self._palette.depth, frame.shape), shadow)

    def _contours(self, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """(N, 2) pixels of the upper and lower edge of the opening, and how far (0..1) lips are open that were so at rest."""
        top, bottom = moved[self.aperture.top], moved[self.aperture.bottom]
        parted = 1.0
        if self.open_at_rest:  # closing lips hide their inner rims
            down = _downwards(bottom)
            parted = np.clip(((bottom - top) @ down).max() / self._gap, 0, 1)
        return top + parted * self._ease[0], bottom + parted * self._ease[1], float(parted)

    def _inside(self, opening: Opening, skull: np.ndarray, jaw: np.ndarray, box: tuple[slice, slice]) -> np.ndarray:
        """(h, w, 3) float32: what is seen behind the lips, over a part of the window."""
        pixels, scale = self.aperture.pixels, np.float32(self._face.scale)
        rest = self._face.project(self._anchors)[:, :2]
        height = np.maximum(opening.above + opening.below, 1)
        deep = opening.above / height
        dark = self._palette.cavity(deep, np.abs(opening.along) / opening.half)
        result = dark + self._grain[box] * 0.5
        to_jaw = affine_from_points(rest, jaw)
        for texture in (self._tongue, self._lower):
            result = _over(warp_texture(texture, to_jaw, pixels, box), result)
        # The lips shade what stands close behind them; the dark gathers in the corners.
        shade = 0.45 + 0.55 * smoothstep(opening.above / (0.09 * scale))
        shade *= 0.5 + 0.5 * smoothstep((1.02 - np.abs(opening.along) / opening.half) / 0.45)
        upper = warp_texture(self._upper, affine_from_points(rest, skull), pixels, box)
        shade = shade[..., None] ** _WARM
        return _over(upper, result * shade) if self.open_at_rest else _over(upper, result) * shade


def _ease(top: np.ndarray, bottom: np.ndarray, open_at_rest: bool, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Shifts (N, 2) of the contours, in pixels, from the mesh's inner lips to the edges of the opening.

    Closed lips that the mesh sees a hair apart must not show a line of teeth; an open mouth is cut a little inside.
    """
    if not open_at_rest:
        return (bottom - top) / 2, (top - bottom) / 2
    down = _downwards(bottom)
    gap = (bottom - top) @ down
    share = np.clip(gap / max(gap.max(), 1e-6), 0, 1)[:, None] * scale * down
    return _INSET[0] * share, _INSET[1] * share


def _shows_teeth(face: FaceGeometry, top: np.ndarray, bottom: np.ndarray) -> bool:
    """Whether something whiter than the lips shows between them: a small gap without teeth is as good as closed."""
    import cv2

    def whiteness(contour: np.ndarray) -> float:
        mask = np.zeros(face.image.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.round(contour).astype(np.int32)], (1,))
        return float(np.percentile(face.image[mask > 0].min(-1), 85))

    lip = np.concatenate([face.points[list(topology.LOWER_LIP_ROWS[0]), :2], bottom[::-1]])
    return whiteness(np.concatenate([top, bottom[::-1]])) > 1.15 * whiteness(lip)


def _downwards(contour: np.ndarray) -> np.ndarray:
    """(2,) the direction across a contour (N, 2) from corner to corner, towards the chin."""
    axis = contour[-1] - contour[0]
    return np.array([-axis[1], axis[0]]) / max(np.linalg.norm(axis), 1e-6)


def _over(texture: np.ndarray, below: np.ndarray) -> np.ndarray:
    """(h, w, 4) over (h, w, 3)."""
    return texture[..., :3] + (1 - texture[..., 3:]) * below
