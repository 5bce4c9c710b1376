"""Quality without a reference: which pictures a metric of pyiqa is shown, and what becomes of its numbers."""

import sys

import numpy as np
import pytest
import torch
from torch import nn

from tbd.errors import InputError
from tbd.metrics import NoReferenceQuality, Unmeasurable, WeightsNotFoundError
from tbd.metrics.theval import LIPS


class Brightness(nn.Module):
    """Stands for a metric of pyiqa: the mean of a picture, and what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[torch.Size] = []

    def forward(self, picture):
        self.shown.append(picture.shape)
        assert float(picture.min()) >= 0 and float(picture.max()) <= 1
        return picture.mean()[None]


def test_the_mean_over_frames_and_clips():
    metric = NoReferenceQuality("niqe", frames_per_clip=2, make=lambda name: Brightness())
    assert metric.reads == ("preds.frames",)
    frames = torch.stack([torch.full((3, 40, 60), value, dtype=torch.uint8) for value in (51, 0, 153, 0)])
    assert metric.measure(frames)["value"] == pytest.approx(0.4)  # the first and the third of four
    metric.update(frames)
    metric.update(torch.zeros(3, 3, 40, 60, dtype=torch.uint8))
    assert float(metric.compute()) == pytest.approx(0.2)
    with pytest.raises(Unmeasurable):
        metric.measure(torch.zeros(0, 3, 40, 60, dtype=torch.uint8))


def test_the_mouth_alone():
    network = Brightness()
    metric = NoReferenceQuality("musiq", "mouth", make=lambda name: network)
    points = np.full((3, 478, 3), 5.0, np.float32)
    points[:, list(LIPS), 0], points[:, list(LIPS), 1] = np.linspace(30, 50, len(LIPS)), np.linspace(60, 70, len(LIPS))
    points[1] = np.nan
    frames = torch.zeros(3, 3, 75, 100, dtype=torch.uint8)
    frames[:, :, 50:, 20:60] = 255
    assert metric.measure(frames, points)["value"] == pytest.approx(1.0)
    assert network.shown == [(1, 3, 25, 40)] * 2  # ten pixels around the lips, as far as there are
    with pytest.raises(InputError, match="points of every frame"):
        metric.measure(frames, points[:2])


def test_mouths_of_one_batch_are_of_one_size_as_thevals_are():
    """`pad_images` of its ``mouth_quality.py``: each at the upper left of a black picture as large as the largest of 64."""
    network = Brightness()
    metric = NoReferenceQuality("musiq", "mouth", make=lambda name: network)
    points = np.full((66, 478, 3), 30.0, np.float32)
    points[:, list(LIPS), 0] = np.linspace(20, 60, len(LIPS))
    points[:, list(LIPS), 1] = np.linspace(20, 40, len(LIPS))
    points[3, list(LIPS), 1] = np.linspace(20, 60, len(LIPS))  # one mouth is wide open
    points[65, list(LIPS), 0] = np.linspace(20, 50, len(LIPS))
    value = metric.measure(torch.full((66, 3, 100, 100), 255, dtype=torch.uint8), points)["value"]
    assert network.shown == [(1, 3, 60, 60)] * 64 + [(1, 3, 40, 60)] * 2
    areas = [2 / 3] * 3 + [1.0] + [2 / 3] * 60 + [1.0, 50 / 60]  # of each picture that is a mouth
    assert value == pytest.approx(np.mean(areas), rel=1e-6)


def test_what_is_not_there_is_absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyiqa", None)
    with pytest.raises(WeightsNotFoundError, match=r"needs the package pyiqa: pip install 'tbd\[quality\]'"):
        NoReferenceQuality("niqe")

    class Package:
        def list_models(self):
            return ["niqe"]

        def create_metric(self, name, device):
            raise OSError("no network")

    monkeypatch.setitem(sys.modules, "pyiqa", Package())
    with pytest.raises(InputError, match="no metric niqqe"):
        NoReferenceQuality("niqqe")
    with pytest.raises(WeightsNotFoundError, match=r"weights of niqe are not on this machine \(OSError\)"):
        NoReferenceQuality("niqe")


def test_niqe_tells_noise_from_a_photograph():
    pytest.importorskip("pyiqa", reason="pip install 'tbd[quality]'")
    try:
        metric = NoReferenceQuality("niqe")
    except WeightsNotFoundError as error:
        pytest.skip(str(error))
    from skimage.data import astronaut

    clean = torch.from_numpy(astronaut()).permute(2, 0, 1)[None]
    noisy = (clean.float() + 60 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 255).byte()
    assert metric.measure(noisy)["value"] > metric.measure(clean)["value"] + 1
