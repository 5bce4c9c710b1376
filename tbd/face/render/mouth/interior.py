"""What stands behind parted lips: two rows of teeth, the tongue and the dark behind them, lit through the opening."""

import numpy as np

from tbd.face.geometry import FaceGeometry
from tbd.face.render.contour import Opening
from tbd.face.render.grid import sample, spread
from tbd.face.render.mouth.dental_arch import DentalArch, RigidFrame, lower_arch, upper_arch
from tbd.face.render.mouth.open_mouth import OwnTeeth
from tbd.face.render.mouth.palette import Palette
from tbd.face.render.mouth.tongue import tongue
from tbd.utils.tracks import smoothstep

BEHIND = 0.035
"""How far the upper incisors stand behind the middle of the lips, in inter-ocular distances."""
_SHARP = 0.8
"""Pixels (standard deviation) by which even a sharp photograph blurs a tooth's edge."""
_EDGE = 0.5
"""The same of teeth that are the photograph's own, and as soft as it is."""
_FINE = 130.0
"""Pixels per inter-ocular distance that a row of teeth is painted with at least: small portraits have small teeth."""
_TONGUE_STAYS = 0.2
"""Of the jaw's movement the tongue, which hangs on the skull as well, does not follow this share."""
_MUCOSA = np.array([0.88, 0.74, 0.71], np.float32)
"""The moist inner side of the lips, against the colour of the lower lip."""
_REFLECTED, _ASIDE, _EDGE_SHARE = 0.14, 0.45, 0.15
"""How much of it, or of its light that teeth throw back, shows everywhere, more towards the corners, and more at the lips' edges. Set on
filmed people; larger shares fit better still, because the mesh does not know lips to a pixel, and look like fog."""
_BARED = (0.08, 0.17)
"""Inter-ocular distances between the lips up to which all of this holds, and from which on nothing. Held everywhere it is nearer to film,
but wide mouths of anger, fear and surprise are no longer told apart: two outside classifiers name 62 and 45 of 95 stills, so 70 and 52;
and half of the corners' share, before a lighter dark and a wider tongue, takes 83 to 74 % of six portraits' stills by one of them."""
_BEHIND_LIP = 0.2
"""What lies just behind the lower lip is so much darker: without that line a tongue of the lip's colour is one with it."""
_CORNER, _RIM = 0.4, 0.012
"""Share of half the mouth from which on it is a corner, and the width of the edges, in inter-ocular distances."""
_FUNNEL = 0.06
"""Lips that stand out by so many inter-ocular distances halve the light behind them."""
_NARROW, _NARROW_LIGHT = 0.14, 0.55
"""Through a gap narrower than this, in inter-ocular distances, less light falls: at the narrowest this share (set on the same footage)."""
_DRAWN_BACK, _OPENED = 0.06, 0.55
"""Corners that a smile draws back by so many inter-ocular distances flatten the lips against the teeth, which then stand in the light: gaps
let it in as those do that are wider by 1 / `_OPENED`. In film a smile's teeth are as bright as the cheek (the 85th percentile between the
lips, 1.00 and 1.05 of it, 99 frames with gaps of 0.07 to 0.3), what plain speech shows 0.71 and 0.77 (131 frames)."""
_BITING, _WHOLE = 0.06, 0.95
"""Inter-ocular distances above biting edges, and opacity, within which a row shows its teeth alone."""
_BRIGHTER = 1.8
"""Painted teeth beside a portrait's own become at most by this factor brighter or darker."""
_LOWER_LIGHT = 0.86
"""Lower teeth stand in the shade of the upper ones."""


