"""Shards, by hand and through submitit, write what one process writes, to the byte."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from rich.console import Console

from tbd.cli.main import main
from tbd.data.preprocess.cache import Cache
from tbd.data.preprocess.runner import preprocess
from tbd.data.sources.folder import FolderSource
from tbd.errors import InputError
from tbd.utils.jobs.shards import Shard
from tests.data.trees import FRAMES, performance, tone, write_clip

QUIET = Console(quiet=True)
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3]), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("raw")
    for name in ("a", "b", "c"):
        write_clip(root / f"{name}.mp4", performance(), 25, tone(FRAMES / 25))
    return root


@pytest.fixture(scope="module")
def whole(raw, tmp_path_factory) -> Path:
    """A cache, with plans, that one process made."""
    root = tmp_path_factory.mktemp("whole") / "cache"
    assert main(["preprocess", "folder", f"--root={raw}", f"--output={root}", "--sizes=64", "--workers=1", "--quiet"]) == 0
    assert main(["preprocess", "plans", str(root), "--workers=1", "--quiet", "--report-clips=0"]) == 0
    return root


def content(root: Path) -> dict[str, bytes]:
    """The files of a cache, but for the scan's, which has the time and the command."""
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if name != "scan.json" and not name.startswith(".lock")}


def test_shards_at_the_same_time_write_what_one_process_does(raw, whole, tmp_path):
    command = [sys.executable, "-m", "tbd", "preprocess", "folder", f"--root={raw}", f"--output={tmp_path / 'c'}", "--sizes=64"]
    started = [
        subprocess.Popen([*command, "--workers=1", f"--shard={k}/2"], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) for k in (1, 2)
    ]
    said = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert ["2 of them in shard 1/2" in said[0], "1 of them in shard 2/2" in said[1]] == [True, True]
    assert all("s of video a second and core" in " ".join(text.split()) for text in said)
    for k in (2, 1):
        assert main(["preprocess", "plans", str(tmp_path / "c"), "--workers=1", f"--shard={k}/2", "--quiet"]) == 0
    assert content(tmp_path / "c") == content(whole)


def test_a_cluster_writes_what_one_process_does(raw, whole, tmp_path):
    pytest.importorskip("submitit", reason="submitit is an extra of tbd")
    cluster = ["--launcher=slurm", "--cluster=debug", "--shards=2", "--quiet", "--workers=1"]
    assert main(["preprocess", "folder", f"--root={raw}", f"--output={tmp_path / 'c'}", "--sizes=64", *cluster]) == 0
    assert main(["preprocess", "plans", str(tmp_path / "c"), "--report-clips=0", *cluster]) == 0
    assert content(tmp_path / "c") == content(whole)
    assert len(list((tmp_path / "c.jobs").glob("plans/shard-*-2.json"))) == 2


def test_a_shard_resumes_and_leaves_the_others_alone(raw, tmp_path):
    def run(shard):
        return preprocess(FolderSource(str(raw)), tmp_path / "c", 1, sizes=(64,), console=QUIET, shard=shard)

    cache = run(Shard(1, 2))
    assert [r.clip for r in cache.records()] == ["a", "c"]
    times = {r.clip: cache.record_path(r).stat().st_mtime_ns for r in cache.records()}
    own, others = cache.path("video/64/a/.a-x1.mp4"), cache.path("video/64/b/.b-x1.mp4")
    for path in (own, others):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    run(Shard(1, 2))
    assert times == {r.clip: cache.record_path(r).stat().st_mtime_ns for r in cache.records()}
    assert not own.exists() and others.exists()  # which another process may be writing
    run(None)
    assert not others.exists() and [r.clip for r in cache.records()] == ["a", "b", "c"]


def test_the_whole_and_a_shard_exclude_each_other_and_shards_do_not(whole, raw, tmp_path, monkeypatch):
    monkeypatch.setattr("tbd.data.preprocess.locking._PATIENCE", 0)
    root = shutil.copytree(whole, tmp_path / "c")

    def run(shard):
        preprocess(FolderSource(str(raw)), root, 1, sizes=(64,), console=QUIET, shard=shard)

    with FileLock(root / ".lock-1-2"):
        run(Shard(2, 2))
        for shard in (Shard(1, 2), None):
            with pytest.raises(InputError, match="Another process is preparing"):
                run(shard)
    with FileLock(root / ".lock"), pytest.raises(InputError, match="Another process is preparing"):
        run(Shard(2, 2))


def test_a_record_that_comes_while_the_manifest_is_written_is_in_it(whole, tmp_path, monkeypatch):
    cache = Cache(shutil.copytree(whole, tmp_path / "c"))
    late = next(r for r in cache.records() if r.clip == "b")
    cache.record_path(late).unlink()
    write, calls = Cache._write_rows, []

    def slow(self, files):
        path = write(self, files)
        calls.append(1)
        if len(calls) == 1:
            cache.save_record(late)
        return path

    monkeypatch.setattr(Cache, "_write_rows", slow)
    cache.write_manifest()
    assert len(calls) == 2 and [r.clip for r in cache.records()] == ["a", "b", "c"]


def test_failed_shards_are_named(whole, tmp_path, capsys):
    pytest.importorskip("submitit", reason="submitit is an extra of tbd")
    root = shutil.copytree(whole, tmp_path / "c")
    shutil.rmtree(root / "motion")
    assert main(["preprocess", "plans", str(root), "--launcher=slurm", "--cluster=debug", "--shards=2", "--quiet"]) == 1
    error = capsys.readouterr().err
    assert "2 of 2 shards failed, the first is shard-1-2" in error and "The same command does what is missing" in error


def test_refusals(whole, capsys):
    command = ["preprocess", "plans", str(whole), "--quiet"]
    assert main([*command, "--shard=3/2"]) == 2 and main([*command, "--shard=x"]) == 2
    assert main([*command, "--shard=1/2", "--launcher=slurm"]) == 2
    assert "Give one of them" in capsys.readouterr().err
    assert main([*command, "--launcher=slurm", "--cluster=debug", "--shards=0"]) == 2
