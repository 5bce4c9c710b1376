import numpy as np
import pytest
import skimage.data

from tbd.errors import InputError
from tbd.face.clip_portrait import ClipPortrait
from tbd.face.framing import Framing
from tbd.face.geometry import matrix_to_euler
from tbd.face.motion import Motion
from tbd.face.portrait import crop_portrait
from tbd.face.render.renderer import MeshWarpRenderer
from tbd.face.tracker import FaceMeshTracker
from tbd.media import VideoWriter, read_video

FRAMES = 16


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> ClipPortrait:
    """The astronaut who turns her head from one side to the other and talks, as a filmed person."""
    portrait = crop_portrait(FaceMeshTracker().locate(skimage.data.astronaut()), 320)
    motion = Motion.zeros(FRAMES)
    motion["headYaw"] = np.linspace(-0.18, 0.18, FRAMES)  # seen as 8 degrees
    motion["headX"] = np.linspace(-0.1, 0.1, FRAMES)
    motion["jawOpen"] = 0.25 * (1 - np.cos(np.arange(FRAMES)))
    path = tmp_path_factory.mktemp("clip") / "filmed.mp4"
    with VideoWriter(path) as writer:
        for frame in MeshWarpRenderer(close_lips=1.0).render(portrait, motion):
            writer.write(frame)
    return ClipPortrait.track(FaceMeshTracker(), read_video(path), "filmed.mp4")


def talk(frames: int, jaw: float) -> Motion:
    motion = Motion.zeros(frames)
    motion["jawOpen"] = jaw
    return motion


@pytest.fixture(scope="module")
def drawn(clip) -> dict[float, list[np.ndarray]]:
    """The clip with shut lips, and with an open mouth."""
    return {jaw: list(clip.frames(talk(FRAMES, jaw), Framing("full"))) for jaw in (0.0, 0.7)}


def lips_apart(frame: np.ndarray) -> float:
    face = FaceMeshTracker().locate(frame)
    return float(np.linalg.norm(face.points[13, :2] - face.points[14, :2]) / face.scale)


def test_the_mouth_is_the_new_one_in_every_frame(drawn):
    shut, wide = ([lips_apart(frame) for frame in frames[::5]] for frames in (drawn[0.0], drawn[0.7]))
    assert max(shut) < 0.12 and min(wide) > max(shut) + 0.12


def test_head_and_surroundings_are_the_clips_own(clip, drawn):
    """The head turns as it was filmed, and outside of the face no pixel changes."""
    filmed = list(clip.video)
    for i in (1, 8, 14):
        before, after = (FaceMeshTracker().locate(frame) for frame in (filmed[i], drawn[0.0][i]))
        turned = np.degrees([matrix_to_euler(face.rotation)[1] for face in (before, after)])
        assert abs(turned[0] - turned[1]) < 4 and np.abs(before.origin - after.origin).max() < 0.06 * before.scale
        changed = np.abs(filmed[i].astype(int) - drawn[0.7][i]).max(2)
        low, high = (before.points[:, :2].min(0) - 40).astype(int), (before.points[:, :2].max(0) + 60).astype(int)
        changed[max(low[1], 0) : high[1], max(low[0], 0) : high[0]] = 0
        assert not changed.any()


def test_the_skin_keeps_its_light_and_nothing_flickers(clip, drawn):
    filmed = list(clip.video)
    cheek = clip.points[:, 205, :2].astype(int)
    pairs = [(filmed[i], drawn[0.0][i], x, y) for i, (x, y) in enumerate(cheek)]
    levels = np.array([[frame[y - 4 : y + 5, x - 4 : x + 5].mean() for frame in pair] for *pair, x, y in pairs])
    assert np.abs(levels[:, 0] - levels[:, 1]).max() < 12
    assert np.abs(np.diff(levels[:, 1] - levels[:, 0])).max() < 6


def test_a_head_that_turns_far_has_a_portrait_for_each_side(clip):
    assert 2 <= len(clip.faces) <= 3 and clip.seen.all() and clip.face is clip.faces[0]


def test_a_voice_that_lasts_longer_sends_the_clip_back_and_forth(clip):
    """Frames 16, 17 … are 14, 13 …, and 30, 31 … are 0, 1 … again."""
    numbers = [i for i, _ in clip._back_and_forth(36)]
    assert numbers == [*range(16), *range(14, -1, -1), *range(1, 6)]
    filmed = list(clip.video)
    for i, frame in clip._back_and_forth(20):
        assert np.abs(frame.astype(int) - filmed[i]).mean() < 3
    assert len(list(clip.frames(talk(18, 0.3), Framing("portrait", size=128)))) == 18


def test_a_part_of_the_clip_can_be_shown(clip):
    (frame,) = clip.frames(talk(1, 0.0), Framing("portrait", (9, 16), 256))
    assert frame.shape == (256, 144, 3)


def test_a_clip_without_a_face_is_one_sentence(tmp_path):
    with VideoWriter(tmp_path / "a.mp4") as writer:
        for _ in range(4):
            writer.write(np.full((128, 128, 3), 120, np.uint8))
    with pytest.raises(InputError, match=r"a\.mp4"):
        ClipPortrait.track(FaceMeshTracker(), read_video(tmp_path / "a.mp4"), "a.mp4")
