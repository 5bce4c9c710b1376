"""Noise schedulers of both families: mixing, sampling, and what is refused."""

import math

import numpy as np
import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    FlowMatchHeunDiscreteScheduler,
    UniPCMultistepScheduler,
)

from tbd.draw.guidance.base import COND
from tbd.draw.noise_scheduler import FlowMatching, VariancePreserving, noise_process, scheduler_like
from tbd.draw.parameterization import target
from tbd.draw.sampling import Past, denoise
from tbd.draw.window_options import GeometricSpacing
from tbd.errors import InputError

MEAN, SD = 1.5, 0.4
"""Of the Gaussian target whose exact velocity is known."""
FLOW_SOLVERS = [
    FlowMatchEulerDiscreteScheduler(),
    FlowMatchEulerDiscreteScheduler(shift=3.0),
    FlowMatchHeunDiscreteScheduler(),
    DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True),
    UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True),
]


def exact_velocity(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """E[ε − x₀ | x_t] where x₀ ~ N(MEAN, SD²): both are linear in x_t, by conditioning of Gaussians."""
    alpha = 1 - sigma
    variance = (alpha * SD) ** 2 + sigma**2
    surprise = (x - alpha * MEAN) / variance
    return sigma * surprise - (MEAN + alpha * SD**2 * surprise)


def sampled(scheduler, steps: int, count: int = 4000) -> tuple[torch.Tensor, torch.Tensor]:
    noise = torch.randn(1, count, 1, generator=torch.Generator().manual_seed(0))

    def predict(branches, noisy, timestep, step):
        return {COND: exact_velocity(noisy, timestep / 1000)}

    return noise, denoise(predict, noise, Past.of(None, noise), scheduler, steps, None, torch.ones(5, 1, 1, 1))


@pytest.mark.parametrize("scheduler", FLOW_SOLVERS, ids=lambda s: f"{type(s).__name__} {s.config.get('shift')}")
def test_the_exact_velocity_of_a_gaussian_carries_noise_onto_it(scheduler):
    """The flow of one Gaussian onto another is affine, x₀ = MEAN + SD·ε: each sample's end is known."""
    noise, drawn = sampled(scheduler, 200)
    assert torch.allclose(drawn, MEAN + SD * noise, atol=0.04)


def test_few_steps_err_more_and_none_is_wasted():
    noise = sampled(FlowMatchEulerDiscreteScheduler(), 1)[0]
    errors = [float((sampled(FlowMatchEulerDiscreteScheduler(), n)[1] - (MEAN + SD * noise)).abs().mean()) for n in (2, 4, 8, 16)]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 0.04
    process = noise_process(FlowMatchEulerDiscreteScheduler())
    assert process.start(4).tolist() == [1000, 750, 500, 250]


def drawn_size(scheduler, size: float, spacing: GeometricSpacing | None) -> float:
    """Deviation that ten steps draw of x₀ ~ N(0, size²), relative to it, with the exact E[x₀ | x_t]."""
    noise = torch.randn(1, 4000, 1, generator=torch.Generator().manual_seed(0))
    process = noise_process(scheduler)

    def predict(branches, noisy, timestep, step):
        alpha, sigma = process.noise_level(timestep.reshape(1))
        clean = noisy * alpha * size**2 / ((alpha * size) ** 2 + sigma**2)
        return {COND: (noisy - alpha * clean) / sigma - clean if process.prediction_type == "flow_prediction" else clean}

    drawn = denoise(predict, noise, Past.of(None, noise), scheduler, 10, None, torch.ones(5, 1, 1, 1), spacing=spacing)
    return float(drawn.std()) / size


@pytest.mark.parametrize(
    "scheduler, share",
    [
        (DPMSolverMultistepScheduler(prediction_type="sample", beta_schedule="squaredcos_cap_v2"), 0.5),
        (FlowMatchEulerDiscreteScheduler(), 0.8),  # of first order: steps of any spacing lag behind
    ],
)
def test_geometric_spacing_draws_slow_movements_nearer_to_their_size(scheduler, share):
    """What many frames share is decided at σ/α of its size, here 4: at equal timesteps much of it is lost."""
    lost_even, lost = (1 - drawn_size(scheduler, 4.0, spacing) for spacing in (None, GeometricSpacing(16.0, 0.15)))
    assert 0 < lost < share * lost_even


def test_spacing_starts_from_noise_and_falls_to_its_cleanest():
    process = noise_process(DPMSolverMultistepScheduler(beta_schedule="squaredcos_cap_v2"))
    for steps in (1, 2, 4, 10, 40):
        timesteps = process.start(steps, GeometricSpacing(16.0, 0.15))
        alpha, sigma = process.noise_level(timesteps)
        assert timesteps[0] == 999 and len(timesteps) == steps and (timesteps.diff() < 0).all()
        if steps > 2:
            assert (sigma / alpha)[[1, -1]].tolist() == pytest.approx([16.0, 0.15], rel=0.02)
    ratio = (sigma / alpha)[1:].log()
    assert float(ratio.diff().std() / ratio.diff().mean().abs()) < 0.1
    assert len(process.start(1000, GeometricSpacing(16.0, 0.15)).unique()) == len(process.start(1000, GeometricSpacing(16.0, 0.15)))


@pytest.mark.parametrize(
    "scheduler", [DDIMScheduler(), UniPCMultistepScheduler(), DPMSolverMultistepScheduler(use_karras_sigmas=True), FLOW_SOLVERS[2]]
)
def test_schedulers_that_space_by_themselves_keep_their_own_timesteps(scheduler):
    process = noise_process(scheduler)
    own = process.start(7).tolist()
    assert process.start(7, GeometricSpacing()).tolist() == own


@pytest.mark.parametrize("noisiest, cleanest", [(1.0, 2.0), (1.0, 0.0), (math.inf, 1.0), (math.nan, 1.0)])
def test_spacing_that_does_not_fall_is_refused(noisiest, cleanest):
    with pytest.raises(InputError, match="noisiest"):
        GeometricSpacing(noisiest, cleanest)


def test_the_loop_leaves_the_scheduler_as_training_needs_it():
    scheduler = FlowMatchEulerDiscreteScheduler(shift=2.0)
    before = noise_process(scheduler).levels()
    sampled(scheduler, 3, 8)
    assert torch.equal(noise_process(scheduler).levels(), before) and len(scheduler.timesteps) == 1000


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_flow_matching_mixes_as_diffusers_does(shift):
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    process = noise_process(scheduler)
    timestep = process.timesteps(torch.tensor([0.0, 0.3, 0.999]))
    clean, noise = torch.rand(3, 5, 4), torch.randn(3, 5, 4)
    known = [scheduler.timesteps[int((scheduler.timesteps - t).abs().argmin())] for t in timestep]
    theirs = scheduler.scale_noise(clean, torch.stack(known), noise)
    alpha, sigma = process.noise_level(timestep)
    assert torch.allclose(alpha[:, None, None] * clean + sigma[:, None, None] * noise, theirs, atol=1e-4)
    assert torch.allclose(alpha + sigma, torch.ones(3)) and (sigma.diff() > 0).all()


def test_shift_trains_more_on_noise():
    place = torch.linspace(0, 1, 101)
    plain, shifted = (noise_process(FlowMatchEulerDiscreteScheduler(shift=s)).timesteps(place) for s in (1.0, 3.0))
    assert (shifted[1:-1] > plain[1:-1]).all() and shifted[-1] == plain[-1] == 1000


def test_variance_preserving_levels_are_those_of_the_betas():
    scheduler = DDIMScheduler(beta_schedule="squaredcos_cap_v2")
    alpha, sigma = noise_process(scheduler).levels().unbind(1)
    assert np.allclose(alpha.square(), np.cumprod(1 - scheduler.betas.numpy()), atol=1e-6)
    assert torch.allclose(alpha.square() + sigma.square(), torch.ones(1000))


def test_samplers_of_one_training_have_equal_levels():
    for a, b in (
        (DDIMScheduler(beta_schedule="linear"), DPMSolverMultistepScheduler(beta_schedule="linear")),
        (FLOW_SOLVERS[0], FLOW_SOLVERS[3]),
        (FLOW_SOLVERS[1], UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)),
    ):
        assert torch.allclose(noise_process(a).levels(), noise_process(b).levels())
    assert not torch.allclose(noise_process(FLOW_SOLVERS[0]).levels(), noise_process(FLOW_SOLVERS[1]).levels())


