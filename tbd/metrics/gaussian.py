"""Fréchet distances between Gaussians fitted to sets of features, from sums of fixed size."""

import torch
from torch import Tensor
from torchmetrics import Metric

from tbd.errors import InputError


class GaussianSums:
    """The states of a Gaussian fit within a metric: count, sum, and sum of outer products, in float64.

    Sums of three fixed-size tensors may be added over processes in any order, also where one of them saw nothing.

    Args:
        metric: The metric that gets the states ``NAME_count``, ``NAME_sum``, ``NAME_outer``.
        name: ``preds`` or ``target``.
        size: Number of features D.
    """

    def __init__(self, metric: Metric, name: str, size: int) -> None:
        # torch.nn.Module registers submodules set as attributes; a metric held in a list is not one.
        self._metric, self._name, self._size = [metric], name, size
        metric.add_state(f"{name}_count", torch.zeros((), dtype=torch.int64), "sum")
        metric.add_state(f"{name}_sum", torch.zeros(size, dtype=torch.float64), "sum")
        metric.add_state(f"{name}_outer", torch.zeros(size, size, dtype=torch.float64), "sum")

    def _state(self, kind: str) -> Tensor:
        return getattr(self._metric[0], f"{self._name}_{kind}")

    def add(self, features: Tensor) -> None:
        """Add (N, D) features; N may be 0."""
        features = features.to(self._state("sum"))
        for kind, value in (("count", len(features)), ("sum", features.sum(0)), ("outer", features.T @ features)):
            setattr(self._metric[0], f"{self._name}_{kind}", self._state(kind) + value)

    @property
    def count(self) -> int:
        """Number of features added, in this process alone."""
        return int(self._state("count"))

    def fit(self) -> tuple[Tensor, Tensor]:
        """Fit (D,) mean and (D, D) unbiased covariance.

        Returns:
            Mean and covariance.

        Raises:
            InputError: If fewer than two features were added.
        """
        count = self.count
        if count < 2:
            raise InputError(f"A Fréchet distance needs at least two samples in either set; {self._name} has {count}.")
        mean = self._state("sum") / count
        return mean, (self._state("outer") - count * torch.outer(mean, mean)) / (count - 1)

    def distance(self, other: "GaussianSums") -> Tensor:
        """Compute the `frechet_distance` between the fits of two sets, () float64."""
        fits = [(mean, _root(covariance, rank=sums.count - 1)) for sums in (self, other) for mean, covariance in [sums.fit()]]
        return _distance(*fits[0], *fits[1])


def frechet_distance(mean1: Tensor, covariance1: Tensor, mean2: Tensor, covariance2: Tensor) -> Tensor:
    """Compute ``‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½)`` (Dowson & Landau 1982; Heusel et al. 2017).

    With roots ``Σ = R Rᵀ`` the trace of ``(Σ₁ Σ₂)^½`` is the sum of the singular values of ``R₁ᵀ R₂``, whose squares are the
    eigenvalues of Σ₁ Σ₂: real and never below zero, also where the covariances are singular (fewer samples than features).

    Args:
        mean1: (D,).
        covariance1: (D, D), symmetric.
        mean2: (D,).
        covariance2: (D, D), symmetric.

    Returns:
        () float64, at least 0.

    Example:
        >>> one, two = torch.eye(2), 4 * torch.eye(2)
        >>> frechet_distance(torch.zeros(2), one, torch.ones(2), two)  # 2 + 2 · (1 + 4 − 2 · 2)
        tensor(4., dtype=torch.float64)
    """
    return _distance(mean1, _root(covariance1), mean2, _root(covariance2))


def _distance(mean1: Tensor, root1: Tensor, mean2: Tensor, root2: Tensor) -> Tensor:
    cross = torch.linalg.svdvals(root1.T @ root2).sum()
    traces = root1.square().sum() + root2.square().sum()
    return ((mean1.double() - mean2.double()).square().sum() + traces - 2 * cross).clamp(min=0)


_SPARE = 8
"""Directions beyond the rank in the randomised range finder."""


def _root(covariance: Tensor, rank: int | None = None) -> Tensor:
    """(D, r) R with ``R Rᵀ`` the covariance; what rounding leaves below zero is dropped.

    Args:
        covariance: (D, D) symmetric.
        rank: Rank of the matrix. Where it is known and far below D, the range is found by multiplying with few random directions
            (Halko et al. 2011), which for an exactly singular matrix loses nothing and takes a hundredth of the time.
    """
    covariance = (covariance.double() + covariance.double().T) / 2
    size = len(covariance)
    if rank is not None and 4 * (rank + _SPARE) < size:
        generator = torch.Generator().manual_seed(0)
        probe = torch.randn(size, rank + _SPARE, dtype=torch.float64, generator=generator).to(covariance.device)
        basis = torch.linalg.qr(covariance @ (covariance @ probe)).Q  # (D, rank + 8)
        values, vectors = torch.linalg.eigh(basis.T @ covariance @ basis)
        vectors = basis @ vectors
    else:
        values, vectors = torch.linalg.eigh(covariance)
    return (vectors * values.clamp(min=0).sqrt())[:, values > 0]
