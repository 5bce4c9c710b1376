"""FID in five flavours against torchmetrics, pytorch-fid, torch-fidelity, clean-fid and EAT's arithmetic; Fréchet against scipy."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torchvision
from scipy.linalg import sqrtm
from skimage.data import astronaut
from torch import nn

from tbd.errors import InputError
from tbd.metrics import (
    FrameFID,
    FrechetVideoDistance,
    TorchvisionVideoNetwork,
    VideoNetwork,
    WeightsNotFoundError,
)
from tbd.metrics.gaussian import _root, frechet_distance
from tbd.metrics.networks.inception import InceptionFeatures
from tbd.metrics.sampling import sample_frames


def numpy_frechet(x, y):
    """The distance of two sets of features as pytorch-fid computes it: numpy's means and covariances, scipy's root."""
    mean = x.mean(0) - y.mean(0)
    one, two = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    return mean @ mean + np.trace(one) + np.trace(two) - 2 * np.trace(sqrtm(one @ two)).real


def test_frechet_distance_is_scipys_with_full_and_with_missing_rank():
    rng = np.random.default_rng(0)
    for size in (400, 12):
        x, y = rng.random((size, 20)), rng.random((size, 20)) ** 2
        fits = [torch.from_numpy(v) for s in (x, y) for v in (s.mean(0), np.cov(s, rowvar=False))]
        assert float(frechet_distance(*fits)) == pytest.approx(numpy_frechet(x, y), abs=1e-7)
        assert float(frechet_distance(*fits[:2], *fits[:2])) == pytest.approx(0, abs=1e-12)


def test_the_root_of_low_rank_loses_nothing():
    x = torch.randn(6, 200, dtype=torch.float64)
    covariance = torch.cov(x.T)
    for root in (_root(covariance), _root(covariance, rank=5)):
        assert torch.allclose(root @ root.T, covariance, atol=1e-12)
    assert _root(covariance, rank=5).shape[1] < 20


def test_flavour_torchmetrics_is_torchmetrics(stand_in, fid, pictures, other):
    from torchmetrics.image.fid import FrechetInceptionDistance as Reference

    reference = Reference(feature=2048, feature_extractor_weights_path=str(stand_in("torchmetrics")))
    expected, found = reference.inception(pictures), fid.features(pictures)
    assert found.numpy() == pytest.approx(expected.double().numpy(), rel=1e-5, abs=1e-4) and float(found.std()) > 0.1
    fid.update(pictures, other)
    x, y = (reference.inception(f).double().numpy() for f in (pictures, other))
    # Of four frames, tr (Σ₁ Σ₂)^½ is the nuclear norm of their 4×4 cross-products; scipy's root of 2048×2048 takes minutes.
    centred = [(f - f.mean(0)) / np.sqrt(3) for f in (x, y)]
    root = np.linalg.svd(centred[0] @ centred[1].T)[1].sum()
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + (centred[0] ** 2).sum() + (centred[1] ** 2).sum() - 2 * root
    assert float(fid.compute()) == pytest.approx(expected, rel=1e-5)
    assert fid.counts() == (4, 4)


def test_flavour_pytorch_fid_is_pytorch_fid(stand_in, pictures, monkeypatch):
    from pytorch_fid import inception

    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda *_, **__: torch.load(stand_in("pytorch-fid")))
    reference = inception.InceptionV3([3]).eval()
    with torch.no_grad():
        expected = reference(pictures / 255)[0].flatten(1)  # as its ToTensor gives them
    found = FrameFID("pytorch-fid", stand_in("pytorch-fid"), allow_biased=True).features(pictures)
    assert found.numpy() == pytest.approx(expected.double().numpy(), rel=1e-5, abs=1e-4)


def test_flavour_eat_is_eats(stand_in, pictures):
    """utils_fid.py: torchvision's Inception as its ImageNet weights set it up (`transform_input`), cv2's resizing, 2 x − 1, the
    pooled output of Mixed_7c; and test_fid.py's swap of channels, of frames that are RGB already."""
    network = torchvision.models.inception_v3(weights=None, init_weights=False, transform_input=True)
    network.load_state_dict(torch.load(stand_in("eat")))
    caught = []
    network.Mixed_7c.register_forward_hook(lambda *args: caught.append(args[2]))
    swapped = pictures.permute(0, 2, 3, 1).numpy()[..., ::-1]
    resized = np.stack([cv2.resize(frame.astype(np.float32) / 255, (299, 299)) for frame in swapped])
    with torch.no_grad():
        network.eval()(torch.from_numpy(resized).permute(0, 3, 1, 2) * 2 - 1)
    expected = nn.functional.adaptive_avg_pool2d(caught[0], 1).flatten(1)
    found = FrameFID("eat", stand_in("eat"), allow_biased=True).features(pictures)
    assert found.numpy() == pytest.approx(expected.double().numpy(), rel=1e-5, abs=1e-4) and float(found.std()) > 0.1


