"""The shadow between closed lips stays where they touch."""

import numpy as np
import pytest

from tbd.face.render.contour import Opening
from tbd.face.render.mouth.seam import LipSeam

HEIGHT, WIDTH, SCALE = 80, 120, 100.0
LIP, DARK = np.array([190.0, 100, 105]), 0.7


def opening(gap: float) -> Opening:
    """Two lips about the middle row that part by `gap` pixels in the middle, and meet in corners."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    along = x - (WIDTH - 1) / 2
    half = gap / 2 * np.sqrt(np.clip(1 - (along / 50) ** 2, 0, 1))
    down = y - (HEIGHT - 1) / 2
    return Opening(along, (down + half).astype(np.float32), (half - down).astype(np.float32), 50.0)


def picture(gap: float) -> np.ndarray:
    """Lips with a shadow of two pixels at their edges, carried apart as a warp carries them."""
    lips = opening(gap)
    distance = np.maximum(np.maximum(-lips.above, -lips.below), 0)
    light = 1 - DARK * np.exp(-((distance / 2) ** 2))
    return (LIP * light[..., None] + 0.5).astype(np.uint8)


@pytest.fixture(scope="module")
def seam():
    return LipSeam(picture(0), opening(0), SCALE)


def test_lips_that_touch_keep_their_shadow(seam):
    frame = picture(0)
    seam.light(frame, opening(0))
    assert (frame == picture(0)).all()


def test_lips_that_part_leave_it_the_lower_one_more(seam):
    frame, lips = picture(16), opening(16)
    before = frame.copy()
    seam.light(frame, lips)
    middle = np.abs(lips.along) < 15
    lower, upper = (middle & (-edge > 0) & (-edge < 2) for edge in (lips.below, lips.above))
    dark = 1 - before[lower].mean(0) / LIP
    assert dark.min() > 0.3
    assert (1 - frame[lower].mean(0) / LIP < 0.35 * dark).all()
    assert (frame[upper].mean(0) < frame[lower].mean(0)).all() and (frame[upper].mean(0) > before[upper].mean(0)).all()
    far = np.maximum(-lips.above, -lips.below) > 8
    assert (frame[far] == before[far]).all()


def test_corners_in_which_lips_touch_stay_dark(seam):
    frame = picture(16)
    before = frame.copy()
    seam.light(frame, opening(16))
    changed = np.abs(frame.astype(int) - before).max(-1)
    corner, middle = (np.abs(np.abs(opening(16).along) - place) < 3 for place in (49, 0))
    assert changed[corner].max() < 0.4 * changed[middle].max()


def test_even_lips_have_nothing_to_gain():
    even = np.full((HEIGHT, WIDTH, 3), 140, np.uint8)
    frame = even.copy()
    LipSeam(even, opening(0), SCALE).light(frame, opening(16))
    assert (frame == even).all()
