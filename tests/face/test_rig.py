"""The rig as a whole."""

import numpy as np
import pytest

from tbd.face import topology
from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import mean_face, mirror_points
from tbd.face.rig import Rig, held_corners, resting_smile, smile_relaxation
from tests.face.rigging.poses import AT, SIDED, moved, pose


def test_rest_is_rest(rig):
    assert rig.basis.shape == (52, 478, 3)
    assert np.abs(rig.displace(np.zeros((3, 52)))).max() == 0


def test_every_blendshape_moves_something(rig):
    assert [n for n, shape in zip(BLENDSHAPES, rig.basis) if np.abs(shape).max() < 0.02 and n != "mouthClose"] == []


@pytest.mark.parametrize("name", SIDED)
def test_sides_mirror_each_other_and_left_is_the_subjects_left(rig, name):
    left, right = rig.basis[AT[name + "Left"]], rig.basis[AT[name + "Right"]]
    np.testing.assert_allclose(left[mirror_points()] * [-1, 1, 1], right, atol=2e-3)
    travel = np.linalg.norm(left, axis=1)
    assert (travel * rig.canonical[:, 0]).sum() / travel.sum() > 0.08  # x points to the subject's left


def test_displacement_changes_little_when_coefficients_do(rig):
    rng = np.random.default_rng(1)
    base = rng.random((50, 52), np.float32)
    near = np.clip(base + 0.01 * rng.standard_normal((50, 52)), 0, 1)
    assert np.abs(rig.displace(near) - rig.displace(base)).max() < 0.03


def test_a_resting_smile_is_measured_and_let_go(rig):
    smiling = moved(rig, mouthSmile=0.8)
    at_rest, measured = resting_smile(rig), resting_smile(Rig(smiling))
    assert measured > at_rest + 0.3
    corners = list(topology.MOUTH_CORNERS)
    relaxed = smiling + smile_relaxation(Rig(smiling))
    assert relaxed[corners, 1].mean() < smiling[corners, 1].mean() - 0.05


def test_corners_as_filmed_people_rest_them_are_no_smile_and_a_little_higher_are_one(rig):
    """The canonical face of the fixture, its corners set to where 39 filmed people rest theirs, and to where 11 with a slight smile do."""
    seam = rig.canonical[[13, 14], 1] @ [0.7, 0.3]

    def smile(lift):
        points = rig.canonical.copy()
        points[list(topology.MOUTH_CORNERS), 1] = seam + lift
        return resting_smile(Rig(points))

    assert smile(-0.018) == smile(-0.012) == 0
    assert smile(0.006) > 0.2


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match="478"):
        Rig(np.zeros((468, 3)))


def test_what_is_drawn_is_not_what_trackers_solve_for():
    """Figures on tracked motion stand on the basis, which stays; where a face is drawn, a frown widens the mouth less."""
    solved, drawn = (Rig(mean_face(), drawn=kind).basis[AT["mouthFrownLeft"]] for kind in (False, True))
    assert solved[291, 0] == pytest.approx(0.135, abs=0.02)
    assert 0.06 < drawn[291, 0] < solved[291, 0] - 0.03
    assert drawn[291, 1] == pytest.approx(solved[291, 1], abs=0.03)
    assert (Rig(mean_face()).basis[AT["mouthFrownLeft"]] == solved).all()


def test_a_smile_holds_the_corners_that_a_dropping_jaw_takes_down(rig):
    held, jaw = held_corners(rig), rig.basis[AT["jawOpen"]]
    corners, middle = list(topology.MOUTH_CORNERS), [13, 14]
    dropped = jaw[corners, 1].mean()
    assert dropped < -0.05
    np.testing.assert_allclose(held[corners, 1], -0.7 * dropped, rtol=0.1)
    assert np.abs(held[middle]).max() < 1e-3 and np.abs(held[..., [0, 2]]).max() == 0


def test_a_drawn_smile_bends_the_lips_upwards_and_parts_them_no_more_than_a_smile_on_its_own_does():
    drawn = Rig(mean_face(), drawn=True)
    lips = drawn.displace(pose(mouthSmile=1.0))
    corner, side, middle = (lips[list(ids), 1].mean() for ids in (topology.MOUTH_CORNERS, (81, 311), (13,)))
    assert corner > side + 0.02 and side > middle  # an upper lip that stands higher beside its corners is a snarl's
    assert corner - lips[14, 1] > 0.07
    assert lips[13, 1] - lips[14, 1] < 0.03
