"""The colours of the inside of a mouth in the light of one portrait."""

from collections.abc import Sequence

import numpy as np

from tbd.face import topology
from tbd.face.geometry import FaceGeometry
from tbd.utils.tracks import smoothstep

_LUMA = np.array([0.299, 0.587, 0.114])
_HUE_SHARE, _TINTED = 0.5, 0.22
"""Of the skin's hue (log colour less its mean) teeth have this much: 0.6 on footage of 25 people, less what lips reflect onto them; and the
chroma (of the brightest channel) beyond which no tooth is tinted."""
_MOIST = np.array([0.02, -0.025, 0.005])
"""Log colour that moist lips and gums throw onto teeth: less green. Without it teeth are grey beside the skin (log red over green against
the skin's in 71 filmed mouths that show teeth, the brightest seventh of each: film −0.01, ours −0.10; blue over green 0.12 and 0.07)."""
_VARNISH = (0.8, 0.36)
"""The same where the whites of the eyes are as coloured as under an old varnish: beside all else there a paler tooth looks blue."""
_WHITE_EYES, _COLOURED_EYES = 0.35, 0.6
"""Chroma of the whites of the eyes up to which they are white, shaded by lids and lashes, and from which on a whole picture is tinted."""
_TOOTH_LIGHT = (0.9, 0.26, -0.8)
"""Log luminance of teeth from those of lit skin and of the whites of the eyes, and a constant, on the same footage (residual 0.18; the
constant is the one that fits painted mouths to it best)."""
_OVER_EYE, _OVER_SKIN = 1.3, 2.2
"""Where skin is dark the whites of the eyes tell: teeth are so much brighter than they (in footage: 1.37), and at most so than skin."""
_DARK_SKIN, _LIGHT_SKIN = 90.0, 160.0
"""Luminance up to which skin counts as dark, and from which on as light."""
_PALEST, _DARKEST = 235.0, 0.9
"""The brightest tooth, and the darkest against the skin's brightness."""
_FLESH = np.array([0.05, -0.06, -0.05])
"""Gums and tongue are a little redder than the lips and the skin about them."""
_DEPTH = np.array([0.36, 0.2, 0.19])
"""The darkest tenth of open mouths, against the lower lip's colour (in footage: 0.39, 0.19, 0.19)."""
_COLUMNS = 12.0
"""Power, against the median of all frequencies, beyond which a frequency belongs to a line and not to noise."""
_COLOURFUL = 0.12
"""Chroma of lips from which on a picture counts as coloured; greyer ones get tints in proportion."""
_PLAIN = ((50, 205), (280, 425), (151,))
"""Mesh points of each cheek and of the forehead, about which the grain is looked for."""
_CHEEKS = (50, 280, 205, 425, 117, 346, 151, 6, 101, 330)