class MouthInterior:
    """The inside of one portrait's mouth.

    Args:
        face: The portrait.
        palette: Its colours.
        blur: Pixels (standard deviation) by which the portrait's edges are softer than a sharp one's.
        detail: 0..1, as for `DentalArch.paint`.
        own: The upper teeth that the portrait shows.
        raised: As for `upper_arch`.
        full: What `shade` gives for the light that the portrait's own teeth stand in.
    """

    def __init__(
        self,
        face: FaceGeometry,
        palette: Palette,
        blur: float = 0.0,
        detail: float = 1.0,
        own: OwnTeeth | None = None,
        raised: float = 0.0,
        full: float = 1.0,
    ) -> None:
        self._scale, self._palette, self._full = np.float32(face.scale), palette, np.float32(full)
        self._own, resolution = own, arch_resolution(face.scale)
        blur = blur * resolution / face.scale
        self._upper_arch, self._lower_arch = upper_arch(resolution, raised), lower_arch(resolution)
        upper = self._upper_arch.paint(palette, detail)
        self._upper = _soften(upper, blur) if own is None else _with_own(upper, own, self._upper_arch, palette, blur)
        lower = _soften(self._lower_arch.paint(palette, detail), blur)
        lower[..., :3] *= _LOWER_LIGHT
        self._lower = lower

    def draw(
        self, opening: Opening, skull: RigidFrame, jaw: RigidFrame, x: np.ndarray, y: np.ndarray, protruded: float = 0.0
    ) -> np.ndarray:
        """Look between the lips.

        Args:
            opening: The opening over (h, w) pixels.
            skull: Where the skull lies.
            jaw: Where the jaw lies.
            x: (1, w) columns of these pixels.
            y: (h, 1) their rows.
            protruded: How far the lips stand out before the teeth beyond their rest, in inter-ocular distances; negative where their
                corners are drawn back by a smile.

        Returns:
            (h, w, 3) float32 RGB 0..255.
        """
        gap = np.maximum(opening.above + opening.below, 1)
        result = self._palette.cavity(np.clip(opening.above / gap, 0, 1))
        cover, light = tongue(jaw.between(skull, _TONGUE_STAYS), x, y)
        result += spread(cover) * (spread(light) * self._palette.tongue - result)
        result = _over(self._seen(self._lower, self._lower_arch, jaw, x, y, True), result)
        result = _over(self._seen(self._upper, self._upper_arch, skull, x, y, self._own is None), result)
        result *= self.shade(opening, protruded)
        result += spread(self._mucosa(opening)) * (_MUCOSA * self._palette.lip - result)
        low = np.exp(-np.maximum(opening.below, 0) / (np.float32(_RIM) * self._scale))
        result *= spread(1 - np.float32(_BEHIND_LIP) * low)
        return result

    def _mucosa(self, opening: Opening) -> np.ndarray:
        """(h, w) float32 0..1 how much of each pixel shows the inner side of the lips, and their red that teeth throw back."""
        edge = np.maximum(np.minimum(opening.above, opening.below), 0)
        aside = smoothstep((np.abs(opening.along) / np.float32(opening.half) - np.float32(_CORNER)) / np.float32(1 - _CORNER))
        rim = np.exp(-edge / (np.float32(_RIM) * self._scale))
        wide = float((opening.above + opening.below).max(initial=0)) / float(self._scale)
        narrow = 1 - np.float32(smoothstep(np.array((wide - _BARED[0]) / (_BARED[1] - _BARED[0]))))
        reflected = np.float32(0 if self._own is not None else _REFLECTED)  # a photograph's own teeth show it already
        bare: np.ndarray = (1 - reflected) * (1 - np.float32(_ASIDE) * aside) * (1 - np.float32(_EDGE_SHARE) * rim)
        shown: np.ndarray = (1 - bare) * narrow
        return shown

    @staticmethod
    def _seen(picture: np.ndarray, arch: DentalArch, bone: RigidFrame, x: np.ndarray, y: np.ndarray, shaded: bool) -> np.ndarray:
        """(h, w, 4) the pixels of a row's picture that stand where the bone has carried it; a photograph's own teeth are shaded already."""
        import cv2

        places, seen, light = arch.locate(bone, x, y)
        if shaded:
            return sample(picture, places, cv2.BORDER_CONSTANT) * cv2.merge([seen * light] * 3 + [seen])
        return sample(picture, places, cv2.BORDER_CONSTANT) * spread(seen, 4)

    def shade(self, opening: Opening, protruded: float = 0.0) -> np.ndarray:
        """Compute the light that lips let in: little just under the upper lip, into the corners and through a narrow gap.

        Args:
            opening: The opening over (h, w) pixels.
            protruded: As for `draw`.

        Returns:
            (h, w, 3) float32 shares of the light.
        """
        gap = opening.above + opening.below
        reach = self._scale * np.float32(1 - (1 - _OPENED) * min(max(-protruded / _DRAWN_BACK, 0), 1))
        protruded = max(protruded, 0)
        under = 0.66 + 0.34 * smoothstep(opening.above / (np.float32(0.06) * reach))
        beside = 0.35 + 0.65 * smoothstep((np.float32(1.06) - np.abs(opening.along) / np.float32(opening.half)) / 0.36)
        through = (_NARROW_LIGHT + (1 - _NARROW_LIGHT) * smoothstep(gap / (np.float32(_NARROW) * reach))) / (1 + protruded / _FUNNEL)
        return np.minimum(under * beside * through / self._full, 1)[..., None] ** self._palette.shadow


