"""Lids: what is seen while an eye closes, shut, and opened wide."""

from dataclasses import replace

import numpy as np
import pytest

from tbd.face import topology
from tbd.face.geometry import FaceGeometry
from tbd.face.render.contour import Aperture
from tbd.face.render.eyes.lids import LidEdges, lid_curves, paint_clean_lids
from tbd.face.render.warp import PortraitWarper
from tbd.face.rig import Rig
from tests.face.render.drawing import draw
from tests.face.rigging.poses import pose

SIDES = [topology.EYE_TOP + topology.EYE_BOTTOM, topology.mirrored(topology.EYE_TOP + topology.EYE_BOTTOM)]
IRISES = [468, 473]


def column(frame: np.ndarray, face, iris: int, reach: float = 0.2) -> np.ndarray:
    """Lightness from above an eye down through the middle of its iris."""
    x, y = face.points[iris, :2]
    r = int(reach * face.scale)
    return frame[int(y) - r : int(y) + r, int(x) - 1 : int(x) + 2].mean((1, 2))


class TestBlink:
    @pytest.mark.parametrize("eye", [0, 1])
    def test_nothing_of_the_iris_is_left_in_a_shut_eye(self, face, eye):
        rest, shut = draw(face, {}, {"eyeBlink": 1})
        x, y = np.round(face.points[IRISES[eye], :2]).astype(int)
        r = int(0.03 * face.scale)
        lid = shut[y - r : y + r, x - r : x + r].mean(-1)
        under = rest[int(y + 0.13 * face.scale), x - 5 : x + 5].mean()
        assert lid.min() > 0.7 * under and rest[y - r : y + r, x - r : x + r].mean(-1).min() < 0.5 * under

    @pytest.mark.parametrize("eye", [0, 1])
    def test_one_dark_line_lies_between_shut_lids(self, face, eye):
        profile = column(draw(face, {"eyeBlink": 1})[0], face, IRISES[eye], 0.12)
        darkest = int(profile.argmin())
        assert profile[darkest] < 0.75 * np.median(profile)
        reach = int(0.035 * face.scale)
        rest = np.delete(profile, range(max(darkest - reach, 0), darkest + reach + 1))
        assert rest.min() > profile[darkest] + 0.15 * np.median(profile)  # a second line would be lashes left behind

    @pytest.mark.parametrize("eye", [0, 1])
    def test_a_half_shut_eye_shows_the_lower_half_of_the_iris(self, face, eye):
        half, shut = draw(face, {"eyeBlink": 0.5}, {"eyeBlink": 1})
        x, y = np.round(face.points[IRISES[eye], :2]).astype(int)
        below, above = y + int(0.012 * face.scale), y - int(0.04 * face.scale)
        assert half[below, x].mean() < 0.5 * shut[y, x].mean() < half[above, x].mean()

    def test_the_lid_passes_over_the_eye_steadily(self, face):
        frames = draw(face, *({"eyeBlink": v} for v in np.linspace(0, 1, 11)))
        profiles = [column(frame, face, 468, 0.1) for frame in frames]
        skin = np.median(profiles[-1])
        covered = [(profile > 0.6 * skin).sum() for profile in profiles]
        assert covered[-1] > covered[0] + 5 and min(np.diff(covered)) >= -2


def test_a_wide_eye_keeps_no_line_where_the_lid_was(face):
    rest, wide = draw(face, {}, {"eyeWide": 1})
    for top in (topology.EYE_TOP, topology.mirrored(topology.EYE_TOP)):
        # Beside the iris, where the lid's edge was, there is white now.
        inner = face.points[list(top[5:7]), :2].mean(0)
        x, y = np.round(inner).astype(int)
        assert wide[y, x].mean() > rest[y - 1 : y + 2, x].mean(-1).min() + 10


@pytest.fixture(scope="module")
def asleep(face) -> FaceGeometry:
    """The same woman with her eyes shut, mesh and picture."""
    closing = Rig(face.canonical).displace(pose(eyeBlink=1)).astype(np.float32)
    moved = face.project(face.canonical + closing) - face.project(face.canonical)
    points = face.points + np.column_stack([moved[:, :2], np.zeros(len(moved))]).astype(np.float32)
    return replace(face, image=draw(face, {"eyeBlink": 1})[0], points=points, canonical=face.canonical + closing)


