"""The edge of a lid that comes down."""

import numpy as np

from tbd.face.render.contour import Opening
from tbd.face.render.eyes.shut_lids import ShutLid

SCALE, HALF = 200.0, 31.0


def light(outwards: int = 1, depth: float = 0.8, blur: float = 0.0, shut: float = 1.0) -> np.ndarray:
    down, along = np.mgrid[-30.0:31.0, -50.0:51.0].astype(np.float32)
    return ShutLid(SCALE, HALF, outwards, depth, blur, np.ones(3, np.float32)).light(Opening(along, down, -down, HALF), shut)[..., 0]


def test_lashes_hang_longest_at_the_temple():
    below = light()[36:45]  # 0.03 to 0.07 of the eyes' distance below the line
    assert below[:, 65:80].mean() < 2 * below[:, 20:35].mean() < 0


def test_the_other_eye_is_its_mirror():
    np.testing.assert_allclose(light(-1), light(1)[:, ::-1], atol=0.02)


def test_it_is_as_dark_as_the_lashes_of_the_portrait_and_darkest_at_the_line():
    dark, fair = light(depth=1.2), light(depth=0.2)
    assert dark.sum() < 1.5 * fair.sum() < 0 and abs(int(dark[:, 50].argmin()) - 31) <= 2


def test_a_blurred_portrait_has_a_soft_line_of_the_same_darkness():
    sharp, soft = light(), light(blur=5.0)
    assert soft.min() > 0.85 * sharp.min() and abs(soft.sum() / sharp.sum() - 1) < 0.25


def test_it_comes_with_the_lid():
    assert (light(shut=0.0) == 0).all()
    np.testing.assert_allclose(light(shut=0.5), 0.5 * light(), atol=1e-6)
