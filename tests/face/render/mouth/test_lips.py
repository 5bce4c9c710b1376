"""The edges of the lips."""

import numpy as np
import pytest

from tbd.face.render.mouth.lips import LipAperture, lip_coverage

TOP = np.array([[30, 50], [33, 44], [40, 41], [50, 40], [60, 40], [70, 40], [80, 40], [90, 40], [100, 41], [107, 44], [110, 50]], float)
BOTTOM = TOP * [1, -1] + [0, 100]


def aperture() -> LipAperture:
    return LipAperture(tuple(range(11)), tuple(range(11)), (slice(20, 90), slice(10, 130)))


def test_an_opening_is_round_at_its_corners():
    opening = aperture().open(TOP, BOTTOM)
    gap = (opening.above + opening.below)[0]
    along = opening.along[0]
    at = [gap[np.abs(along - share * opening.half).argmin()] for share in (0.0, 0.8, 0.9, 0.97)]
    ellipse = [np.sqrt(1 - share**2) / np.sqrt(1 - 0.8**2) for share in (0.9, 0.97)]
    assert at[0] == pytest.approx(20, abs=1)
    assert [value / at[1] for value in at[2:]] == pytest.approx(ellipse, rel=0.12)


def test_coverage_is_the_area_that_shows_at_subpixel_steps():
    sums = [lip_coverage(aperture().open(TOP, BOTTOM + np.array([0, shift])), 0.7).sum() for shift in (0.0, 0.25, 0.5, 1.0)]
    steps = np.diff(sums)
    assert steps[0] == pytest.approx(steps[1], rel=0.05) and steps[2] == pytest.approx(2 * steps[1], rel=0.05)
    assert steps[0] == pytest.approx(0.25 * 80 * 0.85, rel=0.15)


def test_lips_that_touch_show_nothing():
    middle = (TOP + BOTTOM) / 2
    assert lip_coverage(aperture().open(middle, middle), 2.0).max() < 1e-5
    assert lip_coverage(aperture().open(BOTTOM, TOP), 2.0).max() == 0


def test_an_edge_has_no_steps():
    cover = lip_coverage(aperture().open(TOP, BOTTOM), 0.7)
    jumps = max(np.abs(np.diff(cover, axis=axis)).max() for axis in (0, 1))
    assert jumps < 0.75 and cover.max() > 0.99
