"""ε, x₀ and both kinds of velocity are one affine map of each other at one noise level. Pure functions.

With x_t = α·x₀ + σ·ε and α² + σ² = 1, v = α·ε − σ·x₀ (Salimans & Ho 2022, arXiv 2202.00512); with α + σ = 1, as in flow matching, the
velocity is ε − x₀ (Lipman et al. 2023, arXiv 2210.02747). `kind` is diffusers' ``prediction_type``: "sample" is x₀, "epsilon" is ε,
"v_prediction" is v, "flow_prediction" is ε − x₀.
"""

import torch
from torch import Tensor

_UNKNOWN = "prediction_type is sample, epsilon, v_prediction or flow_prediction, not {!r}."


def to_sample(pred: Tensor, noisy: Tensor, alpha: Tensor, sigma: Tensor, kind: str) -> Tensor:
    """Convert a prediction to x₀.

    Args:
        pred: The prediction, any shape.
        noisy: x_t, of the same shape.
        alpha: α of x_t = α·x₀ + σ·ε, broadcastable to it.
        sigma: σ.
        kind: diffusers' ``prediction_type`` of the prediction.

    Returns:
        x₀, of the prediction's shape.

    Raises:
        ValueError: If the kind is unknown.
    """
    if kind == "sample":
        return pred
    if kind == "epsilon":
        return (noisy - sigma * pred) / alpha
    if kind == "v_prediction":
        return alpha * noisy - sigma * pred
    if kind == "flow_prediction":
        return noisy - sigma * pred
    raise ValueError(_UNKNOWN.format(kind))


def from_sample(sample: Tensor, noisy: Tensor, alpha: Tensor, sigma: Tensor, kind: str) -> Tensor:
    """Convert x₀ to a prediction; the inverse of `to_sample`.

    Args:
        sample: x₀, any shape.
        noisy: x_t, of the same shape.
        alpha: α of x_t = α·x₀ + σ·ε, broadcastable to it.
        sigma: σ.
        kind: diffusers' ``prediction_type`` of the result.

    Returns:
        The prediction, of x₀'s shape.

    Raises:
        ValueError: If the kind is unknown.
    """
    if kind == "sample":
        return sample
    if kind == "epsilon":
        return (noisy - alpha * sample) / sigma
    if kind == "v_prediction":
        return (alpha * noisy - sample) / sigma
    if kind == "flow_prediction":
        return (noisy - sample) / sigma
    raise ValueError(_UNKNOWN.format(kind))


def target(sample: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor, kind: str) -> Tensor:
    """Compute what a perfect denoiser would predict of one noisy sample.

    Args:
        sample: x₀, any shape.
        noise: ε, of the same shape.
        alpha: α of x_t = α·x₀ + σ·ε, broadcastable to it.
        sigma: σ.
        kind: diffusers' ``prediction_type``.

    Returns:
        The prediction, of x₀'s shape.

    Raises:
        ValueError: If the kind is unknown.
    """
    if kind == "sample":
        return sample
    if kind == "epsilon":
        return noise
    if kind == "v_prediction":
        return alpha * noise - sigma * sample
    if kind == "flow_prediction":
        return noise - sample
    raise ValueError(_UNKNOWN.format(kind))


def min_snr_weight(alpha: Tensor, sigma: Tensor, gamma: float, kind: str) -> Tensor:
    """Compute the weight min(SNR, γ) of the loss on x₀ (Hang et al. 2023, arXiv 2303.09556), for a squared error of any kind.

    Args:
        alpha: α of x_t = α·x₀ + σ·ε, any shape.
        sigma: σ, of the same shape.
        gamma: γ, 5 in the paper.
        kind: diffusers' ``prediction_type`` of the error.

    Returns:
        The weights, of α's shape.

    Example:
        >>> import torch
        >>> min_snr_weight(torch.tensor(0.8), torch.tensor(0.6), 5.0, "epsilon")
        tensor(1.)
    """
    snr = alpha.square() / sigma.square().clamp(min=1e-8)
    return snr.clamp(max=gamma) * error_ratio(alpha, sigma, kind)


def error_ratio(alpha: Tensor, sigma: Tensor, kind: str) -> Tensor:
    """Compute the squared error of x₀ that a squared error of 1 of a prediction makes.

    Args:
        alpha: α of x_t = α·x₀ + σ·ε, any shape.
        sigma: σ, of the same shape.
        kind: diffusers' ``prediction_type`` of the prediction.

    Returns:
        The ratios, of α's shape.

    Raises:
        ValueError: If the kind is unknown.

    Example:
        >>> import torch
        >>> error_ratio(torch.tensor(0.5), torch.tensor(0.5), "flow_prediction")
        tensor(0.2500)
    """
    if kind == "sample":
        return torch.ones_like(alpha)
    if kind == "epsilon":
        return sigma.square() / alpha.square().clamp(min=1e-8)
    if kind in ("v_prediction", "flow_prediction"):
        return sigma.square()
    raise ValueError(_UNKNOWN.format(kind))
