"""Fréchet distance between sets of windows of frames: FVD, by the network that is named with it."""

import os
from abc import abstractmethod
from typing import Any, Literal

import torch
from torch import Tensor, nn
from typing_extensions import override

from tbd.metrics.base import Array, ClipMetric, FrozenModule, Unmeasurable, full_precision, to_uint8
from tbd.metrics.gaussian import GaussianSums
from tbd.metrics.inputs import require_finite_output
from tbd.utils.input_checks import require_at_least
from tbd.utils.options.literals import checks_literals
from tbd.weights import load_into


class VideoNetwork(nn.Module):
    """Base class of networks that see windows of frames; for FVD.

    An implementation sets `frames` to the length of a window and `features` to the number of its features.

    Example:
        >>> class MeanColour(VideoNetwork):
        ...     frames, features = 8, 3
        ...     def embed(self, windows):
        ...         return windows.float().mean((1, 3, 4))
        >>> MeanColour().embed(torch.zeros(2, 8, 3, 16, 16, dtype=torch.uint8)).shape
        torch.Size([2, 3])
    """

    frames: int
    features: int

    @abstractmethod
    def embed(self, windows: Tensor) -> Tensor:
        """Compute features of windows. Resizing and scaling are the network's own.

        Args:
            windows: (B, frames, 3, H, W) uint8 RGB.

        Returns:
            (B, features) float32.
        """


class TorchvisionVideoNetwork(VideoNetwork):
    """torchvision's video ResNets, trained on Kinetics-400: windows of 16 frames, 112², 512 features.

    Args:
        name: Name of the network.
        weights: A registered name or a file with torchvision's state dict; None for the registered one.

    Raises:
        WeightsNotFoundError: If the weights are not on this machine.

    Example:
        >>> TorchvisionVideoNetwork.frames, TorchvisionVideoNetwork.features
        (16, 512)
        >>> network = TorchvisionVideoNetwork("r2plus1d_18")  # doctest: +SKIP
    """

    frames, features = 16, 512

    @checks_literals
    def __init__(self, name: Literal["r3d_18", "mc3_18", "r2plus1d_18"] = "r3d_18", weights: str | os.PathLike | None = None) -> None:
        super().__init__()
        import torchvision.models.video

        network = getattr(torchvision.models.video, name)()
        load_into(network, weights if weights is not None else f"{name.replace('_', '-')}-kinetics", f"torchvision's {name}")
        network.fc = nn.Identity()
        self.network = network
        self.register_buffer("mean", torch.tensor([0.43216, 0.394666, 0.37645])[:, None, None, None], persistent=False)
        self.register_buffer("std", torch.tensor([0.22803, 0.22145, 0.216989])[:, None, None, None], persistent=False)

    @override
    def embed(self, windows: Tensor) -> Tensor:
        frames = windows.flatten(0, 1).float() / 255
        frames = nn.functional.interpolate(frames, size=(112, 112), mode="bilinear", align_corners=False, antialias=True)
        clips = frames.unflatten(0, windows.shape[:2]).transpose(1, 2)  # (B, 3, 16, 112, 112)
        return self.network((clips - self.mean) / self.std)  # (B, 512)


class FrechetVideoDistance(ClipMetric):
    """FVD: the `frechet_distance` of Gaussians fitted to a video network's features of windows of both sets; lower is better.

    Each clip is cut into windows of `network.frames` frames without overlap; what is left over at its end is not seen. A
    clip shorter than a window is counted in `unmeasured`. The network is part of the metric's name: published FVDs are those
    of `tbd.metrics.I3D`, most of them by a TorchScript program of its weights.

    Args:
        network: Gives the features of windows.
        batch_size: Number of windows at a time.
        kwargs: Options of `torchmetrics.Metric`.

    Example:
        >>> class MeanColour(VideoNetwork):
        ...     frames, features = 8, 3
        ...     def embed(self, windows):
        ...         return windows.float().mean((1, 3, 4))
        >>> metric, noise = FrechetVideoDistance(MeanColour()), torch.rand(40, 3, 16, 16)
        >>> metric.update(noise, noise)
        >>> abs(float(metric.compute())) < 1e-3
        True
    """

    reads = ("preds.frames", "target.frames")
    unit = ""
    higher_is_better = False
    plot_lower_bound = 0.0

    def __init__(self, network: VideoNetwork, batch_size: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_at_least(1, batch_size=batch_size)
        self._network, self.batch_size = FrozenModule(network), batch_size
        self.preds, self.target = (GaussianSums(self, name, network.features) for name in ("preds", "target"))

    def update(self, preds: Array | None, target: Array | None) -> None:
        """Add a clip's windows to both sets.

        Args:
            preds: (T, 3, H, W) uint8, or float in 0..1, under test; None adds to the other set alone.
            target: (T, 3, H, W) uint8, or float in 0..1, recorded, of any length; None adds to the other set alone.

        Raises:
            Unmeasurable: If one of them is shorter than a window; neither is added then.
        """
        length, given = self._network.network.frames, [f for f in (preds, target) if f is not None]
        if min(map(len, given), default=length) < length:
            raise Unmeasurable(f"The clip has fewer than the {length} frames of a window.")
        for sums, frames in ((self.preds, preds), (self.target, target)):
            if frames is None:
                continue
            windows = to_uint8(frames)
            windows = windows[: len(windows) // length * length].unflatten(0, (-1, length))
            with full_precision(self.device):
                network = self._network.on(self.device)
                for part in windows.split(self.batch_size):
                    sums.add(require_finite_output(network.embed(part.to(self.device)), type(network).__name__))

    def counts(self) -> tuple[int, int]:
        """Count the windows under test and recorded, of this process alone."""
        return self.preds.count, self.target.count

    def compute(self) -> Tensor:
        """Compute the distance.

        Returns:
            () float64.

        Raises:
            InputError: If fewer than two windows in either set.
        """
        return self.preds.distance(self.target)
