"""Noise schedulers of diffusers, as training and sampling need them: how noise is mixed in, and how it is taken out step by step.

Two families are known, and one interface, `NoiseProcess`, serves both:

- variance preserving, x_t = √ᾱ_t·x₀ + √(1 − ᾱ_t)·ε (DDIM, DPM-Solver++, UniPC …), where the denoiser predicts ε, x₀ or v;
- flow matching, x_t = (1 − σ_t)·x₀ + σ_t·ε along straight lines (Lipman et al. 2023, arXiv 2210.02747; Liu et al. 2023, arXiv 2209.03003),
  where it predicts the velocity dx_t/dσ = ε − x₀ (``FlowMatchEulerDiscreteScheduler``, or a solver with ``use_flow_sigmas``).
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from tbd.draw.diffusers_schedulers import FlowMatchEulerDiscreteScheduler, SchedulerMixin
from tbd.draw.window_options import GeometricSpacing
from tbd.errors import InputError

FLOW = "flow_prediction"
"""diffusers' ``prediction_type`` of a velocity ε − x₀."""
_SCHEDULER_METHODS = ("set_timesteps", "step")
# Options of diffusers that space the steps by themselves, and refuse timesteps from outside.
_OWN_SPACING = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas", "use_flow_sigmas")


class NoiseProcess(ABC):
    """How a noise scheduler mixes clean samples with noise: x_t = α·x₀ + σ·ε at each of its training timesteps.

    Args:
        scheduler: The noise scheduler, before any sampling.
    """

    prediction_type: str
    """What the denoiser predicts, in diffusers' words; see `tbd.draw.parameterization`."""
    trained: ClassVar[str]
    """How a denoiser of such a scheduler was trained, as messages say it."""

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler

    @abstractmethod
    def timesteps(self, place: Tensor) -> Tensor:
        """Choose training timesteps.

        Args:
            place: (B,) 0..1, from the least noise to the most.

        Returns:
            (B,) timesteps as the denoiser is given them.
        """

    @abstractmethod
    def noise_level(self, timestep: Tensor) -> tuple[Tensor, Tensor]:
        """Look up the noise level of training timesteps.

        Args:
            timestep: (B,) timesteps.

        Returns:
            α and σ, (B,) each.
        """

    @abstractmethod
    def levels(self) -> Tensor:
        """(N, 2) α and σ of all training timesteps, from the least noise to the most: equal for samplers of one training."""

    def options_of(self, kind: type) -> dict[str, Any]:
        """Find the arguments that another class of noise scheduler needs to sample what this one's denoiser was trained on.

        Args:
            kind: The class, which is also given this scheduler's configuration.

        Returns:
            Argument → value.
        """
        return {}

    def start(self, steps: int, spacing: GeometricSpacing | None = None) -> Tensor:
        """Choose the timesteps of a sampling loop, in the scheduler.

        Args:
            steps: Number of denoising steps.
            spacing: At which noise levels the steps are; None, and schedulers that take none, for the scheduler's own choice.

        Returns:
            (N,) timesteps, from noise to done; some schedulers take more of them than were asked for.
        """
        chosen = None if spacing is None else self.at_ratios(spacing.ratios(steps))
        self.scheduler.set_timesteps(**(chosen or self.at_even_steps(steps)))
        return self.scheduler.timesteps

    def at_even_steps(self, steps: int) -> dict[str, Any]:
        """Make the arguments of the scheduler's ``set_timesteps`` for its own choice.

        Args:
            steps: Number of denoising steps.

        Returns:
            Argument → value.
        """
        return {"num_inference_steps": steps}

    @abstractmethod
    def at_ratios(self, ratios: Sequence[float]) -> dict[str, Any] | None:
        """Make the arguments of the scheduler's ``set_timesteps`` for noise levels of our own.

        Args:
            ratios: σ/α of all steps but the first, which starts from noise alone.

        Returns:
            Argument → value; None if the scheduler takes none.
        """

    def first(self, noise: Tensor) -> Tensor:
        """Scale normal noise (B, …) to where sampling starts."""
        return noise * getattr(self.scheduler, "init_noise_sigma", 1.0)

    def model_input(self, sample: Tensor, timestep: Tensor) -> Tensor:
        """Scale a sample as the denoiser expects it.

        Args:
            sample: (B, …) a noisy sample.
            timestep: () the timestep.

        Returns:
            (B, …) the denoiser's input.
        """
        scale = getattr(self.scheduler, "scale_model_input", None)
        return sample if scale is None else scale(sample, timestep)

    def step(self, pred: Tensor, timestep: Tensor, sample: Tensor) -> Tensor:
        """Go one step towards the clean sample.

        Args:
            pred: (B, …) the denoiser's prediction, guided.
            timestep: () the timestep.
            sample: (B, …) the noisy sample.

        Returns:
            (B, …) the next sample.
        """
        return self.scheduler.step(pred, timestep, sample).prev_sample


