"""References: films that are tracked, prepared caches with holes, portraits with speech."""

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from scipy.io import wavfile

from tbd.data.preprocess.cache import Cache
from tbd.data.records import ClipRecord
from tbd.errors import InputError
from tbd.evaluation.evaluate import evaluate
from tbd.evaluation.predict import write_clip
from tbd.evaluation.predictions import read_predictions
from tbd.evaluation.predictors import GroundTruth, LoudnessJaw, StillPortrait
from tbd.evaluation.references.base import Reference, read_label
from tbd.evaluation.references.sources import CacheReference, PortraitReference, VideoReference
from tbd.evaluation.scores import Scores
from tbd.face.motion import Motion
from tbd.face.render.renderer import MeshWarpRenderer
from tbd.media import VideoWriter, read_video
from tests.evaluation.fakes import FakeReference, fake_protocol, picture

CPU = torch.device("cpu")


def metric(name: str, kind: str, **more) -> dict:
    return {"name": name, "metric": {"class_path": kind}, "label": name, **more}


TRACKED = [
    metric("aperture", "tbd.metrics.ApertureCorrelation"),
    metric("m-lmd", "tbd.metrics.MouthLandmarkDistance"),
    metric("psnr", "tbd.metrics.PeakSignalNoiseRatio", frames=5),
    metric("faces", "tests.evaluation.fakes.FaceCount"),
]


def score(reference: Reference, folder: Path, **changes) -> Scores:
    protocol = fake_protocol(motion="face_mesh", size=128, **{"metrics": TRACKED, **changes})
    return evaluate(protocol, reference, lambda clips: read_predictions(folder, clips))[0]


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> Path:
    """One film of a face that talks, 24 frames."""
    from tbd.face.portrait import crop_portrait
    from tbd.face.tracker import FaceMeshTracker

    folder, motion = tmp_path_factory.mktemp("films"), Motion.zeros(24)
    motion["jawOpen"] = 0.3 + 0.3 * np.sin(0.03 * np.arange(24) ** 2)  # no lag but 0 fits
    face = crop_portrait(FaceMeshTracker().locate(skimage.data.astronaut()), 192)
    sound = np.repeat(motion["jawOpen"], 640) * np.sin(np.arange(24 * 640) * 0.2)
    with VideoWriter(folder / "M030_sad_3_001.mp4", sound) as writer:
        for frame in MeshWarpRenderer().render(face, motion):
            writer.write(frame)
    return folder


@pytest.fixture
def truth(films, tmp_path) -> Path:
    for clip in VideoReference(str(films)).clips():
        write_clip(GroundTruth(), clip, tmp_path, 128, 0, CPU)
    return tmp_path


class TestFilms:
    def test_a_film_against_itself(self, films, truth):
        scores = score(VideoReference(str(films)), truth, crop={"kind": "face", "size": 64, "margin": 1.3})
        values = {name: value.values for name, value in scores.metrics.items()}
        assert not scores.issues and values["aperture"]["correlation"] > 0.8 and values["aperture"]["lag"] == 0
        assert values["m-lmd"]["value"] < 3 and values["psnr"]["value"] > 30
        assert values["faces"] == {"value": 24, "target": 24, "width": 224}

    def test_a_face_that_is_lost_for_some_frames_is_told(self, films, truth):
        path = next(truth.glob("*.mp4"))
        frames = list(read_video(path))
        with VideoWriter(path, np.full(24 * 640, 0.1, np.float32)) as writer:
            for i, frame in enumerate(frames):
                writer.write(frame if not 5 <= i < 8 else np.full_like(frame, 90))
        scores = score(VideoReference(str(films)), truth)
        assert [(i.kind, i.scored) for i in scores.issues] == [("no_face", True)] and "3 of 24" in scores.issues[0].detail
        assert scores.metrics["faces"].values["value"] == 21 and scores.scored == 1

    def test_a_video_without_a_face_has_no_numbers(self, films, truth):
        path = next(truth.glob("*.mp4"))
        with VideoWriter(path, np.full(24 * 640, 0.1, np.float32)) as writer:
            for i in range(24):
                writer.write(picture(128, i / 24))
        scores = score(VideoReference(str(films)), truth)
        assert [(i.kind, i.scored) for i in scores.issues] == [("no_face", False)] and scores.scored == 0
        assert scores.metrics["m-lmd"].number is None and "No clip could be measured" in scores.metrics["m-lmd"].absent

    def test_names_and_content(self, films):
        reference = VideoReference(str(films))
        (clip,) = reference.clips()
        assert (clip.id, clip.emotion, clip.level, clip.frames()) == ("M030_sad_3_001", "sad", 3, 24)
        assert clip.face(128).image.shape == (128, 128, 3) and "sad" in clip.plan().emotions and len(reference.content()) == 64
        assert read_label("disgusted_x") == ("disgusted", None)

    def test_an_empty_folder_is_refused(self, tmp_path):
        with pytest.raises(InputError, match="no videos"):
            VideoReference(str(tmp_path)).clips()


