"""Networks that stand for third-party ones where their weights are not: random, or with last layers fitted in closed form.

They have the official layers and go through the same files and loaders. Random features still tell a blurred frame from a
sharp one; what needs knowledge (a voice's mouth, an emotion's face) gets its last layer from rendered clips.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tbd.media.rates import SAMPLES_PER_FRAME
from tbd.metrics.base import full_precision
from tbd.metrics.faces.crops import CropProtocol, crop_mouths
from tbd.metrics.faces.emotion import EmotionClassifier
from tbd.metrics.faces.identity import FaceEmbedder
from tbd.metrics.mfcc import mfcc
from tbd.metrics.networks.inception import Flavour
from tbd.metrics.networks.syncnet import SyncNet, audio_windows
from tbd.metrics.video_frechet import VideoNetwork
from tbd.think.emotions import Emotion


def calibrate(network: nn.Module, *batch: Tensor) -> nn.Module:
    """Set batch normalisation by one batch, so that random layers give numbers near 1; returns the network in evaluation mode."""
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        network.train()(*batch)
    return network.eval()


class Detail(nn.Module):
    """Stands for a metric of pyiqa: the mean difference of neighbouring pixels."""

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.diff(dim=-1).abs().mean((1, 2, 3))


def random_inception(path: Path, flavour: Flavour = "torchmetrics", seed: int = 0) -> Path:
    """A state dict for FID and KID. That of 2015 has torchvision's names and shapes; it differs in how it pools."""
    import torchvision

    torch.manual_seed(seed)
    options = {} if flavour == "eat" else {"num_classes": 1008, "aux_logits": False}
    network = torchvision.models.inception_v3(weights=None, init_weights=False, **options)
    torch.save(calibrate(network, _noise(4, 299) / 128 - 1).state_dict(), path)
    return path


def random_backbone(path: Path, backbone: str = "alexnet", seed: int = 0) -> Path:
    """A state dict for LPIPS: torchvision's `alexnet`, `vgg16` or `squeezenet1_1`."""
    import torchvision

    torch.manual_seed(seed)
    torch.save(getattr(torchvision.models, backbone)(weights=None).state_dict(), path)
    return path


def _noise(count: int, side: int) -> Tensor:
    """Pictures with detail at every scale, 0..255."""
    layers = [nn.functional.interpolate(torch.rand(count, 3, s, s), size=(side, side), mode="bilinear") for s in (4, 32, side)]
    return 255 * sum(layers) / len(layers)


def random_syncnet(seed: int = 0) -> SyncNet:
    """SyncNet with random layers, normalised for pictures of 0..255 and for cepstra."""
    torch.manual_seed(seed)
    network = SyncNet()
    for module in (network.netfcaud, network.netfclip):
        calibrate(module, torch.randn(16, 512).relu())
    calibrate(network.netcnnlip, _noise(8, 224).transpose(0, 1)[None])
    calibrate(network.netcnnaud, 5 * torch.randn(8, 1, 13, 20) + 2)
    return network.eval()


Clip = tuple[Tensor, Tensor, Tensor]
"""frames (T, 3, H, W) uint8, audio (N,), points (T, 478, 3)."""