def arch_resolution(scale: float) -> float:
    """Choose how finely a row of teeth is painted for a portrait.

    Args:
        scale: Pixels per inter-ocular distance of the portrait.

    Returns:
        Pixels per inter-ocular distance of the row's picture.
    """
    return max(scale, _FINE)


def _soften(picture: np.ndarray, blur: float, sharp: float = _SHARP) -> np.ndarray:
    """A picture of teeth as soft as the portrait, where a sharp one would have edges of `sharp` pixels."""
    import cv2

    return cv2.GaussianBlur(picture, (0, 0), float(np.hypot(sharp, blur)), borderType=cv2.BORDER_CONSTANT)


def _with_own(painted: np.ndarray, own: OwnTeeth, arch: DentalArch, palette: Palette, blur: float) -> np.ndarray:
    """(rows, columns, 4) the row with the portrait's own teeth where it shows some, gums above them and painted teeth beside them."""
    painted = _going_on(painted, own, arch)
    above = arch.places[1] - own.edge
    gum = smoothstep((above - arch.crown()) / 0.02)[..., None]
    colour = own.colour + gum * (palette.gum - own.colour)
    alpha = _soften(np.ascontiguousarray(own.alpha), blur, _EDGE)[..., None]
    mine = np.concatenate([colour, np.ones_like(alpha)], -1) * alpha
    share = _soften(np.ascontiguousarray(own.share), blur, 0.1)[..., None]
    return mine * share + _soften(painted, blur) * (1 - share)


def _going_on(painted: np.ndarray, own: OwnTeeth, arch: DentalArch) -> np.ndarray:
    """The painted row, which beside the portrait's own teeth stands as high and is as bright as these."""
    import cv2

    rows, columns = arch.shape
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    places = np.stack([x, y + (own.over * arch.resolution).astype(np.float32)], -1)
    shifted = sample(painted, places, cv2.BORDER_REPLICATE)
    biting = (arch.places[1] > own.edge) & (arch.places[1] < own.edge + _BITING) & (shifted[..., 3] > _WHOLE)
    found = np.flatnonzero(own.share[0] > 0)
    for ends, side in (
        (found[: len(found) // 4 + 1], slice(0, found[len(found) // 2])),
        (found[-len(found) // 4 :], slice(found[len(found) // 2], None)),
    ):
        teeth = np.zeros_like(biting)
        teeth[:, ends] = biting[:, ends]
        if teeth.any():
            ratio = np.median(own.colour[teeth], 0) / np.maximum(np.median(shifted[teeth][:, :3], 0), 1)
            ratio = np.clip(ratio, 1 / _BRIGHTER, _BRIGHTER)
            shifted[:, side, :3] *= 1 + own.beside[side, None].astype(np.float32) * (ratio - 1).astype(np.float32)
    return np.asarray(shifted)


def _over(texture: np.ndarray, below: np.ndarray) -> np.ndarray:
    """(h, w, 4) over (h, w, 3)."""
    return texture[..., :3] + spread(1 - texture[..., 3]) * below
