"""Trackers against pictures whose faces were moved by a known amount, and against each other."""

import subprocess
import sys
import weakref

import numpy as np
import pytest
from PIL import Image

from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES
from tbd.face.detector import find_faces, quiet
from tbd.face.fit import ClipFit, fit_clip, head_motion, smooth
from tbd.face.geometry import FaceGeometry, euler_to_matrix, matrix_to_euler, mean_face, remove_pose
from tbd.face.portrait import crop_portrait
from tbd.face.rig import Rig
from tbd.face.tracker import FaceLandmarkerTracker, FaceMeshTracker, _require_usable
from tbd.media import read_image, read_video

AT = {name: i for i, name in enumerate(BLENDSHAPES)}
NOSE = (222, 125)
"""The astronaut's nose tip, read off the picture."""


def moved(image, x=0.0, y=0.0, zoom=1.0, degrees=0.0, about=NOSE):
    """The picture with its content shifted (pixels right, down), enlarged and turned (anticlockwise) about a point."""
    c, s = np.cos(np.radians(degrees)) / zoom, np.sin(np.radians(degrees)) / zoom
    (cx, cy), (tx, ty) = about, (about[0] + x, about[1] + y)
    matrix = (c, -s, cx - c * tx + s * ty, s, c, cy - s * tx - c * ty)
    picture = Image.fromarray(image).transform(image.shape[1::-1], Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    return np.array(picture)


# --- stills


def test_mesh_lies_on_the_face(face):
    assert face.points.shape == (478, 3) and face.faces_seen == 1
    np.testing.assert_allclose(face.points[1, :2], NOSE, atol=8)
    assert face.points[263, 0] > face.points[33, 0] and face.points[152, 1] > face.points[10, 1]
    assert face.points[1, 2] > face.points[234, 2]  # the nose is nearer than the cheek's edge
    assert face.metadata == {"tracker": "face_mesh", "tracker_version": face.metadata["tracker_version"]}


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


def test_crop_carries_the_mesh_over_exactly(face):
    crop = crop_portrait(face, 512)
    again = FaceMeshTracker().locate(crop.image)
    assert crop.image.shape == (512, 512, 3)
    assert np.abs(again.points - crop.points)[:, :2].mean() < 0.01 * crop.scale
    assert np.abs(crop.project(crop.canonical) - crop.points)[:, :2].max() < 1e-3 * crop.scale


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


def test_face_turned_away_is_refused():
    def looking(yaw):
        points = (mean_face() @ euler_to_matrix([0, np.radians(yaw), 0]).T * 100 + [256, -256, 0]) * [1, -1, 1]
        return FaceGeometry(np.zeros((512, 512, 3), np.uint8), points, *remove_pose(points))

    _require_usable(looking(40), "me.jpg")
    with pytest.raises(InputError, match="turned 50° away"):
        _require_usable(looking(-50), "me.jpg")


def test_boxes_are_sorted_by_size_and_empty_pictures_have_none(astronaut):
    both = np.hstack([np.array(Image.fromarray(astronaut).resize((512, 512))), astronaut])
    boxes = find_faces(both)
    assert boxes.shape == (2, 4) and find_faces(np.zeros((64, 64, 3), np.uint8)).shape == (0, 4)


# --- noise


def test_quiet_drops_mediapipes_lines_alone(capfd):
    code = "W0000 00:00:1 feedback_manager.cc:1] something\\nINFO: Created TensorFlow Lite XNNPACK delegate\\nour own line"
    with quiet():
        subprocess.run(["printf", code], stdout=2, check=True)
    assert capfd.readouterr().err == "our own line"


def test_quiet_keeps_what_was_said_before_an_error(capfd):
    with pytest.raises(RuntimeError), quiet():
        print("told", file=sys.__stderr__, flush=True)
        raise RuntimeError
    assert "told" in capfd.readouterr().err


def test_tracking_says_nothing():
    program = (
        "from skimage.data import astronaut; from tbd.face.tracker import FaceMeshTracker;"
        "FaceMeshTracker().locate(astronaut()); FaceMeshTracker().track([astronaut()] * 3)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "" and done.stdout == ""


# --- clips


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
    steady = 3 * np.arange(12) / face.scale
    np.testing.assert_allclose(motion["headX"] - motion["headX"].mean(), steady - steady.mean(), atol=0.03)


@pytest.mark.parametrize(("frames", "says"), [([], "no frames"), ([0, 0, 0, 1], "3 of the 4 frames"), ([0], "1 of the 1")])
def test_clips_without_faces(astronaut, frames, says):
    with pytest.raises(InputError, match=rf"{says}.*clip\.mp4"):
        FaceMeshTracker().track((astronaut * np.uint8(seen) for seen in frames), "clip.mp4")


# --- the fit, on meshes that the rig made


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


# --- the landmarker


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


def test_trackers_agree_on_the_pose_of_meads_clip(landmarker, shared):
    path = shared / "data/clips/M030_sad_3_001.mp4"
    mesh, task = FaceMeshTracker().track(read_video(path), path.name), landmarker.track(read_video(path), path.name)
    assert np.corrcoef(mesh["jawOpen"], task["jawOpen"])[0, 1] > 0.75
    for channel in ("headX", "headY"):
        assert np.corrcoef(mesh[channel], task[channel])[0, 1] > 0.9
    rest = [np.degrees(m.metadata["rest"]["pitch_yaw_roll"]) for m in (mesh, task)]
    assert np.abs(rest[0] - rest[1]).max() < 5
