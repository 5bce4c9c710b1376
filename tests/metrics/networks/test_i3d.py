"""I3D: pytorch-i3d's layers, TensorFlow's padding, and FVD on it against Fréchet's formula written out."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from tbd.errors import InputError
from tbd.metrics import I3D, FrechetVideoDistance, WeightsNotFoundError


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return I3D(None)


def test_layers_are_those_of_the_published_state(network):
    """Names and shapes as pytorch-i3d's `rgb_imagenet.pt` has them."""
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert shapes["Conv3d_1a_7x7.conv3d.weight"] == (64, 3, 7, 7, 7) and shapes["Mixed_3b.b1b.bn.running_var"] == (128,)
    assert shapes["Mixed_5c.b2b.conv3d.weight"] == (128, 48, 3, 3, 3) and shapes["logits.conv3d.bias"] == (400,)
    assert sum(parameter.numel() for parameter in network.parameters()) == 12_697_264
    assert sum(name.endswith("conv3d.weight") for name in shapes) == 58 and not any(
        name.endswith("bn.bias") for name in shapes if "logits" in name
    )


def test_the_distance_is_frechets(network, monkeypatch):
    """On random weights: the network's windows, then the formula with scipy's square root of a matrix."""
    rng = np.random.default_rng(1)
    clips = [rng.integers(0, 256, (2, 16, 3, 32, 32), dtype=np.uint8) for _ in range(2)]
    clips[1] //= 2
    seen, embed = [], network.embed

    def watched(windows):  # each window is embedded once, which takes a second
        seen.append((windows.numpy().copy(), embed(windows)))
        return seen[-1][1]

    monkeypatch.setattr(network, "embed", watched)
    metric = FrechetVideoDistance(network)
    for one, other in zip(*clips):
        metric.update(one, other)
    windows, features = (np.concatenate([np.asarray(pair[i]) for pair in seen]) for i in range(2))
    order = [next(i for i, window in enumerate(windows) if np.array_equal(window, clip)) for clip in np.concatenate(clips)]
    assert sorted(order) == list(range(4)) and features.shape == (4, 400) and metric.counts() == (2, 2)
    a, b = np.split(features[order].astype(np.float64), 2)
    cross = sqrtm(np.cov(a.T) @ np.cov(b.T)).real
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * cross)
    assert float(metric.compute()) == pytest.approx(expected, rel=1e-4, abs=1e-7)


def test_a_state_of_another_network_is_refused(network, tmp_path, monkeypatch):
    state = network.state_dict()
    torch.save(state, tmp_path / "rgb_imagenet.pt")
    loaded = I3D(tmp_path / "rgb_imagenet.pt")
    assert (loaded.logits.conv3d.bias == network.logits.conv3d.bias).all()
    torch.save({"fc.weight": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(InputError, match="I3D as pytorch-i3d"):
        I3D(tmp_path / "other.pt")
    monkeypatch.setenv("TBD_WEIGHTS", str(tmp_path / "none"))
    with pytest.raises(WeightsNotFoundError, match="tbd weights fetch i3d-kinetics"):
        I3D()
