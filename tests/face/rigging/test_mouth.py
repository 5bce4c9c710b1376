"""Jaw and lips."""

import numpy as np
import pytest

from tbd.face import topology
from tbd.face.geometry import mean_face
from tbd.face.rig import Rig
from tbd.face.rigging.mouth import inner_lip_gap
from tests.face.rigging.poses import moved


def test_lips_part_with_the_jaw_and_close_again(rig):
    parted = inner_lip_gap(moved(rig, jawOpen=0.6))
    assert parted[4] > 0.15 and (parted > 0.02).all()
    closed = inner_lip_gap(moved(rig, jawOpen=0.6, mouthClose=0.6))
    assert np.abs(closed).max() < 0.005


def test_lips_never_cross(rig):
    rng = np.random.default_rng(0)
    points = rig.canonical + rig.displace(rng.random((200, 52), np.float32))
    assert inner_lip_gap(points).min() > -1e-6
    assert inner_lip_gap(moved(rig, mouthPress=1, mouthShrugLower=1)).min() > -1e-6


@pytest.mark.parametrize("closer", [{"mouthPress": 0.4}, {"mouthClose": 0.2}, {"mouthRollUpper": 0.5, "mouthRollLower": 0.5}])
def test_a_mouth_open_at_rest_can_close(closer):
    face = mean_face().copy()
    lower = np.unique([row[1:-1] for row in topology.LOWER_LIP_ROWS])
    face[lower, 1] -= 0.12
    assert inner_lip_gap(face)[4] > 0.1
    assert inner_lip_gap(moved(Rig(face), **closer)).max() < 0.005
