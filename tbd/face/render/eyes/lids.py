"""The lids of one eye: clean skin that unrolls over the eyeball, and lashes that ride on its edge.

A warp alone stretches whatever stands at the lid's edge (lashes, liner, the eye's white) over a closing eye. Here these are taken
apart: what the edge darkens becomes a map of log light that goes along with the edge, and the skin under it is painted smooth.
"""

from dataclasses import dataclass

import numpy as np

from tbd.face.render.contour import Opening
from tbd.face.render.eyes.shut_lids import ShutLid
from tbd.face.render.grid import spread
from tbd.utils.tracks import smoothstep

STEPS = 4
"""Places a pixel at which the lids' edges are tabulated."""
_BINS = 25
"""Places along a lid at which its colour is measured."""
_BEYOND = 1.3
"""Half-widths of the eye, from its middle, as far as lids are painted."""
_LASH_ROOTS, _LASH_TIPS = 0.02, 0.085
"""The least and the greatest height of lashes above the lid's edge, in inter-ocular distances."""
_FADE = 0.045
"""Inter-ocular distances from painted skin to the portrait's own."""
_LASHES_MOST, _PAINTED_MOST, _LEAST_FADE = 0.45, 0.75, 0.015
"""Of the way from a lid to its brow, how high lashes reach at most, and how high skin is painted: a low brow is none of it; and the least
width of its edge in inter-ocular distances."""
_HUES = np.float32(0.25)
"""Log light by which what the edges darken may differ from colour to colour."""
_RIM = 0.018
"""Inter-ocular distances below the lower lid's edge that hold its wet rim and what the mesh leaves of the eye."""
_GRAIN = 7.0
"""Levels of the skin's own grain that painted skin takes over at most."""
_LIT, _SHADED = (0.86, 1.1), 0.26
"""A closed lid bulges into the light: its lightness, at least and at most, as a share of that of the skin under the eye; and the log light
by which that least is less towards the nose, whose root shades it."""
_SHINES = 1.08
"""Lightness of the skin under an eye in one place, at most, as a share of its median."""
_HUE = 0.8
"""Share of a lid's colour that is the skin's under the eye, as dark as the lid is: what is seen of the lid is part lashes and their shade,
in which its own would be grey."""
_DARKEST = 1.2
"""Log light that lashes take away at most once the eye is shut."""
_ROOTS, _TIPS = 0.02, 0.04
"""Inter-ocular distances from the edge within which lashes are darkest, and within which they hang once the eye is shut."""
_LINE_WIDTH = 0.012
"""Half the width of the line at the lid's edge of an eye that the portrait shows shut, in inter-ocular distances."""
_OPENED_LINE = 0.675
"""Log light that it takes away once that eye is open."""
_FILLED, _FOLD = 0.045, (0.5, 0.3)
"""Half the width of folds that a lid loses as it comes down, in inter-ocular distances; and of the way to the brow from where on they are
kept, and over how much of it that begins."""
_WING, _WING_HEIGHT, _WING_WIDTH, _WING_SHARE = (0.8, 1.35, 0.3), 0.1, 0.05, 0.4
"""Lashes and liner beyond the corner at the temple: half-widths of the eye, from its middle, between which they are cleared away and over
how many that begins and ends; how far up and down in inter-ocular distances; and half of how wide they are at most, in inter-ocular
distances and in half-widths of the eye."""
_CORNER = (0.5, 0.35)
"""Half-widths of the eye, from its middle, from where on a fold is part of the lid's edge, and over how many that begins."""
_SWEPT = (1.4, 0.3)
"""Half-widths of the eye, from its middle towards the temple, beyond which what stands on an open lid's edge stays where it is, and over
how many that begins."""


@dataclass(frozen=True)
class LidCurves:
    """Both edges of the lids at rest, in one line from corner to corner.

    Args:
        middle: (2,) pixel (x, y) midway between the corners.
        axis: (2,) unit vector from the image's left corner to the right one.
        half: Half the distance between the corners, in pixels.
        heights: (2, N) pixels of the upper and the lower edge below that line, `STEPS` a pixel from two pixels before the corner on.
    """

    middle: np.ndarray
    axis: np.ndarray
    half: float
    heights: np.ndarray

    def place(self, along: np.ndarray, distance: np.ndarray, edge: int) -> np.ndarray:
        """Find the pixels of the portrait at given places about an edge.

        Args:
            along: Half-widths from the middle of the eye, -1 and 1 in its corners.
            distance: Pixels below the edge, of the same shape.
            edge: 0 for the upper lid's, 1 for the lower one's.

        Returns:
            (..., 2) float32 pixels (x, y).
        """
        # Looked up as in `Aperture.open`, so that an eye at rest finds each pixel in its own place.
        at = (along * self.half + self.half + 2) * STEPS + 0.5
        height = self.heights[edge][np.clip(at, 0, self.heights.shape[1] - 1).astype(np.int32)] + distance
        x = self.middle[0] + self.axis[0] * along * self.half - self.axis[1] * height
        y = self.middle[1] + self.axis[1] * along * self.half + self.axis[0] * height
        return np.stack([x, y], -1).astype(np.float32)


