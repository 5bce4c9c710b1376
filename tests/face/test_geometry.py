"""Poses and projections, against hand-made ones."""

import numpy as np
import pytest

from tbd.face.geometry import (
    LEFT_CORNER,
    RIGHT_CORNER,
    VIEW_DISTANCE,
    FaceGeometry,
    euler_to_matrix,
    fit_similarity,
    matrix_to_euler,
    mean_face,
    mirror_points,
    remove_pose,
    rigid_weights,
)


@pytest.fixture
def face():
    """The mean face, 120 pixels between its outer eye corners, a little turned."""
    rotation = euler_to_matrix([0.2, -0.3, 0.1])
    points = (mean_face() @ rotation.T * 120 + [256, -200, 5]) * [1, -1, 1]
    canonical, found, scale, origin = remove_pose(points.astype(np.float32))
    return FaceGeometry(np.zeros((512, 512, 3), np.uint8), points.astype(np.float32), canonical, found, scale, origin)


def test_euler_angles_there_and_back():
    angles = np.random.default_rng(0).uniform(-1.3, 1.3, (100, 3))
    matrices = euler_to_matrix(angles)
    np.testing.assert_allclose(matrices @ np.swapaxes(matrices, -1, -2), np.broadcast_to(np.eye(3), (100, 3, 3)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(matrices), 1, atol=1e-12)
    np.testing.assert_allclose(matrix_to_euler(matrices), angles, atol=1e-9)


@pytest.mark.parametrize(
    ("angles", "axis", "lands"),
    [
        ((0.3, 0, 0), (0, 0, 1), (0, -np.sin(0.3), np.cos(0.3))),  # positive pitch: the nose points down
        ((0, 0.3, 0), (0, 0, 1), (np.sin(0.3), 0, np.cos(0.3))),  # positive yaw: to the subject's left, the image's right
        ((0, 0, 0.3), (0, 1, 0), (-np.sin(0.3), np.cos(0.3), 0)),  # positive roll: the crown to the subject's right
    ],
)
def test_signs_of_the_head_channels(angles, axis, lands):
    np.testing.assert_allclose(euler_to_matrix(angles) @ axis, lands, atol=1e-12)


def test_mean_face_defines_the_frame_and_is_symmetric():
    face, mirror = mean_face(), mirror_points()
    assert face.shape == (478, 3)
    np.testing.assert_allclose(face[[RIGHT_CORNER, LEFT_CORNER]], [[-0.5, 0, 0], [0.5, 0, 0]], atol=1e-6)
    np.testing.assert_allclose(face[mirror] * [-1, 1, 1], face, atol=1e-6)
    assert (mirror[mirror] == np.arange(478)).all() and mirror[RIGHT_CORNER] == LEFT_CORNER
    assert face[1, 2] > face[10, 2] > face[234, 2]  # nose tip, forehead, before the ear
    assert face[10, 1] > 0 > face[152, 1]  # forehead up, chin down


def test_remove_pose_finds_a_known_pose(face):
    np.testing.assert_allclose(matrix_to_euler(face.rotation), [0.2, -0.3, 0.1], atol=1e-5)
    assert face.scale == pytest.approx(120, rel=1e-5)
    np.testing.assert_allclose(face.origin, [256, 200], atol=1e-3)
    np.testing.assert_allclose(face.canonical, mean_face(), atol=1e-5)


def test_project_gives_the_points_back(face):
    pixels = face.project(face.canonical)
    np.testing.assert_allclose(pixels[:, :2], face.points[:, :2], atol=1e-3)
    np.testing.assert_allclose(np.diff(pixels[:, 2]), np.diff(face.points[:, 2]), atol=1e-3)


def test_pose_ignores_what_the_mouth_does(face):
    talking = face.points.copy()
    jaw = mean_face()[:, 1] < -0.7
    talking[jaw, 1] += 25
    np.testing.assert_allclose(matrix_to_euler(remove_pose(talking)[1]), matrix_to_euler(face.rotation), atol=1e-5)


def test_align_recovers_a_similarity_in_spite_of_outliers():
    rng = np.random.default_rng(1)
    source = rng.normal(size=(60, 3))
    rotation, shift = euler_to_matrix([0.4, 0.5, -0.6]), np.array([3.0, -2, 1])
    target = 2.5 * source @ rotation.T + shift
    target[:6] += rng.normal(size=(6, 3)) * 2
    scale, found, moved = fit_similarity(source, target, np.ones(60), iterations=30)
    assert scale == pytest.approx(2.5, rel=5e-3)
    np.testing.assert_allclose(found, rotation, atol=5e-3)
    np.testing.assert_allclose(moved, shift, atol=2e-2)
    plain = fit_similarity(source, target, np.ones(60), iterations=1)[1]
    assert np.abs(plain - rotation).max() > 2 * np.abs(found - rotation).max()


def test_align_never_mirrors():
    flat = np.random.default_rng(2).normal(size=(30, 3))
    assert np.linalg.det(fit_similarity(flat, flat * [1, 1, -1], np.ones(30))[1]) == pytest.approx(1)


def test_bony_weights_are_symmetric():
    weights = rigid_weights()
    np.testing.assert_array_equal(weights, weights[mirror_points()])
    assert weights[[13, 14, 152, 61, 159, 105]].max() == 0  # lips, chin, lid, brow


def test_translation_shifts_and_enlarges(face):
    still = face.project(face.canonical)
    moved = face.project(face.canonical, translation=np.array([0.5, 0.25, 0]))
    np.testing.assert_allclose((moved - still)[:, :2], np.tile([60, -30], (478, 1)), rtol=1e-4)
    near = face.project(face.canonical, translation=np.array([0, 0, 1.0]))
    growth = np.linalg.norm(near[LEFT_CORNER, :2] - face.origin) / np.linalg.norm(still[LEFT_CORNER, :2] - face.origin)
    assert growth == pytest.approx(VIEW_DISTANCE / (VIEW_DISTANCE - 1), rel=1e-4)


def test_extra_turn_is_about_the_heads_own_axes(face):
    turned = face.project(face.canonical, rotation=euler_to_matrix([0, 0.2, 0]))
    again = remove_pose(turned.astype(np.float32))[1]
    np.testing.assert_allclose(face.rotation.T @ again, euler_to_matrix([0, 0.2, 0]), atol=1e-4)


def test_a_batch_of_poses_is_many_single_ones(face):
    angles, shifts = np.random.default_rng(3).normal(size=(2, 5, 3)) * 0.2
    batch = face.project(face.canonical, euler_to_matrix(angles), shifts)
    for i in range(5):
        np.testing.assert_allclose(batch[i], face.project(face.canonical, euler_to_matrix(angles[i]), shifts[i]), atol=1e-3)


def test_cropped_moves_points_and_projection_alike(face):
    small = face.cropped(100, 50, np.zeros((200, 200, 3), np.uint8), zoom=0.5)
    np.testing.assert_allclose(small.points[:, :2], (face.points[:, :2] - [100, 50]) / 2, atol=1e-4)
    np.testing.assert_allclose(small.project(small.canonical)[:, :2], small.points[:, :2], atol=1e-3)
    assert small.scale == pytest.approx(face.scale / 2)