def test_flavour_torch_fidelity_is_torch_fidelity(stand_in, pictures):
    ours = InceptionFeatures("torch-fidelity", stand_in("torchmetrics"))
    with torch.no_grad():
        expected = ours.network(pictures)[0]  # torch-fidelity's own network with its own resizing
        assert ours(pictures).numpy() == pytest.approx(expected.numpy(), rel=1e-5, abs=1e-4)
        assert not torch.allclose(InceptionFeatures("torchmetrics", stand_in("torchmetrics"))(pictures), expected, rtol=1e-3)


def test_flavour_clean_fid_resizes_as_clean_fid(stand_in):
    """Numbers of `build_resizer("clean")`; its network is TensorFlow's, on (x − 128) / 128."""
    ours = InceptionFeatures("clean-fid", stand_in("torchmetrics"))
    reference = json.loads((Path(__file__).parents[1] / "reference" / "crops.json").read_text())
    for name, part in (("down", astronaut()[:400]), ("up", astronaut()[100:196, 180:260])):
        found = 128 * ours.prepare(torch.from_numpy(part.copy()).permute(2, 0, 1)[None]) + 128
        assert found[0].permute(1, 2, 0)[10::93, 10::93].numpy() == pytest.approx(np.array(reference[f"cleanfid_{name}"]), abs=1e-3)


def test_features_do_not_depend_on_autocast_batch_or_range(fid, pictures, monkeypatch):
    expected = fid.features(pictures)
    monkeypatch.setattr(fid, "batch_size", 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.allclose(fid.features(pictures / 255), expected, atol=1e-4)
    assert not fid.state_dict() and not list(fid.parameters())


def test_few_frames_are_refused_unless_allowed(fid, pictures):
    fid.allow_biased = False
    fid.update(pictures[:2], pictures[:1])
    with pytest.raises(InputError, match="over 2 and 1 frames is mostly bias"):
        fid.compute()


def test_absent_and_foreign_weights(stand_in):
    for flavour, name in (("torchmetrics", "inception-fid"), ("eat", "inception-imagenet")):
        with pytest.raises(WeightsNotFoundError) as error:
            InceptionFeatures(flavour)
        assert error.value.name == name
    for flavour in ("torchmetrics", "eat"):
        with pytest.raises(InputError, match="Inception"):
            InceptionFeatures(flavour, stand_in("alexnet"))


def test_eats_five_frames_are_spread_over_the_clip():
    frames = torch.arange(23)[:, None, None, None]
    assert sample_frames(frames, 5).flatten().tolist() == np.linspace(0, 23, 5, False).astype(np.int32).tolist()
    assert len(sample_frames(frames[:3], 5)) == 3 and sample_frames(frames, None) is frames


class Mean(VideoNetwork):
    """Sees windows of four frames by their mean colour."""

    frames, features = 4, 3

    def embed(self, windows):
        return windows.float().mean((1, 3, 4))


def test_fvd_sees_whole_windows_and_counts_clips_that_have_none():
    metric = FrechetVideoDistance(Mean(), batch_size=2)
    ours, theirs = (torch.randint(0, top, (27, 3, 8, 8), dtype=torch.uint8) for top in (255, 120))
    metric.update(ours, theirs)
    metric.update(ours[:3], None)
    metric.update(ours[:3], theirs)  # one of the two cannot be seen, so neither is
    assert metric.counts() == (6, 6) and int(metric.unmeasured) == 2 and "fewer than the 4 frames" in metric.refusal
    windows = [f[:24].float().unflatten(0, (6, 4)).mean((1, 3, 4)).double().numpy() for f in (ours, theirs)]
    assert float(metric.compute()) == pytest.approx(numpy_frechet(*windows), rel=1e-5)


def test_torchvisions_video_network_sees_16_frames_normalised(tmp_path):
    torch.manual_seed(0)
    network = torchvision.models.video.r3d_18()
    torch.save(network.state_dict(), tmp_path / "r3d.pth")
    ours = TorchvisionVideoNetwork("r3d_18", tmp_path / "r3d.pth").eval()
    windows = torch.randint(0, 256, (1, 16, 3, 112, 112), dtype=torch.uint8)
    caught = []
    network.avgpool.register_forward_hook(lambda *args: caught.append(args[2]))
    mean, std = (torch.tensor(v)[:, None, None, None] for v in ([0.43216, 0.394666, 0.37645], [0.22803, 0.22145, 0.216989]))
    with torch.no_grad():
        network.eval()((windows.transpose(1, 2) / 255 - mean) / std)
        assert torch.allclose(ours.embed(windows), caught[0].flatten(1), atol=1e-5)
    with pytest.raises(WeightsNotFoundError):
        TorchvisionVideoNetwork("mc3_18")
