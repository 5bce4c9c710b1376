"""Grids, interpolation and inversion of fields."""

import numpy as np
import pytest

from tbd.face.render.grid import Grid, Interpolator, invert


class TestGrid:
    def test_cells_cover_the_picture_and_enlarge_to_its_size(self):
        grid = Grid(50, 33, 4)
        assert grid.shape == (13, 9)
        assert grid.upsample(np.zeros(grid.shape, np.float32)).shape == (50, 33)

    def test_enlarging_keeps_a_linear_field_in_place(self):
        grid = Grid(64, 48, 4)
        full = grid.upsample(grid.centres())
        y, x = np.mgrid[:64, :48]
        inner = slice(2, -2), slice(2, -2)
        np.testing.assert_allclose(full[inner], np.dstack([x, y])[inner], atol=1e-3)

    def test_a_window_and_its_pixels_agree(self):
        grid = Grid(50, 33, 4)
        cells = grid.window(np.array([10, 20]), np.array([40, 60]))
        rows, columns = grid.pixels(cells)
        assert (rows.start, rows.stop, columns.start, columns.stop) == (20, 50, 8, 33)
        part = grid.upsample(np.zeros(tuple(s.stop - s.start for s in cells), np.float32), cells)
        assert part.shape == (30, 25)


def test_the_interpolator_passes_through_its_points_and_does_not_overshoot():
    rng = np.random.default_rng(0)
    points, values = rng.random((60, 2)), rng.random((60, 1))
    spread = Interpolator(points, stiffness=0.0)
    np.testing.assert_allclose(spread(values, points), values, atol=1e-4)
    step = (points[:, :1] > 0.5).astype(float)
    everywhere = spread(step, rng.random((2000, 2)))
    assert everywhere.min() > -0.15 and everywhere.max() < 1.15
    np.testing.assert_allclose(Interpolator(points)(np.ones((60, 1)), rng.random((9, 2)) * 3), 1, atol=1e-3)


@pytest.mark.parametrize("stretch", [-0.5, 0.8, 2.3])
def test_inverting_a_stretched_field(stretch):
    y, x = np.mgrid[:60, :60].astype(np.float32)
    t = np.clip((y - 14) / 16, 0, 1)
    ramp = stretch * 16 / 1.5 * t * t * (3 - 2 * t)  # at its steepest, one row becomes 1 + stretch rows
    move = np.dstack([0.3 * ramp, ramp]).astype(np.float32)
    back = invert(move, steps=12)
    from cv2 import BORDER_REPLICATE, INTER_LINEAR, remap

    forth = remap(move, np.dstack([x, y]) + back, None, INTER_LINEAR, borderMode=BORDER_REPLICATE)
    assert np.abs(back + forth)[:-3].max() < 0.15


def test_inverting_rest_is_exactly_rest():
    assert np.abs(invert(np.zeros((9, 7, 2), np.float32))).max() == 0


def test_inverting_plane_by_plane_changes_no_bit():
    """The steps as they read best, which the planes of `invert` are faster than."""
    from cv2 import BORDER_REPLICATE, INTER_LINEAR, remap

    rng = np.random.default_rng(0)
    places = np.dstack(np.meshgrid(np.arange(40, dtype=np.float32), np.arange(30, dtype=np.float32)))
    move = (3 * np.sin(places / 5 + rng.random(2).astype(np.float32))).astype(np.float32)
    start = rng.normal(0, 0.3, move.shape).astype(np.float32)
    stretch = np.dstack([np.gradient(move[..., 0], axis=1), np.gradient(move[..., 1], axis=0)])
    field = np.dstack([move, np.maximum(stretch + 1, np.float32(0.45))])
    back = start
    for _ in range(3):
        seen = remap(field, places + back, None, INTER_LINEAR, borderMode=BORDER_REPLICATE)
        back = back - np.clip(np.float32(0.9) * (back + seen[..., :2]) / seen[..., 2:], np.float32(-3), np.float32(3))
    before = start.copy()
    assert np.array_equal(invert(move, start, steps=3), back) and np.array_equal(start, before)
