"""What stands behind parted lips, in the colours of one portrait: teeth, tongue and the dark behind them."""

from collections.abc import Sequence

import numpy as np

from tbd.face import topology
from tbd.face.geometry import FaceGeometry
from tbd.utils.tracks import smoothstep

UPPER_EDGE, LOWER_EDGE = 0.042, -0.012
"""Where the incisors' edges lie below the seam of closed lips, in inter-ocular distances (3 mm show under a parted lip)."""
_UPPER_TEETH = (0.094, 0.072, 0.08, 0.07, 0.062)
_LOWER_TEETH = (0.058, 0.063, 0.07, 0.068, 0.062)
"""Widths from the midline outwards as seen from the front, where the arch foreshortens them (Wheeler's Dental Anatomy)."""
TEETH_HEIGHT = 0.115
_FLESH = np.array([1.05, 0.94, 0.95])
"""Gums and tongue are a little redder than the lips and the skin about them."""


class Palette:
    """The colours of a mouth in the light of one portrait, RGB 0..255.

    Args:
        skin: (3,) colour of the lit skin.
        lip: (3,) colour of the lower lip.
        white: (3,) colour of the whites of the eyes.
        noise: (h, w) float32 grey levels, the grain of a patch of skin.

    Attributes:
        tooth: (3,) float32.
        gum: (3,) float32.
        tongue: (3,) float32.
        depth: (3,) float32, the darkest place.
    """

    def __init__(self, skin: np.ndarray, lip: np.ndarray, white: np.ndarray, noise: np.ndarray) -> None:
        self.lip, self._noise = lip, noise
        # Teeth take the hue of the eyes' whites, which shows light and varnish, and stay below the skin's own brightness:
        # they lie in the shade of the lips.
        hue = 0.65 * white / max(white.mean(), 1) + 0.35 * skin / max(skin.mean(), 1)
        hue = 1 + 0.8 * (hue - 1)
        pale = skin.mean() + 0.3 * (skin.max() - skin.mean())
        self.tooth: np.ndarray = (0.94 * pale * hue).astype(np.float32)
        self.gum: np.ndarray = ((0.6 * lip + 0.25 * skin) * _FLESH).astype(np.float32)
        self.tongue: np.ndarray = ((0.62 * lip + 0.18 * skin) * _FLESH).astype(np.float32)
        self.depth: np.ndarray = (lip * [0.3, 0.21, 0.2]).astype(np.float32)

    @classmethod
    def of(cls, face: FaceGeometry, teeth: np.ndarray | None = None) -> "Palette":
        """Measure the colours of a portrait: cheeks, lips, whites of the eyes, and the grain of the cheek.

        Args:
            face: The portrait.
            teeth: (3,) colour of the teeth that it shows, where it does.

        Returns:
            Its palette.
        """
        import cv2

        image, points = face.image, face.points[:, :2]

        def colour(ids: Sequence[int], percentile: float) -> np.ndarray:
            x, y = np.clip(np.round(points[list(ids)]).astype(int), 0, np.array(image.shape[1::-1]) - 1).T
            return np.percentile(image[y, x].astype(np.float64), percentile, axis=0)

        skin = colour((50, 280, 205, 425, 117, 346, 151, 6, 101, 330), 70)
        lip = colour(topology.LOWER_LIP_ROWS[1] + topology.LOWER_LIP_ROWS[2], 50)
        white = _eye_white(image, points)
        centre, size = points[[50, 205]].mean(0), max(int(0.1 * face.scale), 4)
        x, y = np.clip(centre.astype(int), size, np.array(image.shape[1::-1]) - size)
        patch = cv2.cvtColor(image[y - size : y + size, x - size : x + size], cv2.COLOR_RGB2GRAY).astype(np.float32)
        noise = patch - cv2.GaussianBlur(patch, (0, 0), max(size / 6, 1.0))
        palette = cls(skin, lip, white, noise)
        if teeth is not None and teeth.mean() > 0.7 * skin.mean():
            palette.tooth = np.asarray(0.95 * teeth, np.float32)
        return palette

    def grain(self, shape: tuple[int, ...]) -> np.ndarray:
        """Mirror the portrait's own grain (sensor, brush, canvas) over a window of shape (h, w): (h, w, 1) float32 grey levels."""
        height, width = shape
        block = np.block([[self._noise, self._noise[:, ::-1]], [self._noise[::-1], self._noise[::-1, ::-1]]])
        tiles = (-(-height // block.shape[0]), -(-width // block.shape[1]))
        return np.tile(block, tiles)[:height, :width, None]

    def cavity(self, deep: np.ndarray, aside: np.ndarray) -> np.ndarray:
        """Colour the dark behind teeth and tongue.

        Args:
            deep: (h, w) heights, 0 at the upper lip to 1 at the lower lip.
            aside: (h, w) places, 0 in the middle to 1 at a corner.

        Returns:
            (h, w, 3) RGB 0..255.
        """
        light = 0.5 + 0.9 * smoothstep((deep - 0.4) / 0.6) + 0.35 * smoothstep((aside - 0.5) / 0.5)
        return light[..., None] * self.depth


def _eye_white(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(3,) the brighter half of what lies between the irises and the corners of the eyes."""
    places: list[np.ndarray] = []
    for side in topology.SIDES:
        outer, inner = topology.on_side((topology.EYE_TOP[0], topology.EYE_TOP[-1]), side)
        iris_outer, iris_inner = topology.on_side((topology.IRIS[3], topology.IRIS[1]), side)
        for corner, edge in ((outer, iris_outer), (inner, iris_inner)):
            places += [points[edge] + share * (points[corner] - points[edge]) for share in (0.25, 0.4, 0.55)]
    x, y = np.clip(np.round(places).astype(int), 0, np.array(image.shape[1::-1]) - 1).T
    seen = image[y, x].astype(np.float64)
    return seen[np.argsort(seen.sum(1))[len(seen) // 2 :]].mean(0)


def upper_teeth(place: np.ndarray, palette: Palette) -> np.ndarray:
    """Paint the upper teeth and their gum.

    Args:
        place: (h, w, 2) inter-ocular distances from the seam of closed lips: aside, down.
        palette: The colours.

    Returns:
        (h, w, 4) float32, RGB 0..255 times alpha, and alpha 0..1.
    """
    return _teeth(place[..., 0], UPPER_EDGE - 0.35 * place[..., 0] ** 2 - place[..., 1], _UPPER_TEETH, palette, 1.0)


def lower_teeth(place: np.ndarray, palette: Palette) -> np.ndarray:
    """Paint the lower teeth and their gum.

    Args:
        place: (h, w, 2) inter-ocular distances from the seam of closed lips: aside, down.
        palette: The colours.

    Returns:
        (h, w, 4) float32, RGB 0..255 times alpha, and alpha 0..1.
    """
    return _teeth(place[..., 0], place[..., 1] - LOWER_EDGE + 0.25 * place[..., 0] ** 2, _LOWER_TEETH, palette, 0.74)


def _teeth(aside: np.ndarray, above: np.ndarray, widths: tuple[float, ...], palette: Palette, light: float) -> np.ndarray:
    """(h, w, 4) a row of teeth and its gum, colour times alpha and alpha.

    Args:
        aside: (h, w) inter-ocular distances from the midline.
        above: (h, w) inter-ocular distances from the biting edge towards the gum.
        widths: Widths of the teeth from the midline outwards, in inter-ocular distances.
        palette: The colours.
        light: Factor on the brightness.
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


def tongue(place: np.ndarray, palette: Palette) -> np.ndarray:
    """Paint the tongue resting behind the lower teeth.

    Args:
        place: (h, w, 2) inter-ocular distances from the seam of closed lips: aside, down.
        palette: The colours.

    Returns:
        (h, w, 4) float32, RGB 0..255 times alpha, and alpha 0..1.
    """
    x, y = place[..., 0] / 0.21, (place[..., 1] - LOWER_EDGE + 0.005) / 0.11
    radius = np.sqrt(x**2 + y**2)
    alpha = smoothstep((1.0 - radius) / 0.25)[..., None]
    light = 0.62 + 0.3 * smoothstep((0.2 - y) / 1.0) - 0.12 * np.exp(-((place[..., 0] / 0.012) ** 2)) * smoothstep((0.6 - radius) / 0.4)
    return np.concatenate([light[..., None] * palette.tongue * alpha, alpha], -1).astype(np.float32)


def with_grain(texture: np.ndarray, grain: np.ndarray) -> np.ndarray:
    """Add grain to a texture.

    Args:
        texture: (h, w, 4) colour times alpha, and alpha.
        grain: (h, w, 1) grey levels.

    Returns:
        A copy with grain as strong as its alpha.
    """
    texture = texture.copy()
    texture[..., :3] += grain * texture[..., 3:]
    return texture
