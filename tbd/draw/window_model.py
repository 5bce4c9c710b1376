"""`WindowModel`: the part of a diffusion over windows that draws, which needs no Lightning."""

from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from tbd.draw.conditioning.audio_encoder import AudioEncoder
from tbd.draw.conditioning.plan_encoder import PlanEncoder
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.diffusers_schedulers import SchedulerMixin
from tbd.draw.guidance.base import Branch, Guidance
from tbd.draw.noise_scheduler import NoiseProcess, noise_process
from tbd.draw.sampling import CFGBatch, Past, build_cfg_batch, denoise, repeat_batch
from tbd.draw.window_options import SamplingConfig, WindowConfig
from tbd.media.rates import FPS


class WindowModel(nn.Module):
    """Networks that draw windows which continue one another, conditioned on a plan and a recording.

    Lightning, of which a training is made, takes longer to import than ten seconds of motion take to draw. So what draws is a plain
    module, and `tbd.draw.window_diffusion.WindowDiffusion` adds the training.

    Args:
        denoiser: Predicts from noisy windows.
        plan_encoder: Plan → tokens.
        audio_encoder: Waveform → features.
        noise_scheduler: Any noise scheduler of diffusers: variance preserving or of flow matching; see `tbd.draw.noise_scheduler`.
        guidance: How the branches are combined when drawing.
        windows: How long the windows are, and how they continue one another.
        sampling: How windows are drawn.

    Raises:
        TypeError: If the noise scheduler lacks a method that sampling or training calls.
    """

    trained_by: ClassVar[tuple[str, ...]] = ()
    """Class paths of the models that are trained and drawn with by a class of plain modules."""
    training_arguments: ClassVar[tuple[str, ...]] = ()
    """Arguments of those that drawing does without."""
    content: dict[str, Any] | None = None
    """Class path and arguments that the model was loaded from; None where Python code has built it."""

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
    ) -> None:
        super().__init__()
        self.denoiser, self.plan_encoder, self.audio_encoder = denoiser, plan_encoder, audio_encoder
        noise_process(noise_scheduler)
        self.noise_scheduler = noise_scheduler
        self.guidance, self.sampling = guidance, sampling
        self.window_frames, self.past_frames = windows.frames, windows.past

    @property
    def device(self) -> torch.device:
        """Where it draws."""
        return next(self.parameters()).device

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
