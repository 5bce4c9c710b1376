import pytest
import torch

from tbd.draw.parameterization import from_sample, to_sample


@pytest.mark.parametrize("kind", ["sample", "epsilon", "v_prediction"])
@pytest.mark.parametrize("level", [0.999, 0.5, 0.001])
def test_there_and_back(kind, level):
    alpha, sigma = torch.tensor(level, dtype=torch.float64).sqrt(), torch.tensor(1 - level, dtype=torch.float64).sqrt()
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


def test_unknown_kind():
    with pytest.raises(ValueError, match="score"):
        to_sample(*(torch.ones(1) for _ in range(4)), "score")