def lid_curves(top: np.ndarray, bottom: np.ndarray) -> LidCurves:
    """Measure the edges of the lids as `Aperture.open` lays them.

    Args:
        top: (N, 2) pixels (x, y), the upper lid's edge from corner to corner.
        bottom: (N, 2) pixels, the lower lid's.

    Returns:
        The curves.
    """
    from scipy.interpolate import CubicSpline

    start, end = (top[0] + bottom[0]) / 2, (top[-1] + bottom[-1]) / 2
    if end[0] < start[0]:
        start, end, top, bottom = end, start, top[::-1], bottom[::-1]
    middle, half = (start + end) / 2, max(float(np.linalg.norm(end - start)) / 2, 1.0)
    axis = (end - start) / (2 * half)
    down = np.array([-axis[1], axis[0]])
    heights = []
    for contour in (top, bottom):
        curve = CubicSpline(np.linspace(0, 1, len(contour)), contour - middle)(np.linspace(0, 1, 65))
        heights.append(np.interp(np.arange(-half - 2, half + 2, 1 / STEPS), np.maximum.accumulate(curve @ axis), curve @ down))
    return LidCurves(middle, axis, half, np.array(heights))


def wing_share(opening: Opening, outwards: int) -> np.ndarray:
    """Tell where lashes and liner spread beyond the eye's corner.

    Args:
        opening: The eye.
        outwards: 1 where the temple lies to the right in the picture, -1 where to the left.

    Returns:
        (h, w) 0..1, 1 from the corner at the temple on.
    """
    share: np.ndarray = smoothstep((opening.along * np.float32(outwards / opening.half) - np.float32(_WING[0])) / np.float32(_WING[2]))
    return share


@dataclass(frozen=True)
class CleanLids:
    """The skin of both lids without lashes, over the window of one eye.

    Args:
        upper: (h, w, 3) float32, skin of the upper lid, which goes on under the edge.
        lower: (h, w, 3) float32, skin of the lower lid, likewise.
        upper_share: (h, w) float32 0..1, how much of `upper` is painted; 0 where it is the portrait itself.
        lower_share: (h, w) float32 0..1, likewise.
        lash_height: (h, w) float32, pixels over the upper lid's edge up to which lashes or liner reach, at each pixel's place along it.
    """

    upper: np.ndarray
    lower: np.ndarray
    upper_share: np.ndarray
    lower_share: np.ndarray
    lash_height: np.ndarray


