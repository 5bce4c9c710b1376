"""`VideoSampler`: the part of a video diffusion that draws."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from tbd.draw.conditioning.audio_encoder import frames_of
from tbd.draw.conditioning.plan_encoder import PlanEmbeds
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.guidance.base import Guidance
from tbd.draw.randomness import WindowNoise
from tbd.draw.sampling import AudioWindows, Past, draw_windows, repeat_batch
from tbd.draw.video.autoencoder import LatentCodec
from tbd.draw.video.denoiser import ReferenceFeatures, VideoConditioning, VideoDenoiser
from tbd.draw.window_diffusion import WindowDiffusion
from tbd.errors import InputError
from tbd.media.rates import FPS
from tbd.think.plan import MusclePlan


class VideoSampler(WindowDiffusion):
    """Draws video from a portrait, a coarse motion of it, a plan and a recording."""

    denoiser: VideoDenoiser
    autoencoder: LatentCodec

    @torch.no_grad()
    def generate(
        self,
        portrait: np.ndarray,
        coarse: Iterable[np.ndarray],
        region_masks: np.ndarray,
        audio: np.ndarray,
        plan: MusclePlan,
        seed: int = 0,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
        sequential: bool = False,
    ) -> Iterator[np.ndarray]:
        """Draw the video of a recording, window by window, in constant memory.

        Args:
            portrait: (H, W, 3) uint8 RGB.
            coarse: The mesh-warped portrait, one (H, W, 3) uint8 frame for each 640 samples of audio.
            region_masks: (5, h, w) 0..1 over the latent, in the order of `REGIONS`.
            audio: (N,) float32 samples at 16 kHz.
            plan: The muscle plan, its times in seconds from the start.
            seed: The same seed gives the same video.
            guidance: How the branches are combined; None for this model's own.
            num_inference_steps: Denoising steps; None for this model's own number.
            sequential: Whether to run one branch of a step after the other: slower, in a third of the memory.

        Yields:
            ceil(N / 640) frames (H, W, 3) uint8 RGB.

        Raises:
            InputError: If sizes do not fit, or there are too few coarse frames.
        """
        f, (height, width) = self.autoencoder.factor, portrait.shape[:2]
        if height % f or width % f or region_masks.shape != (5, height // f, width // f):
            raise InputError(f"A portrait of {height}×{width} pixels needs sides that are multiples of {f}, and masks of an {f}th of them.")
        images, masks = iter(coarse), torch.from_numpy(np.asarray(region_masks, np.float32))

        def hints(wanted: int) -> Tensor:
            """(1, wanted, C, h, w) latents of the next coarse frames."""
            fresh = list(islice(images, wanted))
            if len(fresh) < wanted:
                raise InputError("The coarse video ends before the audio; it has one frame for each 640 samples.")
            for image in fresh:
                if image.shape != portrait.shape:
                    raise InputError(f"Coarse frames have the portrait's size {portrait.shape}; this one has {image.shape}.")
            return self.latents(_pixels(np.stack(fresh)[None]).to(self.device))

        latents = self.latents(_pixels(portrait[None]).to(self.device))
        for new in self.draw_latents(latents, hints, masks, audio, plan, seed, guidance, num_inference_steps, sequential):
            for frame in self.autoencoder.decode(new)[0]:
                yield (frame.permute(1, 2, 0) * 255).round().to(torch.uint8).cpu().numpy()

    @torch.no_grad()
    def draw_latents(
        self,
        portrait: Tensor,
        hints: Callable[[int], Tensor],
        region_masks: Tensor,
        audio: np.ndarray,
        plan: MusclePlan,
        seed: int = 0,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
        sequential: bool = False,
    ) -> Iterator[Tensor]:
        """Draw the video of a recording as `generate` does, from latents to latents.

        Args:
            portrait: (1, C, h, w) latents.
            hints: Gives the next so many coarse frames, (1, n, C, h, w) latents on this model's device.
            region_masks: (5, h, w) 0..1, in the order of `REGIONS`.
            audio: (N,) float32 samples at 16 kHz.
            plan: The muscle plan, its times in seconds from the start.
            seed: The same seed gives the same video.
            guidance: How the branches are combined; None for this model's own.
            num_inference_steps: Denoising steps; None for this model's own number.
            sequential: Whether to run one branch of a step after the other.

        Yields:
            Consecutive pieces (1, n, C, h, w), together ceil(N / 640) frames.
        """
        frames, t, recording = frames_of(len(audio)), self.window_frames, AudioWindows(audio, self.audio_encoder)
        plans, masks = PlanTensors.collate([plan]).to(self.device), region_masks[None].float().to(self.device)
        reference, noise = self.denoiser.encode_reference(portrait), WindowNoise([seed], (t, *portrait.shape[1:]))
        nothing = hint = torch.zeros(1, 0, *portrait.shape[1:], device=self.device)

        def draw(start: int, past: Tensor) -> Tensor:
            nonlocal hint
            known = past.shape[1]
            hint = torch.cat([hint[:, hint.shape[1] - known :], hints(min(t, frames - start) - known)], 1)
            hint = torch.cat([hint, hint[:, -1:].expand(-1, t - hint.shape[1], -1, -1, -1)], 1)  # the last again to the end
            return self.sample_window(
                reference,
                hint,
                masks,
                recording.window(start, t, self.device)[0],
                plans.shifted(torch.tensor([start / FPS], device=self.device)),
                past,
                guidance=guidance or self.guidance,
                num_inference_steps=num_inference_steps,
                noise=noise.next(1),
                sequential=sequential,
            )

        for _, new in draw_windows(draw, [frames], nothing, t, self.past_frames):
            yield new

    @torch.no_grad()
    def sample_window(
        self,
        reference: ReferenceFeatures,
        hint: Tensor,
        region_masks: Tensor,
        audio: Tensor,
        plan: PlanTensors,
        past: Tensor | None = None,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
        noise: Tensor | None = None,
        sequential: bool = False,
    ) -> Tensor:
        """Draw one window by the full sampling loop.

        Args:
            reference: The features of B portraits, from `VideoDenoiser.encode_reference`.
            hint: (B, T, C, h, w) latents of the coarse frames.
            region_masks: (B, 5, h, w) 0..1.
            audio: (B, (T + 2·context)·640) samples.
            plan: B plans in window time.
            past: (B, P, C, h, w) latents that the window's first P frames repeat.
            guidance: How the branches are combined; None draws the fully conditioned branch alone.
            num_inference_steps: Denoising steps; None for the model's own number.
            noise: (B, T, C, h, w) noise to start from; drawn where not given.
            sequential: Whether to run one branch after the other.

        Returns:
            (B, T, C, h, w) latents, the first P the past's.
        """
        known, noise = Past.of(past, hint), torch.randn_like(hint) if noise is None else noise.to(hint.device)
        shared = (reference, self.audio_encoder(audio), hint, region_masks, known.mask)
        masks = region_masks.transpose(0, 1)[:, :, None, None]  # (5, B, 1, 1, h, w)
        return self.denoise_windows(plan, shared, known, noise, masks, guidance, num_inference_steps, sequential)

    def predict(
        self,
        n: int,
        noisy: Tensor,
        timestep: Tensor,
        plan: PlanEmbeds,
        audio_mask: Tensor,
        conditioning: tuple[ReferenceFeatures, Tensor, Tensor, Tensor, Tensor],
    ) -> Tensor:
        """Run the denoiser once for n branches of B windows.

        Args:
            n: Number of branches.
            noisy: (n·B, T, C, h, w) the windows, branch by branch.
            timestep: (n·B,) the training timestep.
            plan: The plans of all branches.
            audio_mask: (n·B,) 1 where the audio is given.
            conditioning: The reference's features, the audio's features (B, T, D), the hint (B, T, C, h, w), the region masks
                (B, 5, h, w), and the mask of the past (B, T).

        Returns:
            (n·B, T, C, h, w) predictions.
        """
        reference, audio_embeds, hint, masks, past_mask = conditioning
        audio_embeds, hint, masks, past_mask = (repeat_batch(x, n) for x in (audio_embeds, hint, masks, past_mask))
        every = VideoConditioning(plan, audio_embeds, audio_mask, hint, masks, past_mask)
        return self.denoiser(noisy, timestep, {name: repeat_batch(x, n) for name, x in reference.items()}, every)

    def latents(self, frames: Tensor) -> Tensor:
        """uint8 pixels (..., 3, H, W) → latents; latents as they are."""
        return self.autoencoder.encode(frames.float() / 255) if frames.dtype == torch.uint8 else frames.float()


def _pixels(images: np.ndarray) -> Tensor:
    """(..., H, W, 3) uint8 → (..., 3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, -3)))
