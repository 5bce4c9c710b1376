"""`WindowDiffusion`: what the motion and the video model have in common."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import SchedulerMixin
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn

from tbd.draw.conditioning.audio_encoder import AudioEncoder
from tbd.draw.conditioning.plan_encoder import PlanEncoder
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.guidance.base import Branch, Guidance
from tbd.draw.noise_scheduler import NoiseProcess, noise_process
from tbd.draw.optim import ExactModule, OptimizerConfig
from tbd.draw.randomness import SampleNoise
from tbd.draw.sampling import CFGBatch, Past, build_cfg_batch, denoise, expand_as, repeat_batch
from tbd.draw.training_options import TrainingConfig
from tbd.draw.window_options import SamplingConfig, WindowConfig
from tbd.media.rates import FPS


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


class WindowDiffusion(ExactModule):
    """A diffusion over windows that continue one another, conditioned on a plan and a recording.

    Args:
        denoiser: Predicts from noisy windows.
        plan_encoder: Plan → tokens.
        audio_encoder: Waveform → features.
        noise_scheduler: Any noise scheduler of diffusers: variance preserving or of flow matching; see `tbd.draw.noise_scheduler`.
        guidance: How the branches are combined when drawing.
        windows: How long the windows are, and how they continue one another.
        sampling: How windows are drawn.
        training: What training alone reads.
        optimizer: AdamW and its learning rate.

    Raises:
        TypeError: If the noise scheduler lacks a method that sampling or training calls.
    """

    plan_encoder: PlanEncoder
    audio_encoder: AudioEncoder

    def __init__(
        self,
        denoiser: nn.Module,
        plan_encoder: PlanEncoder,
        audio_encoder: AudioEncoder,
        noise_scheduler: SchedulerMixin,
        guidance: Guidance,
        windows: WindowConfig,
        sampling: SamplingConfig,
        training: TrainingConfig,
        optimizer: OptimizerConfig,
    ) -> None:
        super().__init__()
        self.denoiser, self.plan_encoder, self.audio_encoder = denoiser, plan_encoder, audio_encoder
        noise_process(noise_scheduler)
        self.noise_scheduler = noise_scheduler
        self.guidance, self.sampling, self.optimizer = guidance, sampling, optimizer
        self.window_frames, self.past_frames = windows.frames, windows.past
        self.training_config, self.noise_seed = training, training.seed  # `training` is PyTorch's, as opposed to `eval`

    @abstractmethod
    def prepare(self, batch: CFGBatch, conditioning: Any) -> Any:
        """Make what the denoiser reads of n branches of B windows, which does not change from step to step.

        Args:
            batch: What differs between the branches.
            conditioning: What all branches share, as `denoise_windows` was given it.

        Returns:
            What `predict` is given at each step.
        """

    @abstractmethod
    def predict(self, noisy: Tensor, timestep: Tensor, prepared: Any, step: int) -> Tensor:
        """Run the denoiser once for n branches of B windows.

        Args:
            noisy: (n·B, T, C, …) the windows, branch by branch.
            timestep: (n·B,) the training timestep.
            prepared: What `prepare` has made.
            step: The number of the denoising step, from 0.

        Returns:
            (n·B, T, C, …) predictions.
        """

    def denoise_windows(
        self,
        plan: PlanTensors,
        conditioning: Any,
        past: Past,
        noise: Tensor,
        region_masks: Tensor,
        guidance: Guidance | None,
        num_inference_steps: int | None,
        sequential: bool = False,
        crossfade_frames: int | None = None,
    ) -> Tensor:
        """Draw B windows by the full sampling loop.

        Args:
            plan: B plans in window time.
            conditioning: What else `prepare` needs.
            past: The frames that the windows repeat.
            noise: (B, T, C, …) normal noise to start from.
            region_masks: (5, …) as for `denoise`.
            guidance: How the branches are combined; None draws the fully conditioned branch alone.
            num_inference_steps: Denoising steps; None for the model's own number.
            sequential: Whether to run one branch after the other.
            crossfade_frames: Frames over which the difference to the past fades out; None for the model's own number.

        Returns:
            (B, T, C, …) windows.
        """
        size, times = len(noise), self.times(noise.shape[1])
        cond_plan = self.plan_encoder(plan, times)
        uncond_plan = self.plan_encoder(plan.neutral(), times) if self.sampling.uncond_mode == "neutral" else None

        prepared: dict[tuple[Branch, ...], Any] = {}

        def predict(branches: tuple[Branch, ...], noisy: Tensor, timestep: Tensor, step: int) -> dict[Branch, Tensor]:
            n = len(branches)
            if branches not in prepared:
                prepared[branches] = self.prepare(build_cfg_batch(branches, size, cond_plan, uncond_plan, like=noisy), conditioning)
            timesteps = timestep.to(noisy.device).expand(n * size)
            preds = self.predict(repeat_batch(noisy, n), timesteps, prepared[branches], step)
            return dict(zip(branches, preds.float().chunk(n)))

        return denoise(
            predict,
            noise,
            past,
            self.noise_scheduler,
            num_inference_steps or self.sampling.num_inference_steps,
            guidance,
            region_masks,
            self.sampling.crossfade_frames if crossfade_frames is None else crossfade_frames,
            sequential,
            self.sampling.spacing,
        )

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

    @property
    def prediction_type(self) -> str:
        """What the denoiser predicts: ``sample``, ``epsilon``, ``v_prediction`` or ``flow_prediction``."""
        return self.noise_process.prediction_type

    @property
    def noise_process(self) -> NoiseProcess:
        """How the noise scheduler, which may be replaced by another between two drawings, mixes samples and noise."""
        return noise_process(self.noise_scheduler)

    def times(self, frames: int) -> Tensor:
        """(T,) seconds of a window's frames from its start."""
        return torch.arange(frames, device=self.device) / FPS

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Build AdamW and its learning rate; called by Lightning."""
        return self.optimizer.configure(self)
