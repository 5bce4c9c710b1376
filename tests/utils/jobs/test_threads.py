"""Threads follow the machine; what the user says comes first."""

import os

import pytest

from tbd.utils.jobs import threads


@pytest.fixture(autouse=True)
def _four_cores(monkeypatch):
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "LOCAL_WORLD_SIZE"):
        monkeypatch.setenv(name, "")  # so that what a test sets is taken back
        monkeypatch.delenv(name)
    monkeypatch.setattr(threads, "chosen", False)
    monkeypatch.setattr(threads, "usable_cores", lambda: 4)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(os, "getloadavg", lambda: (1.0, 1.0, 1.0))


def test_processes_share_the_cores():
    threads.set_threads()
    assert os.environ["OMP_NUM_THREADS"] == "4" and os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    assert threads.worker_environment(2) == {"LOCAL_WORLD_SIZE": "2", "OMP_NUM_THREADS": "2"}
    assert threads.worker_environment(8)["OMP_NUM_THREADS"] == "1"
    assert threads.describe_threads().startswith("4 CPU threads a process;")


def test_a_busy_machine_gets_one(monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (9.0, 1.0, 1.0))
    threads.set_threads()
    assert threads.describe_threads().startswith("1 CPU thread a process since the machine is busy (load 9 on 4 cores);")


@pytest.mark.parametrize(("cores", "threads_"), [(1, "1"), (2, "1"), (4, "2"), (5, "2")])
def test_a_program_leaves_cores_to_its_other_processes_however_busy_the_machine_is(monkeypatch, cores, threads_):
    monkeypatch.setattr(threads, "usable_cores", lambda: cores)
    monkeypatch.setattr(os, "getloadavg", lambda: (9.0, 1.0, 1.0))
    threads.share_cores()
    assert os.environ["OMP_NUM_THREADS"] == threads_ and os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


def test_what_the_user_says_stays(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    threads.share_cores()
    assert os.environ["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    threads.set_threads()
    assert os.environ["OMP_NUM_THREADS"] == "3" and "OMP_NUM_THREADS" not in threads.worker_environment(2)


def test_a_container_s_quota_counts(monkeypatch, tmp_path):
    real = open
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    monkeypatch.setattr(
        "builtins.open", lambda path, *a, **k: real(tmp_path / "cpu.max" if path == "/sys/fs/cgroup/cpu.max" else path, *a, **k)
    )
    assert threads._quota() == 1
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert threads._quota() is None