class TestShutPortrait:
    def test_it_stays_as_it_is_by_default(self, asleep):
        assert (draw(asleep, {})[0] == asleep.image).all()

    @pytest.mark.parametrize("eye", [0, 1])
    def test_its_eyes_open_with_iris_and_white(self, face, asleep, eye):
        opened = draw(asleep, {}, open_eyes=1.0)[0]
        ring = face.points[list(SIDES[eye]), :2]
        (left, top), (right, bottom) = ring.min(0).astype(int), ring.max(0).astype(int) + 1
        seen, shut = opened[top:bottom, left:right].mean(-1), asleep.image[top:bottom, left:right].mean(-1)
        middle = seen[:, seen.shape[1] // 3 : -seen.shape[1] // 3]
        assert middle.min() < 0.4 * np.median(shut)  # a pupil
        row = opened[(top + bottom) // 2, left:right].astype(int)
        assert np.ptp(row, axis=1).min() < 0.6 * np.ptp(np.median(asleep.image[top:bottom, left:right], (0, 1)))  # white is less coloured

    def test_its_eyes_blink(self, asleep):
        shut = draw(asleep, {"eyeBlink": 1}, open_eyes=1.0)[0]
        for eye in SIDES:
            (left, top), (right, bottom) = asleep.points[list(eye), :2].min(0).astype(int), asleep.points[list(eye), :2].max(0).astype(int)
            there = slice(top - 4, bottom + 4), slice(left, right)
            assert np.abs(shut[there].astype(int) - asleep.image[there]).mean() < 15

    def test_open_eyes_are_not_touched(self, face):
        np.testing.assert_array_equal(draw(face, {}, open_eyes=1.0)[0], face.image)


class TestCleanLids:
    def window(self):
        """A light face with a wide-open eye, and dark lashes of 5 pixels above its upper lid."""
        top = np.stack([np.linspace(30, 90, 9), 60 - 12 * (1 - np.linspace(-1, 1, 9) ** 2)], 1)
        bottom = top * [1, -1] + [0, 120]
        aperture = Aperture(tuple(range(9)), tuple(range(9)), (slice(0, 120), slice(0, 120)))
        opening = aperture.open(top, bottom)
        image = np.full((120, 120, 3), (210.0, 160.0, 140.0), np.float32)
        image[(opening.above > 0) & (opening.below > 0)] = (60, 90, 120)
        image[(opening.above < 0) & (opening.above > -5) & (np.abs(opening.along) < 30)] = 20
        return image, opening, top, bottom

    def test_skin_without_lashes_goes_on_under_the_edge(self):
        image, opening, _, _ = self.window()
        clean = paint_clean_lids(image, np.ones(image.shape[:2]), opening, 60.0, 180.0)
        assert np.abs(clean.upper[40:60, 60] - (210, 160, 140)).max() < 12
        assert np.abs(clean.lower[60:76, 60] - (210, 160, 140)).max() < 12
        assert (clean.upper[clean.upper_share == 0] == image[clean.upper_share == 0]).all()

    def test_a_low_brow_is_not_painted_over(self):
        image, opening, _, _ = self.window()
        low, high = (paint_clean_lids(image, np.ones(image.shape[:2]), opening, room, 180.0).upper_share for room in (14.0, 60.0))
        over = (-opening.above > 0.8 * 14) & (np.abs(opening.along) < 20)
        assert low[over].max() == 0 and high[over].max() > 0.1 and low[(opening.above > -3) & (np.abs(opening.along) < 20)].min() > 0.9

    def test_the_fold_over_an_open_lid_is_none_of_a_shut_one(self):
        image, opening, top, bottom = self.window()
        fold = (np.abs(opening.above + 18) < 2) & (np.abs(opening.along) < 24)
        image[fold] *= 0.5
        clean = paint_clean_lids(image, np.ones(image.shape[:2]), opening, 60.0, 180.0, outwards=1)
        assert clean.upper[fold].min(0)[0] > 190 and image[fold].max() < 106
        edges = LidEdges(
            image, clean.upper, opening, lid_curves(top, bottom), (slice(0, 120), slice(0, 120)), 180.0, 0.0, lash_height=clean.lash_height
        )
        for closing in (0.0, 0.4):  # nor does it go along with the lashes, but where it ends in them
            assert np.abs(edges.light(opening, closing)[fold & (np.abs(opening.along) < 14)]).max() < 0.1

    @pytest.mark.parametrize("outwards", [1, -1])
    def test_lashes_beyond_the_corner_at_the_temple_are_cleared_away(self, outwards):
        image, opening, _, _ = self.window()
        wing = (np.abs(outwards * opening.along - 39) < 4) & (np.abs(opening.above + 3) < 4)
        image[wing] = 20
        clean = paint_clean_lids(image, np.ones(image.shape[:2]), opening, 60.0, 180.0, outwards=outwards)
        assert clean.upper[wing].mean() > 140 and clean.upper_share[wing].min() > 0
        other = paint_clean_lids(image, np.ones(image.shape[:2]), opening, 60.0, 180.0, outwards=-outwards)
        assert other.upper[wing].mean() < 60

    def test_the_hue_of_black_lashes_is_no_coloured_speck_on_a_lid_that_closes(self):
        image, opening, top, bottom = self.window()
        clean = image.copy()
        lashes = (opening.above < 0) & (opening.above > -5) & (np.abs(opening.along) < 30)
        clean[lashes], image[lashes] = (210, 160, 140), (9, 0, 0)
        edges = LidEdges(image, clean, opening, lid_curves(top, bottom), (slice(0, 120), slice(0, 120)), 180.0, 0.0)
        rest, half = (edges.light(opening, closing)[lashes] for closing in (0.0, 0.4))
        np.testing.assert_allclose(np.exp(rest) * (clean[lashes] + 0.5), image[lashes] + 0.5, atol=0.2)
        assert np.ptp(rest, axis=1).max() > 1.5 and np.ptp(half, axis=1).max() < 0.6 and half.mean() < -1

    def test_places_about_an_edge_at_rest_are_the_pixels_themselves(self):
        _, opening, top, bottom = self.window()
        place = lid_curves(top, bottom).place(opening.along / np.float32(opening.half), opening.above, 0)
        y, x = np.mgrid[:120, :120]
        inside = np.abs(opening.along) < opening.half
        assert np.abs(place - np.dstack([x, y]))[inside].max() < 1e-3


@pytest.mark.parametrize("also", [{}, {"eyeLookOutLeft": 1, "eyeLookInRight": 1}, {"eyeLookUp": 1}, {"eyeWide": 1}])
def test_nothing_of_the_eyeball_is_seen_in_a_shut_eye_whatever_else_the_eye_does(face, also):
    """Its eyeballs painted green, a shut eye looks as it does."""
    warper, values = PortraitWarper(face), np.concatenate([pose(eyeBlink=1, **also), np.zeros(6)]).astype(np.float32)
    as_it_is, at_rest = warper.draw(values).astype(int), warper.draw(np.zeros(58, np.float32)).astype(int)
    for eye in warper._eyes:
        eye._white[...], eye._coloured[...] = (0, 255, 0), 0
    assert np.abs(warper.draw(values) - as_it_is).max() <= 2
    assert (np.abs(warper.draw(np.zeros(58, np.float32)) - at_rest).max(-1) > 30).sum() > 50  # open eyes are seen to be green


def test_shut_lids_meet_in_a_line_as_dark_as_the_lashes(face):
    rest, shut = draw(face, {}, {"eyeBlink": 1})
    for iris in IRISES:
        x, y = np.round(face.points[iris, :2]).astype(int)
        r = int(0.1 * face.scale)
        lid, lashes = (frame[y - r : y + r, x - r // 2 : x + r // 2].mean(-1) for frame in (shut, rest))
        assert np.median(lid.min(0)) < 0.6 * np.median(lid)  # 0.63 before
        assert np.median(lid.min(0)) > lashes.min()


def test_lids_that_meet_are_as_dark_as_in_film(face):
    """Film: log light times height about the line, 0.024 and 0.036 for each log light of the lashes; 0.013 to 0.022 was drawn before."""
    shut = draw(face, {"eyeBlink": 1})[0]
    for top in SIDES:
        x, y = face.points[list(top), :2].mean(0)
        high, wide = int(0.14 * face.scale), int(0.08 * face.scale)
        light = np.log(shut[int(y) - high : int(y) + high, int(x) - wide : int(x) + wide].mean(-1) + 8.0)
        plain = np.linspace(light[:3].mean(0), light[-3:].mean(0), len(light))
        taken = np.minimum(light - plain, 0).sum(0).mean() / -face.scale
        assert 0.03 < taken < 0.1
