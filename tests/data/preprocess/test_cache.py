import json
import shutil

import numpy as np
import pytest

from tbd.data.preprocess.cache import Cache, load_points
from tbd.data.preprocess.clip import save_points
from tbd.data.records import ClipRecord
from tbd.errors import InputError
from tests.conftest import MEAD_CACHE


def test_a_record_survives_text():
    record = ClipRecord(
        "M003_angry_1_001", "mead", "M003", "M003_angry_1_001", "angry", 1, text="cross, \"very\"\ncross", status="ready", seconds=1.2,
        crop=(2, 4, 6), videos={"256": "a.mp4"}, motions={"face_mesh@mediapipe-0.10.21": "m.npz"}, features={"vae": "v.npy"},
    )  # fmt: skip
    row = {column: str(value) for column, value in record.to_row().items()}
    assert ClipRecord.from_row(row) == record and row["motion:face_mesh@mediapipe-0.10.21"] == "m.npz"


def test_a_name_finds_the_one_tracker_and_refuses_to_choose_between_versions():
    one = ClipRecord("a", "mead", "M003", "a", motions={"face_mesh@1": "x"})
    assert one.file("motions", "face_mesh") == "x"
    two = ClipRecord("a", "mead", "M003", "a", motions={"face_mesh@1": "x", "face_mesh@2": "y"})
    assert two.file("motions", "face_mesh@2") == "y"
    with pytest.raises(InputError, match="several motion 'face_mesh'"):
        two.file("motions", "face_mesh")
    with pytest.raises(InputError, match="has no video '512'"):
        two.file("videos", "512")


def test_the_manifest_gathers_the_records(mead_cache):
    records = Cache(mead_cache).records()
    assert [r.clip for r in records] == sorted(MEAD_CACHE)
    assert all(r.ready and r.frames == MEAD_CACHE[r.clip] and r.seconds == r.frames / 25 for r in records)


def test_a_record_that_a_killed_run_left_half_named_is_not_counted(mead_cache, tmp_path):
    cache = Cache(shutil.copytree(mead_cache, tmp_path / "c"))
    rows = len(cache.records())
    whole = next(cache.root.glob("records/*/*.json"))
    shutil.copy(whole, whole.with_name(f".{whole.stem}-left.json"))
    cache.write_manifest()
    assert len(Cache(cache.root).records()) == rows


def test_a_cache_keeps_its_config(mead_cache):
    with pytest.raises(InputError, match=r"sizes is \[256\], not \[512\]\); choose an empty folder"):
        Cache.claim(mead_cache, source="mead", sizes=[512], crop="portrait-1")


def test_other_folders_are_refused(tmp_path, mead_cache):
    with pytest.raises(InputError, match="no prepared cache"):
        Cache(tmp_path / "nothing")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    with pytest.raises(InputError, match="not empty and holds no cache"):
        Cache.claim(tmp_path / "full", source="mead")
    about = mead_cache / "cache.json"
    about.write_text(json.dumps({"format": "tbd-cache-0", "config": {}}))
    with pytest.raises(InputError, match=r"written by another version of tbd \(tbd-cache-0"):
        Cache(mead_cache)
    about.write_text("{")
    with pytest.raises(InputError, match="damaged"):
        Cache(mead_cache)


def test_vanished_files_are_named(mead_cache):
    cache = Cache(mead_cache)
    records = cache.records()
    cache.require(records)
    cache.path(records[0].audio).unlink()
    with pytest.raises(InputError, match=rf"names 1 files that are gone, the first is {records[0].audio}"):
        cache.require(records)
    cache.require(records, ("motions",))


def test_a_damaged_manifest_is_one_sentence(mead_cache):
    (mead_cache / "manifest.csv").write_text("clip,source\nM003,mead\n")
    with pytest.raises(InputError, match="damaged"):
        Cache(mead_cache).records()


def test_points_are_exact_to_a_tenth_of_a_pixel(tmp_path):
    """They are kept in sides of the crop: what a point of the source is in the video of 512 pixels."""
    points = np.random.default_rng(0).uniform([300, 200, -50], [700, 600, 50], (4, 478, 3)).astype(np.float32)
    save_points(tmp_path / "p.npy", points, (280, 180, 440))
    pixels = (load_points(tmp_path / "p.npy").astype(np.float64) + np.array([0.5, 0.5, 0])) * 512
    assert np.abs(pixels - (points - [280, 180, 0]) * 512 / 440).max() < 0.13
