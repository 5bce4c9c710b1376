"""What is hidden is pressed together: no fold, no steps along a slanting outline, nothing changed where nothing folds."""

from dataclasses import replace

import numpy as np
import pytest

from tbd.face.render.grid import Grid, invert, sample
from tbd.face.render.occlusion import average_layer, average_sideways, draw_averaged, pressed_share, soften_field, stretched_share, unfold
from tbd.face.render.warp import PortraitWarper
from tests.face.render.drawing import draw
from tests.face.rigging.poses import pose

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
    draw_averaged(now, average_layer(layer), source, Grid(_SIZE * _STEP, _SIZE * _STEP, _STEP).upsample(share))
    assert _steps(now[..., 0]) < 1.5 < _steps(before)
    assert now[30, 30, 0] == 220 and now[200, 200, 0] == 30


class TestDrawnOut:
    def field(self, slope: float) -> np.ndarray:
        """Skin of 20 rows that is drawn out to 1 / (1 + slope) times its height in the middle of 60."""
        back = np.zeros((60, 40, 2), np.float32)
        back[20:40, :, 1] = slope * np.arange(20)[:, None]
        back[40:, :, 1] = slope * 20
        return back

    def test_only_what_is_drawn_out_far_is_levelled_and_only_skin(self):
        skin = np.ones((60, 40), np.float32)
        assert stretched_share(self.field(0.0), skin) is None and stretched_share(self.field(-0.4), skin) is None
        share = stretched_share(self.field(-0.8), skin)
        assert share[25:35].min() > 0.9 and share[:15].max() < 0.05 and share[46:].max() < 0.05
        assert stretched_share(self.field(-0.8), np.zeros_like(skin)) is None

    def test_a_levelled_layer_keeps_its_rows_and_loses_its_grain(self):
        layer = np.full((40, 60, 4), 255, np.uint8)
        layer[..., :3] = np.where(np.arange(60) % 2, 90, 130)[None, :, None]
        layer[20:, :, :3] += 60
        levelled = average_sideways(layer, 200.0)[..., :3].astype(int)
        assert np.ptp(levelled[5]) < 6 < np.ptp(layer[5, :, :3]) and levelled[25].mean() - levelled[15].mean() > 55


def test_raised_brows_draw_no_streaks_over_a_shut_lid(face):
    grain = np.random.default_rng(0).normal(0, 12, face.image.shape[:2])[..., None]
    noisy = replace(face, image=np.clip(face.image + grain, 0, 255).astype(np.uint8))
    shut = draw(noisy, {"eyeBlink": 1, "browInnerUp": 1, "browOuterUp": 1})[0]
    points = PortraitWarper(noisy).mesh(np.array([*pose(eyeBlink=1, browInnerUp=1, browOuterUp=1), *[0] * 6], np.float32))
    for lid, brow in ((159, 52), (386, 282)):
        (x, low), high = points[lid], points[brow, 1]
        skin = shut[int(high + 0.45 * (low - high)) : int(high + 0.7 * (low - high)), int(x) - 12 : int(x) + 12].mean(-1)
        assert np.abs(np.diff(skin.mean(0))).mean() < 4.5  # 5.4 and 5.6 before