class VariancePreserving(NoiseProcess):
    """x_t = √ᾱ_t·x₀ + √(1 − ᾱ_t)·ε.

    Args:
        scheduler: The noise scheduler.

    Example:
        >>> from diffusers import DDIMScheduler
        >>> alpha, sigma = VariancePreserving(DDIMScheduler()).noise_level(torch.tensor([0, 999]))
        >>> alpha.square() + sigma.square()
        tensor([1.0000, 1.0000])
    """

    trained = "on variance-preserving noise"

    def __init__(self, scheduler: Any) -> None:
        super().__init__(scheduler)
        self.prediction_type = scheduler.config.prediction_type

    def timesteps(self, place: Tensor) -> Tensor:
        """Choose training timesteps; see `NoiseProcess.timesteps`."""
        levels = len(self.scheduler.alphas_cumprod)
        return (place * levels).long().clamp(max=levels - 1)  # rounding may lead to 1

    def noise_level(self, timestep: Tensor) -> tuple[Tensor, Tensor]:
        """Look up the noise level; see `NoiseProcess.noise_level`."""
        level = self.scheduler.alphas_cumprod.to(timestep.device)[timestep]
        return level.sqrt(), (1 - level).sqrt()

    def levels(self) -> Tensor:
        """(N, 2) α and σ; see `NoiseProcess.levels`."""
        return torch.stack(self.noise_level(torch.arange(len(self.scheduler.alphas_cumprod))), 1)

    def at_ratios(self, ratios: Sequence[float]) -> dict[str, Any] | None:
        """Make the arguments for noise levels of our own; see `NoiseProcess.at_ratios`."""
        options = inspect.signature(self.scheduler.set_timesteps).parameters
        own = any(getattr(self.scheduler.config, name, False) for name in _OWN_SPACING)
        if "timesteps" not in options or own:
            return None
        alpha, sigma = self.levels().double().unbind(1)
        wanted = torch.tensor(ratios, dtype=torch.double)
        nearest = ((sigma / alpha).log()[:, None] - wanted.log()).abs().argmin(0)
        return {"timesteps": [len(alpha) - 1, *dict.fromkeys(nearest.tolist())]}  # many steps may share the nearest timestep


