import numpy as np
import pytest

from tbd.face import topology
from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import mean_face, mirror_points
from tbd.face.rig import Rig, resting_smile, smile_relaxation
from tbd.face.rigging.mouth import inner_lip_gap
from tbd.face.rigging.skin import jaw_weight

AT = {name: i for i, name in enumerate(BLENDSHAPES)}
SIDED = [name[:-4] for name in BLENDSHAPES if name.endswith("Left") and name not in ("jawLeft", "mouthLeft")]
EYES = {
    "Right": (topology.EYE_TOP, topology.EYE_BOTTOM),
    "Left": (topology.mirrored(topology.EYE_TOP), topology.mirrored(topology.EYE_BOTTOM)),
}


@pytest.fixture(scope="module")
def rig() -> Rig:
    return Rig(mean_face())


def pose(**channels: float) -> np.ndarray:
    values = np.zeros(len(BLENDSHAPES), np.float32)
    for name, value in channels.items():
        for channel in [name] if name in AT else [name + "Left", name + "Right"]:
            values[AT[channel]] = value
    return values


def moved(rig: Rig, **channels: float) -> np.ndarray:
    return rig.canonical + rig.displace(pose(**channels))


def lid_gap(points: np.ndarray, side: str) -> np.ndarray:
    top, bottom = EYES[side]
    return points[list(top[1:-1]), 1] - points[list(bottom[1:-1]), 1]


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


def test_gaze_turns_each_iris_to_its_own_side(rig):
    out = rig.displace(pose(eyeLookOut=1))
    assert out[473, 0] > 0.04 and out[468, 0] < -0.04
    assert rig.displace(pose(eyeLookUp=1))[473, 1] > 0.03
    assert np.abs(np.delete(rig.displace(pose(eyeLookIn=1)), range(468, 478), 0)).max() == 0


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


def test_the_jaw_swings_about_the_condyle(rig):
    shape = rig.basis[AT["jawOpen"]]
    assert shape[152, 1] < -0.3 and abs(shape[10, 1]) < 1e-6  # chin, forehead
    assert shape[17, 1] < -0.3 and shape[0, 1] > -0.05  # lower lip, upper lip
    assert np.linalg.norm(shape[[234, 454]], axis=1).max() < 0.05  # before the ears
    weight = jaw_weight(rig.canonical)
    assert weight.min() >= 0 and weight.max() <= 1


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


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match="478"):
        Rig(np.zeros((468, 3)))
