"""Skin that hangs on the jaw."""

import numpy as np

from tbd.face.rigging.skin import jaw_weight
from tests.face.rigging.poses import AT


def test_the_jaw_swings_about_the_condyle(rig):
    shape = rig.basis[AT["jawOpen"]]
    assert shape[152, 1] < -0.3 and abs(shape[10, 1]) < 1e-6  # chin, forehead
    assert shape[17, 1] < -0.3 and shape[0, 1] > -0.05  # lower lip, upper lip
    assert np.linalg.norm(shape[[234, 454]], axis=1).max() < 0.05  # before the ears
    weight = jaw_weight(rig.canonical)
    assert weight.min() >= 0 and weight.max() <= 1