def fit_syncnet(path: Path, clips: Sequence[Clip], protocol: CropProtocol = "official-short", components: int = 6) -> Path:
    """A SyncNet that knows a little: random layers, and last layers that carry mouth and voice onto what they share.

    Regularised canonical correlation of the two networks' 512 features over the clips' windows; the heads hold each component
    and its negative, since a rectifier stands between their two layers.

    Args:
        path: of the state dict to write.
        clips: in sync.
        protocol: how mouths are cut.
        components: canonical directions.
    """
    network, mouths, voices = random_syncnet(), [], []
    with full_precision(torch.device("cpu")):
        for frames, audio, points in clips:
            for crop in crop_mouths(frames, points, protocol):
                sound = audio[crop.start * SAMPLES_PER_FRAME :]
                cepstra = mfcc((sound * 32768).round())
                count = min(len(crop.frames), len(sound) // SAMPLES_PER_FRAME) - 5
                for start in range(0, count, 32):
                    end = min(start + 32, count)
                    pixels = crop.frames[start : end + 4].flip(1).float()
                    mouths.append(network.netcnnlip(pixels.transpose(0, 1)[None])[0, :, :, 0, 0].T)
                    voices.append(network.netcnnaud(audio_windows(cepstra.float(), count)[start:end, None]).flatten(1))
    sides = [torch.cat(parts).double() for parts in (mouths, voices)]
    means = [side.mean(0) for side in sides]
    whitened = [_whitener(side - mean) for side, mean in zip(sides, means)]
    scores = [(side - mean) @ white for side, mean, white in zip(sides, means, whitened)]
    u, s, vt = torch.linalg.svd(scores[0].T @ scores[1] / len(scores[0]))
    for head, mean, white, basis in zip((network.netfclip, network.netfcaud), means, whitened, (u, vt.T)):
        # each direction counts by how well the two sides agree on it
        _set_head(head, white @ basis[:, :components] * s[:components], mean)
    torch.save(network.state_dict(), path)
    return path


def _whitener(centred: Tensor, keep: int = 24) -> Tensor:
    """(512, keep) onto the strongest principal directions, each scaled to variance 1."""
    _, s, vt = torch.linalg.svd(centred, full_matrices=False)
    return vt[:keep].T / (s[:keep] / np.sqrt(len(centred)))


def _set_head(head: nn.Sequential, directions: Tensor, mean: Tensor) -> None:
    first, norm, _, last = head
    count = directions.shape[1]
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)
    with torch.no_grad():
        for layer in (first, last):
            layer.weight.zero_()
            layer.bias.zero_()
        first.weight[:count], first.weight[count : 2 * count] = directions.T.float(), -directions.T.float()
        first.bias[:count], first.bias[count : 2 * count] = -(mean @ directions).float(), (mean @ directions).float()
        last.weight[:count, :count], last.weight[:count, count : 2 * count] = 10 * torch.eye(count), -10 * torch.eye(count)


class RandomVideoNetwork(VideoNetwork):
    """One random layer over space and time, for FVD."""

    frames, features = 8, 64

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.conv = nn.Conv3d(3, self.features, (self.frames, 7, 7), stride=(1, 4, 4))

    def embed(self, windows: Tensor) -> Tensor:
        clips = nn.functional.interpolate(windows.flatten(0, 1).float() / 255, size=(64, 64)).unflatten(0, windows.shape[:2])
        return self.conv(clips.transpose(1, 2)).abs().mean((2, 3, 4))  # (B, 64)


class PixelEmbedder(FaceEmbedder):
    """A face's blurred picture without its mean, for CSIM: enough to tell two people in the same light apart."""

    def embed(self, faces: Tensor) -> Tensor:
        small = nn.functional.interpolate(faces.float(), size=(16, 16), mode="area").flatten(1)
        return small - small.mean(1, keepdim=True)


class RidgeEmotionClassifier(EmotionClassifier):
    """Emotions from small pictures of a face by ridge regression on clips whose emotion is known.

    Args:
        clips: (faces, emotion) of each.
    """

    def __init__(self, clips: Sequence[tuple[Tensor, Emotion]]) -> None:
        super().__init__()
        self.emotions = tuple(dict.fromkeys(emotion for _, emotion in clips))
        pictures = torch.cat([self._shrink(faces) for faces, _ in clips])
        truth = torch.cat([torch.full((len(faces),), self.emotions.index(emotion)) for faces, emotion in clips])
        self.mean = pictures.mean(0)
        x = pictures - self.mean
        kernel = x @ x.T
        ridge = 1e-2 * kernel.diagonal().mean() * torch.eye(len(x))
        self.weights = x.T @ torch.linalg.solve(kernel + ridge, nn.functional.one_hot(truth, len(self.emotions)).float())

    @staticmethod
    def _shrink(faces: Tensor) -> Tensor:
        return nn.functional.interpolate(faces.float() / 255, size=(32, 32), mode="area").flatten(1)

    def scores(self, faces: Tensor) -> Tensor:
        return ((self._shrink(faces) - self.mean) @ self.weights).mean(0)
