"""Fréchet distance between sets of frames: FID."""

import os
from typing import Any

import torch
from torch import Tensor

from tbd.errors import InputError
from tbd.metrics.base import Array, ClipMetric, FrozenModule, full_precision, to_uint8
from tbd.metrics.gaussian import GaussianSums
from tbd.metrics.inputs import check_frames, require_finite_output
from tbd.metrics.networks.inception import FEATURES, Flavour, InceptionFeatures
from tbd.metrics.sampling import sample_frames
from tbd.utils.input_checks import require_at_least

LEAST_FRAMES = 2048
"""As many as features: with fewer, the covariance has no full rank and the distance is mostly bias (two sets of one
distribution: 85 at 500 frames, 6 at 10,000)."""


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

    Example:
        >>> FrameFID.reads, FrameFID.higher_is_better
        (('preds.frames', 'target.frames'), False)
        >>> metric = FrameFID("clean-fid")  # doctest: +SKIP
        >>> for preds, target in clips:  # doctest: +SKIP
        ...     metric.update(preds, target)
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
