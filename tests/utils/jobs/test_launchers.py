"""Launchers: processes of their own, in the order that they need."""

import sys
import time

import pytest
from rich.console import Console

from tbd.ablation.work import SweepJob
from tbd.errors import InputError
from tbd.evaluation.protocol import load_protocol
from tbd.utils.jobs import launchers
from tbd.utils.jobs.launchers import LocalLauncher, SlurmLauncher
from tbd.utils.jobs.monitor import Monitor


def monitor_of(folder, told):
    return Monitor(1, folder, Console(quiet=True), lambda job, reason: told.update({job.name: reason}))


def job(name, *needs):
    return SweepJob(name=name, protocol=load_protocol("procedural-motion-v1"), reference=None, batch_size=1, needs=list(needs))


@pytest.fixture
def scripted(monkeypatch, tmp_path):
    """Jobs that sleep, and fail where their name says so; returns a call that launches them and tells when each ran."""

    def start(job, folder, slot, processes):
        code = f"import sys, time; time.sleep(0.3); print('went wrong'); sys.exit({int('bad' in job.name)})"
        began[job.name] = time.perf_counter(), slot
        with open(folder / f"{job.name}.log", "w") as log:
            return launchers.subprocess.Popen([sys.executable, "-c", code], stdout=log)

    began: dict[str, tuple[float, str | None]] = {}
    monkeypatch.setattr(launchers, "_start", start)

    def launch(jobs, **options):
        told: dict[str, str | None] = {}
        LocalLauncher(**options).launch(jobs, tmp_path, monitor_of(tmp_path, told))
        return began, told

    return launch


def test_jobs_share_a_device_and_wait_for_what_they_need(scripted):
    began, told = scripted([job("a"), job("b"), job("c", "a")], per_device=2)
    assert abs(began["a"][0] - began["b"][0]) < 0.2 < began["c"][0] - began["a"][0]
    assert set(told.values()) == {None}


def test_what_needs_a_failed_job_fails_with_it_and_the_rest_goes_on(scripted):
    began, told = scripted([job("bad"), job("after", "bad"), job("last", "after"), job("other")])
    assert set(began) == {"bad", "other"}
    assert "went wrong" in told["bad"] and told["other"] is None
    assert told["after"] == f"bad failed: {told['bad']}" and told["last"].startswith("after failed: bad failed")


def test_every_gpu_is_used(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert LocalLauncher(2)._slots() == ["0", "0", "1", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-5")
    assert LocalLauncher(1)._slots() == ["3", "GPU-5"] and LocalLauncher(1, [1])._slots() == ["GPU-5"]
    with pytest.raises(InputError, match="There is no GPU 2; this machine has 2"):
        LocalLauncher(1, [2])._slots()


def test_submitit_tells_what_failed_and_what_depended_on_it(tmp_path, monkeypatch):
    pytest.importorskip("submitit", reason="submitit is an extra of tbd")
    told = {}
    monkeypatch.setattr(launchers, "run_job", _fails_if_bad)
    launcher = SlurmLauncher(cluster="debug")
    launcher.launch([job("bad"), job("after", "bad"), job("fine")], tmp_path, monitor_of(tmp_path, told))
    assert "no memory" in told["bad"] and told["after"].startswith("bad failed: ") and told["fine"] is None


def _fails_if_bad(module, path):
    if "bad" in path:
        raise RuntimeError("no memory")


def test_no_cluster_is_said_in_one_sentence(tmp_path, monkeypatch):
    pytest.importorskip("submitit", reason="submitit is an extra of tbd")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="--launcher local runs on this machine"):
        SlurmLauncher().launch([job("a")], tmp_path, monitor_of(tmp_path, {}))
