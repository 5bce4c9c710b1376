"""Distances between sets of frames or clips: FID, KID and FVD."""

import hashlib
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
from tbd.metrics.networks.inception import FEATURES, Flavour, InceptionFeatures
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


class _InceptionMetric(ClipMetric):
    """Base class of FID and KID: Inception's features of frames."""

    reads = ("preds.frames", "target.frames")
    higher_is_better = False

    def __init__(
        self, flavour: Flavour, weights: str | os.PathLike | None, frames_per_clip: int | None, batch_size: int, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.flavour, self.frames_per_clip, self.batch_size = flavour, frames_per_clip, batch_size
        self._network = FrozenModule(InceptionFeatures(flavour, weights))

    def features(self, frames: Array) -> Tensor:
        """Compute (T, 2048) float64 features of (T, 3, H, W) frames, uint8 or float in 0..1."""
        frames = to_uint8(frames)
        if frames.ndim != 4 or frames.shape[1] != 3:
            raise InputError(f"The frames of a clip are {tuple(frames.shape)}; (frames, 3, height, width) is right.")
        with full_precision(self.device):
            network = self._network.on(self.device)
            parts = [network(part.to(self.device)).double() for part in frames.split(self.batch_size)]
        return torch.cat(parts) if len(frames) else torch.zeros(0, FEATURES, dtype=torch.float64, device=self.device)


class FrameFID(_InceptionMetric):
    """FID over clips: between all frames of the clips under test and all recorded ones; lower is better, 0 is equality.

    The `tbd.metrics.gaussian.frechet_distance` of Gaussians fitted to Inception's pooled features (Heusel et al. 2017). There are
    three flavours of FID: see `tbd.metrics.networks.inception.InceptionFeatures`. The number depends on how many frames there are:
    print `counts`, and compare only at the same ones.

    Args:
        flavour: ``torchmetrics`` (default), ``pytorch-fid`` or ``eat``.
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


class _ContentSample:
    """A sample of features of fixed size that does not depend on who saw which frame: those whose frames' hashes are least.

    Args:
        metric: The metric that gets the states ``NAME_sample`` (most, 1 + D), the hash in the first column and infinity where
            a row is free, and ``NAME_count``, the number of frames to choose from.
        name: ``preds`` or ``target``.
        most: Number of rows.
        size: Number of features D.
    """

    def __init__(self, metric: ClipMetric, name: str, most: int, size: int) -> None:
        self._metric, self._name = [metric], name
        empty = torch.zeros(most, 1 + size, dtype=torch.float64)
        empty[:, 0] = torch.inf
        metric.add_state(f"{name}_sample", empty, _least)
        metric.add_state(f"{name}_count", torch.zeros((), dtype=torch.int64), "sum")

    def add(self, frames: Tensor, features: Tensor) -> None:
        """(T, 3, H, W) uint8 of one clip, and their (T, D) features."""
        keys = [_hash(frame, place) for place, frame in enumerate(frames.cpu().numpy())]
        sample = getattr(self._metric[0], f"{self._name}_sample")
        rows = torch.cat([torch.tensor(keys, dtype=torch.float64)[:, None].to(sample.device), features.to(sample)], 1)
        setattr(self._metric[0], f"{self._name}_sample", _keep(torch.cat([sample, rows]), len(sample)))
        setattr(self._metric[0], f"{self._name}_count", getattr(self._metric[0], f"{self._name}_count") + len(rows))

    @property
    def count(self) -> int:
        return int(getattr(self._metric[0], f"{self._name}_count"))

    def features(self) -> Tensor:
        """(n, D), ordered by hash."""
        sample = getattr(self._metric[0], f"{self._name}_sample")
        return sample[torch.isfinite(sample[:, 0]), 1:]


def _hash(frame: np.ndarray, place: int) -> float:
    """A frame's 52 bits; its place in the clip is in them, so that a still clip is not chosen or passed over as a whole."""
    digest = hashlib.blake2b(np.ascontiguousarray(frame).tobytes(), digest_size=8, salt=place.to_bytes(8, "little")).digest()
    return float(int.from_bytes(digest, "little") >> 12)


def _keep(rows: Tensor, most: int) -> Tensor:
    return rows[rows[:, 0].argsort(stable=True)[:most]]


def _least(gathered: Tensor) -> Tensor:
    """(processes, most, 1 + D) → (most, 1 + D)."""
    return _keep(gathered.flatten(0, 1), gathered.shape[1])


def kernel_distance(preds: Tensor, target: Tensor) -> Tensor:
    """Compute the unbiased squared maximum mean discrepancy under the kernel ``(x·y / D + 1)³`` (Bińkowski et al. 2018).

    Args:
        preds: (M, D), at least two rows.
        target: (N, D), at least two rows.

    Returns:
        () float64; may lie below 0 for sets of one distribution.

    Example:
        >>> points = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
        >>> bool(kernel_distance(points, points + 1) > kernel_distance(points, points + 0.5) > 0)
        True
    """
    x, y = preds.double(), target.double()
    xx, yy, xy = ((a @ b.T / a.shape[1] + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))

    def off_diagonal(k: Tensor) -> Tensor:
        return (k.sum() - k.trace()) / (len(k) * (len(k) - 1))

    return off_diagonal(xx) + off_diagonal(yy) - 2 * xy.mean()


class FrameKID(_InceptionMetric):
    """KID × 1000 over clips, on Inception's features; lower is better.

    Unbiased, so it may be compared between sets of different size and is the one to trust where there are few frames; it may lie
    slightly below 0. See `kernel_distance`. Of more than `most` frames a set, those are taken whose content hashes least, which is a
    random sample and the same one whatever process saw which clip.

    Args:
        flavour: See `FrameFID`.
        weights: See `FrameFID`.
        most: Number of frames a set.
        frames_per_clip: See `FrameFID`.
        batch_size: See `FrameFID`.
        kwargs: Options of `torchmetrics.Metric`.

    Raises:
        WeightsNotFoundError: If the weights are not on this machine.
    """

    unit = "×10⁻³"

    def __init__(
        self,
        flavour: Flavour = "torchmetrics",
        weights: str | os.PathLike | None = None,
        most: int = 2000,
        frames_per_clip: int | None = None,
        batch_size: int = 32,
        **kwargs: Any,
    ) -> None:
        super().__init__(flavour, weights, frames_per_clip, batch_size, **kwargs)
        self.preds, self.target = (_ContentSample(self, name, most, FEATURES) for name in ("preds", "target"))

    def update(self, preds: Array | None, target: Array | None) -> None:
        """Add a clip's frames to both sets.

        Args:
            preds: (T, 3, H, W) uint8, or float in 0..1, under test; None adds to the other set alone.
            target: (T, 3, H, W) uint8, or float in 0..1, recorded, of any length; None adds to the other set alone.
        """
        for sample, frames in ((self.preds, preds), (self.target, target)):
            if frames is not None:
                chosen = sample_frames(to_uint8(frames), self.frames_per_clip)
                sample.add(chosen, self.features(chosen))

    def counts(self) -> tuple[int, int]:
        """Count the frames to choose from, under test and recorded, of this process alone."""
        return self.preds.count, self.target.count

    def compute(self) -> Tensor:
        """Compute the distance.

        Returns:
            () float64.

        Raises:
            InputError: If fewer than two frames in either set.
        """
        preds, target = self.preds.features(), self.target.features()
        if min(len(preds), len(target)) < 2:
            raise InputError(f"KID needs at least two frames in either set; there are {len(preds)} and {len(target)}.")
        return 1000 * kernel_distance(preds, target)


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
    unmeasured: Tensor

    def __init__(self, network: VideoNetwork, batch_size: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._network, self.batch_size = FrozenModule(network), batch_size
        self.preds, self.target = (GaussianSums(self, name, network.features) for name in ("preds", "target"))
        self.add_state("unmeasured", torch.zeros((), dtype=torch.int64), "sum")

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
                        sums.add(network.embed(part.to(self.device)))

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
