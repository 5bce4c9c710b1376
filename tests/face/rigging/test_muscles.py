"""Muscles pull where anatomy says."""

import numpy as np
import pytest

from tbd.face.geometry import mean_face
from tbd.face.rig import Rig
from tests.face.rigging.poses import AT


@pytest.mark.parametrize(
    "channel, point, axis, sign",
    [
        ("mouthSmileLeft", 291, 0, 1), ("mouthSmileLeft", 291, 1, 1), ("mouthFrownLeft", 291, 1, -1), ("mouthStretchLeft", 291, 0, 1),
        ("mouthPucker", 291, 0, -1), ("mouthPucker", 61, 0, 1), ("mouthPucker", 13, 2, 1), ("mouthFunnel", 0, 1, 1),
        ("mouthUpperUpLeft", 269, 1, 1), ("mouthLowerDownLeft", 321, 1, -1), ("noseSneerLeft", 358, 1, 1), ("cheekPuff", 425, 2, 1),
        ("browInnerUp", 285, 1, 1), ("browInnerUp", 55, 1, 1), ("browOuterUpLeft", 276, 1, 1), ("browDownLeft", 285, 1, -1),
        ("browDownLeft", 285, 0, -1), ("cheekSquintLeft", 280, 1, 1), ("mouthLeft", 13, 0, 1), ("mouthRight", 13, 0, -1),
        ("jawLeft", 152, 0, 1), ("jawForward", 152, 2, 1), ("mouthShrugLower", 17, 1, 1),
        ("mouthRollUpper", 0, 1, -1), ("mouthRollLower", 17, 1, 1),
    ],
)  # fmt: skip
def test_muscles_pull_where_anatomy_says(rig, channel, point, axis, sign):
    assert sign * rig.basis[AT[channel], point, axis] > 0.01


def test_the_inner_brow_leaves_the_outer_and_the_outer_the_inner(rig):
    inner, outer = rig.basis[AT["browInnerUp"]], rig.basis[AT["browOuterUpLeft"]]
    assert inner[276, 1] < 0.3 * inner[285, 1] and outer[285, 1] < 0.3 * outer[276, 1]
    both = inner[[285, 295, 282, 283], 1] + outer[[285, 295, 282, 283], 1]
    assert both.max() < 1.3 * both.min()  # together they lift the brow as one


@pytest.mark.parametrize(
    "channel, point, axis, sign",
    [
        ("mouthPressLeft", 291, 0, 1), ("mouthPressLeft", 200, 1, 1), ("mouthRollUpper", 291, 0, -1), ("mouthRollLower", 291, 0, -1),
        ("mouthRollLower", 200, 1, 1), ("mouthShrugUpper", 17, 1, 1), ("mouthShrugUpper", 200, 1, 1),
    ],
)  # fmt: skip
def test_film_s_corners_and_chins_are_drawn(channel, point, axis, sign):
    """Pressed lips stay wide while the chin rises, rolled ones draw the corners in, and a shrug raises all: see `DRAWN_PULLS`."""
    assert sign * Rig(mean_face(), drawn=True).basis[AT[channel], point, axis] > 0.01


def test_a_drawn_frown_does_not_widen_the_mouth_by_half():
    """Corners that go down alone narrow it, which MediaPipe's landmarker reads as a pucker; drawn to be read as in film they made it half
    wider; of six filmed people a frown that is read in full adds 0.09 of the eyes' distance, a sixth of its width."""
    rig = Rig(mean_face(), drawn=True)
    frown = rig.basis[[AT["mouthFrownLeft"], AT["mouthFrownRight"]]].sum(0)
    width, wider = (np.linalg.norm(points[61] - points[291]) for points in (rig.canonical, rig.canonical + frown))
    assert 1.05 < wider / width < 1.4 and frown[61, 1] < -0.08
