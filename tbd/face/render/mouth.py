"""What parted lips show: teeth, tongue and the dark behind them, in the portrait's own light, or the portrait's own."""

import numpy as np

from tbd.face import topology as mesh
from tbd.face.geometry import FaceGeometry
from tbd.face.render.contour import Aperture, Opening, affine, blend, carry, edge_ramp
from tbd.face.render.grid import smoothstep

OPEN_AT_REST, WIDE_AT_REST = 0.045, 0.1
"""Inter-ocular distances between the lips from which on a portrait's mouth counts as open and keeps its own interior: where
it shows teeth, and in any case."""
SOFT = 0.016
UPPER_EDGE, LOWER_EDGE = 0.042, -0.012
"""Where the incisors' edges lie below the seam of closed lips, in inter-ocular distances (3 mm show under a parted lip)."""
_UPPER_TEETH = (0.094, 0.072, 0.08, 0.07, 0.062)
_LOWER_TEETH = (0.058, 0.063, 0.07, 0.068, 0.062)
"""Widths from the midline outwards as seen from the front, where the arch foreshortens them (Wheeler's Dental Anatomy)."""
TEETH_HEIGHT = 0.115
BEHIND = 0.03
"""How far the incisors stand behind the middle of the lips."""
_AXES = np.float64([[0, 0, 0], [0.2, 0, 0], [0, 0.2, 0]])
_INSET = (0.006, -0.018)
"""How far inside the mesh's contours a mouth open at rest is cut, so that the rims of the lips go with the lips."""


_FLESH = np.array([1.05, 0.94, 0.95])
"""Gums and tongue are a little redder than the lips and the skin about them."""
_SEAM_WIDTH, _SEAM_DEPTH = 0.012, 0.35
"""The shadow between closed lips: inter-ocular distances, and how much of the light it takes."""
_WARM = np.float32([0.85, 1.05, 1.15])
"""Exponents of light per colour: what little light there is has gone through lips and cheeks."""


class Mouth:
    """The mouth of a portrait.

    Args:
        face: the portrait.
        pixels: the window it may move in.
        blur: pixels (standard deviation) by which the portrait's edges are softer than a sharp one's.
    """

    def __init__(self, face: FaceGeometry, pixels: tuple[slice, slice], blur: float = 0.0) -> None:
        self._face, self._blur = face, blur
        self.aperture = Aperture(mesh.LIP_TOP, mesh.LIP_BOTTOM, pixels)
        self._soft = max(SOFT * face.scale, 0.9)
        rest = face.points[:, :2].astype(np.float64)
        top, bottom = rest[list(mesh.LIP_TOP)], rest[list(mesh.LIP_BOTTOM)]
        self._gap = ((bottom - top) @ _downwards(bottom)).max()
        wide, parted = self._gap > WIDE_AT_REST * face.scale, self._gap > OPEN_AT_REST * face.scale
        self.open_at_rest = bool(wide or (parted and _shows_teeth(face, top, bottom)))
        self._ease = _ease(top, bottom, self.open_at_rest, face.scale)
        seam = face.canonical[[13, 14]].mean(0)
        middle = face.canonical[list(mesh.MOUTH_CORNERS), 0].mean()
        self._anchors = np.float64([middle, seam[1], seam[2] - BEHIND]) + _AXES
        self._opening = self.aperture.open(top + self._ease[0], bottom + self._ease[1])
        self._paint()

    @property
    def anchors(self) -> np.ndarray:
        """(3, 3) canonical points that turn with the skull."""
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
        upper = _teeth(place[..., 0], UPPER_EDGE - 0.35 * place[..., 0] ** 2 - place[..., 1], _UPPER_TEETH, palette, 1.0)
        lower = _teeth(place[..., 0], place[..., 1] - LOWER_EDGE + 0.25 * place[..., 0] ** 2, _LOWER_TEETH, palette, 0.74)
        self._tongue = _with_grain(self._softened(_tongue(place, palette)), grain)
        self._lower = _with_grain(self._softened(lower), grain)
        self._upper = self._own(image) if self.open_at_rest else _with_grain(self._softened(upper), grain)
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
            frame: (h, w, 3) uint8, the window of the frame, changed in place.
            moved: (478, 2) the mesh of this frame in pixels.
            skull, jaw: (3, 2) where `anchors` are in this frame as parts of the skull and of the jaw.
            lower: (h, w, 3) uint8, the skin below the lips.
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
        to_jaw = affine(rest, jaw)
        for texture in (self._tongue, self._lower):
            result = _over(carry(texture, to_jaw, pixels, box), result)
        # The lips shade what stands close behind them; the dark gathers in the corners.
        shade = 0.45 + 0.55 * smoothstep(opening.above / (0.09 * scale))
        shade *= 0.5 + 0.5 * smoothstep((1.02 - np.abs(opening.along) / opening.half) / 0.45)
        upper = carry(self._upper, affine(rest, skull), pixels, box)
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
        cv2.fillPoly(mask, [np.round(contour).astype(np.int32)], 1)
        return float(np.percentile(face.image[mask > 0].min(-1), 85))

    lip = np.concatenate([face.points[list(mesh.LOWER_LIP_ROWS[0]), :2], bottom[::-1]])
    return whiteness(np.concatenate([top, bottom[::-1]])) > 1.15 * whiteness(lip)


