"""What stands behind a person."""

import cv2
import numpy as np
import pytest

from tbd.face import topology
from tbd.face.render.layers.backdrop import _extend_lines, _lines, find_strands, inpaint_background, pull_push_fill
from tbd.face.render.layers.matting import split_layers

_SCALE = 60.0


@pytest.fixture
def wall() -> np.ndarray:
    """(200, 240, 3) float32: a calm wall with grain."""
    return (170 + np.random.default_rng(0).normal(0, 1.5, (200, 240, 3))).astype(np.float32)


@pytest.fixture
def person() -> np.ndarray:
    """(200, 240) float32: a matte that ends at column 100."""
    return np.repeat(np.where(np.arange(240) < 100, 1, 0).astype(np.float32)[None], 200, 0)


def _picture(wall: np.ndarray, person: np.ndarray, *strokes: tuple[tuple[int, int], tuple[int, int]]) -> np.ndarray:
    picture = np.where(person[..., None] > 0, 60, wall)
    for start, end in strokes:
        cv2.line(picture, start, end, (60, 60, 60), 2, cv2.LINE_AA)
    return np.clip(picture, 0, 255).astype(np.uint8)


def test_strands_that_the_matte_leaves_out_are_found(wall, person):
    picture = _picture(wall, person, ((98, 50), (115, 60)), ((103, 120), (103, 126)))
    strands = find_strands(picture, person, _SCALE)
    assert strands[57, 110] and strands[123, 103]  # one that hangs together with the person, one close by
    assert strands[:, :100].max() == 0 and strands.mean() < 0.02


def test_what_stands_in_the_background_is_no_strand(wall, person):
    wall[:, 108:150] = 90  # a post, wider than strands
    wall[100:102, 180:] = 60  # a line, far away
    assert find_strands(_picture(wall, person), person, _SCALE).mean() < 0.005


def test_a_horizon_that_a_person_hides_is_no_strand(wall, person):
    wall[90:92] = 60
    assert find_strands(_picture(wall, person), person, _SCALE).mean() < 0.001


def test_leaves_are_no_strands_before_leaves(person):
    leaves = cv2.GaussianBlur(np.random.default_rng(1).normal(0, 900, (200, 240, 3)).astype(np.float32), (0, 0), 2) + 128
    assert find_strands(_picture(np.clip(leaves, 0, 255), person), person, _SCALE).mean() < 0.02


def test_no_shards_of_what_stands_beside_a_person_lie_behind_them(wall, person):
    """An object's mirror image would be seen about a head that has moved."""
    for top in range(0, 200, 40):
        wall[top : top + 20, 112:150] = 30
    filled = inpaint_background(_picture(wall, person), person, _SCALE).astype(np.float32)
    detail = (filled - cv2.GaussianBlur(filled, (0, 0), 5))[20:-20, 20:90]
    assert np.abs(detail).max() < 9
    assert detail.std() > 0.3  # the grain goes on


def test_strands_leave_the_background_and_go_with_the_person(face):
    image = face.image.copy()
    before = split_layers(image, face.points[list(topology.FACE_OVAL), :2], face.scale)
    alpha = before.foreground[..., 3] / 255.0
    row = int(face.points[10, 1])
    edge = int(np.flatnonzero(alpha[row] > 0.5).max())
    start, end = (edge - 3, row), (edge + int(0.2 * face.scale), row - int(0.1 * face.scale))
    cv2.line(image, start, end, tuple(int(v) for v in image[row, edge - 6]), 2, cv2.LINE_AA)
    layers = split_layers(image, face.points[list(topology.FACE_OVAL), :2], face.scale)
    on = np.zeros(alpha.shape, np.uint8)
    cv2.line(on, start, end, 1, 1)
    on = (on > 0) & (alpha == 0)
    drawn = np.abs(image[on].astype(int) - face.image[on]).mean()
    left = np.abs(layers.background[on].astype(int) - face.image[on]).mean()
    assert on.sum() >= 5 and left < 0.3 * drawn
    assert (layers.foreground[on][:, 3] > 60).mean() > 0.8


class TestFilling:
    def test_painting_out_keeps_what_is_seen(self):
        image = np.full((80, 80, 3), 90, np.uint8)
        image[30:50, 30:50] = 250
        alpha = np.zeros((80, 80), np.float32)
        alpha[28:52, 28:52] = 1
        np.testing.assert_allclose(inpaint_background(image, alpha, 20.0), 90, atol=2)

    def test_filling_is_smooth_and_keeps_the_known(self):
        picture = np.tile(np.linspace(0, 200, 64, dtype=np.float32)[:, None, None], (1, 64, 3))
        known = np.ones((64, 64), np.float32)
        known[20:40, 20:40] = 0
        filled = pull_push_fill(picture * known[..., None], known)
        assert (filled[known > 0] == picture[known > 0]).all()
        assert np.abs(filled - picture).max() < 45


@pytest.mark.parametrize("angle", [0.0, 0.5, -0.7, np.pi / 2 - 0.01])
def test_lines_run_on_straight_behind_a_person(angle):
    y, x = np.mgrid[:160, :160].astype(np.float32)
    wall = 128 + 90 * np.sin((y * np.cos(angle) - x * np.sin(angle)) / 3)
    wall = np.repeat(wall[..., None], 3, 2).astype(np.float32)
    visible = np.ones((160, 160), np.float32)
    visible[50:110, 60:100] = 0
    found, coherence = _lines(wall * visible[..., None], visible, 60.0)
    assert coherence > 0.8 and abs(np.sin(found - angle)) < 0.05
    filled = _extend_lines(wall * visible[..., None], visible, found)
    hidden = visible == 0
    assert np.isfinite(filled[hidden]).all() and np.abs(filled - wall)[hidden].mean() < 30


def test_a_pattern_that_runs_into_the_person_goes_on_behind_its_edge(person):
    y, x = np.mgrid[:200, :240] // 20
    squares = np.where((x + y) % 2, 60, 200)[..., None] * np.ones(3)
    filled = inpaint_background(_picture(squares, person), person, _SCALE)
    behind = filled[10::20, 93].astype(int).mean(1)  # a tenth of an inter-ocular distance behind the edge, in the middle of squares
    assert np.abs(np.diff(behind)).min() > 0.6 * 140
