"""The side of a head that a turn opens to view."""

from dataclasses import replace

import numpy as np
import pytest

from tbd.face.render.head import HeadVolume
from tbd.face.render.sides import jaw_for_nods, opened_sides
from tests.face.render.drawing import draw


@pytest.fixture(scope="module")
def volume(face):
    return HeadVolume(face)


def _within(volume, camera, size: float) -> np.ndarray:
    """(rows, columns) bool: about the outline of the face, by size."""
    outline = volume.outline[:, :2]
    return np.linalg.norm((camera[..., :2] - outline.mean(0)) / (np.ptp(outline, axis=0) / 2), axis=-1) < size


@pytest.fixture(scope="module")
def camera(face, volume):
    x, y = np.meshgrid(np.arange(1.5, 512, 4), np.arange(1.5, 512, 4))
    return volume.camera(np.stack([x, y], -1).astype(np.float32))


def _beside(face, camera, reach: float) -> np.ndarray:
    """(rows, columns) bool: what lies beside the right cheek's outline, as far as an ear reaches."""
    edge = (face.points[454, :2] - face.origin) / face.scale * [1, -1]
    away = camera[..., :2] - edge
    return (np.abs(away[..., 1]) < 0.1) & (away[..., 0] > 0.05) & (away[..., 0] < reach)


def test_ears_fall_away_gently_where_a_turn_opens_them(face, volume, camera):
    left, right = opened_sides(camera, volume.outline)
    beside = _beside(face, camera, 0.35)
    slopes = [
        -np.diff(depth, axis=1)[beside[:, :-1]] / np.diff(camera[..., 0], axis=1)[beside[:, :-1]]
        for depth in (camera[..., 2], camera[..., 2] + right)
    ]
    assert np.median(slopes[0]) > 1.2 and np.percentile(slopes[1], 90) < 0.7
    assert left[beside].max() == 0 and left.max() > 0


def test_hair_beside_the_forehead_keeps_half_its_width_where_a_turn_hides_it(face, volume, camera):
    brows = float(volume.plane(face.points[[105, 334], :2])[:, 1].mean())
    opens_left, opens_right = opened_sides(camera, volume.outline, brows=brows)
    edge, plane = volume.outline[:, 0].max(), camera[..., :2]
    beside = (plane[..., 1] > brows + 0.3) & (plane[..., 1] < brows + 0.5) & (plane[..., 0] > edge) & (plane[..., 0] < edge + 0.3)
    turned = 0.45  # sine of the yaw that 20 degrees are drawn as
    kept = [
        1 + turned * np.diff(depth, axis=1)[beside[:, :-1]] / np.diff(camera[..., 0], axis=1)[beside[:, :-1]]
        for depth in (camera[..., 2], camera[..., 2] + opens_left)
    ]
    assert np.median(kept[0]) < 0.45 and np.median(kept[1]) > 0.6
    lower = (plane[..., 1] < brows - 1.0) & (plane[..., 0] > 0)
    assert opens_left[lower].max() == 0 and opens_right[beside].max() > 0


def test_a_face_from_the_front_stays_as_it_is(face, volume, camera):
    sides = opened_sides(camera, volume.outline)
    inside = _within(volume, camera, 0.9)
    assert sides[:, inside].max() < 1e-6


def test_the_far_cheek_of_a_turned_head_does_not_swell(volume, camera):
    frontal, turned = (opened_sides(camera, volume.outline, facing) for facing in (0.0, -0.5))
    inside = _within(volume, camera, 0.97)
    assert turned[0][inside].max() > frontal[0][inside].max() + 0.05
    np.testing.assert_array_equal(turned[1], frontal[1])


@pytest.mark.parametrize("yaw", [-0.24, 0.24])
def test_ears_keep_their_width_when_the_head_turns(face, yaw):
    side = 1 if yaw < 0 else -1
    x, y = face.points[454 if side > 0 else 234, :2].round().astype(int)
    width = int(0.22 * face.scale)
    image = face.image.copy()
    low, high = sorted((x + 3 * side, x + (3 + width) * side))
    image[y - 8 : y + 8, low:high] = (20, 230, 40)
    frame = draw(replace(face, image=image), {"headYaw": yaw})[0].astype(int)
    green = (frame[..., 1] > frame[..., 0] + 60) & (frame[..., 1] > frame[..., 2] + 60)
    seen = np.median(green.sum(1)[green.any(1)])
    assert 0.95 * width < seen < 1.4 * width


def test_the_angles_of_the_jaw_lie_less_far_behind_the_chin_for_a_nod(face, volume, camera):
    deeper = camera[..., 2] + jaw_for_nods(camera, volume.outline)
    chin, angle = (np.linalg.norm(camera[..., :2] - volume.plane(face.points[point, :2]), axis=-1).argmin() for point in (152, 172))
    before, now = (depth.ravel()[chin] - depth.ravel()[angle] for depth in (camera[..., 2], deeper))
    assert before > 0.3 and now < 0.7 * before
    mouth = np.linalg.norm(camera[..., :2] - volume.plane(face.points[13, :2]), axis=-1) < 0.25
    np.testing.assert_allclose(deeper[mouth], camera[..., 2][mouth], atol=0.005)
    assert np.all(deeper >= camera[..., 2])


@pytest.mark.parametrize(("move", "of_jaw"), [({"headPitch": 0.26}, 0.1), ({"headPitch": -0.26}, 0.1), ({"headRoll": 0.21}, 0.12)])
def test_shoulders_stay_when_a_head_nods_or_tilts(face, move, of_jaw):
    scale, image = face.scale, face.image.copy()
    chin = face.points[152, :2]
    places = [(chin + np.array([1.15 * side, 0.55]) * scale).round().astype(int) for side in (-1, 1)]
    for x, y in places:
        image[y - 6 : y + 6, x - 6 : x + 6] = (20, 230, 40)
    rest, moved = (draw(replace(face, image=image), values)[0].astype(int) for values in ({}, move))
    for x, y in places:
        ways = []
        for frame in (rest, moved):
            part = frame[max(y - 45, 0) : y + 45, max(x - 45, 0) : x + 45]
            green = (part[..., 1] > part[..., 0] + 60) & (part[..., 1] > part[..., 2] + 60)
            ways.append(np.argwhere(green).mean(0))
        assert np.abs(ways[1] - ways[0]).max() < of_jaw * scale
