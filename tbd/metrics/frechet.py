"""Fréchet distances between sets of frames or clips: FID and FVD."""

import os
from abc import abstractmethod
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from typing_extensions import override

from tbd.errors import InputError
from tbd.metrics.base import Array, ClipMetric, FrozenModule, full_precision, to_uint8
from tbd.metrics.gaussian import GaussianSums
from tbd.metrics.inputs import check_frames, require_at_least, require_finite_output
from tbd.metrics.networks.inception import FEATURES, Flavour, InceptionFeatures
from tbd.utils.literals import checks_literals
from tbd.weights import load_into

LEAST_FRAMES = 2048
"""As many as features: with fewer, the covariance has no full rank and the distance is mostly bias (two sets of one
distribution: 85 at 500 frames, 6 at 10,000)."""


def sample_frames(frames: Tensor, count: int | None) -> Tensor:
    """Choose frames of a clip, spread as EAT spreads its five.

    Args:
        frames: (T, 3, H, W).
        count: Number of frames; None for all.

    Returns:
        (count, 3, H, W), or all where there are fewer.
    """
    if count is None or len(frames) <= count:
        return frames
    return frames[np.linspace(0, len(frames), count, endpoint=False).astype(int)]


class InceptionMetric(ClipMetric):
    """Base class of FID and KID: Inception's features of frames."""

    reads = ("preds.frames", "target.frames")
    higher_is_better = False

    def __init__(
        self, flavour: Flavour, weights: str | os.PathLike | None, frames_per_clip: int | None, batch_size: int, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        require_at_least(1, frames_per_clip=frames_per_clip, batch_size=batch_size)
        self.flavour, self.frames_per_clip, self.batch_size = flavour, frames_per_clip, batch_size
        self._network = FrozenModule(InceptionFeatures(flavour, weights))

    def features(self, frames: Array) -> Tensor:
        """Compute (T, 2048) float64 features of (T, 3, H, W) frames, uint8 or float in 0..1."""
        check_frames(frames, "frames")
        frames = to_uint8(frames)
        with full_precision(self.device):
            network = self._network.on(self.device)
            parts = [network(part.to(self.device)).double() for part in frames.split(self.batch_size)]
        if parts:
            require_finite_output(torch.cat(parts), "Inception")
        return torch.cat(parts) if len(frames) else torch.zeros(0, FEATURES, dtype=torch.float64, device=self.device)


class FrameFID(InceptionMetric):
    """FID over clips: between all frames of the clips under test and all recorded ones; lower is better, 0 is equality.

    The `tbd.metrics.gaussian.frechet_distance` of Gaussians fitted to Inception's pooled features (Heusel et al. 2017). There are
    five flavours of FID: see `tbd.metrics.networks.inception.InceptionFeatures`. The number depends on how many frames there are:
    print `counts`, and compare only at the same ones.

    Args:
        flavour: ``torchmetrics`` (default), ``pytorch-fid``, ``torch-fidelity``, ``clean-fid`` or ``eat``.
        weights: A registered name or a file; None for the registered one for the flavour.
        allow_biased: Whether to accept fewer than 2,048 frames in either set.
        frames_per_clip: Number of frames of each clip, spread over it (EAT takes 5); None takes all.
        batch_size: Number of frames at a time. Rounding makes the distance depend on it in the last digits.
        kwargs: Options of `torchmetrics.Metric`.

    Raises:
        WeightsNotFoundError: If the weights are not on this machine.
    """

    unit = ""
    plot_lower_bound = 0.0

    def __init__(
        self,
        flavour: Flavour = "torchmetrics",
        weights: str | os.PathLike | None = None,
        allow_biased: bool = False,
        frames_per_clip: int | None = None,
        batch_size: int = 32,
        **kwargs: Any,
    ) -> None:
        super().__init__(flavour, weights, frames_per_clip, batch_size, **kwargs)
        self.allow_biased = allow_biased
        self.preds, self.target = GaussianSums(self, "preds", FEATURES), GaussianSums(self, "target", FEATURES)

    def update(self, preds: Array | None, target: Array | None) -> None:
        """Add a clip's frames to both sets.

        Args:
            preds: (T, 3, H, W) uint8, or float in 0..1, under test; None adds to the other set alone.
            target: (T, 3, H, W) uint8, or float in 0..1, recorded, of any length; None adds to the other set alone.
        """
        for sums, frames in ((self.preds, preds), (self.target, target)):
            if frames is not None:
                sums.add(self.features(sample_frames(torch.as_tensor(frames), self.frames_per_clip)))

    def counts(self) -> tuple[int, int]:
        """Count the frames under test and the recorded ones, of this process alone."""
        return self.preds.count, self.target.count

    def compute(self) -> Tensor:
        """Compute the distance.

        Returns:
            () float64.

        Raises:
            InputError: If fewer than 2,048 frames in either set (2 where that is allowed).
        """
        if min(self.counts()) < LEAST_FRAMES and not self.allow_biased:
            ours, theirs = self.counts()
            raise InputError(
                f"FID over {ours} and {theirs} frames is mostly bias; give {LEAST_FRAMES} in either set, report KID, or allow it "
                "(allow_biased) and print the numbers beside it."
            )
        return self.preds.distance(self.target)


class VideoNetwork(nn.Module):
    """Base class of networks that see windows of frames; for FVD.

    An implementation sets `frames` to the length of a window and `features` to the number of its features.
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
    clip shorter than a window is counted in `unmeasured`. The network is part of the metric's name: published FVDs are
    mostly those of an I3D, which comes as a program (TorchScript) and is therefore not loaded here; who trusts the file
    wraps it in a `VideoNetwork`.

    Args:
        network: Gives the features of windows.
        batch_size: Number of windows at a time.
        kwargs: Options of `torchmetrics.Metric`.
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
        """
        length = self._network.network.frames
        for sums, frames in ((self.preds, preds), (self.target, target)):
            if frames is None:
                continue
            windows = to_uint8(frames)
            windows = windows[: len(windows) // length * length].unflatten(0, (-1, length))
            self.unmeasured += not len(windows)
            with full_precision(self.device):
                network = self._network.on(self.device)
                for part in windows.split(self.batch_size):
                    if len(part):
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
