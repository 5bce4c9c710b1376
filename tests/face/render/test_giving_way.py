"""What several muscles do to one piece of skin."""

import numpy as np
import pytest

from tbd.face.geometry import mean_face
from tbd.face.render.giving_way import GivingWay, respond
from tbd.face.rig import Rig
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


def test_more_frown_is_never_less(face):
    droops = [droop(moved(face, mouthFrown=level, mouthShrugLower=0.6)[0]) for level in np.linspace(0, 1, 21)]
    assert np.diff(droops).min() > -1e-4


def test_an_open_jaw_makes_room_for_a_frown(face):
    shut, wide = (moved(face, mouthFrown=1.0, mouthShrugLower=0.5, jawOpen=jaw)[2][AT["mouthFrownLeft"]] for jaw in (0.0, 0.5))
    assert wide > shut


def test_lids_widen_less_under_a_lowered_brow_of_their_side():
    shown = respond(pose(eyeWide=1.0, browDownLeft=1.0))
    assert shown[AT["eyeWideLeft"]] == pytest.approx(0.4) and shown[AT["eyeWideRight"]] == 1


def test_a_blink_closes_wide_eyes_under_lowered_brows(face):
    points = face[0].canonical + moved(face, eyeBlink=1.0, eyeWide=1.0, browDown=1.0)[0]
    assert np.abs(lid_gap(points, "Left")).max() < 1e-5


def test_a_slight_smile_shows_more_than_its_share_of_a_full_one(face):
    given = [moved(face, mouthSmile=level)[2][AT["mouthSmileLeft"]] for level in np.linspace(0, 1, 11)]
    assert given[0] == 0 and given[5] > 0.55 * given[-1] and np.diff(given).min() > 0
