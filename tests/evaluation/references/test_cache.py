"""Prepared caches as references, with holes."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from tbd.ablation.measuring import runners
from tbd.data.datamodules.folder import FolderDataModule
from tbd.data.measured_plans import MeasuredPlan
from tbd.data.preprocess.cache import Cache, ClipRecord
from tbd.errors import InputError
from tbd.evaluation.protocol import load_protocol
from tbd.evaluation.references.base import build_reference
from tbd.evaluation.references.cache import CacheReference
from tbd.face.channels import INDEX
from tbd.face.motion import Motion
from tbd.media import VideoWriter
from tbd.think.labels import plan_from_label
from tbd.think.plan import MuscleAction, MusclePlan
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


@pytest.fixture
def tracked(cache) -> Path:
    """The same with motion of two trackers, and a plan that one of them was measured by; brows rest at 0.2."""
    motion = Motion.zeros(30)
    motion["browInnerUp"][:] = 0.6
    motion.save(Cache(cache).path("mesh.npz"))
    Motion.zeros(30).save(Cache(cache).path("landmarker.npz"))
    plan = MusclePlan(actions=(MuscleAction(unit=1, intensity=0.5),))
    MeasuredPlan(clip="M003_angry_1_001", recipe="r", plan=plan, rest={"browInnerUp": 0.2}).save(Cache(cache).path("plan.json"))
    (record,) = (r for r in Cache(cache).records() if r.ready)
    record.motions.update({"face_mesh@1": "mesh.npz", "face_landmarker@1": "landmarker.npz"})
    record.plans["face_mesh@1"] = "plan.json"
    Cache(cache).save_record(record)
    Cache(cache).write_manifest()
    return cache


def test_plans_come_from_where_the_data_has_them(tracked, split):
    def clip(**options):
        return next(c for c in CacheReference(str(tracked), split, **options).clips() if c.id == "M003_angry_1_001")

    assert clip().plan() == plan_from_label("angry", 1) and clip().motion() is None
    assert clip(plans="none").plan() == MusclePlan()
    assert [a.unit for a in clip(plans="measured").plan().actions] == [1]
    assert clip(tracker="face_mesh").motion()["browInnerUp"] == pytest.approx(0.6)
    measured = clip(plans="measured", tracker="face_mesh").motion()  # relative to the rest that the plan was measured against
    assert measured["browInnerUp"] == pytest.approx(0.5)
    with pytest.raises(InputError, match="has no measured plan"):
        record = next(r for r in Cache(tracked).records() if r.ready)
        record.plans.clear()
        Cache(tracked).save_record(record)
        Cache(tracked).write_manifest()
        clip(plans="measured").plan()


def test_holes_can_be_left_out(tracked, split):
    assert [clip.id for clip in CacheReference(str(tracked), split, ready_only=True).clips()] == ["M003_angry_1_001"]


def test_the_protocol_for_mead_reads_a_prepared_cache_in_motion(tracked):
    protocol = load_protocol("mead-motion-v1")
    assert {runner.entry.name for runner in runners(protocol)} == {entry.name for entry in protocol.metrics}
    (clip,) = build_reference(protocol.reference, str(tracked)).clips()
    assert [a.unit for a in clip.plan().actions] == [1] and clip.motion().values[0, INDEX["browInnerUp"]] == pytest.approx(0.5)


def test_a_folder_of_ones_own_is_divided_by_the_splits_in_it(tmp_path):
    """`folder-motion-v1` draws the people that splits.json holds back, and the data module trains on the others."""
    cache = Cache.claim(tmp_path / "film", source="folder")
    Motion.zeros(30).save(cache.path("motion.npz"))
    wavfile.write(cache.path("a.wav"), 16000, np.zeros(30 * 640, np.int16))
    MeasuredPlan(clip="a", recipe="r", plan=MusclePlan(), rest={}).save(cache.path("plan.json"))
    files = {"audio": "a.wav", "motions": {"face_landmarker": "motion.npz"}, "plans": {"face_landmarker": "plan.json"}}
    for clip, person in (("a", "Ann"), ("b", "Bob")):
        cache.save_record(ClipRecord(clip, "folder", person, clip, status="ready", frames=30, **files))
    cache.write_manifest()
    splits = {"name": "mine", "dataset": "folder", "by": "person", "source": "", "splits": {"test": ["Bob"]}, "rest": "train"}
    cache.path("splits.json").write_text(json.dumps(splits))
    drawn = build_reference(load_protocol("folder-motion-v1").reference, str(cache.root)).clips()
    data = FolderDataModule(root=str(cache.root), split_file="splits.json", tracker="face_landmarker", plans="measured")
    assert [clip.id for clip in drawn] == ["b"] and [(clip.name, clip.split) for clip in data.clips()] == [("a", "train"), ("b", "test")]