def paint_clean_lids(
    image: np.ndarray,
    skin: np.ndarray,
    opening: Opening,
    room: float,
    scale: float,
    tint: np.ndarray | None = None,
    outwards: int = 0,
) -> CleanLids:
    """Paint the skin of the lids as it is without lashes, liner and the eye's rim, and the upper one's without its fold.

    Args:
        image: (h, w, 3) float32 RGB 0..255, the window of the eye at rest.
        skin: (h, w) 0..1, how much a pixel looks like this face's skin.
        opening: The eye at rest.
        room: Pixels from the upper lid's edge to the brow.
        scale: Pixels per inter-ocular distance.
        tint: (3,) exponents of light in the shades of this skin, see `tbd.face.render.skin.shadow_tint`; shades are grey by default.
        outwards: 1 where the temple lies to the right in the picture, -1 where to the left, 0 where nobody knows.

    Returns:
        The skin of both lids.
    """
    import cv2

    along = opening.along / np.float32(opening.half)
    over, under = -opening.above, -opening.below
    near = 1 - smoothstep((np.abs(along) - 1) / (_BEYOND - 1))
    low = _colours(image, skin, along, (under > 0.03 * scale) & (under < 0.12 * scale))
    high = _colours(image, skin, along, (over > 0.012 * scale) & (over < min(0.11 * scale, max(0.6 * room, 0.03 * scale))))
    lightness, reference = high.mean(-1), low.mean(-1)
    # where a mesh is a little off, the white of the eye lies under it
    usual = np.minimum(_SHINES * np.median(reference) / np.maximum(reference, 1), 1)
    low, reference = low * usual[:, None], reference * usual
    inwards = smoothstep(np.clip(-outwards * np.linspace(-1.1, 1.1, _BINS) - 0.05, 0, 1))
    least = _LIT[0] * np.exp(-_SHADED * inwards)
    hooded = np.clip(1.5 * (1 - lightness / np.maximum(least * reference, 1)), 0, 1)[:, None]
    high += hooded * (least[:, None] * low - high)
    lightness = high.mean(-1)
    lit = np.clip(lightness, least * reference, _LIT[1] * reference)[:, None]
    own = high * (lit / np.maximum(lightness, 1)[:, None])
    skins = low * (lit / np.maximum(reference, 1)[:, None]) ** (1.0 if tint is None else tint)
    high = own + _HUE * (skins - own)
    above, below = (_along(colours, along) for colours in (high, low))
    grain = np.clip(image - cv2.GaussianBlur(image, (0, 0), max(0.02 * scale, 0.8)), -_GRAIN, _GRAIN)
    grain = _shifted(grain, opening, 0.07 * scale) * (skin > 0.5).mean()
    tips = _along(np.minimum(_lash_height(image, along, over, high, scale), _LASHES_MOST * room)[:, None], along)[..., 0]
    fade = np.clip(_PAINTED_MOST * room - tips, _LEAST_FADE * scale, _FADE * scale)
    lid_share = (1 - smoothstep((over - tips) / fade)) * near
    fold_share = (1 - smoothstep((over / room - _FOLD[0]) / _FOLD[1])) * near
    wing = wing_share(opening, outwards) * (1 - smoothstep((outwards * along - _WING[1]) / _WING[2]))
    wing = wing * smoothstep(2 - np.abs(over) / (0.5 * _WING_HEIGHT * scale))
    wide = min(_WING_WIDTH, _WING_SHARE * opening.half / scale)  # of an eye that is seen from aside the wing is short, and hair is near
    plain = image + wing[..., None] * (_without_lines(image, scale, wide, wide) - image)
    upper = plain + fold_share[..., None] * (_without_lines(plain, scale, _FILLED) - plain)
    lower_share = (1 - smoothstep((under - _RIM * scale) / (_FADE * scale))) * near
    upper += lid_share[..., None] * (above + grain - upper)
    lower = plain + lower_share[..., None] * (below + grain - plain)
    shares = np.maximum.reduce([lid_share, fold_share, wing]), np.maximum(lower_share, wing)
    return CleanLids(*(part.astype(np.float32) for part in (np.clip(upper, 0, 255), np.clip(lower, 0, 255), *shares, tips)))


def _without_lines(image: np.ndarray, scale: float, down: float, across: float = 0.0) -> np.ndarray:
    """(h, w, 3) the picture without what is dark and narrow: it is as light as the darker one of its sides.

    `down` and `across` are half the height and half the width of what goes, in inter-ocular distances.
    """
    import cv2

    soft = cv2.GaussianBlur(image, (0, 0), max(0.008 * scale, 0.6))
    size = 2 * round(across * scale) + 1, 2 * max(round(down * scale), 1) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size)
    filled = cv2.GaussianBlur(cv2.morphologyEx(soft, cv2.MORPH_CLOSE, kernel), (0, 0), max(0.02 * scale, 0.8))
    gain = np.maximum(filled - soft, 0)
    # what was dark is noisy once it is light
    return soft + gain + (image - soft) * np.exp(-gain.mean(-1, keepdims=True) / np.float32(_GRAIN))


def _colours(image: np.ndarray, skin: np.ndarray, along: np.ndarray, band: np.ndarray) -> np.ndarray:
    """(_BINS, 3) the colour of bright skin in a band along a lid, smooth from corner to corner."""
    from scipy.ndimage import gaussian_filter1d

    lightness = image.mean(-1)
    inside = band & (np.abs(along) < 1.1)
    if not inside.any():
        inside = np.abs(along) < 1.1
    dim, bright = np.percentile(lightness[inside], [45, 90])
    weight = inside * np.clip((lightness - dim + 1) / max(bright - dim, 1), 0.02, 1) * (0.05 + skin)
    places = np.clip(np.round((along + 1.1) / 2.2 * (_BINS - 1)), 0, _BINS - 1).astype(int)
    mass = np.bincount(places.ravel(), weight.ravel(), _BINS)
    total = np.stack([np.bincount(places.ravel(), (weight * image[..., c]).ravel(), _BINS) for c in range(3)], -1)
    smooth = [gaussian_filter1d(values, 0.11 * _BINS, axis=0, mode="nearest") for values in (total, mass + 1e-6 * mass.sum())]
    overall = total.sum(0) / mass.sum()
    return (smooth[0] + 1e-6 * mass.sum() * overall) / (smooth[1] + 1e-12)[:, None]


