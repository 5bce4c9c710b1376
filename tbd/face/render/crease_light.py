"""`CreaseLight`: the shading of folds and of the relief of moving skin, laid onto a frame."""

import numpy as np

from tbd.face.geometry import FaceGeometry
from tbd.face.render.expression import ShownExpression
from tbd.face.render.field import MotionField
from tbd.face.render.giving_way import SMILE, emphasize
from tbd.face.render.layers.glasses import Glasses
from tbd.face.render.lines import line_maps
from tbd.face.render.relief import estimate_light, relief_maps
from tbd.face.render.skin import bare_skin, shadow_tint, skin_mask, skin_smoothness
from tbd.face.render.wrinkles import crease_maps, crease_onsets, crease_softness, saturate_depth, shown_depth

_CREASES = 88
"""Samples per inter-ocular distance of the crease maps."""
_RELIEF = np.float32(0.13)
"""Log light beyond which a change of relief gains and loses nothing more: skin shines through and is no mirror."""
_GRAIN, _LEAST_GRAIN = (0.012, 0.06), 0.004
"""Inter-ocular distances between which the grain of skin lies, and log light of what is too faint to count."""
_UNEVEN = np.float32(0.3)
"""By how much the grain makes folds deeper and shallower."""
_MATCHED = np.float32(2)
"""A fold that is modelled lies beside the portrait's own by a little: half of its depth is found."""


class CreaseLight:
    """The light of one portrait's folds.

    Args:
        face: The portrait.
        expression: Its movements.
        field: Where its pixels go.
        glasses: What is worn: no fold is drawn over them.
        blur: Pixels (standard deviation) by which the portrait is softer than a sharp one.
        shading: Strength, 0 for none.
    """

    def __init__(
        self,
        face: FaceGeometry,
        expression: ShownExpression,
        field: MotionField,
        glasses: Glasses | None,
        blur: float,
        shading: float,
    ) -> None:
        import cv2

        self._pixels, self._step, self._neutral = field.fine.pixels(field.window), field.fine.step, len(expression.rig.modes)
        down, across = self._pixels
        factor = min(1.0, _CREASES / face.scale)
        size = max(int((down.stop - down.start) * factor), 2), max(int((across.stop - across.start) * factor), 2)
        y = (np.arange(size[0]) + 0.5) / size[0] * (down.stop - down.start) - 0.5 + down.start
        x = (np.arange(size[1]) + 0.5) / size[1] * (across.stop - across.start) - 0.5 + across.start
        places = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)

        def shrink(values: np.ndarray) -> np.ndarray:
            return cv2.resize(values[down, across], size[::-1], interpolation=cv2.INTER_AREA)

        image, points, scale = face.image, face.points[:, :2], face.scale
        soft, depth = crease_softness(skin_smoothness(image, points, scale), blur / scale)
        skin = skin_mask(image, points, scale)
        light, bare = estimate_light(face, skin), bare_skin(skin, scale)
        if glasses is not None:
            bare = bare * (1 - glasses.stiffness(image, scale))
        maps, mix = crease_maps(points.astype(np.float64), places, scale, soft, light, shrink(bare).ravel(), depth, blur / scale)
        lines, deepened = line_maps(image, bare, points, scale)
        maps = np.concatenate([maps, [shrink(line).ravel() for line in lines]])
        mix = np.concatenate([mix, deepened], 1)
        headroom = np.clip((235 - shrink(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)).astype(np.float32)) / 90, 0, 1)
        maps = np.where(maps > 0, maps * headroom.ravel(), maps) * shrink(_unevenness(image, bare, scale)).ravel()
        # A smile that is let go leaves its folds in the pixels: they are lightened, as far as they are there.
        smiling = mix[SMILE].sum(0)
        folds = np.flatnonzero(smiling > 0)
        log_light = np.log(shrink(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)).astype(np.float32) + 8)
        smiling[folds] *= np.minimum(_MATCHED * shown_depth(maps[folds].reshape(-1, *size), log_light), 1)
        self._smile_folds = np.float32(0.8) * expression.smiling * smiling
        mix[expression.held] = 0
        if set(SMILE) <= set(expression.held):
            self._smile_folds *= 0
        self._tint = shadow_tint(image, points)
        self._crease_shape, self._crease_mix = size, mix
        self._crease_onset = np.append(crease_onsets(), np.zeros(len(lines))).astype(np.float32)
        self._crease_maps = (maps * np.float32(shading)).astype(np.float32)
        cells = field.skin.reshape(len(expression.modes), *field.shape, 3)
        towards = cells @ face.rotation[2].astype(np.float32)
        relief = relief_maps(towards, field.fine.step / scale, light)
        on_skin = cv2.resize(bare[down, across], relief.shape[:0:-1], interpolation=cv2.INTER_AREA)
        self._relief = (relief * on_skin * np.float32(shading)).reshape(len(relief), -1)

    def draw(self, frame: np.ndarray, blendshapes: np.ndarray, weights: np.ndarray, back: np.ndarray) -> None:
        """Lay the light onto a frame.

        Args:
            frame: (H, W, 3) uint8 RGB, changed in place.
            blendshapes: (52,) coefficients of the frame.
            weights: (56,) of the portrait's modes, as `ShownExpression.weights` returns them.
            back: (rows, columns, 2) the backward field of the window of the face.
        """
        import cv2

        amounts = saturate_depth(emphasize(blendshapes) @ self._crease_mix, self._crease_onset) - weights[self._neutral] * self._smile_folds
        light = (amounts @ self._crease_maps).reshape(self._crease_shape)
        rows, columns = self._crease_shape
        relief = np.tanh(weights @ self._relief / _RELIEF) * _RELIEF
        light += cv2.resize(relief.reshape(back.shape[:2]), (columns, rows), interpolation=cv2.INTER_LINEAR)
        down, across = self._pixels
        size = across.stop - across.start, down.stop - down.start
        places = np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32)[:, None]
        # plane by plane, as in `invert`
        x, y = (
            place + plane * np.float32(cells / pixels) * self._step
            for place, plane, cells, pixels in zip(places, cv2.split(cv2.resize(back, (columns, rows))), (columns, rows), size)
        )
        seen = cv2.remap(light, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        part = frame[down, across]
        cv2.multiply(part, cv2.resize(cv2.merge([cv2.exp(seen * tint) for tint in self._tint]), size), dst=part, dtype=cv2.CV_8U)


def _unevenness(image: np.ndarray, bare: np.ndarray, scale: float) -> np.ndarray:
    """(H, W) float32 about 1, how deep folds are at a place: deeper where this skin's own grain is darker, never alike all along."""
    import cv2

    light = np.log(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) + 8)
    fine, wide = (cv2.GaussianBlur(light, (0, 0), max(reach * scale, 0.6)) for reach in _GRAIN)
    grain = (fine - wide) * bare
    usual = float(np.sqrt((grain**2).sum() / max(float(bare.sum()), 1.0))) + _LEAST_GRAIN
    uneven: np.ndarray = 1 - _UNEVEN * np.tanh(grain / usual)
    return uneven
