"""A prediction is brought to its reference's framing, or named; the truth scores as the truth under every protocol."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from tbd.data.preprocess.cache import Cache
from tbd.data.records import ClipRecord
from tbd.evaluation.evaluate import evaluate
from tbd.evaluation.predict import write_clip
from tbd.evaluation.predictions import read_predictions
from tbd.evaluation.predictors import GroundTruth
from tbd.evaluation.protocol import Protocol, load_protocol, protocol_names
from tbd.evaluation.references.base import Reference
from tbd.evaluation.references.cache import CacheReference
from tbd.evaluation.references.video import VideoReference
from tbd.evaluation.scores import Scores
from tbd.face.motion import Motion
from tbd.face.render.renderer import MeshWarpRenderer
from tbd.face.tracker import FaceMeshTracker
from tbd.media import VideoWriter, read_video
from tbd.metrics.faces.face_points import eat_template
from tests.evaluation.fakes import FaceReference, fake_protocol, film, portrait
from tests.evaluation.references.scoring import metric

SIZE, FRAMES = 128, 12
METRICS = [
    metric("psnr", "tbd.metrics.FramePSNR"),
    metric("ssim", "tbd.metrics.FrameSSIM"),
    metric("m-lmd", "tbd.metrics.MouthLandmarkDistance"),
]


def write(path: Path, frames) -> None:
    with VideoWriter(path, np.full(FRAMES * 640, 0.1, np.float32)) as writer:
        for frame in frames:
            writer.write(frame)


@pytest.fixture(scope="module")
def wide(tmp_path_factory) -> Path:
    """A film of 480 × 320: a face that talks, right of the middle, before a picture that differs from side to side."""
    folder, motion = tmp_path_factory.mktemp("wide"), Motion.zeros(FRAMES)
    motion["jawOpen"] = 0.3 + 0.3 * np.sin(np.arange(FRAMES))
    scene = np.asarray(
        Image.fromarray(np.hstack([skimage.data.astronaut()[:, ::-1][:, :256], skimage.data.astronaut()])).resize((480, 320))
    )
    face = FaceMeshTracker().locate(np.ascontiguousarray(scene))
    write(folder / "talk.mp4", MeshWarpRenderer().render(face, motion))
    return folder


def score(reference: Reference, folder: Path, **changes) -> Scores:
    protocol = fake_protocol(
        motion="face_mesh", size=SIZE, crop={"kind": "frame", "size": SIZE}, length_tolerance=5, metrics=METRICS, **changes
    )
    return evaluate(protocol, reference, lambda clips: read_predictions(folder, clips))[0]


def resized(wide: Path, folder: Path, width: int, height: int) -> Path:
    write(folder / "talk.mp4", (np.asarray(Image.fromarray(frame).resize((width, height))) for frame in read_video(wide / "talk.mp4")))
    return folder


def numbers(scores: Scores) -> dict[str, float]:
    return {name: value.number for name, value in scores.metrics.items()}


def test_the_files_of_the_reference_are_the_truth(wide, tmp_path):
    shutil.copy(wide / "talk.mp4", tmp_path)
    scores = score(VideoReference(str(wide)), tmp_path)
    assert numbers(scores) == {"psnr": 100, "ssim": 1, "m-lmd": 0}
    assert [(i.kind, i.scored) for i in scores.issues] == [("framing", True)] and "whole picture" in scores.issues[0].detail


def test_the_whole_picture_in_another_size_is_cropped_too(wide, tmp_path):
    scores = score(VideoReference(str(wide)), resized(wide, tmp_path, 720, 480))
    assert numbers(scores)["psnr"] > 28 and {i.kind for i in scores.issues} == {"framing"}


def test_a_prediction_in_the_portraits_framing_is_left_alone(wide, tmp_path):
    (clip,) = VideoReference(str(wide)).clips()
    write_clip(GroundTruth(), clip, tmp_path, SIZE, 0, torch.device("cpu"))
    scores = score(VideoReference(str(wide)), tmp_path)
    assert not scores.issues and numbers(scores)["psnr"] > 30


@pytest.mark.parametrize("size", [(320, 320), (480, 200), (200, 480)])
def test_a_picture_of_another_aspect_ratio_is_named(wide, tmp_path, size):
    scores = score(VideoReference(str(wide)), resized(wide, tmp_path, *size))
    assert {i.kind for i in scores.issues} & {"framing", "no_face"}, "the narrowest shows no face that the tracker knows"
    assert not any("were cropped" in i.detail for i in scores.issues)


def test_a_face_of_another_size_and_frames_of_another_size_are_named(wide, tmp_path):
    (clip,) = VideoReference(str(wide)).clips()
    near = (np.asarray(Image.fromarray(frame).crop((24, 16, 104, 96)).resize((SIZE, SIZE))) for frame in clip.video(SIZE))
    write(tmp_path / "talk.mp4", near)
    (issue,) = score(VideoReference(str(wide)), tmp_path).issues
    assert issue.kind == "framing" and issue.scored and "of another size" in issue.detail
    write(tmp_path / "talk.mp4", clip.video(192))
    (issue,) = score(VideoReference(str(wide)), tmp_path).issues
    assert issue.kind == "size" and "192 x 192 pixels instead of 128 x 128" in issue.detail
    assert not score(VideoReference(str(wide)), tmp_path, framing="any").metrics["psnr"].absent


def test_mirrored_pictures_are_named(wide, tmp_path):
    (clip,) = VideoReference(str(wide)).clips()
    write(tmp_path / "talk.mp4", (np.ascontiguousarray(frame[:, ::-1]) for frame in clip.video(SIZE)))
    (issue,) = score(VideoReference(str(wide)), tmp_path).issues
    assert issue.kind == "framing" and issue.scored and "talk.mp4 shows the portrait mirrored" in issue.detail


def beside(tmp_path: Path, margin: int) -> tuple[Path, Path]:
    """Source and folder for predictions: a portrait that stands still, with so much grey to its left and right."""
    picture = np.asarray(Image.fromarray(portrait(256).image))
    grey = np.full((256, margin, 3), 90, np.uint8)
    for name in ("source", "mine"):
        (tmp_path / name).mkdir()
    write(tmp_path / "source" / "talk.mp4", [np.hstack([grey, picture, grey])] * FRAMES)
    return tmp_path / "source", tmp_path / "mine"


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_whole_picture_may_be_mirrored_too(tmp_path, mirrored):
    source, mine = beside(tmp_path, 64)
    frames = list(read_video(source / "talk.mp4"))
    write(mine / "talk.mp4", [np.ascontiguousarray(frame[:, ::-1]) if mirrored else frame for frame in frames])
    (issue,) = score(VideoReference(str(source)), mine).issues
    assert "whole picture" in issue.detail and ("mirrored" in issue.detail) == mirrored


def test_a_source_that_is_framed_as_the_portrait_is_not_cropped_twice(tmp_path):
    """Whole picture and crop are one but for rounding, so that a tracker's noise decided."""
    source, mine = beside(tmp_path, 0)
    (clip,) = VideoReference(str(source)).clips()
    write(mine / "talk.mp4", clip.video(SIZE))
    scores = score(VideoReference(str(source)), mine)
    assert not scores.issues and numbers(scores)["psnr"] > 33


