import pytest
import torch

from tbd.draw.parameterization import error_ratio, from_sample, min_snr_weight, target, to_sample

KINDS = ["sample", "epsilon", "v_prediction", "flow_prediction"]


def levels(kind: str, level: float) -> tuple[torch.Tensor, torch.Tensor]:
    """α and σ: squares that sum to 1, or, for flows, numbers that do."""
    alpha, sigma = torch.tensor(level, dtype=torch.float64), torch.tensor(1 - level, dtype=torch.float64)
    return (alpha, sigma) if kind == "flow_prediction" else (alpha.sqrt(), sigma.sqrt())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [0.999, 0.5, 0.001])
def test_there_and_back(kind, level):
    alpha, sigma = levels(kind, level)
    sample, noise = torch.randn(2, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).unbind(0)
    noisy = alpha * sample + sigma * noise
    assert torch.allclose(to_sample(from_sample(sample, noisy, alpha, sigma, kind), noisy, alpha, sigma, kind), sample, atol=1e-10)


def test_definitions():
    """ε is the noise itself, v is α·ε − σ·x₀."""
    alpha, sigma = torch.tensor(0.8), torch.tensor(0.6)
    sample, noise = torch.tensor([0.3]), torch.tensor([-1.2])
    noisy = alpha * sample + sigma * noise
    assert torch.allclose(from_sample(sample, noisy, alpha, sigma, "epsilon"), noise)
    assert torch.allclose(from_sample(sample, noisy, alpha, sigma, "v_prediction"), alpha * noise - sigma * sample)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [0.9, 0.3])
def test_a_target_is_what_leads_back_to_the_sample(kind, level):
    alpha, sigma = levels(kind, level)
    sample, noise = torch.randn(2, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).unbind(0)
    noisy = alpha * sample + sigma * noise
    wanted = target(sample, noise, alpha, sigma, kind)
    assert torch.allclose(wanted, from_sample(sample, noisy, alpha, sigma, kind))
    assert torch.allclose(to_sample(wanted, noisy, alpha, sigma, kind), sample)


@pytest.mark.parametrize("kind", KINDS)
def test_errors_of_predictions_in_errors_of_the_sample(kind):
    """An error of 0.1 everywhere makes the error of x₀ that the ratio says; min-SNR weighs all kinds' errors of x₀ alike."""
    alpha, sigma = levels(kind, 0.4)
    sample, noise = torch.randn(2, 5, dtype=torch.float64).unbind(0)
    noisy = alpha * sample + sigma * noise
    missed = to_sample(target(sample, noise, alpha, sigma, kind) + 0.1, noisy, alpha, sigma, kind) - sample
    assert torch.allclose(missed.square(), 0.01 * error_ratio(alpha, sigma, kind))
    of_sample = min_snr_weight(alpha, sigma, 5.0, "sample") * missed.square().mean()
    assert torch.allclose(min_snr_weight(alpha, sigma, 5.0, kind) * 0.01, of_sample)


def test_unknown_kind():
    ones = tuple(torch.ones(1) for _ in range(4))
    for convert in (to_sample, from_sample, target):
        with pytest.raises(ValueError, match="flow_prediction, not 'score'"):
            convert(*ones, "score")
    with pytest.raises(ValueError, match="score"):
        error_ratio(*ones[:2], "score")
