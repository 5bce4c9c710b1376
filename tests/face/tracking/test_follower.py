"""One face from frame to frame, in any turn of the video."""

import numpy as np
import pytest
from PIL import Image

from tbd.cli.main import main
from tbd.face.tracker import FaceMeshTracker
from tbd.face.tracking.follower import FaceFollower


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_picture_in_any_turn_gives_the_same_face(astronaut, face, turn):
    found = FaceMeshTracker().locate(np.ascontiguousarray(np.rot90(astronaut, turn)))
    assert found.metadata["turned"] % 360 == 360 - 90 * turn
    assert (found.image == astronaut).all() and found.faces_seen == 1
    assert np.abs(found.points - face.points)[:, :2].mean() < 0.5


def test_mirrored_and_upside_down(astronaut, face):
    found = FaceMeshTracker().locate(np.ascontiguousarray(astronaut[::-1]))
    assert found.metadata["turned"] == 180
    assert (found.image == astronaut[:, ::-1]).all()


@pytest.fixture(scope="module")
def clip(astronaut):
    """Frames whose head goes to and fro and rolls."""
    frames = []
    for i in range(12):
        turned = Image.fromarray(astronaut).rotate(6 * np.sin(i / 2), Image.Resampling.BICUBIC, center=(222, 125), translate=(2 * i, i))
        frames.append(np.array(turned))
    return frames


@pytest.fixture(scope="module")
def upright(clip):
    return FaceMeshTracker().track(clip)


@pytest.mark.parametrize("turn", [1, 2])
def test_a_turned_video_gives_the_same_motion(clip, upright, turn):
    motion = FaceMeshTracker().track([np.ascontiguousarray(np.rot90(frame, turn)) for frame in clip])
    assert motion.metadata["turned"] % 360 == 360 - 90 * turn
    assert motion.metadata["frame_size"] == [512, 512]
    np.testing.assert_allclose(motion.values, upright.values, atol=1e-3)


def test_a_video_keeps_its_turn_where_the_face_is_lost(clip, upright):
    frames = [np.ascontiguousarray(np.rot90(frame, 2)) for frame in clip]
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


def test_render_says_that_it_turned_the_portrait(astronaut, tmp_path, capsys):
    from tbd.face.motion import Motion

    Image.fromarray(astronaut).rotate(180).save(tmp_path / "me.png")
    Motion.zeros(2).save(tmp_path / "m.npz")
    arguments = ["render", "--portrait", str(tmp_path / "me.png"), "--motion", str(tmp_path / "m.npz"), "--size", "128"]
    assert main([*arguments, "--output", str(tmp_path / "o.mp4")]) == 0
    assert "warning: the picture was turned by 180°" in capsys.readouterr().err


def test_track_says_that_it_turned_the_video_and_takes_a_part(clip, tmp_path, capsys):
    from tbd.face.motion import Motion
    from tbd.media import VideoWriter

    with VideoWriter(tmp_path / "v.mp4") as writer:
        for frame in clip:
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