@pytest.mark.parametrize("change", ["dark", "grey", "noisy", "elsewhere in the background", "a turned head", "nothing"])
def test_pictures_that_differ_otherwise_are_not_taken_for_mirrored(change):
    from tbd.evaluation.framing import _mirrored

    portrait = np.asarray(Image.fromarray(skimage.data.astronaut()).resize((SIZE, SIZE)))
    other = {
        "dark": portrait // 3,
        "grey": np.repeat(portrait.mean(2, keepdims=True).astype(np.uint8), 3, 2),
        "noisy": np.random.default_rng(0).normal(portrait, 60).clip(0, 255).astype(np.uint8),
        "elsewhere in the background": np.where(np.arange(SIZE)[:, None, None] < 20, 255, portrait).astype(np.uint8),
        "a turned head": np.roll(portrait, 9, 1),
        "nothing": np.zeros_like(portrait),
    }[change]
    assert not _mirrored(other, portrait)


def small_cache(folder: Path) -> CacheReference:
    """A prepared cache with one clip."""
    cache = Cache.claim(folder / "cache", source="mead")
    write(cache.path("a.mp4"), film(0, FRAMES, SIZE))
    write(cache.path("a.wav.mp4"), film(0, FRAMES, SIZE))
    about = {"source": "mead", "person": "M003", "emotion": "happy", "level": 1, "status": "ready", "frames": FRAMES}
    cache.save_record(ClipRecord("M003_happy_1_001", video="a", audio="a.wav.mp4", videos={str(SIZE): "a.mp4"}, **about))
    cache.write_manifest()
    split = folder / "split.json"
    split.write_text('{"name": "mine", "dataset": "mead", "by": "clip", "source": "", "splits": {"test": ["M003_happy_1_001"]}}')
    return CacheReference(str(cache.root), str(split))


def reference_like(protocol: Protocol, wide: Path, folder: Path) -> Reference | None:
    """A small reference of the protocol's kind; None for portraits, of which there is no true clip."""
    kind = protocol.reference.class_path.rpartition(".")[2]
    if kind == "CacheReference":
        return small_cache(folder)
    if kind == "VideoReference":
        return VideoReference(str(wide), **protocol.reference.init_args)
    return None if kind == "PortraitReference" else FaceReference(count=1, frames=FRAMES)


@pytest.mark.parametrize("name", protocol_names())
def test_the_truth_scores_as_the_truth_under_every_protocol(name, wide, tmp_path, monkeypatch):
    np.save(tmp_path / "base_68.npy", 0.9 * eat_template() + [3, 8])  # a stand-in for EAT's own
    monkeypatch.setenv("TBD_WEIGHTS", str(tmp_path))
    protocol = load_protocol(name)
    reference = reference_like(protocol, wide, tmp_path)
    if reference is None:
        return
    folder = tmp_path / "truth"
    for clip in reference.clips():
        write_clip(GroundTruth(), clip, folder, SIZE, 0, torch.device("cpu"))
    split = protocol.split.model_copy(update={"clips": None, "names": None, "file": None, "content": None})
    kept = tuple(entry for entry in protocol.metrics if entry.name in TRUE)
    if not kept:  # THEval's measures have no number that is the truth's
        assert {entry.better for entry in protocol.metrics} == {"reference"}
        return
    small = protocol.model_copy(update={"split": split, "size": SIZE, "metrics": kept})
    scores, _ = evaluate(small, reference, lambda clips: read_predictions(folder, clips))
    assert not scores.issues and scores.scored == 1
    found = {name: value.number for name, value in scores.metrics.items() if value.number is not None}
    assert found and all(TRUE[name](number) for name, number in found.items()), found


TRUE = {
    "psnr": lambda value: value > 28,
    "ssim": lambda value: value > 0.9,
    "m-lmd": lambda value: value < 3,
    "f-lmd": lambda value: value < 3,
    "aperture": lambda value: value > 0.8,
    "m-lmd-eat": lambda value: value < 2,
    "f-lmd-eat": lambda value: value < 2,
    "jaw": lambda value: value > 0.98,
    "muscles": lambda value: value < 2,
    "mouth": lambda value: value < 3,
}
"""What a true clip scores against itself, coded once more."""
