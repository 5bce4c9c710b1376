"""Portraits cropped from pictures."""

from dataclasses import replace

import numpy as np
import pytest

from tbd.face import topology
from tbd.face.portrait import crop_portrait, portrait_window
from tbd.face.render.grid import Grid
from tbd.face.tracker import FaceMeshTracker
from tests.face.render.drawing import around, cut, draw


def test_crop_carries_the_mesh_over_exactly(face):
    crop = crop_portrait(face, 512)
    again = FaceMeshTracker().locate(crop.image)
    assert crop.image.shape == (512, 512, 3)
    assert np.abs(again.points - crop.points)[:, :2].mean() < 0.01 * crop.scale
    assert np.abs(crop.project(crop.canonical) - crop.points)[:, :2].max() < 1e-3 * crop.scale


class TestFraming:
    points = np.array([[100.0, 100], [200, 220]])  # a face 100 wide and 120 high

    @pytest.mark.parametrize("shape", [(320, 300), (260, 240), (230, 400), (400, 210), (2000, 3000), (222, 202)])
    def test_the_square_stays_in_the_picture(self, shape):
        left, top, side = portrait_window(self.points, shape)
        assert left >= 0 and top >= 0 and left + side <= shape[1] and top + side <= shape[0]
        assert left <= 100 and top <= 100 and left + side >= 200 and top + side >= 220

    def test_a_picture_too_narrow_for_the_whole_face_is_centred(self):
        left, top, side = portrait_window(self.points - [95, 95], (135, 110))
        assert (top, side) == (pytest.approx(5, abs=5.1), pytest.approx(124.8))
        assert left == pytest.approx((110 - side) / 2)

    def test_there_is_no_margin_where_the_picture_fills_the_square(self, face):
        rows, columns = around(face, topology.FACE_OVAL, 0.3)
        side = min(rows.stop - rows.start, columns.stop - columns.start)
        assert crop_portrait(cut(face, columns.start, rows.start, columns.start + side, rows.start + side), 128).picture_box is None

    def test_the_margin_is_soft_and_stands_still(self, face):
        rows, columns = around(face, topology.FACE_OVAL, 0.02)
        narrow = slice(columns.start + 8, columns.stop - 8)
        framed = crop_portrait(cut(face, narrow.start, rows.start, narrow.stop, rows.stop), 192)
        left, top, right, bottom = framed.picture_box
        assert left > 4 and right < 188 and (top, bottom) == (0, 192)
        margin = framed.image[:, :left].astype(int)
        assert np.abs(np.diff(margin, axis=0)).max() <= 12  # no bars: nothing but slow colour
        rest, turned = draw(framed, {}, {"headYaw": 0.2, "headX": 0.1, "jawOpen": 0.5})
        assert (rest == framed.image).all()
        assert (turned[:, :left] == rest[:, :left]).all() and (turned[:, right:] == rest[:, right:]).all()
        assert (turned[:, left:right] != rest[:, left:right]).any()

    def test_edges_of_the_picture_stay_out_of_sight(self):
        grid = Grid(40, 60, 4)
        low, high = grid.bounds(0.8)
        centres = (grid.centres() + 0.5) / 4
        assert (centres - (high + 0) >= 0).all()  # even at the bound nothing passes the left and upper edge
        assert (high[:, 0, 0] < 0.5).all() and (low[:, -1, 0] > -0.5).all() and (low[-1, :, 1] > -0.5).all()
        assert high[5, 7, 0] == pytest.approx(0.8 * 7.5)

    def test_a_head_that_is_cut_draws_no_edge_inwards(self, face):
        rows, columns = around(face, topology.FACE_OVAL, 0.02)
        tight = cut(face, columns.start, rows.start, columns.stop, rows.stop)
        marked = tight.image.copy()
        marked[:, :2] = (255, 0, 255)
        moved = draw(replace(tight, image=marked), {"headX": 0.2})[0].astype(int)
        magenta = (moved[..., 0] - moved[..., 1] > 150) & (moved[..., 2] - moved[..., 1] > 150)
        assert magenta[:, 8:].sum() == 0
