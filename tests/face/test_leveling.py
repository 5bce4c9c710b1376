"""Faces that lie, stand on their heads or are tilted, and things that only look like faces."""

import numpy as np
import pytest
from PIL import Image

from tbd.cli.main import main
from tbd.errors import InputError
from tbd.face.detector import TurnedImage, find_turned_faces, stands_as_the_face, turn_points, unturned_box
from tbd.face.geometry import bony_roll, mean_face
from tbd.face.leveling import fill_outside
from tbd.face.mesh import FaceFollower
from tbd.face.tracker import FaceMeshTracker


def tilted(image, degrees):
    """The picture turned anticlockwise on a white canvas."""
    return np.array(Image.fromarray(image).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=(255, 255, 255)))


# -- pictures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_picture_in_any_turn_gives_the_same_face(astronaut, face, turn):
    found = FaceMeshTracker().locate(np.ascontiguousarray(np.rot90(astronaut, turn)))
    assert found.metadata["turned"] % 360 == 360 - 90 * turn
    assert (found.image == astronaut).all() and found.faces_seen == 1
    assert np.abs(found.points - face.points)[:, :2].mean() < 0.5


@pytest.mark.parametrize(("degrees", "turned"), [(25, 0), (-40, 40), (60, -60), (205, 180), (-130, 130)])
def test_tilted_pictures_are_levelled_beyond_30_degrees(astronaut, face, degrees, turned):
    found = FaceMeshTracker().locate(tilted(astronaut, degrees))
    assert found.metadata.get("turned", 0) == pytest.approx(turned, abs=5)
    if turned % 90:
        assert np.degrees(abs(bony_roll(found.points))) < 3
        assert found.scale == pytest.approx(face.scale, rel=0.05)


def test_an_upright_picture_is_left_as_it_is(astronaut, face):
    assert face.image is astronaut or (face.image == astronaut).all()
    assert "turned" not in face.metadata


def test_mirrored_and_upside_down(astronaut, face):
    found = FaceMeshTracker().locate(np.ascontiguousarray(astronaut[::-1]))
    assert found.metadata["turned"] == 180
    assert (found.image == astronaut[:, ::-1]).all()


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket", "coins", "brick", "hubble_deep_field"])
def test_no_face_in_things(name):
    import skimage.data

    image = getattr(skimage.data, name)()
    image = np.repeat(image[..., None], 3, 2) if image.ndim == 2 else np.ascontiguousarray(image[..., :3])
    with pytest.raises(InputError, match="No face was found"):
        FaceMeshTracker().locate(image, name)


def test_a_mesh_that_stands_otherwise_is_not_trusted(astronaut, face):
    assert stands_as_the_face(astronaut, face.points)
    upside_down = (face.points - face.points.mean(0)) * [-1, -1, 1] + face.points.mean(0)
    assert not stands_as_the_face(astronaut, upside_down)
    assert not stands_as_the_face(astronaut, face.points + np.float32([40, 0, 0]))  # beside the face
    assert not stands_as_the_face(astronaut, (mean_face() * [60, -60, 60] + [60, 420, 0]).astype(np.float32))  # on the suit


# -- places ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", range(-3, 5))
def test_points_follow_the_turned_picture(turn):
    image = np.zeros((30, 50, 3), np.uint8)
    image[7:9, 40:44] = 255
    turned = np.rot90(image, turn)
    corners = turn_points(np.array([[40.0, 7.0], [44.0, 9.0]]), image.shape, turn)
    (left, top), (right, bottom) = corners.min(0).astype(int), corners.max(0).astype(int)
    assert turned[top:bottom, left:right].min() == 255 and turned.sum() == turned[top:bottom, left:right].sum()
    np.testing.assert_array_equal(turn_points(corners, turned.shape, -turn), [[40, 7], [44, 9]])
    view = TurnedImage(image, turn)
    assert view.shape == turned.shape
    np.testing.assert_array_equal(view[3:20, 2:], turned[3:20, 2:])


