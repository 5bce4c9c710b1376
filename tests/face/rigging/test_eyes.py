"""Lids and eyeballs."""

import numpy as np
import pytest

from tbd.face import topology
from tbd.face.geometry import mean_face
from tbd.face.rig import Rig
from tbd.face.rigging.eyes import eye_openness, open_shut_eyes
from tests.face.rigging.poses import EYES, lid_gap, moved, pose


@pytest.mark.parametrize("also", [{}, {"eyeLookDown": 1}, {"eyeWide": 1}, {"eyeSquint": 1}, {"eyeSquint": 0.5, "eyeLookUp": 1}])
def test_blink_closes_exactly_whatever_else_the_lids_do(rig, also):
    for side in EYES:
        assert np.abs(lid_gap(moved(rig, eyeBlink=1, **also), side)).max() < 1e-5


def test_blink_closes_one_eye(rig):
    points = moved(rig, eyeBlinkLeft=1)
    assert np.abs(lid_gap(points, "Left")).max() < 1e-5
    np.testing.assert_allclose(lid_gap(points, "Right"), lid_gap(rig.canonical, "Right"))


def test_blink_closes_a_wide_and_a_narrow_eye():
    for stretch in (0.5, 2.0):
        face = mean_face().copy()
        lids = list(topology.EYE_TOP[1:-1])
        face[lids, 1] += (stretch - 1) * lid_gap(face, "Right")
        assert np.abs(lid_gap(moved(Rig(face), eyeBlink=1), "Right")).max() < 1e-5


def test_lids_follow_the_gaze_and_widen(rig):
    rest = lid_gap(rig.canonical, "Left").mean()
    top = list(EYES["Left"][0][1:-1])
    down = rig.displace(pose(eyeLookDown=1))
    assert down[top, 1].mean() < -0.2 * rest and down[473, 1] < -0.03
    assert lid_gap(moved(rig, eyeWide=1), "Left").mean() > rest + 0.02
    assert lid_gap(moved(rig, eyeSquint=1), "Left").mean() < 0.7 * rest


def test_where_a_face_is_drawn_lids_go_further_with_the_gaze_and_blinks_still_close():
    drawn, solved = (Rig(mean_face(), drawn=kind) for kind in (True, False))
    for way, sign in (("eyeLookUp", 1), ("eyeLookDown", -1)):
        further, less = (sign * (lid_gap(moved(face, **{way: 1.0}), "Left") - lid_gap(face.canonical, "Left")) for face in (drawn, solved))
        assert (further > 1.3 * less).all() and (less > 0).all()
    for also in ({"eyeLookDown": 1}, {"eyeSquint": 1}, {"eyeLookUp": 1}):
        assert np.abs(lid_gap(moved(drawn, eyeBlink=1, **also), "Left")).max() < 1e-5


def test_gaze_turns_each_iris_to_its_own_side(rig):
    out = rig.displace(pose(eyeLookOut=1))
    assert out[473, 0] > 0.04 and out[468, 0] < -0.04
    assert rig.displace(pose(eyeLookUp=1))[473, 1] > 0.03
    assert np.abs(np.delete(rig.displace(pose(eyeLookIn=1)), range(468, 478), 0)).max() == 0


def test_closed_lids_meet_on_an_arc_between_the_corners():
    face = mean_face().copy()
    lids = list(topology.EYE_BOTTOM[1:-1])
    face[lids, 1] -= 0.03  # a lower lid that falls away steeply from both corners
    points = moved(Rig(face), eyeBlink=1)
    line = points[list(topology.EYE_BOTTOM)]
    slopes = np.diff(line[:, 1]) / np.diff(line[:, 0])
    assert (np.diff(slopes) > -0.05).all() and np.abs(slopes).max() < 0.75
    before = np.diff(face[list(topology.EYE_BOTTOM), 1]) / np.diff(face[list(topology.EYE_BOTTOM), 0])
    assert np.abs(before).max() > np.abs(slopes).max() + 0.2


def test_shut_eyes_open_as_far_as_the_mean_face_s_and_open_ones_are_left(rig):
    assert open_shut_eyes(rig.canonical) is None
    shut = moved(rig, eyeBlink=1)
    assert eye_openness(shut, "Left") < 0.01
    opened = shut + open_shut_eyes(shut)
    for side in EYES:
        assert abs(eye_openness(opened, side) - eye_openness(rig.canonical, side)) < 0.02
    assert np.abs(opened - rig.canonical)[list(topology.EYE_TOP)].max() < 0.05


def test_one_eye_that_is_shut_winks_and_stays(rig):
    assert open_shut_eyes(moved(rig, eyeBlinkLeft=1)) is None


@pytest.mark.parametrize("side", topology.SIDES)
def test_the_lids_of_a_drawn_face_meet_lower_towards_the_temple_whose_corner_goes_down(side):
    drawn, solved = (Rig(mean_face(), drawn=kind) for kind in (True, False))
    top = list(topology.on_side(topology.EYE_TOP, side))
    shut, width = moved(drawn, eyeBlink=1)[top], np.linalg.norm(drawn.canonical[top[0]] - drawn.canonical[top[-1]])
    corner, nose = shut[0, 1] - drawn.canonical[top[0], 1], shut[-1, 1] - drawn.canonical[top[-1], 1]
    assert -0.1 < corner / width < -0.03 and nose == 0
    ends = drawn.canonical[[top[0], top[-1]]]
    over = shut[:, 1] - np.interp(np.abs(shut[:, 0]), np.sort(np.abs(ends[:, 0])), ends[np.argsort(np.abs(ends[:, 0])), 1])
    assert over[1:3].mean() < over[-3:-1].mean() - 0.05 * width
    assert (moved(solved, eyeBlink=1)[top[0]] == solved.canonical[top[0]]).all()  # what is tracked keeps its corners
