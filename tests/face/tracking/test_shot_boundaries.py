"""Cuts: found where another face or another place begins, and nowhere else."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from tbd.errors import InputError
from tbd.face.fit import ClipFit, head_motion, head_motion_by_shot
from tbd.face.geometry import mean_face, remove_pose
from tbd.face.tracker import FaceMeshTracker
from tbd.face.tracking.shot_boundaries import Cut, ShotBoundaryDetector

SIDE = 128


def person(seed, wide=1.0):
    """A picture of noise as soft as skin, and a mesh of the mean face, `wide` times as wide, in its middle."""
    rng = np.random.default_rng(seed)
    colours = rng.integers(40, 215, (6, 6, 3)).astype(np.uint8)
    picture = np.array(Image.fromarray(colours).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    return picture, (mean_face() * [wide, 1, 1] * [40, -40, 40] + [SIDE / 2, SIDE / 2, 0]).astype(np.float32)


def shot(seed, frames, wide=1.0, shift=0.0, brightness=1.0, noise=2.0):
    """A person who sways by a pixel or two, filmed with a little noise."""
    picture, points = person(seed, wide)
    rng = np.random.default_rng(seed + 100)
    for i in range(frames):
        x = round(shift + 2 * np.sin(i / 3))
        moved = np.roll(picture, x, 1) * brightness + rng.normal(0, noise, picture.shape)
        yield np.clip(moved, 0, 255).astype(np.uint8), points + np.float32([x, 0, 0])


def cuts(*shots):
    finder = ShotBoundaryDetector()
    for frames in shots:
        for pixels, points in frames:
            finder.add(pixels, points)
    return finder.finish()


def test_another_person_after_a_cut():
    assert cuts(shot(1, 30), shot(2, 30, 1.1)) == [Cut(30, True)]
    assert Cut(30, True).seconds == 1.2


def test_every_cut_is_found_and_nearly_at_the_ends_too():
    assert [cut.frame for cut in cuts(shot(1, 25), shot(2, 30, 1.1), shot(3, 4, 0.9))] == [25, 55]


def test_one_shot_has_none():
    assert cuts(shot(1, 80)) == []
    assert cuts(shot(1, 40, noise=12.0)) == []


def test_a_flash_a_fade_and_a_blink_of_the_light_are_no_cuts():
    assert cuts(shot(1, 20), shot(1, 1, brightness=3.0), shot(1, 30)) == []
    fade = [next(iter(shot(1, 1, brightness=b))) for b in np.linspace(1, 0.5, 12)]
    assert cuts(shot(1, 20), fade, shot(1, 30, brightness=0.5)) == []


def test_a_jump_cut_of_the_same_person_is_a_seam_and_nobody_else():
    (cut,) = cuts(shot(1, 30), shot(1, 30, shift=40))
    assert cut == Cut(30, False)


def test_frames_without_a_face_are_counted():
    finder = ShotBoundaryDetector()
    for pixels, points in shot(1, 20):
        finder.add(pixels, points)
    for _ in range(10):
        finder.add(None, None)
    for pixels, points in shot(2, 20, 1.1):
        finder.add(pixels, points)
    assert finder.finish() == [Cut(30, True)]


def test_each_shot_has_its_own_resting_pose():
    points = np.stack([mean_face() * [k, -k, k] + [x, 80, 0] for k, x in [(50, 90)] * 5 + [(80, 200)] * 5])
    _, rotations, scales, origins = (np.array(column) for column in zip(*(remove_pose(p) for p in points)))
    clip = ClipFit(np.zeros((10, 52)), rotations, scales, origins)
    head, rest = head_motion_by_shot(clip, [5])
    np.testing.assert_allclose(head, 0, atol=1e-5)
    assert rest["pixels_per_inter_ocular"] == pytest.approx(50, rel=1e-3)
    assert np.abs(head_motion(clip)[0]).max() > 1  # what one pose for both makes of it


# -- with pictures -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two():
    """scikit-image's astronaut, and another face: hers with other proportions and colours, on other ground."""
    import skimage.data

    from tbd.face.motion import Motion
    from tbd.face.portrait import crop_portrait
    from tbd.face.render.renderer import MeshWarpRenderer

    face = crop_portrait(FaceMeshTracker().locate(skimage.data.astronaut()), 192)
    motion = Motion.zeros(30)
    motion["jawOpen"] = 0.35 - 0.35 * np.cos(np.arange(30) / 25 * 4 * np.pi)
    first = list(MeshWarpRenderer().render(face, motion))
    second = [_other(frame) for frame in first]
    return first, second


def _other(frame):
    """Darker, bluer, mirrored and a sixth narrower."""
    picture = Image.fromarray(frame[:, ::-1, [2, 1, 0]]).resize((160, 192))
    ground = Image.new("RGB", (192, 192), (30, 90, 60))
    ground.paste(ImageEnhance.Brightness(picture).enhance(0.55), (16, 0))
    return np.array(ground)


def test_a_film_of_two_people_is_refused_and_one_of_one_is_not(two):
    first, second = two
    motion = FaceMeshTracker().track(first, "one.mp4")
    assert "cuts" not in motion.metadata and "turned" not in motion.metadata
    with pytest.raises(InputError, match=r"Another person seems to be seen in two\.mp4 from 1\.20 s on;.*--start") as caught:
        FaceMeshTracker().track([*first, *second], "two.mp4")
    assert "\n" not in str(caught.value)


def test_the_real_cut(shared):
    from tbd.media import read_video

    path = shared / "data/faults/14_hard_cut_two_people.mp4"
    with pytest.raises(InputError, match=r"Another person seems to be seen in .* from 1\.52 s on"):
        FaceMeshTracker().track(read_video(path), path.name)