class TestCache:
    @pytest.fixture
    def cache(self, tmp_path) -> Path:
        """Three clips that the split lists: one ready, one failed, one that was never there."""
        cache = Cache.claim(tmp_path / "cache", source="mead")
        clip = FakeReference().clips()[0]
        with VideoWriter(cache.path("a.mp4"), clip.audio()) as writer:
            for frame in clip.video(64):
                writer.write(frame)
        wavfile.write(cache.path("a.wav"), 16000, (clip.audio() * 32767).astype(np.int16))
        about = {"source": "mead", "person": "M003", "level": 1}
        ready = {"emotion": "angry", "status": "ready", "frames": 30, "audio": "a.wav", "videos": {"64": "a.mp4"}}
        cache.save_record(ClipRecord("M003_angry_1_001", video="a", **about, **ready))
        cache.save_record(ClipRecord("M003_angry_1_002", video="b", **about, status="failed", reason="No face was found."))
        cache.write_manifest()
        return cache.root

    @pytest.fixture
    def split(self, tmp_path) -> str:
        members = {"test": ["M003_angry_1_001-003"]}
        path = tmp_path / "split.json"
        path.write_text(json.dumps({"name": "mine", "dataset": "mead", "by": "clip", "source": "", "splits": members}))
        return str(path)

    def test_holes_of_the_cache_are_counted_and_named(self, cache, split, tmp_path):
        reference, folder = CacheReference(str(cache), split), tmp_path / "predictions"
        clips = reference.clips()
        assert [clip.id for clip in clips] == ["M003_angry_1_001", "M003_angry_1_002", "M003_angry_1_003"]
        for clip in clips:  # as if a model had made all three from its own copy of the data
            with VideoWriter(folder / f"{clip.id}.mp4", clips[0].audio()) as writer:
                for frame in clips[0].video(64):
                    writer.write(frame)
        scores = score(reference, folder, metrics=[metric("psnr", "tbd.metrics.PeakSignalNoiseRatio")])
        assert (scores.expected, scores.found, scores.scored) == (3, 3, 1) and scores.metrics["psnr"].number > 30
        said = {issue.clip: (issue.kind, issue.detail) for issue in scores.issues}
        assert said["M003_angry_1_002"] == ("reference", "M003_angry_1_002 could not be prepared: No face was found.")
        assert said["M003_angry_1_003"][0] == "reference" and "does not have M003_angry_1_003" in said["M003_angry_1_003"][1]

    def test_what_the_split_does_not_know_is_refused(self, cache):
        with pytest.raises(InputError, match="no clip of hdtf_person's split test"):
            CacheReference(str(cache), "hdtf_person").clips()


class TestPortraits:
    @pytest.fixture
    def root(self, tmp_path) -> Path:
        for folder in ("portraits", "speech"):
            (tmp_path / folder).mkdir()
        Image.fromarray(skimage.data.astronaut()).save(tmp_path / "portraits" / "eileen.png")
        sound = np.sin(np.arange(12 * 640) * 0.2) * np.abs(np.sin(np.arange(12 * 640) / 2000))
        wavfile.write(tmp_path / "speech" / "hello.wav", 16000, (sound * 20000).astype(np.int16))
        return tmp_path

    def test_every_pair_with_every_emotion(self, root, tmp_path):
        clips = PortraitReference(str(root)).clips()
        assert len(clips) == 8 and "eileen_hello_fear" in [clip.id for clip in clips] and {c.frames() for c in clips} == {12}
        assert clips[0].video(64) is None and clips[0].plan().emotions == {"angry": 1.0}

    def test_metrics_without_truth(self, root, tmp_path):
        reference, folder = PortraitReference(str(root)), tmp_path / "out"
        for clip, predictor in zip(reference.clips(), (LoudnessJaw(), StillPortrait())):
            write_clip(predictor, clip, folder, 128, 0, CPU)
        metrics = [metric("jerk", "tbd.metrics.Jerk"), metric("faces", "tests.evaluation.fakes.FaceCount")]
        scores = score(reference, folder, metrics=metrics)
        assert (scores.expected, scores.found, scores.scored) == (8, 2, 2) and {i.kind for i in scores.issues} == {"missing"}
        assert scores.metrics["faces"].values == {"value": 12, "target": 1, "width": 224} and scores.metrics["jerk"].clips == 2
        with pytest.raises(InputError, match="no true frames"):
            GroundTruth().predict(reference.clips()[0], 128, 0)

    def test_an_empty_folder_says_what_belongs_there(self, tmp_path):
        with pytest.raises(InputError, match="portraits/"):
            PortraitReference(str(tmp_path)).clips()


def test_a_corpus_is_a_reference(corpus, tmp_path):
    from tbd.evaluation.references.sources import CorpusReference

    (clip,) = CorpusReference(str(corpus)).clips()
    assert (clip.id, clip.emotion, clip.level, clip.frames()) == ("P002_fear_3_001", "fear", 3, 20)
    assert len(clip.audio()) == 20 * 640 - 100 and clip.audio()[0] == 4 / 32768
    assert len(clip.motion()) == 20 and len(clip.plan().actions) == 3 and clip.bilabials() is None
    assert [c.id for c in CorpusReference(str(corpus), split="train", count=1).clips()] == ["P001_happy_1_001"]
    with pytest.raises(InputError, match="no clip in the split nowhere"):
        CorpusReference(str(corpus), split="nowhere").clips()
