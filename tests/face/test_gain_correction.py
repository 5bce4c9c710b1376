"""What the mesh model does not show of a movement is given back, and nobody's resting face is made an expression by it."""

import numpy as np
import pytest

from tbd.face.channels import BLENDSHAPES
from tbd.face.gain_correction import correct_gain

AT = {name: i for i, name in enumerate(BLENDSHAPES)}


def one(name, amount, frames=3):
    values = np.zeros((frames, 52))
    values[:, AT[name]] = amount
    return values


@pytest.mark.parametrize("name, seen", [("browDownLeft", 0.46), ("browInnerUp", 0.46), ("mouthSmileRight", 0.67), ("mouthFrownLeft", 0.45)])
def test_known_movement_comes_back_whole(name, seen):
    """`seen` is the gain that benchmarks/results/closed_loop.md has for the channel."""
    found = one(name, 0.8 * seen)
    np.testing.assert_allclose(correct_gain(found, found[0], True), one(name, 0.8), atol=0.03)  # held
    np.testing.assert_allclose(correct_gain(found, np.zeros(52), False), one(name, 0.8), atol=0.03)  # moving


@pytest.mark.parametrize("name", ["browDownLeft", "eyeSquintRight"])
def test_low_brows_of_a_stranger_stay_a_shape(name):
    held = one(name, 0.3)[0]
    np.testing.assert_allclose(correct_gain(one(name, 0.3), held, False), one(name, 0.3))
    assert correct_gain(one(name, 0.5), held, False)[0, AT[name]] > 0.55  # but what moves is restored
    assert correct_gain(one(name, 0.3), held, True)[0, AT[name]] > 0.4  # and so is what the own neutral tells


def test_the_frown_that_a_mesh_shows_on_faces_that_do_not_frown_is_none():
    assert not correct_gain(one("mouthFrownLeft", 0.05), np.zeros(52), True).any()
    assert correct_gain(one("mouthFrownLeft", 0.15), np.zeros(52), True)[0, AT["mouthFrownLeft"]] > 0.2
    assert correct_gain(one("mouthFrownLeft", 0.45), np.zeros(52), True)[0, AT["mouthFrownLeft"]] == pytest.approx(1)


def test_rest_stays_at_rest_and_nothing_leaves_the_range():
    assert not correct_gain(np.zeros((2, 52)), np.zeros(52), True).any()
    full = correct_gain(np.ones((2, 52)), np.full(52, 0.5), False)
    assert full.max() <= 1 and correct_gain(np.zeros((2, 52)), np.full(52, 0.5), False).min() >= 0


def test_lips_that_part_keep_their_opening():
    """The fit sees to it that the lips part as in the picture; what opens them is left as it is."""
    for name in ("jawOpen", "mouthClose", "mouthUpperUpLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPucker"):
        np.testing.assert_array_equal(correct_gain(one(name, 0.4), np.zeros(52), True), one(name, 0.4))


def test_blinks_and_gaze_are_as_large_as_they_are():
    """Drawn shut for two frames, lids are shown 0.52 to 0.78 shut by the mesh; eyes that look aside by a half, 0.31 to 0.45."""
    column = BLENDSHAPES.index("eyeBlinkLeft")
    assert correct_gain(one("eyeBlinkLeft", 0.5), np.zeros(52), True)[..., column].max() == pytest.approx(1)
    assert correct_gain(one("eyeBlinkLeft", 0.05), np.zeros(52), True).max() == 0  # resting lids
    assert correct_gain(one("eyeLookInLeft", 0.34), np.zeros(52), True).max() == pytest.approx(0.5, abs=0.02)
