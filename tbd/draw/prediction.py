"""ε, x₀ and v are one affine map of each other at one noise level. Pure functions.

With x_t = α·x₀ + σ·ε and α² + σ² = 1, v = α·ε − σ·x₀ (Salimans & Ho 2022, arXiv 2202.00512). `kind` is diffusers'
``prediction_type``: "sample" is x₀, "epsilon" is ε, "v_prediction" is v.
"""

from torch import Tensor


def to_sample(pred: Tensor, noisy: Tensor, alpha: Tensor, sigma: Tensor, kind: str) -> Tensor:
    """A prediction of any kind → x₀."""
    if kind == "sample":
        return pred
    if kind == "epsilon":
        return (noisy - sigma * pred) / alpha
    if kind == "v_prediction":
        return alpha * noisy - sigma * pred
    raise ValueError(f"prediction_type is sample, epsilon or v_prediction, not {kind!r}.")


def from_sample(sample: Tensor, noisy: Tensor, alpha: Tensor, sigma: Tensor, kind: str) -> Tensor:
    """x₀ → a prediction of any kind; the inverse of `to_sample`."""
    if kind == "sample":
        return sample
    if kind == "epsilon":
        return (noisy - alpha * sample) / sigma
    if kind == "v_prediction":
        return (alpha * noisy - sample) / sigma
    raise ValueError(f"prediction_type is sample, epsilon or v_prediction, not {kind!r}.")
