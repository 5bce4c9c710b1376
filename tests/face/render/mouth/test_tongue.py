"""The tongue behind the lower teeth."""

import numpy as np

from tbd.face.render.mouth.dental_arch import RigidFrame
from tbd.face.render.mouth.tongue import tongue

X, Y = np.arange(0, 200)[None], np.arange(0, 200)[:, None]


def look(pitch: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    c, s = np.cos(pitch), np.sin(pitch)
    axes = 100 * np.array([[1, 0, 0], [0, -c, s]])
    return tongue(RigidFrame(np.array([100.0, 80.0]), axes), X, Y)


def test_its_back_rises_a_little_above_the_seam_and_it_is_symmetric():
    cover, light = look()
    rows, columns = np.nonzero(cover > 0.5)
    assert 70 < rows.min() < 78 and abs(columns.mean() - 100) < 1
    np.testing.assert_allclose(light[:, 1:], light[:, :0:-1], atol=1e-4)
    assert light.min() >= 0 and light.max() < 1.2


def test_a_wide_mouth_shows_it_and_not_a_dark_hole():
    """In film it fills most of what lies between the rows of a mouth that is wide open."""
    cover, _ = look()
    assert (cover[77:88, 90:111] > 0.8).all()


def test_its_front_is_lighter_than_its_back():
    cover, light = look(pitch=0.5)  # from above, more of its back is seen
    rows = np.flatnonzero(cover[:, 100] > 0.9)
    assert light[rows[-len(rows) // 3], 100] > 1.3 * light[rows[2], 100]
