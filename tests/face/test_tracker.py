"""Trackers: pictures to geometry, videos to motion."""

import subprocess
import sys
import weakref

import numpy as np
import pytest
from PIL import Image

from tbd.errors import InputError
from tbd.face.geometry import matrix_to_euler
from tbd.face.tracker import RECIPE, FaceLandmarkerTracker, FaceMeshTracker
from tbd.media import read_image, read_video
from tbd.metrics.dynamics import count_blinks

NOSE = (222, 125)
"""The astronaut's nose tip, read off the picture."""


def moved(image, x=0.0, y=0.0, zoom=1.0, degrees=0.0, about=NOSE):
    """The picture with its content shifted (pixels right, down), enlarged and turned (anticlockwise) about a point."""
    c, s = np.cos(np.radians(degrees)) / zoom, np.sin(np.radians(degrees)) / zoom
    (cx, cy), (tx, ty) = about, (about[0] + x, about[1] + y)
    matrix = (c, -s, cx - c * tx + s * ty, s, c, cy - s * tx - c * ty)
    picture = Image.fromarray(image).transform(image.shape[1::-1], Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    return np.array(picture)


def test_mesh_lies_on_the_face(face):
    assert face.points.shape == (478, 3) and face.faces_seen == 1
    np.testing.assert_allclose(face.points[1, :2], NOSE, atol=8)
    assert face.points[263, 0] > face.points[33, 0] and face.points[152, 1] > face.points[10, 1]
    assert face.points[1, 2] > face.points[234, 2]  # the nose is nearer than the cheek's edge
    assert face.metadata == {"tracker": "face_mesh", "tracker_version": face.metadata["tracker_version"], "recipe": RECIPE}


def test_projection_of_the_canonical_mesh_is_the_mesh(face):
    assert np.abs(face.project(face.canonical)[:, :2] - face.points[:, :2]).max() < 1e-3 * face.scale


@pytest.mark.parametrize("degrees", [-10, 10, 25])
def test_turning_the_picture_anticlockwise_is_positive_roll(astronaut, face, degrees):
    turned = FaceMeshTracker().locate(moved(astronaut, degrees=degrees))
    roll = matrix_to_euler(turned.rotation)[2] - matrix_to_euler(face.rotation)[2]
    assert np.degrees(roll) == pytest.approx(degrees, abs=2)


def test_mirrored_picture_mirrors_yaw_and_roll(astronaut, face):
    angles, mirrored = (matrix_to_euler(g.rotation) for g in (face, FaceMeshTracker().locate(astronaut[:, ::-1])))
    np.testing.assert_allclose(mirrored, angles * [1, -1, -1], atol=np.radians(3))


def test_small_face_in_a_big_picture(astronaut, face):
    big = np.full((2400, 3600, 3), 120, np.uint8)
    big[1500:2012, 2500:3012] = astronaut
    found = FaceMeshTracker().locate(big)
    assert np.abs(found.points[:, :2] - [2500, 1500] - face.points[:, :2]).mean() < 1.5


def test_largest_of_several_faces(astronaut, face):
    small = np.array(Image.fromarray(astronaut).resize((420, 420)))
    both = np.full((512, 932, 3), 128, np.uint8)
    both[:420, :420], both[:, 420:] = small, astronaut
    found = FaceMeshTracker().locate(both)
    assert found.faces_seen == 2
    assert np.abs(found.points[:, :2] - [420, 0] - face.points[:, :2]).mean() < 1.5


def test_grey_deep_and_transparent_pictures(tmp_path, astronaut, face):
    grey = np.array(Image.fromarray(astronaut).convert("L"))
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    Image.fromarray(np.dstack([astronaut, np.full(astronaut.shape[:2], 255, np.uint8)])).save(tmp_path / "alpha.png")
    for name in ("deep.png", "alpha.png"):
        found = FaceMeshTracker().locate(read_image(tmp_path / name))
        assert np.abs(found.points - face.points)[:, :2].mean() < 1.5


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda image: np.full_like(image, 90), "No face was found"),
        (lambda image: np.random.default_rng(0).integers(0, 255, image.shape).astype(np.uint8), "No face was found"),
        (lambda image: image[:150], "cut by the border"),
        (lambda image: np.array(Image.fromarray(image).resize((190, 190))), "pixels high"),
    ],
)
def test_pictures_that_cannot_be_used(astronaut, spoil, says):
    with pytest.raises(InputError, match=says) as caught:
        FaceMeshTracker().locate(spoil(astronaut), "family.jpg")
    assert "family.jpg" in str(caught.value) and "\n" not in str(caught.value)