def _downwards(contour: np.ndarray) -> np.ndarray:
    """(2,) the direction across a contour (N, 2) from corner to corner, towards the chin."""
    axis = contour[-1] - contour[0]
    return np.array([-axis[1], axis[0]]) / max(np.linalg.norm(axis), 1e-6)


class Palette:
    """The colours of a mouth in the light of one portrait."""

    def __init__(self, skin: np.ndarray, lip: np.ndarray, white: np.ndarray, noise: np.ndarray) -> None:
        self.lip, self._noise = lip, noise
        # Teeth take the hue of the eyes' whites, which shows light and varnish, and stay below the skin's own brightness:
        # they lie in the shade of the lips.
        hue = 0.65 * white / max(white.mean(), 1) + 0.35 * skin / max(skin.mean(), 1)
        hue = 1 + 0.8 * (hue - 1)
        pale = skin.mean() + 0.3 * (skin.max() - skin.mean())
        self.tooth = np.float32(0.94 * pale * hue)
        self.gum = np.float32((0.6 * lip + 0.25 * skin) * _FLESH)
        self.tongue = np.float32((0.62 * lip + 0.18 * skin) * _FLESH)
        self.depth = np.float32(lip * [0.3, 0.21, 0.2])

    @classmethod
    def of(cls, face: FaceGeometry, teeth: np.ndarray | None = None) -> "Palette":
        """Colours measured on the portrait: cheeks, lips, whites of the eyes, the grain of the cheek, and teeth it shows."""
        import cv2

        image, points = face.image, face.points[:, :2]

        def colour(ids, percentile: float) -> np.ndarray:
            x, y = np.clip(np.round(points[list(ids)]).astype(int), 0, np.array(image.shape[1::-1]) - 1).T
            return np.percentile(image[y, x].astype(np.float64), percentile, axis=0)

        skin = colour((50, 280, 205, 425, 117, 346, 151, 6, 101, 330), 70)
        lip = colour(mesh.LOWER_LIP_ROWS[1] + mesh.LOWER_LIP_ROWS[2], 50)
        white = _eye_white(image, points)
        centre, size = points[[50, 205]].mean(0), max(int(0.1 * face.scale), 4)
        x, y = np.clip(centre.astype(int), size, np.array(image.shape[1::-1]) - size)
        patch = cv2.cvtColor(image[y - size : y + size, x - size : x + size], cv2.COLOR_RGB2GRAY).astype(np.float32)
        noise = patch - cv2.GaussianBlur(patch, (0, 0), max(size / 6, 1.0))
        palette = cls(skin, lip, white, noise)
        if teeth is not None and teeth.mean() > 0.7 * skin.mean():
            palette.tooth = np.float32(0.95 * teeth)
        return palette

    def grain(self, shape: tuple[int, int]) -> np.ndarray:
        """(h, w, 1) float32: the portrait's own grain (film, brush, canvas), mirrored over a window."""
        height, width = shape
        block = np.block([[self._noise, self._noise[:, ::-1]], [self._noise[::-1], self._noise[::-1, ::-1]]])
        tiles = (-(-height // block.shape[0]), -(-width // block.shape[1]))
        return np.tile(block, tiles)[:height, :width, None]

    def cavity(self, deep: np.ndarray, aside: np.ndarray) -> np.ndarray:
        """(h, w) heights 0 (upper lip) .. 1 (lower lip) and places 0 (middle) .. 1 (corner) → (h, w, 3) colour."""
        light = 0.5 + 0.9 * smoothstep((deep - 0.4) / 0.6) + 0.35 * smoothstep((aside - 0.5) / 0.5)
        return light[..., None] * self.depth


def _eye_white(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(3,) the brighter half of what lies between the irises and the corners of the eyes."""
    places = []
    for own in (tuple, mesh.mirrored):
        outer, inner = own((mesh.EYE_TOP[0], mesh.EYE_TOP[-1]))
        iris_outer, iris_inner = own((mesh.IRIS[3], mesh.IRIS[1]))
        for corner, edge in ((outer, iris_outer), (inner, iris_inner)):
            places += [points[edge] + share * (points[corner] - points[edge]) for share in (0.25, 0.4, 0.55)]
    x, y = np.clip(np.round(places).astype(int), 0, np.array(image.shape[1::-1]) - 1).T
    seen = image[y, x].astype(np.float64)
    return seen[np.argsort(seen.sum(1))[len(seen) // 2 :]].mean(0)


def _teeth(aside: np.ndarray, above: np.ndarray, widths: tuple[float, ...], palette: Palette, light: float) -> np.ndarray:
    """(h, w, 4) a row of teeth and its gum, colour times alpha and alpha.

    Args:
        aside: inter-ocular distances from the midline.
        above: inter-ocular distances from the biting edge towards the gum.
    """
    edges = np.concatenate([[0.0], np.cumsum(widths)])
    distance = np.abs(aside)
    tooth = np.clip(np.searchsorted(edges, distance, side="right") - 1, 0, len(widths) - 1)
    left, right = edges[tooth], edges[tooth + 1]
    centre, half = (left + right) / 2, (right - left) / 2
    inside = (distance - centre) / half  # -1..1 across one tooth
    rounded = above - 0.005 * np.abs(inside) ** 4 * (half / 0.045)
    alpha = np.clip(rounded / 0.008 + 0.5, 0, 1) * np.clip((edges[-1] - distance) / 0.015, 0, 1)
    seam = 1 - 0.16 * np.exp(-(((1 - np.abs(inside)) * half / 0.008) ** 2)) * np.clip(rounded / 0.03, 0.2, 1)
    arch = np.sqrt(np.clip(1 - (distance / (edges[-1] * 1.05)) ** 2, 0.05, 1))
    shine = light * (0.5 + 0.5 * arch) * (0.9 + 0.1 * np.cos(inside * 1.3)) * seam * (0.86 + 0.14 * smoothstep(rounded / 0.03))
    gum = smoothstep((above - TEETH_HEIGHT + 0.02 * (1 - inside**2)) / 0.012)[..., None]
    colour = shine[..., None] * ((1 - gum) * palette.tooth + gum * palette.gum * 1.15)
    return np.concatenate([colour * alpha[..., None], alpha[..., None]], -1).astype(np.float32)


def _tongue(place: np.ndarray, palette: Palette) -> np.ndarray:
    """(h, w, 4) the tongue resting behind the lower teeth."""
    x, y = place[..., 0] / 0.21, (place[..., 1] - LOWER_EDGE + 0.005) / 0.11
    radius = np.sqrt(x**2 + y**2)
    alpha = smoothstep((1.0 - radius) / 0.25)[..., None]
    light = 0.62 + 0.3 * smoothstep((0.2 - y) / 1.0) - 0.12 * np.exp(-((place[..., 0] / 0.012) ** 2)) * smoothstep((0.6 - radius) / 0.4)
    return np.concatenate([light[..., None] * palette.tongue * alpha, alpha], -1).astype(np.float32)


def _with_grain(texture: np.ndarray, grain: np.ndarray) -> np.ndarray:
    texture = texture.copy()
    texture[..., :3] += grain * texture[..., 3:]
    return texture


def _over(texture: np.ndarray, below: np.ndarray) -> np.ndarray:
    """(h, w, 4) over (h, w, 3)."""
    return texture[..., :3] + (1 - texture[..., 3:]) * below
