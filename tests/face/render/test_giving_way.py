"""What several muscles do to one piece of skin."""

import numpy as np
import pytest

from tbd.face.geometry import mean_face
from tbd.face.render.giving_way import GivingWay, emphasize, respond
from tbd.face.rig import Rig
from tbd.face.rigging.muscles import BROW_INNER
from tests.face.rigging.poses import AT, lid_gap, pose


@pytest.fixture(scope="module")
def face():
    rig = Rig(mean_face(), drawn=True)
    return rig, GivingWay(rig.modes, rig.canonical)


def moved(face, **levels):
    """(478, 3) what is drawn at these levels, sides alike, and the weights before and after giving way."""
    rig, give_way = face
    weights = rig.activations(respond(pose(**levels)))
    return np.tensordot(give_way(weights), rig.modes, 1), weights, give_way(weights)


def droop(shape):
    return shape[[13, 14], 1].mean() - shape[[61, 291], 1].mean()


def test_frown_and_shrugs_bend_the_mouth_no_further_than_a_face_can(face):
    alone = droop(moved(face, mouthFrown=1.0)[0])
    together = droop(moved(face, mouthFrown=1.0, mouthShrugLower=1.0, mouthShrugUpper=1.0)[0])
    assert 0.07 < alone <= together < 0.115


def test_a_slight_frown_is_drawn_as_it_is_asked(face):
    _, asked, given = moved(face, mouthFrown=0.3)
    np.testing.assert_allclose(given, asked)


def test_smiles_of_speech_are_drawn_as_they_come_and_clear_ones_larger():
    shown = [respond(pose(mouthSmile=level))[AT["mouthSmileLeft"]] / level for level in (0.05, 0.1, 0.5, 1.0)]
    assert shown == pytest.approx([1, 1, 1.3, 1.15])
    levels = [respond(pose(mouthSmile=level))[AT["mouthSmileLeft"]] for level in np.linspace(0, 1, 51)]
    assert np.diff(levels).min() > 0


def test_more_frown_is_never_less(face):
    droops = [droop(moved(face, mouthFrown=level, mouthShrugLower=0.6)[0]) for level in np.linspace(0, 1, 21)]
    assert np.diff(droops).min() > -1e-4


def test_an_open_jaw_makes_room_for_a_frown(face):
    shut, wide = (moved(face, mouthFrown=1.0, mouthShrugLower=0.5, jawOpen=jaw)[2][AT["mouthFrownLeft"]] for jaw in (0.0, 0.5))
    assert wide > shut


def test_lids_widen_less_under_a_lowered_brow_of_their_side():
    shown = respond(pose(eyeWide=1.0, browDownLeft=1.0))
    assert shown[AT["eyeWideLeft"]] == pytest.approx(0.4) and shown[AT["eyeWideRight"]] == 1


def test_brows_that_are_drawn_together_and_raised_weigh_on_no_lid():
    assert respond(pose(eyeWide=0.9, browDown=0.6, browInnerUp=0.8))[AT["eyeWideLeft"]] == pytest.approx(0.9)
    assert respond(pose(eyeWide=0.9, browDown=0.6, browInnerUp=0.2))[AT["eyeWideLeft"]] < 0.7


def test_a_nose_that_wrinkles_raises_the_cheeks():
    assert respond(pose(noseSneer=0.8))[AT["cheekSquintLeft"]] == pytest.approx(0.44)
    assert respond(pose(noseSneer=0.8, cheekSquint=1.0))[AT["cheekSquintLeft"]] == pytest.approx(1.0)


def test_brows_that_rise_whole_are_drawn_together_and_not_down(face):
    afraid = respond(pose(browDown=0.6, browInnerUp=0.9, browOuterUp=0.6))
    assert afraid[AT["browDownLeft"]] < 0.5 * respond(pose(browDown=0.6, browInnerUp=0.9))[AT["browDownLeft"]]  # as in grief, which is 1+4
    assert moved(face, browDown=0.6, browInnerUp=0.9, browOuterUp=0.6)[0][BROW_INNER[0], 1] > 0.03


def test_a_blink_closes_wide_eyes_under_lowered_brows(face):
    points = face[0].canonical + moved(face, eyeBlink=1.0, eyeWide=1.0, browDown=1.0)[0]
    assert np.abs(lid_gap(points, "Left")).max() < 1e-5


def test_a_slight_smile_shows_more_than_its_share_of_a_full_one(face):
    given = [moved(face, mouthSmile=level)[2][AT["mouthSmileLeft"]] for level in np.linspace(0, 1, 11)]
    assert given[0] == 0 and given[5] > 0.55 * given[-1] and np.diff(given).min() > 0


@pytest.mark.parametrize("felt", ["mouthSmile", "mouthFrown"])
def test_lips_that_are_drawn_wide_round_their_vowels_less(felt):
    plain, wide = (respond(pose(mouthPucker=0.5, mouthFunnel=0.3, **levels)) for levels in ({}, {felt: 1.0}))
    for channel in ("mouthPucker", "mouthFunnel"):
        assert plain[AT[channel]] == pytest.approx(0.5 if channel == "mouthPucker" else 0.3)
        assert 0.1 < wide[AT[channel]] / plain[AT[channel]] < 0.5


def test_one_corner_takes_half_of_what_both_take_from_rounding():
    both, one = (respond(pose(mouthPucker=1.0, **levels))[AT["mouthPucker"]] for levels in ({"mouthSmile": 1.0}, {"mouthSmileLeft": 1.0}))
    assert 1 - one == pytest.approx((1 - both) / 2)


def test_a_smile_is_wide_while_it_says_o(face):
    def width(**levels):
        shape = moved(face, **levels)[0]
        return shape[291, 0] - shape[61, 0]

    assert width(mouthSmile=1.0, mouthPucker=0.5, mouthFunnel=0.25) > 0.7 * width(mouthSmile=1.0) > 0.1


def test_clear_brows_and_noses_are_drawn_larger_and_slight_ones_as_they_come_unless_they_rise():
    levels = np.linspace(0, 1, 101)
    for channel, slight in (("browInnerUp", 1.7), ("browDownLeft", 1.0), ("browOuterUpRight", 1.7), ("noseSneerLeft", 1.0)):
        drawn = np.array([emphasize(pose(**{channel: level}))[AT[channel]] for level in levels])
        assert np.diff(drawn).min() > 0 and 1.05 < drawn[-1] < 1.15
        assert drawn[5] == pytest.approx(slight * levels[5], rel=0.01) and drawn[75] > 1.15 * levels[75]


def test_no_other_channel_is_drawn_larger():
    others = pose(jawOpen=0.8, eyeWide=0.8, eyeBlink=0.8, mouthSmile=0.8, cheekSquint=0.8)
    assert (emphasize(others) == others).all()
