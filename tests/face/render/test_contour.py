"""Apertures, textures that go with points, blending."""

import numpy as np

from tbd.face.render.contour import Aperture, affine_from_points, blend, warp_texture


class TestAperture:
    aperture = Aperture(tuple(range(5)), tuple(range(5)), (slice(10, 60), slice(20, 90)))
    corners = np.linspace(30, 80, 5)

    def contours(self, half: float) -> tuple[np.ndarray, np.ndarray]:
        bow = half * np.sin(np.linspace(0, np.pi, 5))
        return np.column_stack([self.corners, 35 - bow]), np.column_stack([self.corners, 35 + bow])

    def test_inside_shows_and_outside_does_not(self):
        cover = self.aperture.open(*self.contours(8)).coverage(2.0)
        assert cover[25, 35] == 1 and cover[25 - 10, 35] == 0 and cover[25, 5] == 0
        assert 380 < cover.sum() < 540  # area 2 · 8 · 50 · 2/π ≈ 509, less half of the soft edge

    def test_a_closed_opening_shows_nothing(self):
        assert self.aperture.open(*self.contours(0)).coverage(1.0).max() == 0
        assert self.aperture.open(*self.contours(-3)).coverage(1.0).max() == 0

    def test_a_reversed_contour_is_the_same_opening(self):
        top, bottom = self.contours(8)
        there, back = self.aperture.open(top, bottom), self.aperture.open(top[::-1], bottom[::-1])
        np.testing.assert_allclose(there.coverage(2.0), back.coverage(2.0), atol=1e-4)

    def test_the_box_holds_the_opening(self):
        top, bottom = self.contours(8)
        cover = self.aperture.open(top, bottom).coverage(2.0)
        box = self.aperture.box(top, bottom)
        assert cover.sum() == cover[box].sum() and cover[box].size < 0.6 * cover.size


def test_affine_carries_a_texture_with_its_points():
    rest = np.array([[40.0, 30], [50, 30], [40, 40]])
    matrix = affine_from_points(rest, rest + np.array([3, 2]))
    np.testing.assert_allclose(matrix, [[1, 0, 3], [0, 1, 2]], atol=1e-9)
    texture = np.zeros((40, 40), np.float32)
    texture[10, 12] = 1
    pixels, box = (slice(20, 60), slice(30, 70)), (slice(5, 40), slice(5, 40))
    assert np.argwhere(warp_texture(texture, matrix, pixels, box) > 0.9).tolist() == [[12 - 5, 15 - 5]]
    assert (affine_from_points(rest, rest) == [[1, 0, 0], [0, 1, 0]]).all()


def test_blend_keeps_what_is_equal():
    below = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    kept = below.copy()
    blend(below, below.copy(), np.full((4, 4), 0.37, np.float32))
    assert (below == kept).all()
    blend(below, below + 100, np.eye(4, dtype=np.float32))
    assert (below[0, 0] == kept[0, 0] + 100).all() and (below[0, 1] == kept[0, 1]).all()
