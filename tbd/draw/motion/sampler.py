"""`MotionSampler`: the part of a motion diffusion that draws."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from tbd import DEFAULT_SEED
from tbd.draw.conditioning.audio_encoder import AudioEncoder
from tbd.draw.conditioning.plan_encoder import PlanEncoder
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.diffusers_schedulers import SchedulerMixin
from tbd.draw.guidance.base import Guidance
from tbd.draw.motion.batched import ClipRequest, draw_pieces
from tbd.draw.motion.denoiser import Denoiser
from tbd.draw.sampling import CFGBatch, Past, repeat_batch, require_widths
from tbd.draw.window_model import WindowModel
from tbd.draw.window_options import SamplingConfig, WindowConfig
from tbd.face.channels import CHANNELS
from tbd.face.motion import Motion
from tbd.think.action_units import REGIONS
from tbd.think.facs import CHANNEL_REGIONS
from tbd.think.plan import MusclePlan

WINDOWS = WindowConfig(frames=110, past=10)
SAMPLING = SamplingConfig(num_inference_steps=10, crossfade_frames=5)
"""How windows are and are drawn, where nothing else is said."""


class MotionSampler(WindowModel):
    """Draws motion from a recording and a plan: all of a `tbd.draw.motion.diffusion.MotionDiffusion` but its training.

    Args:
        denoiser: Predicts clean motion.
        plan_encoder: Plan → tokens, of the denoiser's `plan_dim`.
        audio_encoder: Waveform → features, of the denoiser's `audio_dim`.
        noise_scheduler: As for `MotionDiffusion`.
        guidance: How the branches are combined.
        windows: How long the windows are, and how they continue one another.
        sampling: How windows are drawn.

    Raises:
        TypeError: If the noise scheduler lacks a method that sampling calls.
        ValueError: If an encoder's width is not the denoiser's.

    Example:
        >>> from tbd.draw.motion.loading import load_motion_model
        >>> model = load_motion_model()
        >>> type(model).__name__, model.window_frames
        ('MotionSampler', 110)
    """

    trained_by: ClassVar[tuple[str, ...]] = ("tbd.draw.motion.diffusion.MotionDiffusion", "tbd.MotionDiffusion")
    training_arguments: ClassVar[tuple[str, ...]] = ("training", "optimizer", "initial", "validation", "compile")

    denoiser: Denoiser
    mean: Tensor
    std: Tensor
    region_masks: Tensor
    """(5, 1, 1, 58): which channels belong to which region of `REGIONS`."""

    def __init__(
        self,
        denoiser: Denoiser,
        plan_encoder: PlanEncoder,
        audio_encoder: AudioEncoder,
        noise_scheduler: SchedulerMixin,
        guidance: Guidance,
        windows: WindowConfig = WINDOWS,
        sampling: SamplingConfig = SAMPLING,
    ) -> None:
        super().__init__(denoiser, plan_encoder, audio_encoder, noise_scheduler, guidance, windows, sampling)
        require_widths(plan_encoder, denoiser.plan_dim, audio_encoder, denoiser.audio_dim)
        self.register_buffer("mean", torch.zeros(len(CHANNELS)))
        self.register_buffer("std", torch.ones(len(CHANNELS)))
        self.register_buffer("region_masks", region_masks(), persistent=False)

    def normalise(self, motion: Tensor) -> Tensor:
        """(..., 58) motion → zero mean and unit deviation."""
        return (motion - self.mean) / self.std

    def denormalise(self, motion: Tensor) -> Tensor:
        """(..., 58) normalised motion → motion."""
        return motion * self.std + self.mean

    @torch.no_grad()
    def generate(
        self,
        audio: np.ndarray,
        plan: MusclePlan,
        seed: int = DEFAULT_SEED,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
    ) -> Iterator[Motion]:
        """Draw the motion of a recording, window by window, in constant memory.

        Args:
            audio: (N,) float32 samples at 16 kHz.
            plan: The muscle plan, its times in seconds from the start.
            seed: The same seed gives the same motion.
            guidance: How the branches are combined; None for this model's own.
            num_inference_steps: Denoising steps; None for this model's own number.

        Yields:
            Consecutive pieces of motion, together ceil(N / 640) frames.
        """
        for _, new in draw_pieces(self, [ClipRequest(audio, plan, seed)], guidance or self.guidance, num_inference_steps):
            yield Motion(new[0].float().cpu().numpy()).clamped()

    @torch.no_grad()
    def sample_window(
        self,
        audio: Tensor,
        plan: PlanTensors,
        past: Tensor | None = None,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
        noise: Tensor | None = None,
        phones: Tensor | None = None,
        crossfade_frames: int | None = None,
    ) -> Tensor:
        """Draw one window by the full sampling loop.

        Args:
            audio: (B, (T + 2·context)·640) samples.
            plan: B plans in window time.
            past: (B, P, 58) motion that the window's first P frames repeat.
            guidance: How the branches are combined; None draws the fully conditioned branch alone.
            num_inference_steps: Denoising steps; None for the model's own number.
            noise: (B, T, 58) noise to start from; drawn where not given.
            phones: (B, (T + 2·context)·4) for an audio encoder that takes them.
            crossfade_frames: Frames over which the difference to the past fades out; None for the model's own number.

        Returns:
            (B, T, 58) motion, its first P frames the past's.
        """
        audio_embeds = self.audio_encoder(audio, phones)  # (B, T, D)
        shape = (*audio_embeds.shape[:2], len(CHANNELS))
        noise = torch.randn(shape, device=audio.device) if noise is None else noise.to(audio.device)
        known = Past.of(None if past is None else self.normalise(past), noise)
        conditioning, masks = (audio_embeds, known), self.region_masks
        drawn = self.denoise_windows(
            plan, conditioning, known, noise, masks, guidance, num_inference_steps, crossfade_frames=crossfade_frames
        )
        return self.denormalise(drawn)

    def prepare(self, batch: CFGBatch, conditioning: tuple[Tensor, Past]) -> tuple[Any, ...]:
        """Repeat for each branch what all share; see `WindowModel.prepare`.

        Args:
            batch: What differs between the branches.
            conditioning: The audio's features (B, T, D), and the past.

        Returns:
            The denoiser's arguments behind the timestep.
        """
        audio_embeds, past = conditioning
        audio_embeds, values, mask = (repeat_batch(x, len(batch.branches)) for x in (audio_embeds, past.values, past.mask))
        return audio_embeds, batch.audio_mask, batch.plan, values, mask

    def predict(self, noisy: Tensor, timestep: Tensor, prepared: tuple[Any, ...], step: int) -> Tensor:
        """Run the denoiser once for n branches of B windows; see `WindowModel.predict`.

        Args:
            noisy: (n·B, T, 58) the windows, branch by branch.
            timestep: (n·B,) the training timestep.
            prepared: What `prepare` has made.
            step: The number of the denoising step, which changes nothing here.

        Returns:
            (n·B, T, 58) predictions.
        """
        return self.denoiser(noisy, timestep, *prepared)


def region_masks() -> Tensor:
    """(5, 1, 1, 58): which channels belong to which region of `REGIONS`."""
    return torch.tensor([[float(CHANNEL_REGIONS[channel] == region) for channel in CHANNELS] for region in REGIONS])[:, None, None]