class Palette:
    """The colours of a mouth in the light of one portrait, RGB 0..255.

    Args:
        skin: (3,) colour of the lit skin.
        lip: (3,) colour of the lower lip.
        white: (3,) colour of the whites of the eyes.
        noise: (h, w) float32 grey levels, the grain of a patch of skin.

    Attributes:
        lip: As given, float32.
        tooth: (3,) float32.
        root: (3,) float32, by what share of `tooth` its neck is darker.
        gum: (3,) float32.
        tongue: (3,) float32.
        depth: (3,) float32, the darkest place.
        shadow: (3,) float32 exponents of light per colour: what little light there is has gone through lips and cheeks.
    """

    def __init__(self, skin: np.ndarray, lip: np.ndarray, white: np.ndarray, noise: np.ndarray) -> None:
        self.lip: np.ndarray = np.asarray(lip, np.float32)
        self._noise, self._light = noise, max(float(skin @ _LUMA), 1.0)
        colourful = float(np.clip(max(_chroma(lip), _chroma(skin)) / _COLOURFUL, 0, 1))
        bright = _tooth_light(self._light, max(float(white @ _LUMA), 1.0))
        varnish = float(smoothstep(np.array((_chroma(white) - _WHITE_EYES) / (_COLOURED_EYES - _WHITE_EYES))))
        self.tooth: np.ndarray = _tooth(skin * np.exp(colourful * _MOIST / _HUE_SHARE), bright, varnish)
        self.root: np.ndarray = (-0.1 + colourful * np.array([0.04, -0.02, -0.08])).astype(np.float32)
        self.gum: np.ndarray = ((0.62 * lip + 0.26 * skin) * (1 + colourful * _FLESH)).astype(np.float32)
        self.tongue: np.ndarray = ((0.62 * lip + 0.22 * skin) * (1 + colourful * _FLESH)).astype(np.float32)
        self.depth: np.ndarray = (lip * (_DEPTH.mean() + colourful * (_DEPTH - _DEPTH.mean()))).astype(np.float32)
        self.shadow: np.ndarray = (1 + colourful * np.array([-0.15, 0.05, 0.12])).astype(np.float32)

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

        skin = colour(_CHEEKS, 70)
        lip = colour(topology.LOWER_LIP_ROWS[1] + topology.LOWER_LIP_ROWS[2], 50)
        size = max(int(0.1 * face.scale), 4)
        patches = []
        for place in _PLAIN:
            x, y = np.clip(points[list(place)].mean(0).astype(int), size, np.array(image.shape[1::-1]) - size)
            patch = cv2.cvtColor(image[y - size : y + size, x - size : x + size], cv2.COLOR_RGB2GRAY).astype(np.float32)
            patches.append(patch - cv2.GaussianBlur(patch, (0, 0), max(size / 8, 1.0)))
        noise = _noise(min(patches, key=lambda patch: float(patch.std())))  # hair, lines and spots are rougher than grain
        palette = cls(skin, lip, _eye_white(image, points), noise)
        if teeth is not None:
            palette.tooth = np.asarray(teeth, np.float32)
        return palette

    def grain(self, shape: tuple[int, ...]) -> np.ndarray:
        """Mirror the portrait's own grain (sensor, brush, canvas) over a window of shape (h, w): (h, w, 1) float32 grey levels."""
        height, width = shape
        block = np.block([[self._noise, self._noise[:, ::-1]], [self._noise[::-1], self._noise[::-1, ::-1]]])
        tiles = (-(-height // block.shape[0]), -(-width // block.shape[1]))
        return np.tile(block, tiles)[:height, :width, None]

    def add_grain(self, colour: np.ndarray, grain: np.ndarray) -> np.ndarray:
        """Add grain, as strong as the light: what is dark shows little of it.

        Args:
            colour: (h, w, 3) RGB 0..255.
            grain: (h, w, 3) of the portrait's grain.

        Returns:
            (h, w, 3) RGB with grain.
        """
        light = np.clip(colour @ (_LUMA / self._light).astype(np.float32), 0.1, 1)[..., None]
        return colour + grain * light

    def cavity(self, deep: np.ndarray) -> np.ndarray:
        """Colour the dark behind teeth and tongue.

        Args:
            deep: (h, w) heights, 0 at the upper lip to 1 at the lower lip.

        Returns:
            (h, w, 3) RGB 0..255.
        """
        return (0.55 + 0.75 * smoothstep((deep - 0.25) / 0.75))[..., None] * self.depth


def luminance(colour: np.ndarray) -> np.ndarray:
    """Return the (...) luminance of colours (..., 3)."""
    return colour @ _LUMA.astype(np.float32)


def _tooth_light(skin: float, white: float) -> float:
    """The luminance of teeth from those of the skin and of the whites of the eyes."""
    of_skin, of_white, constant = _TOOTH_LIGHT
    by_skin = np.exp(of_skin * np.log(skin) + of_white * np.log(white) + constant)
    by_eyes = min(_OVER_EYE * white, _OVER_SKIN * skin)
    share = float(smoothstep(np.array((skin - _DARK_SKIN) / (_LIGHT_SKIN - _DARK_SKIN))))
    return float(np.clip(share * by_skin + (1 - share) * max(by_eyes, by_skin), _DARKEST * skin, max(_PALEST, skin)))


def _tooth(skin: np.ndarray, bright: float, varnish: float) -> np.ndarray:
    """(3,) the colour of teeth of a brightness, in the light that skin of a colour shows; `varnish` is how far, 0..1, all is tinted."""
    share, tinted = np.array([_HUE_SHARE, _TINTED]) + varnish * (np.array(_VARNISH) - [_HUE_SHARE, _TINTED])
    hue = np.log(np.maximum(skin, 1.0))
    tooth = np.exp(share * (hue - hue.mean()))
    pale = tooth.max()
    tooth = pale - (pale - tooth) * min(1.0, tinted / max(_chroma(tooth), 1e-6))
    return np.minimum(bright * tooth / (tooth @ _LUMA), 250).astype(np.float32)


def _noise(detail: np.ndarray) -> np.ndarray:
    """(h, w) float32 noise with the strength and the spectrum of a patch's fine detail, but none of its lines and spots."""
    deviation = 1.4826 * np.median(np.abs(detail))
    power = np.abs(np.fft.fft2(np.clip(detail, -2 * deviation, 2 * deviation))) ** 2
    level = np.median(power[1:, 1:]) if min(power.shape) > 1 else 0.0
    spectrum = np.sqrt(np.minimum((power + power.T) / 2, _COLUMNS * level))
    phase = np.fft.fft2(np.random.default_rng(0).standard_normal(detail.shape))
    return np.fft.ifft2(spectrum * phase / np.maximum(np.abs(phase), 1e-9)).real.astype(np.float32)


def _chroma(colour: np.ndarray) -> float:
    """0 (grey) .. 1: what the weakest channel lacks of the strongest."""
    return float((colour.max() - colour.min()) / max(float(colour.max()), 1e-6))


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