def test_tracking_says_nothing():
    program = (
        "from skimage.data import astronaut; from tbd.face.tracker import FaceMeshTracker;"
        "FaceMeshTracker().locate(astronaut()); FaceMeshTracker().track([astronaut()] * 3)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "" and done.stdout == ""


def test_head_moves_as_the_picture_does(astronaut, face):
    time = np.linspace(0, 2 * np.pi, 40)
    x, y, zoom, roll = 8 * np.sin(time), 5 * np.sin(2 * time), 1 + 0.15 * np.sin(time), 8 * np.sin(3 * time)
    middle = tuple(face.origin)
    frames = (moved(astronaut, *row, about=middle) for row in zip(x, y, zoom, roll))
    motion = FaceMeshTracker(absolute=False).track(frames)
    assert len(motion) == 40 and motion.metadata["frames_without_face"] == 0
    for channel, true in (("headX", x), ("headY", -y), ("headRoll", roll), ("headZ", zoom)):
        assert np.corrcoef(motion[channel], true)[0, 1] > 0.95, channel
    assert np.ptp(motion["headX"]) == pytest.approx(16 / face.scale, rel=0.15)
    assert np.degrees(np.ptp(motion["headRoll"])) == pytest.approx(16, rel=0.15)
    assert motion.blendshapes.max() < 0.5  # a still photograph says nothing beyond the smile that it holds


def test_face_that_wanders_through_the_picture_is_followed(astronaut):
    shifts = np.r_[np.linspace(0, 900, 12), np.linspace(900, 0, 12)].astype(int)
    canvas = np.full((512, 1500, 3), 128, np.uint8)

    def frames():
        for shift in shifts:
            frame = canvas.copy()
            frame[:, shift : shift + 512] = astronaut
            yield frame

    motion = FaceMeshTracker().track(frames())
    assert motion.metadata["frames_without_face"] == 0
    assert np.corrcoef(motion["headX"], shifts)[0, 1] > 0.995


def test_frames_are_not_kept(astronaut):
    alive = []

    def frames():
        for _ in range(12):
            frame = astronaut.copy()
            alive.append(weakref.ref(frame))
            yield frame
            del frame
            assert sum(ref() is not None for ref in alive) <= 2

    FaceMeshTracker().track(frames())


def test_frames_without_a_face_are_filled_and_counted(astronaut, face):
    frames = [moved(astronaut, x=3 * i) for i in range(12)]
    frames[5] = frames[6] = np.zeros_like(astronaut)
    motion = FaceMeshTracker().track(frames)
    assert len(motion) == 12 and motion.metadata["frames_without_face"] == 2
    assert motion.metadata["lost"] == [[5 / 25, 7 / 25]]
    steady = 3 * np.arange(12) / face.scale
    np.testing.assert_allclose(motion["headX"] - motion["headX"].mean(), steady - steady.mean(), atol=0.03)


@pytest.mark.parametrize(("frames", "says"), [([], "no frames"), ([0, 0, 0, 1], "3 of the 4 frames"), ([0], "1 of the 1")])
def test_clips_without_faces(astronaut, frames, says):
    with pytest.raises(InputError, match=rf"{says}.*clip\.mp4"):
        FaceMeshTracker().track((astronaut * np.uint8(seen) for seen in frames), "clip.mp4")


def test_missing_landmarker_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.task.*download face_landmarker\.task.*face_mesh"):
        FaceLandmarkerTracker(tmp_path / "nowhere.task")


@pytest.fixture(scope="session")
def landmarker(shared):
    path = shared / "models/face_landmarker.task"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    return FaceLandmarkerTracker(path)


def test_landmarker_locates_the_same_face(landmarker, astronaut, face):
    found = landmarker.locate(astronaut)
    assert found.metadata["tracker"] == "face_landmarker"
    assert np.abs(found.points - face.points)[:, :2].mean() < 0.04 * face.scale
    assert np.degrees(np.abs(matrix_to_euler(found.rotation) - matrix_to_euler(face.rotation)).max()) < 6
    assert np.abs(found.project(found.canonical) - found.points)[:, :2].max() < 1e-3 * found.scale


@pytest.fixture(scope="module")
def performances(landmarker, shared):
    """Both trackers on a lively clip of 8 seconds."""
    path = shared / "data/clips/WDA_KatieHill_000.mp4"
    return FaceMeshTracker().track(read_video(path), path.name), landmarker.track(read_video(path), path.name)


@pytest.mark.parametrize(
    ("channel", "least"),
    [("headPitch", 0.95), ("headYaw", 0.95), ("headRoll", 0.95), ("headX", 0.95), ("headY", 0.95), ("jawOpen", 0.75)]
    + [(f"eyeBlink{side}", 0.75) for side in ("Left", "Right")]
    + [(f"mouthSmile{side}", 0.8) for side in ("Left", "Right")]
    + [("browInnerUp", 0.6), ("eyeLookOutRight", 0.8), ("eyeLookInRight", 0.8)],
)
def test_trackers_agree(performances, channel, least):
    mesh, task = performances
    assert len(mesh) == len(task)
    assert np.corrcoef(mesh[channel], task[channel])[0, 1] > least


def test_a_filmed_persons_blinks_shut_and_open_eyes_are_open(performances):
    for motion in performances:
        lids = np.minimum(motion["eyeBlinkLeft"], motion["eyeBlinkRight"])
        assert count_blinks(lids.tolist()) >= 2 and np.median(lids) < 0.1, motion.metadata["tracker"]
        assert lids.max() > 0.85, motion.metadata["tracker"]  # as the mesh shows them, 0.45


def test_trackers_agree_on_the_pose_of_meads_clip(landmarker, shared):
    path = shared / "data/clips/M030_sad_3_001.mp4"
    mesh, task = FaceMeshTracker().track(read_video(path), path.name), landmarker.track(read_video(path), path.name)
    assert np.corrcoef(mesh["jawOpen"], task["jawOpen"])[0, 1] > 0.75
    for channel in ("headX", "headY"):
        assert np.corrcoef(mesh[channel], task[channel])[0, 1] > 0.9
    rest = [np.degrees(m.metadata["rest"]["pitch_yaw_roll"]) for m in (mesh, task)]
    assert np.abs(rest[0] - rest[1]).max() < 5