def _along(colours: np.ndarray, along: np.ndarray) -> np.ndarray:
    """(h, w, C) values at `_BINS` places along a lid, read at every pixel."""
    at = np.clip((along + 1.1) / 2.2 * (_BINS - 1), 0, _BINS - 1.001)
    low = at.astype(int)
    return colours[low] + (at - low)[..., None] * (colours[low + 1] - colours[low])


def _lash_height(image: np.ndarray, along: np.ndarray, over: np.ndarray, skin: np.ndarray, scale: float) -> np.ndarray:
    """(_BINS,) pixels above the lid's edge at which its lashes or its liner give way to skin."""
    import cv2
    from scipy.ndimage import gaussian_filter1d

    lightness = cv2.GaussianBlur(image.mean(-1), (0, 0), max(0.012 * scale, 0.6))
    places = np.round((along + 1.1) / 2.2 * (_BINS - 1)).astype(int)
    heights = np.full(_BINS, 0.5 * (_LASH_ROOTS + _LASH_TIPS))
    for i in range(_BINS):
        column = (places == i) & (over > 0.01 * scale) & (over < _LASH_TIPS * scale) & (lightness > 0.86 * skin[i].mean())
        if column.any():
            heights[i] = over[column].min() / scale
    heights = np.clip(gaussian_filter1d(heights, 1.5, mode="nearest") + 0.006, _LASH_ROOTS, _LASH_TIPS)
    return heights * scale


