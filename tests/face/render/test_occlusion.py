"""What is hidden is pressed together: no fold, no steps along a slanting outline, nothing changed where nothing folds."""

import numpy as np
import pytest

from tbd.face.render.grid import Grid, invert, sample
from tbd.face.render.occlusion import average_layer, draw_pressed, pressed_share, soften_field, unfold

_SIZE, _STEP = 60, 4


def _jaw(fall: float) -> np.ndarray:
    """(60, 60, 2) a jaw, the area above a slanting line, slides down and aside over a neck that stands still."""
    y, x = np.mgrid[:_SIZE, :_SIZE].astype(np.float32)
    beyond = (0.8 * x + 0.6 * y - 42) / 4
    moves = fall * np.clip(1 - beyond, 0, 1) ** 2
    return np.dstack([moves, moves]).astype(np.float32)


def _narrowest(field: np.ndarray) -> float:
    return min(1 + np.diff(field[..., 0], axis=1)[5:].min(), 1 + np.diff(field[..., 1], axis=0)[5:].min())


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_fold_is_pressed_together_and_what_is_nearer_stays(axis):
    field = _jaw(6.0) if axis == 0 else np.ascontiguousarray(_jaw(6.0)[:, ::axis] * np.float32([axis, 1]))
    assert _narrowest(field) < 0
    column = 5 if axis >= 0 else 54
    done = unfold(field.copy(), 5, column)
    assert _narrowest(done) > 0.29
    near = np.s_[5:20, 5:20] if axis >= 0 else np.s_[5:20, 40:55]
    assert (done[near] == field[near]).all()


def test_what_does_not_fold_keeps_every_bit():
    rng = np.random.default_rng(0)
    field = (0.1 * rng.standard_normal((40, 30, 2))).astype(np.float32)
    assert (unfold(field.copy(), 12, 15) == field).all()
    assert pressed_share(np.zeros((9, 9, 2), np.float32)) is None


def test_above_the_middle_brows_may_weigh_on_lids():
    field = np.zeros((20, 20, 2), np.float32)
    field[:5, :, 1] = 4
    assert (unfold(field.copy(), 10, 10) == field).all()


def _seen(back: np.ndarray) -> np.ndarray:
    return Grid(_SIZE * _STEP, _SIZE * _STEP, _STEP).upsample(back) * _STEP


def _steps(frame: np.ndarray) -> float:
    """By how many pixels the outline between light and dark departs from its own smooth course, at most."""
    from scipy.ndimage import gaussian_filter1d

    edge = (frame[30:150] > 128).argmin(1).astype(float)
    return float(np.abs(edge - gaussian_filter1d(edge, 8))[10:-10].max())


def test_a_slanting_outline_is_drawn_without_steps():
    """A light jaw before a dark neck, drawn as it was before and as it is now."""
    from cv2 import BORDER_REPLICATE

    y, x = np.mgrid[: _SIZE * _STEP, : _SIZE * _STEP].astype(np.float32)
    layer = np.repeat(np.where(0.8 * x + 0.6 * y < 42 * _STEP, 220, 30).astype(np.uint8)[..., None], 4, 2)
    places, field = np.dstack([x, y]), _jaw(6.0)
    before = sample(layer, places + _seen(invert(field)), BORDER_REPLICATE)[..., 0]
    back = invert(unfold(field.copy(), 5, 5))
    share = pressed_share(back)
    back = soften_field(back, share)
    source = places + _seen(back)
    now = sample(layer, source, BORDER_REPLICATE)
    draw_pressed(now, average_layer(layer), source, Grid(_SIZE * _STEP, _SIZE * _STEP, _STEP).upsample(share))
    assert _steps(now[..., 0]) < 1.5 < _steps(before)
    assert now[30, 30, 0] == 220 and now[200, 200, 0] == 30
