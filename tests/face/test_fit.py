"""From meshes to motion: coefficients, poses, smoothing."""

import numpy as np
import pytest

from tbd.face.channels import BLENDSHAPES
from tbd.face.fit import ClipFit, fit_clip, head_motion, smooth
from tbd.face.geometry import FaceGeometry, euler_to_matrix, matrix_to_euler, mean_face, remove_pose
from tbd.face.rig import Rig

AT = {name: i for i, name in enumerate(BLENDSHAPES)}


def performance(frames=120):
    """Coefficients that a clip may show, the face at rest most of the time."""
    time, truth = np.arange(frames), np.zeros((frames, 52))

    def bump(at, width):
        return np.exp(-(((time - at) / width) ** 2))

    for name, curve in {
        "jawOpen": 0.7 * np.clip(np.sin(time / 4), 0, 1),
        "mouthSmileLeft": 0.8 * bump(70, 12),
        "mouthSmileRight": 0.5 * bump(70, 12),
        "browInnerUp": 0.9 * bump(35, 9),
        "eyeBlinkLeft": bump(20, 2) + bump(90, 2),
        "eyeBlinkRight": bump(20, 2) + bump(90, 2),
        "eyeLookOutLeft": 0.6 * bump(55, 8),
        "eyeLookInRight": 0.6 * bump(55, 8),
    }.items():
        truth[:, AT[name]] = curve
    return truth


@pytest.fixture(scope="module")
def fitted():
    truth, rng = performance(), np.random.default_rng(0)
    shape = mean_face() * [1.05, 0.97, 1.0]
    meshes = shape + Rig(shape).displace(truth)
    turns = euler_to_matrix(np.stack([0.1 * np.sin(np.arange(120) / k) for k in (9, 13, 17)], 1))
    camera = meshes @ np.swapaxes(turns, 1, 2) * 150 + [300, -250, 0] + rng.normal(size=meshes.shape) * 0.3
    return truth, turns, fit_clip((camera * [1, -1, 1]).astype(np.float32))


def test_fit_gives_known_coefficients_back(fitted):
    truth, _, clip = fitted
    assert clip.blendshapes.min() >= 0 and clip.blendshapes.max() <= 1
    for name in ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "browInnerUp", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookOutLeft"):
        found, true = clip.blendshapes[:, AT[name]], truth[:, AT[name]]
        assert np.corrcoef(found, true)[0, 1] > 0.95, name
        assert found.max() > 0.6 * true.max(), name


def test_fit_leaves_other_regions_alone(fitted):
    _, _, clip = fitted
    for name in ("noseSneerLeft", "cheekPuff", "mouthFunnel", "mouthLeft", "jawLeft", "browDownLeft", "tongueOut"):
        assert clip.blendshapes[:, AT[name]].max() < 0.15, name


def test_fit_gives_the_pose_back(fitted):
    _, turns, clip = fitted
    head, rest = head_motion(clip)
    true = matrix_to_euler(euler_to_matrix(np.median(matrix_to_euler(turns), 0)).T @ turns)
    assert np.abs(head[:, :3] - true).max() < np.radians(1)
    assert rest["pixels_per_inter_ocular"] == pytest.approx(150 * 1.05, rel=0.02)


def test_still_face_stays_at_rest():
    points = np.repeat((mean_face() * [100, -100, 100] + [200, 200, 0])[None], 10, 0).astype(np.float32)
    clip = fit_clip(points, absolute=False)
    assert clip.blendshapes.max() < 1e-6
    assert np.abs(head_motion(clip)[0]).max() < 1e-4


def test_head_motion_round_trip_through_project():
    """What `head_motion` reads off a pose is what `FaceGeometry.project` needs to make it."""
    angles, shifts = np.random.default_rng(5).normal(size=(2, 9, 3)) * 0.1
    angles[0] = shifts[0] = 0
    rest = euler_to_matrix([0.1, -0.2, 0.05])
    face = FaceGeometry(np.zeros((9, 9, 3), np.uint8), mean_face(), mean_face(), rest, 80.0, np.array([100.0, 120.0]))
    pixels = face.project(face.canonical, euler_to_matrix(angles), shifts)
    _, rotations, scales, origins = (np.array(column) for column in zip(*(remove_pose(p) for p in pixels)))
    head, _ = head_motion(ClipFit(np.zeros((9, 52)), rotations, scales, origins))
    found = head - head[0]
    # relative to frame 0 only to first order, since the resting pose is the median
    np.testing.assert_allclose(found[:, 3:], shifts, atol=0.03)
    np.testing.assert_allclose(found[:, :3], angles, atol=0.05)


def test_smoothing_keeps_a_blink_and_takes_jitter():
    values = np.zeros((60, 58))
    values[30:34, AT["eyeBlinkLeft"]] = [0.5, 1, 1, 0.5]
    values[:, AT["jawOpen"]] = 0.5 + np.random.default_rng(0).normal(size=60) * 0.05
    out = smooth(values)
    assert out[:, AT["eyeBlinkLeft"]].max() > 0.95 and out[:, AT["eyeBlinkLeft"]].argmax() in (31, 32)
    assert out[:, AT["jawOpen"]].std() < 0.8 * values[:, AT["jawOpen"]].std()


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_smoothing_of_very_short_clips(frames):
    np.testing.assert_allclose(smooth(np.full((frames, 58), 0.25)), 0.25)
