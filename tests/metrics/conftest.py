"""Random weights in the files that metrics load, and the benchmarks' helpers, which are not installed."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tbd.metrics import FrameFID
from tbd.metrics.faces.face_points import eat_template

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


@pytest.fixture(autouse=True)
def _one_thread():
    """Small work, on machines that tests share."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _no_weights(tmp_path_factory, monkeypatch):
    """What lies in the user's own folder of weights is not the tests'."""
    monkeypatch.setenv("TBD_WEIGHTS", str(tmp_path_factory.mktemp("weights")))


@pytest.fixture(scope="session")
def stand_in(make_once):
    """Name → a file with random weights, made once."""
    from benchmarks import stand_ins

    makers = {
        "torchmetrics": lambda path: stand_ins.random_inception(path, "torchmetrics"),
        "pytorch-fid": lambda path: stand_ins.random_inception(path, "torchmetrics"),
        "eat": lambda path: stand_ins.random_inception(path, "eat"),
        "alexnet": stand_ins.random_backbone,
        "syncnet": lambda path: torch.save(stand_ins.random_syncnet().state_dict(), path),
    }

    def make(name: str) -> Path:
        return make_once(f"stand-in-{name}", lambda folder: makers[name](folder / "weights.pth")) / "weights.pth"

    return make


@pytest.fixture(scope="session")
def pictures() -> torch.Tensor:
    """(4, 3, 96, 80) uint8: parts of a photograph, of no square size."""
    from skimage.data import astronaut

    image = torch.from_numpy(astronaut()).permute(2, 0, 1)
    return torch.stack([image[:, y : y + 96, x : x + 80] for y, x in ((40, 180), (100, 200), (300, 60), (380, 330))])


@pytest.fixture
def faces():
    """(12, 68, 2) pixels: the mean face somewhere, jittered."""
    rng = np.random.default_rng(0)
    return torch.from_numpy(2 * eat_template() + [40, 30] + rng.normal(0, 2, (12, 68, 2)))


@pytest.fixture(scope="module")
def other(pictures):
    return pictures.flip(0, 3) // 2


@pytest.fixture(scope="session")
def loaded(stand_in):
    """A FID whose network is loaded once for all tests."""
    return FrameFID("torchmetrics", stand_in("torchmetrics"), allow_biased=True)


@pytest.fixture
def fid(loaded):
    loaded.reset()
    loaded.allow_biased = True
    return loaded
