"""`WindowDiffusion`: what the motion and the video model have in common."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor

from tbd.draw.optim import ExactModule, OptimizerConfig
from tbd.draw.randomness import SampleNoise
from tbd.draw.sampling import expand_as
from tbd.draw.training_options import TrainingConfig
from tbd.draw.window_model import WindowModel


@dataclass
class NoisyWindows:
    """B training windows with noise on them.

    Args:
        inputs: (B, T, C, …) the denoiser's input: the past, and noisy frames behind it.
        noisy: (B, T, C, …) the noisy windows, the past as noisy as the rest.
        noise: (B, T, C, …) the noise that was added.
        timestep: (B,) the noise scheduler's training timesteps.
        alpha: (B, 1, 1, …) of x_t = α·x₀ + σ·ε.
        sigma: (B, 1, 1, …).
        past: (B, T, C, …) the past with a little noise, zeros behind it.
        past_mask: (B, T) 1 at the frames of the past.
        kept: Condition → (B,) 1 where it is kept; see `ConditioningDropout`.
    """

    inputs: Tensor
    noisy: Tensor
    noise: Tensor
    timestep: Tensor
    alpha: Tensor
    sigma: Tensor
    past: Tensor
    past_mask: Tensor
    kept: dict[str, Tensor]


class WindowDiffusion(WindowModel, ExactModule):
    """A diffusion over windows that continue one another, conditioned on a plan and a recording: what draws, and its training."""

    device = ExactModule.device  # Lightning's, which follows what a strategy does

    def set_training(self, training: TrainingConfig, optimizer: OptimizerConfig) -> None:
        """Take what training alone reads, to be called in the constructor.

        Args:
            training: Dropped conditions, noise, seed.
            optimizer: AdamW and its learning rate.
        """
        self.optimizer = optimizer
        self.training_config, self.noise_seed = training, training.seed  # `training` is PyTorch's, as opposed to `eval`

    def add_noise(self, clean: Tensor, ids: Sequence[int]) -> NoisyWindows:
        """Add noise to training windows and withhold conditions, as the samples' numbers decide.

        Args:
            clean: (B, T, C, …) the windows.
            ids: B numbers, each of which stands for one sample of one epoch.

        Returns:
            The noisy windows.
        """
        dropout, options = self.training_config.conditioning_dropout, self.training_config.noise
        columns = len(dropout.conditions) + 1  # and the timestep's
        sample_noise = SampleNoise.of(ids, self.run_seed, tuple(clean.shape[1:]), columns, clean.device)
        kept = dropout.keep(sample_noise.uniform)
        timestep = self.noise_process.timesteps(sample_noise.uniform[:, -1] ** (1 / (1 + options.timestep_bias)))
        noise = sample_noise.noise + options.offset * sample_noise.shift
        # not the scheduler's own `add_noise`: those of diffusers' multistep solvers look noise levels up among the timesteps of drawing,
        # in the wrong order before the first drawing and at the nearest of a few after it
        alpha, sigma = self.noise_level(timestep, clean)
        noisy = alpha * clean + sigma * noise
        past_mask = kept["past"][:, None] * (torch.arange(clean.shape[1], device=clean.device) < self.past_frames)  # (B, T)
        is_past = expand_as(past_mask, clean)
        past = (clean + options.past * sample_noise.past_noise) * is_past
        return NoisyWindows(torch.where(is_past > 0, past, noisy), noisy, noise, timestep, alpha, sigma, past, past_mask, kept)

    def noise_level(self, timestep: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """Look up the noise level of training timesteps.

        Args:
            timestep: (B,) training timesteps.
            like: (B, T, C, …) a tensor of the windows' shape.

        Returns:
            α and σ of x_t = α·x₀ + σ·ε, (B, 1, 1, …) each.
        """
        alpha, sigma = self.noise_process.noise_level(timestep)
        return expand_as(alpha, like), expand_as(sigma, like)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Build AdamW and its learning rate; called by Lightning."""
        return self.optimizer.configure(self)
