"""Prepared caches as references, with holes."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from tbd.data.preprocess.cache import Cache, ClipRecord
from tbd.errors import InputError
from tbd.evaluation.references.cache import CacheReference
from tbd.media import VideoWriter
from tests.evaluation.fakes import FakeReference
from tests.evaluation.references.scoring import metric, score


@pytest.fixture
def cache(tmp_path) -> Path:
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
def split(tmp_path) -> str:
    splits = {"test": ["M003_angry_1_001-003"]}
    path = tmp_path / "split.json"
    path.write_text(json.dumps({"name": "mine", "dataset": "mead", "by": "clip", "source": "", "splits": splits}))
    return str(path)


def test_holes_of_the_cache_are_counted_and_named(cache, split, tmp_path):
    reference, folder = CacheReference(str(cache), split), tmp_path / "predictions"
    clips = reference.clips()
    assert [clip.id for clip in clips] == ["M003_angry_1_001", "M003_angry_1_002", "M003_angry_1_003"]
    for clip in clips:  # as if a model had made all three from its own copy of the data
        with VideoWriter(folder / f"{clip.id}.mp4", clips[0].audio()) as writer:
            for frame in clips[0].video(64):
                writer.write(frame)
    scores = score(reference, folder, metrics=[metric("psnr", "tbd.metrics.FramePSNR")])
    assert (scores.expected, scores.found, scores.scored) == (3, 3, 1) and scores.metrics["psnr"].number > 30
    said = {issue.clip: (issue.kind, issue.detail) for issue in scores.issues}
    assert said["M003_angry_1_002"] == ("reference", "M003_angry_1_002 could not be prepared: No face was found.")
    assert said["M003_angry_1_003"][0] == "reference" and "does not have M003_angry_1_003" in said["M003_angry_1_003"][1]


def test_what_the_split_does_not_know_is_refused(cache):
    with pytest.raises(InputError, match="no clip of the split test of hdtf_person"):
        CacheReference(str(cache), "hdtf_person").clips()
