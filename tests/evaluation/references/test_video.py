"""Folders of videos as references: real faces, tracked in both clips."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch

from tbd.errors import InputError
from tbd.evaluation.predict import write_clip
from tbd.evaluation.predictors import GroundTruth
from tbd.evaluation.references.base import read_label
from tbd.evaluation.references.video import VideoReference
from tbd.face.motion import Motion
from tbd.face.render.renderer import MeshWarpRenderer
from tbd.media import VideoWriter, read_video
from tests.evaluation.fakes import picture
from tests.evaluation.references.scoring import score


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> Path:
    """A folder with one video of a face that talks, 24 frames."""
    from tbd.face.portrait import crop_portrait
    from tbd.face.tracker import FaceMeshTracker

    folder, motion = tmp_path_factory.mktemp("videos"), Motion.zeros(24)
    motion["jawOpen"] = 0.3 + 0.3 * np.sin(0.03 * np.arange(24) ** 2)  # no lag but 0 fits
    face = crop_portrait(FaceMeshTracker().locate(skimage.data.astronaut()), 192)
    sound = np.repeat(motion["jawOpen"], 640) * np.sin(np.arange(24 * 640) * 0.2)
    with VideoWriter(folder / "M030_sad_3_001.mp4", sound) as writer:
        for frame in MeshWarpRenderer().render(face, motion):
            writer.write(frame)
    return folder


@pytest.fixture
def truth(videos, tmp_path) -> Path:
    for clip in VideoReference(str(videos)).clips():
        write_clip(GroundTruth(), clip, tmp_path, 128, 0, torch.device("cpu"))
    return tmp_path


def test_a_video_against_itself(videos, truth):
    scores = score(VideoReference(str(videos)), truth, crop={"kind": "face", "size": 64, "margin": 1.3})
    values = {name: value.values for name, value in scores.metrics.items()}
    assert not scores.issues  # framed as its portrait is: the crop is the picture, within what a tracker tells
    assert values["aperture"]["correlation"] > 0.8 and values["aperture"]["lag"] == 0
    assert values["m-lmd"]["value"] < 3 and values["psnr"]["value"] > 30
    assert values["faces"] == {"value": 24, "target": 24, "width": 224}


def test_a_face_that_is_lost_for_some_frames_is_reported(videos, truth):
    path = next(truth.glob("*.mp4"))
    frames = list(read_video(path))
    with VideoWriter(path, np.full(24 * 640, 0.1, np.float32)) as writer:
        for i, frame in enumerate(frames):
            writer.write(frame if not 5 <= i < 8 else np.full_like(frame, 90))
    scores = score(VideoReference(str(videos)), truth)
    # whether a mouth that opens as it speaks counts as another framing hangs on the tracker's last digits
    (lost,) = [issue for issue in scores.issues if issue.kind != "framing"]
    assert (lost.kind, lost.scored) == ("no_face", True) and "3 of 24" in lost.detail
    assert scores.metrics["faces"].values["value"] == 21 and scores.scored == 1


def test_a_video_without_a_face_has_no_numbers(videos, truth):
    path = next(truth.glob("*.mp4"))
    with VideoWriter(path, np.full(24 * 640, 0.1, np.float32)) as writer:
        for i in range(24):
            writer.write(picture(128, i / 24))
    scores = score(VideoReference(str(videos)), truth)
    assert [(i.kind, i.scored) for i in scores.issues] == [("no_face", False)] and scores.scored == 0
    assert scores.metrics["m-lmd"].number is None and "No clip could be measured" in scores.metrics["m-lmd"].absent


def test_names_and_content(videos):
    reference = VideoReference(str(videos))
    (clip,) = reference.clips()
    assert (clip.id, clip.emotion, clip.level, clip.frames()) == ("M030_sad_3_001", "sad", 3, 24)
    assert clip.face(128).image.shape == (128, 128, 3) and "sad" in clip.plan().emotions and len(reference.content()) == 64
    assert read_label("disgusted_x") == ("disgusted", None)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no videos"):
        VideoReference(str(tmp_path)).clips()
