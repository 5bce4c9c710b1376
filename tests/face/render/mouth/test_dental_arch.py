"""Rows of teeth: where pixels meet them, and how they are painted."""

import numpy as np
import pytest

from tbd.face.geometry import euler_to_matrix
from tbd.face.render.mouth.dental_arch import RigidFrame, lower_arch, upper_arch
from tests.face.render.drawing import palette

SCALE = 120.0


def frame(pitch: float = 0.0, yaw: float = 0.0, roll: float = 0.0) -> RigidFrame:
    turned = euler_to_matrix(np.array([pitch, yaw, roll]))[:2] * SCALE * np.array([[1], [-1]])
    return RigidFrame(np.array([200.0, 150.0]), turned)


class TestPlaces:
    @pytest.mark.parametrize("turn", [{}, {"yaw": 0.35}, {"pitch": -0.3, "yaw": -0.2, "roll": 0.25}])
    @pytest.mark.parametrize("arch", [upper_arch(SCALE), lower_arch(SCALE)], ids=["upper", "lower"])
    def test_a_pixel_meets_the_place_that_projects_onto_it(self, arch, turn):
        pose = frame(**turn)
        pixels = arch.project(pose)
        front = slice(arch.shape[1] // 3, -arch.shape[1] // 3)
        found, *_ = arch.locate(pose, pixels[..., 0], pixels[..., 1])
        rows, columns = np.mgrid[: arch.shape[0], : arch.shape[1]]
        np.testing.assert_allclose(found[:, front, 0], columns[:, front], atol=0.1)
        np.testing.assert_allclose(found[:, front, 1], rows[:, front], atol=0.1)

    def test_a_row_is_an_arch(self):
        arch = upper_arch(SCALE)
        straight, turned = arch.project(frame()), arch.project(frame(yaw=0.4))
        middle, side = arch.shape[1] // 2, arch.shape[1] // 5
        # Side teeth lie behind the incisors, so they move the other way as the head turns.
        assert turned[0, middle, 0] - straight[0, middle, 0] == pytest.approx(0, abs=1)
        far = arch.shape[1] - side
        assert (turned[0, far, 0] - turned[0, side, 0]) < 0.97 * (straight[0, far, 0] - straight[0, side, 0])
        assert abs((turned[0, side, 0] + turned[0, far, 0]) / 2 - turned[0, middle, 0]) > 0.02 * SCALE

    def test_what_turns_away_fades(self):
        arch = upper_arch(SCALE)
        pixels = arch.project(frame(yaw=0.6))[5]
        ends = [pixels[pick(pixels[:, 0])][:, None, None] for pick in (np.argmin, np.argmax)]
        at_outline = min(arch.locate(frame(yaw=0.6), *end)[1].item() for end in ends)
        _, in_front, lit = arch.locate(frame(yaw=0.6), *pixels[arch.shape[1] // 2][:, None, None])
        assert at_outline < 0.3 and in_front.item() == 1
        dim = [arch.locate(frame(yaw=0.6), *end)[2].item() for end in ends]
        assert lit.item() > 0.98 and min(dim) < 0.5
        assert arch.faces(frame(yaw=0.6)).sum() < arch.faces(frame()).sum()


class TestPaint:
    def test_teeth_are_apart_and_narrow_from_the_middle_to_the_lateral(self):
        arch = upper_arch(400.0)
        row = arch.paint(palette())[:, :, 1]
        along, above = arch.places
        light = row[np.abs(above[:, 0] - 0.06).argmin()]
        right = along[0] > 0.01
        minima = [i for i in np.flatnonzero(right)[1:-1] if light[i] < light[i - 1] and light[i] <= light[i + 1]]
        first, second, third = along[0][minima[:3]]
        assert first == pytest.approx(0.095, abs=0.01) and second - first == pytest.approx(0.073, abs=0.01) and third > second + 0.06
        # A contact is a soft shade and no line drawn between teeth.
        assert 0.6 < light[minima[0]] / light[minima[0] - 15] < 0.95

    def test_gums_are_redder_than_teeth_and_nothing_stands_below_the_edges(self):
        arch = upper_arch(SCALE)
        painted, (along, above) = arch.paint(palette()), arch.places
        middle = np.abs(along[0]).argmin() + 5
        tooth, gum = painted[np.abs(above[:, 0] - 0.06).argmin(), middle], painted[np.abs(above[:, 0] - 0.16).argmin(), middle]
        assert gum[0] / gum[2] > 1.2 * tooth[0] / tooth[2]
        assert painted[above[:, 0] < -0.01, :, 3].max() == 0 and painted[above[:, 0] > 0.03, :, 3].min() == 1

    def test_detail_can_be_left_out(self):
        arch, row = upper_arch(SCALE), slice(None)
        at = np.abs(arch.places[1][:, 0] - 0.06).argmin()
        near = np.abs(arch.places[0][0]) < 0.15
        rough, flat = (arch.paint(palette(), detail)[at, row, 1][near].std() for detail in (1.0, 0.0))
        assert flat < 0.5 * rough

    def test_sides_are_darker_than_the_front(self):
        arch = lower_arch(SCALE)
        at = np.abs(arch.places[1][:, 0] - 0.06).argmin()
        light = arch.paint(palette())[at, :, 1]
        assert light[4] < 0.4 * light[arch.shape[1] // 2 + 3]