def test_families_are_told_apart():
    assert isinstance(noise_process(UniPCMultistepScheduler()), VariancePreserving)
    assert all(isinstance(noise_process(scheduler), FlowMatching) for scheduler in FLOW_SOLVERS)


def test_what_cannot_be_sampled_is_refused():
    class Nothing:
        pass

    with pytest.raises(TypeError, match=r"Nothing .* lacks set_timesteps, step, alphas_cumprod"):
        noise_process(Nothing())
    with pytest.raises(TypeError, match="use_dynamic_shifting"):
        noise_process(FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True))
    with pytest.raises(TypeError, match="use_flow_sigmas"):
        noise_process(DPMSolverMultistepScheduler(prediction_type="flow_prediction"))


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_training_targets_average_to_the_exact_velocity(level):
    """What a denoiser learns is E[target | x_t], which is linear here: least squares over many samples finds its line."""
    process = noise_process(FlowMatchEulerDiscreteScheduler())
    generator = torch.Generator().manual_seed(1)
    clean, noise = MEAN + SD * torch.randn(40000, 1, generator=generator), torch.randn(40000, 1, generator=generator)
    timestep = process.timesteps(torch.full((40000,), level))
    alpha, sigma = (x[:, None] for x in process.noise_level(timestep))
    noisy = alpha * clean + sigma * noise
    wanted = target(clean, noise, alpha, sigma, process.prediction_type)
    line = torch.linalg.lstsq(torch.cat([noisy, torch.ones_like(noisy)], 1), wanted).solution
    places = torch.tensor([[-1.0], [0.5], [2.0]])
    assert torch.allclose(places * line[0] + line[1], exact_velocity(places, sigma[0]), atol=0.06)


@pytest.mark.parametrize("own", [UniPCMultistepScheduler(), DDIMScheduler(clip_sample=False)])
def test_a_scheduler_that_takes_over_clips_no_more_than_the_models_own(own):
    """Latents and motions go beyond −1..1, where DDIM would cut them off unless told otherwise."""
    assert not scheduler_like(own, DDIMScheduler, {}).config.clip_sample
    assert scheduler_like(own, DDIMScheduler, {"clip_sample": True}).config.clip_sample
    assert scheduler_like(DDIMScheduler(), DDIMScheduler, {}).config.clip_sample  # a model that was trained so