class FlowMatching(NoiseProcess):
    """x_t = (1 − σ_t)·x₀ + σ_t·ε; the denoiser predicts ε − x₀, and is given 1000·σ_t as the timestep.

    Args:
        scheduler: The noise scheduler.

    Example:
        >>> process = FlowMatching(FlowMatchEulerDiscreteScheduler())
        >>> process.timesteps(torch.tensor([0.0, 0.5, 1.0])), process.noise_level(torch.tensor([250.0]))
        (tensor([   1.,  501., 1000.]), (tensor([0.7500]), tensor([0.2500])))
    """

    prediction_type = FLOW
    trained = "by flow matching"

    def __init__(self, scheduler: Any) -> None:
        super().__init__(scheduler)
        config = scheduler.config
        for option in ("use_dynamic_shifting", "invert_sigmas"):
            if getattr(config, option, False):
                raise TypeError(f"{type(scheduler).__name__} cannot drive a diffusion here with {option}, which is for pictures.")
        self.count = int(config.num_train_timesteps)
        self.shift = float(getattr(config, "shift", getattr(config, "flow_shift", 1.0)))

    def timesteps(self, place: Tensor) -> Tensor:
        """Choose training timesteps; see `NoiseProcess.timesteps`."""
        numbers = (place * self.count).long().clamp(max=self.count - 1) + 1
        return self._shifted(numbers / self.count) * self.count

    def _shifted(self, sigma: Tensor) -> Tensor:
        return self.shift * sigma / (1 + (self.shift - 1) * sigma)

    def noise_level(self, timestep: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the noise level; see `NoiseProcess.noise_level`."""
        sigma = timestep / self.count
        return 1 - sigma, sigma

    def levels(self) -> Tensor:
        """(N, 2) α and σ; see `NoiseProcess.levels`."""
        return torch.stack(self.noise_level(self.timesteps((torch.arange(self.count) + 0.5) / self.count)), 1)

    def options_of(self, kind: type) -> dict[str, Any]:
        """Make solvers of both families solve flows; see `NoiseProcess.options_of`."""
        if "use_flow_sigmas" not in inspect.signature(kind).parameters:
            return {}
        return {"use_flow_sigmas": True, "flow_shift": self.shift, "prediction_type": FLOW}

    def at_even_steps(self, steps: int) -> dict[str, Any]:
        """Make the arguments for even steps; see `NoiseProcess.at_even_steps`."""
        # as the pipelines of diffusers do: the scheduler's own last step would go from σ = 0.001 to 0, one of few wasted
        even = {"sigmas": np.linspace(1, 1 / steps, steps).tolist()}
        return even if self._takes_sigmas() else super().at_even_steps(steps)

    def at_ratios(self, ratios: Sequence[float]) -> dict[str, Any] | None:
        """Make the arguments for noise levels of our own; see `NoiseProcess.at_ratios`."""
        sigmas = np.array([1.0, *(ratio / (1 + ratio) for ratio in ratios)])
        even = sigmas / (self.shift - (self.shift - 1) * sigmas)  # which the scheduler shifts
        return {"sigmas": even.tolist()} if self._takes_sigmas() else None

    def _takes_sigmas(self) -> bool:
        return issubclass(type(self.scheduler), FlowMatchEulerDiscreteScheduler)  # isinstance would narrow to a class without types


def noise_process(noise_scheduler: SchedulerMixin) -> NoiseProcess:
    """Find how a noise scheduler mixes samples and noise.

    Args:
        noise_scheduler: Any scheduler of diffusers.

    Returns:
        The process.

    Raises:
        TypeError: If it lacks a method, or the noise levels of its training timesteps.

    Example:
        >>> noise_process(FlowMatchEulerDiscreteScheduler()).prediction_type
        'flow_prediction'
    """
    missing = [name for name in _SCHEDULER_METHODS if not callable(getattr(noise_scheduler, name, None))]
    config = getattr(noise_scheduler, "config", None)
    flow = getattr(config, "prediction_type", None) == FLOW or callable(getattr(noise_scheduler, "scale_noise", None))
    levels = "num_train_timesteps" if flow else "alphas_cumprod"
    if not hasattr(config if flow else noise_scheduler, levels):
        missing.append(levels)
    if missing:
        raise TypeError(f"{type(noise_scheduler).__name__} cannot drive a diffusion here: it lacks {', '.join(missing)}.")
    if flow and hasattr(noise_scheduler, "alphas_cumprod") and not getattr(config, "use_flow_sigmas", False):
        raise TypeError(f"{type(noise_scheduler).__name__} with prediction_type {FLOW} needs use_flow_sigmas: true.")
    return FlowMatching(noise_scheduler) if flow else VariancePreserving(noise_scheduler)


def scheduler_like(own: Any, kind: Any, arguments: Mapping[str, Any]) -> SchedulerMixin:
    """Make another noise scheduler for a model's drawing, which takes over how the model was trained.

    Args:
        own: The model's noise scheduler.
        kind: The other's class.
        arguments: Arguments of it that differ from `own`'s.

    Returns:
        The other, with the betas and the prediction type of `own`.

    Raises:
        InputError: If it cannot draw what the model was trained on.

    Example:
        >>> from diffusers import DDIMScheduler, UniPCMultistepScheduler
        >>> other = scheduler_like(DDIMScheduler(beta_schedule="linear"), UniPCMultistepScheduler, {"solver_order": 3})
        >>> other.config.beta_schedule, other.config.solver_order
        ('linear', 3)
    """
    process = noise_process(own)
    # DDIM clips to −1..1 unless told otherwise, which is for pictures
    clips = {"clip_sample": getattr(own.config, "clip_sample", False)} if "clip_sample" in inspect.signature(kind).parameters else {}
    try:
        swapped = kind.from_config(own.config, **{**clips, **process.options_of(kind), **arguments})
        alike = type(noise_process(swapped)) is type(process)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise InputError(f"{kind.__name__} cannot draw here: {' '.join(str(error).split())[:300]}") from error
    if not alike:
        raise InputError(f"{kind.__name__} cannot draw here: the model was trained {process.trained}.")
    return swapped
