"""Fréchet distances between Gaussians fitted to sets of features, from sums of fixed size."""

import torch
from torch import Tensor
from torchmetrics import Metric

from tbd.errors import InputError


class GaussianSums:
    """The states of a Gaussian fit within a metric: count, sum, and sum of outer products, in float64.

    Sums of three fixed-size tensors may be added over processes in any order, also where one of them saw nothing.

    Args:
        metric: gets the states ``NAME_count``, ``NAME_sum``, ``NAME_outer``.
        name: of the side.
        size: D, the number of features.
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
        """(N, D); N may be 0."""
        features = features.to(self._state("sum"))
        for kind, value in (("count", len(features)), ("sum", features.sum(0)), ("outer", features.T @ features)):
            setattr(self._metric[0], f"{self._name}_{kind}", self._state(kind) + value)

    @property
    def count(self) -> int:
        return int(self._state("count"))

    def fit(self) -> tuple[Tensor, Tensor]:
        """(D,) mean and (D, D) unbiased covariance.

        Raises:
            InputError: fewer than two features were added.
        """
        count = self.count
        if count < 2:
            raise InputError(f"A Fréchet distance needs at least two samples on either side; {self._name} has {count}.")
        mean = self._state("sum") / count
        return mean, (self._state("outer") - count * torch.outer(mean, mean)) / (count - 1)

    def distance(self, other: "GaussianSums") -> Tensor:
        """() float64, the `frechet_distance` between two sides' fits."""
        return frechet_distance(*self.fit(), *other.fit())


def frechet_distance(mean1: Tensor, covariance1: Tensor, mean2: Tensor, covariance2: Tensor) -> Tensor:
    """``‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½)`` (Dowson & Landau 1982; Heusel et al. 2017).

    The trace of the root is taken as the sum of the singular values of ``Σ₁^½ Σ₂^½``, whose squares are the eigenvalues of
    Σ₁ Σ₂: it is real and never below zero, also where the covariances are singular (fewer samples than features).

    Args:
        mean1, mean2: (D,).
        covariance1, covariance2: (D, D), symmetric.

    Returns:
        () float64, at least 0.

    Example:
        >>> one, two = torch.eye(2), 4 * torch.eye(2)
        >>> frechet_distance(torch.zeros(2), one, torch.ones(2), two)  # 2 + 2 · (1 + 4 − 2 · 2)
        tensor(4., dtype=torch.float64)
    """
    mean1, covariance1, mean2, covariance2 = (x.double() for x in (mean1, covariance1, mean2, covariance2))
    cross = torch.linalg.svdvals(_root(covariance1) @ _root(covariance2)).sum()
    distance = (mean1 - mean2).square().sum() + covariance1.trace() + covariance2.trace() - 2 * cross
    return distance.clamp(min=0)


def _root(covariance: Tensor) -> Tensor:
    """The symmetric square root; rounding may leave eigenvalues just below zero."""
    values, vectors = torch.linalg.eigh((covariance + covariance.T) / 2)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T
