"""Mouths that are open in the portrait: their edges, their lips and their own teeth, on drawn pictures where the truth is known."""

import dataclasses

import numpy as np
import pytest

from tbd.face.render.mouth.dental_arch import UPPER_EDGE, RigidFrame, upper_arch
from tbd.face.render.mouth.lips import LipAperture
from tbd.face.render.mouth.open_mouth import find_lip_edges, find_teeth, mirror_lips, tooth_likeness
from tests.face.render.drawing import palette

SCALE = 160.0
LIP, TOOTH, DARK = np.array([190, 100, 100]), np.array([225, 215, 200]), np.array([40, 15, 15])
X = np.linspace(60, 180, 11)
BOW = np.sqrt(1 - np.linspace(-1, 1, 11) ** 2)
TOP, BOTTOM = np.column_stack([X, 100 - 6 * BOW]), np.column_stack([X, 100 + 24 * BOW])
APERTURE = LipAperture(tuple(range(11)), tuple(range(11)), (slice(0, 220), slice(0, 240)))
EDGE = 12
"""Pixels that the teeth reach below the middle of the upper lip."""


def picture(shift: float = 0.0) -> np.ndarray:
    """Lips, teeth that end between them, and the dark below the teeth."""
    opening = APERTURE.open(TOP + np.array([0, shift]), BOTTOM + np.array([0, shift]))
    image = np.broadcast_to(LIP, (220, 240, 3)).copy()
    inside = (opening.above > 0) & (opening.below > 0)
    y = np.arange(220)[:, None]
    image[inside] = DARK
    image[inside & (y < 94 + EDGE + shift)] = TOOTH
    return image.astype(np.uint8)


def test_edges_of_lips_are_found_where_the_mesh_misses_them():
    upper, lower = find_lip_edges(picture(3.0), APERTURE, TOP, BOTTOM, SCALE)
    assert upper[3:8, 1] == pytest.approx(np.full(5, 3.0), abs=1.2) and lower[3:8, 1] == pytest.approx(np.full(5, 3.0), abs=1.2)
    right = find_lip_edges(picture(), APERTURE, TOP, BOTTOM, SCALE)
    assert np.abs(np.stack(right)[:, 2:9]).max() < 1.2


def test_lips_are_freed_of_teeth():
    opening = APERTURE.open(TOP, BOTTOM)
    for lip in mirror_lips(picture(), opening, SCALE, 2.0):
        middle = lip[60:140, 70:170].astype(int)
        assert np.abs(middle - LIP).max() <= 30 if lip is not None else False
    outside = (opening.above < -5) | (opening.below < -5)
    assert (mirror_lips(picture(), opening, SCALE, 2.0)[0][outside] == picture()[outside]).all()


class TestTeeth:
    def find(self, image=None):
        arch, skull = upper_arch(SCALE), RigidFrame(np.array([120.0, 97.0]), SCALE * np.array([[1.0, 0, 0], [0, -1, 0]]))
        shade = np.ones((220, 240, 3), np.float32)
        found = find_teeth(picture() if image is None else image, APERTURE.open(TOP, BOTTOM), arch, skull, (0, 0), LIP[None], shade)
        return arch, found

    def test_their_edges_are_where_they_end(self):
        arch, found = self.find()
        middle = arch.shape[1] // 2
        # The teeth end at row 106, nine pixels below the origin of the skull.
        expected = -9 / SCALE - UPPER_EDGE
        assert found.edge[middle - 8 : middle + 8] == pytest.approx(np.full(16, expected), abs=0.015)

    def test_a_highlight_that_reaches_far_down_makes_no_fang(self):
        image = picture()
        image[100:117, 102:106] = TOOTH
        arch, found = self.find(image)
        middle = arch.shape[1] // 2
        near = found.edge[middle - 30 : middle + 30]
        assert np.ptp(near) < 0.03  # the highlight itself reaches 0.07 farther than the teeth

    def test_painted_teeth_go_on_beside_them_at_their_height_and_in_their_light(self):
        from tbd.face.render.mouth.interior import _going_on, _with_own

        arch, found = self.find()
        over = np.full_like(found.over, 0.05) * found.beside
        raised = dataclasses.replace(found, over=over, edge=arch.edges()[0] + 0.05)
        painted = np.zeros((*arch.shape, 4), np.float32)
        painted[arch.places[1][:, 0] > 0] = [100, 100, 100, 1]
        shown = np.flatnonzero(found.share[0] > 0)
        row = _going_on(painted, raised, arch)
        at, far = shown[-1] + 2, -1
        lowest = [arch.places[1][np.flatnonzero(row[:, column, 3] > 0.5)[-1], 0] for column in (at, far)]
        assert lowest[0] == pytest.approx(0.05, abs=0.012) and lowest[1] == pytest.approx(over[far], abs=0.012)
        whole = _with_own(painted, raised, arch, palette(), 0.0)
        lowest = arch.places[1][np.flatnonzero(whole[:, shown[-1] + 6, 3] > 0.5)[-1], 0]
        assert lowest == pytest.approx(over[shown[-1] + 6], abs=0.012)  # the row that is drawn has it
        light = [row[arch.places[1][:, 0] > 0.06][:, column, :3].mean() for column in (at, far)]
        assert light[0] > 160 and light[1] == pytest.approx(100 * (1 + 0.8 * found.beside[far]), abs=4)

    def test_their_colour_is_the_photographs_and_goes_on_under_the_lip(self):
        arch, found = self.find()
        middle = arch.shape[1] // 2
        rows = found.alpha[:, middle] > 0.99
        assert np.abs(found.colour[rows, middle] - TOOTH).max() < 12 and rows.sum() > 0.15 * SCALE

    def test_where_no_teeth_show_there_are_none(self):
        image = picture()
        image[(image == TOOTH).all(-1)] = DARK
        assert self.find(image)[1] is None
        image = picture()
        image[(image == TOOTH).all(-1)] = LIP + 8  # a tongue
        assert self.find(image)[1] is None

    def test_grey_teeth_are_brighter_than_grey_lips(self):
        grey = np.repeat(picture().mean(-1, keepdims=True), 3, -1).astype(np.uint8)
        opening = APERTURE.open(TOP, BOTTOM)
        inside = np.minimum(opening.above, opening.below) > 1
        like, tooth = tooth_likeness(grey, inside, np.repeat(LIP[None].mean(-1, keepdims=True), 3, -1))
        assert tooth.mean() == pytest.approx(TOOTH.mean(), abs=6) and like[100, 120] > 0.9 and like[115, 120] < 0.1
