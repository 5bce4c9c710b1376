"""What darkens the edge of a lid that comes down: its lashes, the line in which lids meet, and the shade of both.

Of 93 filmed blinks (`benchmarks.shut_eyes`) lids that meet take away light over a tenth of the eyes' distance: above the line, where the
lid turns down, and below it, where lashes hang, longest towards the temple. On the whole that is the more, the darker this face's lashes
are with its eyes open.
"""

import numpy as np

from tbd.face.render.contour import Opening
from tbd.face.render.grid import spread
from tbd.utils.tracks import smoothstep

_LASHES, _FIRST, _LAST = 42, -0.85, 1.0
"""Lashes of an upper lid that are told apart, and between which places along it (half-widths, outwards) they grow."""
_LENGTH = (0.018, 0.05)
"""Inter-ocular distances that lashes hang down at the nose and at the temple."""
_SLANT = (-0.15, 0.75)
"""Outwards per way down, at the nose and at the temple."""
_CURL = 0.35
"""What that grows by from root to tip."""
_WIDTH = 0.0045
"""Inter-ocular distances across a lash, or the few that stick together."""
_LEFT, _RIGHT, _TOP, _BOTTOM = -1.25, 1.5, -0.01, 0.085
"""The table of lashes: half-widths along the lid, inter-ocular distances below its edge."""
_TEXELS = (150.0, 900.0)
"""Entries of the table per inter-ocular distance, two a pixel, at least and at most."""
_CORE = (0.009, 0.016)
"""Half-widths of the line above and below the edge, in inter-ocular distances."""
_CORE_DARK, _LASH_DARK = (0.3, 0.85), (0.25, 0.9)
"""Log light that the line and a lash take away, and what that grows by with the log light of the portrait's own lashes."""
_ABOVE, _BELOW = (0.42, 0.04), (0.22, 0.028)
"""Log light that the turn of the lid takes away above the line, and lashes' shade below it, and over how many inter-ocular distances
that fades."""
_DEEPEST = 1.5
"""Log light that all this takes away at most."""
_BULGE = (0.08, 0.085, 0.04)
"""Log light that the bulge of a closed lid gains, how high over its edge and over how many inter-ocular distances."""


class ShutLid:
    """The edge of one upper lid as it comes down.

    Args:
        scale: Pixels per inter-ocular distance.
        half: Half the distance between the eye's corners, in pixels.
        outwards: 1 where the temple lies to the right in the picture, -1 where to the left.
        depth: Log light that the portrait's own lashes take away at their roots.
        blur: Pixels (standard deviation) by which the portrait's edges are softer than a sharp one's.
        tint: (3,) exponents of light for red, green and blue in the shades of this skin; lashes have half of that hue.
    """

    def __init__(self, scale: float, half: float, outwards: int, depth: float, blur: float, tint: np.ndarray) -> None:
        self._scale, self._outwards, self._blur, self._tint = scale, np.float32(outwards), blur / scale, tint
        self._core, self._lash = (np.float32(least + more * depth) for least, more in (_CORE_DARK, _LASH_DARK))
        self._texels = float(np.clip(2 * scale, *_TEXELS))
        self._stretch = half / scale * self._texels  # entries per half-width
        self._hair = _draw_lashes(self._texels, self._stretch, self._blur)

    def light(self, opening: Opening, shut: float) -> np.ndarray:
        """Compute the log light of the edge.

        Args:
            opening: The eye in this frame, over the part of the window that is drawn.
            shut: 0..1, how far the lids have met.

        Returns:
            (h, w, 3) float32.
        """
        import cv2

        along = opening.along * (self._outwards / np.float32(opening.half))
        under = opening.above / np.float32(self._scale)
        ends = smoothstep((np.float32(1.15) - np.abs(along - np.float32(0.03))) / np.float32(0.45)).astype(np.float32)
        outer = smoothstep((along + np.float32(0.9)) / np.float32(1.3)).astype(np.float32)
        thick = (np.float32(0.8) + np.float32(0.2) * outer) * ends
        width = [np.float32(np.hypot(w, 1.4 * self._blur)) for w in _CORE]
        sharp = [np.float32(w) / now for w, now in zip(_CORE, width)]
        above = under < 0
        dark = self._core * thick * np.where(above, sharp[0], sharp[1]) * np.exp(-((under / np.where(above, *width)) ** 2))
        at = (along - np.float32(_LEFT)) * np.float32(self._stretch) - np.float32(0.5)
        down = (under - np.float32(_TOP)) * np.float32(self._texels) - np.float32(0.5)
        hair = cv2.remap(self._hair, at.astype(np.float32), down.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        dark += self._lash * hair
        gain, height, width_up = (np.float32(value) for value in _BULGE)
        shade = -gain * np.exp(-(((under + height) / width_up) ** 2)) * np.clip(1 - along**2, 0, 1)
        for side, (depth, reach) in ((above, _ABOVE), (~above, _BELOW)):
            shade += side * np.float32(depth) * np.exp(-np.abs(under) / np.float32(reach)) * ends
        dark = np.float32(_DEEPEST) * np.tanh(dark / np.float32(_DEEPEST))
        light: np.ndarray = np.float32(-shut) * (spread(dark) * self._tint**0.5 + spread(shade) * self._tint)
        return light


def _draw_lashes(texels: float, stretch: float, blur: float) -> np.ndarray:
    """(rows, columns) float32 0..1, how much of the light lashes hold back, over the table's places."""
    import cv2

    random = np.random.default_rng(7)
    shape = int((_BOTTOM - _TOP) * texels) + 1, int((_RIGHT - _LEFT) * stretch) + 1
    hair = np.zeros(shape, np.float32)
    wide = _WIDTH * texels
    thickness, share = max(round(wide), 1), min(wide / max(round(wide), 1), 1.0)
    for place in np.linspace(_FIRST, _LAST, _LASHES) + random.uniform(-0.5, 0.5, _LASHES) * (_LAST - _FIRST) / _LASHES:
        out = float(smoothstep(np.array((place + 0.7) / 1.6)))
        length = (_LENGTH[0] + (_LENGTH[1] - _LENGTH[0]) * out) * random.uniform(0.7, 1.15) * min(1.0, 3 * (1.15 - place))
        slant = _SLANT[0] + (_SLANT[1] - _SLANT[0]) * out + random.uniform(-0.15, 0.15)
        way = np.linspace(0, 1, 6)
        x = (place - _LEFT) * stretch + texels * length * way * (slant + _CURL * way * out)
        y = (length * way - _TOP) * texels
        for i in range(len(way) - 1):  # a lash thins out
            one = np.zeros(shape, np.uint8)
            ends = np.round(np.array([[x[i], y[i]], [x[i + 1], y[i + 1]]]) * 16).astype(np.int32)
            cv2.polylines(one, [ends[:, None]], False, [255], thickness, cv2.LINE_AA, 4)
            hair = np.maximum(hair, one.astype(np.float32) * np.float32(share * (1 - 0.75 * way[i]) / 255))
    return cv2.GaussianBlur(hair, (0, 0), max(0.8, blur * texels))
