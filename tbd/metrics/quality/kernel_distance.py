"""Kernel distances between sets of frames: KID."""

import hashlib
import os
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tbd.errors import InputError
from tbd.metrics.base import Array, ClipMetric, to_uint8
from tbd.metrics.networks.inception import FEATURES, Flavour
from tbd.metrics.quality.frechet import InceptionMetric
from tbd.metrics.sampling import sample_frames
from tbd.utils.input_checks import require_at_least


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


class FrameKID(InceptionMetric):
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

    Example:
        >>> FrameKID.reads, FrameKID.unit
        (('preds.frames', 'target.frames'), '×10⁻³')
        >>> metric = FrameKID(most=1000)  # doctest: +SKIP
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
        require_at_least(2, most=most)
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