def test_each_face_goes_by_its_own_turn(astronaut):
    both = np.hstack([np.rot90(astronaut, 2), astronaut[:, ::-1]])
    groups = find_turned_faces(both, (0, 1, 2, 3))
    best = {round(float(unturned_box(group[0], both.shape)[0]) // 512): group[0].turn for group in groups}
    assert best == {0: 2, 1: 0}


def test_what_is_unknown_is_filled_and_what_is_known_stays():
    image = np.full((60, 80, 3), [200, 100, 50], np.uint8)
    shown = np.zeros((60, 80), np.float32)
    shown[20:40, 20:60] = 1
    image[shown == 0] = 0
    filled = fill_outside(image, shown)
    assert np.abs(filled.astype(int) - [200, 100, 50]).max() <= 1


# -- films -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def film(astronaut):
    """Frames whose head goes to and fro and rolls."""
    frames = []
    for i in range(12):
        turned = Image.fromarray(astronaut).rotate(6 * np.sin(i / 2), Image.Resampling.BICUBIC, center=(222, 125), translate=(2 * i, i))
        frames.append(np.array(turned))
    return frames


@pytest.fixture(scope="module")
def upright(film):
    return FaceMeshTracker().track(film)


@pytest.mark.parametrize("turn", [1, 2])
def test_a_turned_film_gives_the_same_motion(film, upright, turn):
    motion = FaceMeshTracker().track([np.ascontiguousarray(np.rot90(frame, turn)) for frame in film])
    assert motion.metadata["turned"] % 360 == 360 - 90 * turn
    assert motion.metadata["frame_size"] == [512, 512]
    np.testing.assert_allclose(motion.values, upright.values, atol=1e-3)


def test_a_film_keeps_its_turn_where_the_face_is_lost(film, upright):
    frames = [np.ascontiguousarray(np.rot90(frame, 2)) for frame in film]
    frames[5] = np.zeros_like(frames[5])
    motion = FaceMeshTracker().track(frames)
    assert motion.metadata["frames_without_face"] == 1 and motion.metadata["turned"] == 180
    assert np.corrcoef(motion["headRoll"], upright["headRoll"])[0, 1] > 0.95


def test_the_same_face_is_followed_where_a_larger_one_appears(astronaut):
    """After a frame without any, the follower goes on where it was."""
    small = np.array(Image.fromarray(astronaut).resize((360, 360)))
    alone, both = np.full((512, 900, 3), 128, np.uint8), np.full((512, 900, 3), 128, np.uint8)
    alone[:360, :360] = both[:360, :360] = small
    both[:, 388:] = astronaut
    with FaceMeshTracker().open(video=True) as model:
        follower = FaceFollower(model)
        detections = [follower.follow(frame) for frame in (alone, np.zeros_like(alone), both)]
    assert detections[1] is None and np.abs(detections[2].points - detections[0].points)[:, :2].mean() < 5


# -- the commands ------------------------------------------------------------------------------------------------------


def test_render_says_that_it_turned_the_portrait(astronaut, tmp_path, capsys):
    from tbd.face.motion import Motion

    Image.fromarray(astronaut).rotate(180).save(tmp_path / "me.png")
    Motion.zeros(2).save(tmp_path / "m.npz")
    arguments = ["render", "--portrait", str(tmp_path / "me.png"), "--motion", str(tmp_path / "m.npz"), "--size", "128"]
    assert main([*arguments, "--output", str(tmp_path / "o.mp4")]) == 0
    assert "warning: the picture was turned by 180°" in capsys.readouterr().err


def test_track_says_that_it_turned_the_video_and_takes_a_part(film, tmp_path, capsys):
    from tbd.face.motion import Motion
    from tbd.media import VideoWriter

    with VideoWriter(tmp_path / "v.mp4") as writer:
        for frame in film:
            writer.write(np.ascontiguousarray(np.rot90(frame, 2)))
    arguments = ["track", str(tmp_path / "v.mp4"), "--output", str(tmp_path / "m.npz")]
    assert main([*arguments, "--start", "0.08", "--end", "0.4"]) == 0
    assert len(Motion.load(tmp_path / "m.npz")) == 8
    assert "v.mp4 was turned by 180°" in capsys.readouterr().err
    assert main([*arguments, "--start", "2", "--end", "1"]) == 2
    assert "name no part" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["06_upside_down_portrait.jpg", "06_upside_down_video.mp4"])
def test_the_real_ones(shared, name):
    from tbd.media import read_image, read_video

    path = shared / "data/faults" / name
    if path.suffix == ".jpg":
        assert FaceMeshTracker().locate(read_image(path), name).metadata["turned"] == 180
    else:
        assert FaceMeshTracker().track(read_video(path), name).metadata["turned"] == 180


def test_a_painted_statue_or_whatever_it_is_has_no_face(shared):
    from tbd.media import read_image

    with pytest.raises(InputError, match="No face was found"):
        FaceMeshTracker().locate(read_image(shared / "data/portraits/not_a_human.jpg"))
