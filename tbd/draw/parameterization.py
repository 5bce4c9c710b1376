"""ε, x₀ and v are one affine map of each other at one noise level. Pure functions.

With x_t = α·x₀ + σ·ε and α² + σ² = 1, v = α·ε − σ·x₀ (Salimans & Ho 2022, arXiv 2202.00512). `kind` is diffusers'
``prediction_type``: "sample" is x₀, "epsilon" is ε, "v_prediction" is v.
"""

from torch import Tensor


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
    raise ValueError(f"prediction_type is sample, epsilon or v_prediction, not {kind!r}.")


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
    raise ValueError(f"prediction_type is sample, epsilon or v_prediction, not {kind!r}.")


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
    clipped = snr.clamp(max=gamma)
    # an error of x₀ is σ/α times one of ε, and σ times one of v
    return {"sample": clipped, "epsilon": clipped / snr.clamp(min=1e-8), "v_prediction": clipped / (snr + 1)}[kind]
