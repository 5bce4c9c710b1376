"""Two processes do what one does with the same global batch: same samples, same metrics, same weights."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]


def run(world: int, output: Path) -> list[dict]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    commands = [[sys.executable, "-m", "tests.draw.two_processes", str(rank), str(world), port, str(output)] for rank in range(world)]
    processes = [subprocess.Popen(c, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for c in commands]
    for process in processes:
        text = process.communicate(timeout=300)[0].decode()
        assert process.returncode == 0, text[-3000:]
    return [torch.load(f"{output}.{rank}", weights_only=True) for rank in range(world)]


def test_two_processes_are_one_with_the_same_global_batch(tmp_path):
    (one,), two = run(1, tmp_path / "one"), run(2, tmp_path / "two")
    for step, ids in one["ids"].items():
        assert sorted(ids) == sorted(two[0]["ids"][step] + two[1]["ids"][step]) and not set(two[0]["ids"][step]) & set(two[1]["ids"][step])
        assert one["losses"][step] == pytest.approx((two[0]["losses"][step] + two[1]["losses"][step]) / 2, rel=1e-4)
    assert two[0]["validation"] == two[1]["validation"] == pytest.approx(one["validation"], rel=1e-4)
    assert two[0]["metric"] == two[1]["metric"] == pytest.approx(one["metric"], rel=1e-6)
    for name, weight in one["weights"].items():
        assert torch.equal(two[0]["weights"][name], two[1]["weights"][name])
        assert torch.allclose(weight, two[0]["weights"][name], atol=2e-4), name
