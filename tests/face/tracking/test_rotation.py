"""Quarter turns of pictures and points."""

import numpy as np
import pytest

from tbd.face.tracking.rotation import RotatedImage, rotate_points


@pytest.mark.parametrize("turn", range(-3, 5))
def test_points_follow_the_turned_picture(turn):
    image = np.zeros((30, 50, 3), np.uint8)
    image[7:9, 40:44] = 255
    turned = np.rot90(image, turn)
    corners = rotate_points(np.array([[40.0, 7.0], [44.0, 9.0]]), image.shape, turn)
    (left, top), (right, bottom) = corners.min(0).astype(int), corners.max(0).astype(int)
    assert turned[top:bottom, left:right].min() == 255 and turned.sum() == turned[top:bottom, left:right].sum()
    np.testing.assert_array_equal(rotate_points(corners, turned.shape, -turn), [[40, 7], [44, 9]])
    view = RotatedImage(image, turn)
    assert view.shape == turned.shape
    np.testing.assert_array_equal(view[3:20, 2:], turned[3:20, 2:])