def _shifted(grain: np.ndarray, opening: Opening, down: float) -> np.ndarray:
    """(h, w, 3) the grain of the skin under the eye, laid over the eye and its lids."""
    import cv2

    height, width = grain.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    under = opening.below + np.float32(down)  # from each pixel straight down to the skin below the eye, mirrored there
    place = np.where(under > 0, y + under + (under % np.float32(max(0.5 * down, 1))), y).astype(np.float32)
    return cv2.remap(grain, x, place, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


class LidEdges:
    """What the edges of the lids darken and lighten, as maps of log light that go along with them.

    Args:
        image: (h, w, 3) float32 RGB, the window at rest.
        clean: (h, w, 3) float32 RGB, the eye drawn at rest without its edges.
        opening: The eye at rest.
        curves: The same eye.
        pixels: (rows, columns) slices of the window in the picture.
        scale: Pixels per inter-ocular distance.
        blur: Pixels (standard deviation) by which the portrait's edges are softer than a sharp one's.
        shut: Whether the eye is closed in the portrait: its lashes hang over the lower lid, and rise as it opens.
        tint: (3,) exponents of light for red, green and blue in the shades of this skin, see `tbd.face.render.skin.shadow_tint`.
        lash_height: (h, w) pixels over the upper edge up to which what is dark goes along with it, see `CleanLids`; all of it by default.
        outwards: 1 where the temple lies to the right in the picture, -1 where to the left.
    """

    def __init__(
        self,
        image: np.ndarray,
        clean: np.ndarray,
        opening: Opening,
        curves: LidCurves,
        pixels: tuple[slice, slice],
        scale: float,
        blur: float,
        shut: bool = False,
        tint: np.ndarray | None = None,
        lash_height: np.ndarray | None = None,
        outwards: int = 1,
    ) -> None:
        import cv2

        self._tint = np.ones(3, np.float32) if tint is None else tint
        self._curves, self._scale = curves, scale
        self._corner = np.array([pixels[1].start, pixels[0].start], np.float32)
        light = np.log((image + np.float32(0.5)) / (clean + np.float32(0.5))).astype(np.float32)
        self._shut = shut
        inside = opening.above / np.maximum(opening.above + opening.below, 1e-3)
        upper = np.where(opening.above < 0, 1, np.where(opening.below < 0, 0, 1 - smoothstep((inside - 0.45) / 0.35)))[..., None]
        if shut:
            upper = np.ones_like(upper)
        elif lash_height is not None:  # a fold over the lid is none of its edge, and goes nowhere
            high = smoothstep((-opening.above - lash_height) / (_FADE / 2 * scale))
            # towards the corners folds and lashes run into one another
            corner = smoothstep((np.abs(opening.along) / opening.half - _CORNER[0]) / _CORNER[1])
            light = light * (1 - high * (1 - corner))[..., None].astype(np.float32)
        self._upper, self._lower = light * upper.astype(np.float32), light * (1 - upper).astype(np.float32)
        near = np.where(opening.above < 0, np.float32(_TIPS * scale), np.float32(_ROOTS * scale))
        dark = np.float32(_DARKEST) * np.tanh(np.minimum(self._upper, 0) / np.float32(_DARKEST))
        self._lashes = cv2.GaussianBlur(dark * np.exp(-((opening.above / near) ** 2))[..., None], (0, 0), max(0.004 * scale, 0.5, blur))
        self._line = float(np.hypot(_LINE_WIDTH * scale, 1.4 * blur))
        roots = (np.abs(opening.above) < _ROOTS * scale) & (np.abs(opening.along) < 0.8 * opening.half)
        depth = -float(np.percentile(dark[roots].mean(-1), 35)) if roots.any() else 0.0
        self._outwards, self._shut_lid = np.float32(outwards), ShutLid(scale, opening.half, outwards, max(depth, 0.0), blur, self._tint)

    def light(self, opening: Opening, closing: float) -> np.ndarray:
        """Read the log light of the edges for an eye in one frame.

        Args:
            opening: The eye in this frame, over the part of the window that is drawn.
            closing: How far it is closed: 0 as at rest, 1 shut, below 0 opened wider.

        Returns:
            (h, w, 3) float32.
        """
        if self._shut:
            return self._light_opened(opening, 1 - closing)
        along = opening.along / np.float32(opening.half)
        moved = float(smoothstep(np.array(abs(closing) / 0.15)))
        shut = float(smoothstep(np.array((closing - 0.3) / 0.6)))
        # Seen from the front, lashes shorten as their lid turns down, and then point down over the lower lid.
        short = 1 - 0.65 * float(np.clip(closing, 0, 1))
        over = np.where(opening.above < 0, opening.above / np.float32(short), opening.above)
        light = self._read(self._upper, along, over, 0)
        lower = self._read(self._lower, along, -opening.below, 1)
        if shut > 0:
            # Towards the nose the edges do not move, so they stay as they are; at the temple they go down with the lid.
            out = along * self._outwards
            kept = smoothstep((np.where(out > 0, out - np.float32(_SWEPT[0]), -out - np.float32(0.95))) / np.float32(_SWEPT[1]))
            turned = np.float32(shut) * (1 - kept).astype(np.float32)
            light = light * spread(np.float32(1 - 0.6 * shut) * (1 - turned))
            lower = spread(1 - turned) * lower
            light = light + self._shut_lid.light(opening, shut)
        light = light + lower
        if moved > 0:
            # The hue of what is nearly black is noise, which becomes coloured specks where it lies over skin.
            plain = spread(light.mean(-1))
            light = light - np.float32(moved) * (light - plain - np.clip(light - plain, -_HUES, _HUES))
        # What is lighter than the skin at the edge (the eye's white beside a mesh that is a little off) stays with the eye.
        return np.minimum(light, np.float32(4 * (1 - moved) + 0.04))

    def _light_opened(self, opening: Opening, openness: float) -> np.ndarray:
        """(h, w, 3) log light of the edges of an eye that the portrait shows shut: 0 shut, 1 open."""
        along = opening.along / np.float32(opening.half)
        opened = float(smoothstep(np.array(openness / 0.6)))
        light = np.float32(1 - opened) * self._read(self._upper, along, opening.above, 0)
        if opened > 0:
            rising = np.where(opening.above < 0, -opening.above / np.float32(0.8), opening.above / np.float32(0.5))
            light = light + np.float32(opened) * self._read(self._lashes, along, rising, 0)
            line = np.exp(-((opening.above / np.float32(self._line)) ** 2)) * np.clip(4 * (1 - np.abs(along)), 0, 1)
            depth = _OPENED_LINE * opened * _LINE_WIDTH * self._scale / self._line
            light = np.minimum(light, -np.float32(depth) * spread(line) * self._tint)
        return light

    def _read(self, light: np.ndarray, along: np.ndarray, distance: np.ndarray, edge: int) -> np.ndarray:
        import cv2

        place = self._curves.place(along, distance, edge) - self._corner
        # OpenCV's stubs do not know that both coordinates may come in one array.
        return cv2.remap(light, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)  # type: ignore[call-overload]
