"""`VideoSampler`: the part of a video diffusion that draws."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tbd import DEFAULT_SEED
from tbd.draw.conditioning.audio_encoder import frames_of
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.guidance.base import Guidance
from tbd.draw.randomness import WindowNoise
from tbd.draw.sampling import AudioWindows, CFGBatch, Past, draw_windows, repeat_batch
from tbd.draw.video.autoencoder import LatentCodec
from tbd.draw.video.denoiser import ReferenceFeatures, VideoConditioning, VideoDenoiser
from tbd.draw.video.feature_reuse import DeepFeatures
from tbd.draw.video.hints import HintConfig
from tbd.draw.video.sampling_options import VideoSamplingConfig
from tbd.draw.window_diffusion import WindowDiffusion
from tbd.errors import InputError
from tbd.media.rates import FPS
from tbd.think.plan import MusclePlan


@dataclass
class WindowInputs:
    """What all branches of B windows share.

    Args:
        reference: The portraits' features, from `VideoDenoiser.encode_reference`, and what `VideoDenoiser.read_portrait` read of them.
        audio_embeds: (B, T, D) the audio's features.
        hint: (B, T, C, h, w) latents of the coarse frames.
        neutral_hint: (B, T, C, h, w) the same of a neutral plan, for branches without emotion and muscles; None where those have `hint`.
        region_masks: (B, 5, h, w) 0..1.
        past: The frames that the windows repeat.
    """

    reference: ReferenceFeatures
    audio_embeds: Tensor
    hint: Tensor
    neutral_hint: Tensor | None
    region_masks: Tensor
    past: Past


class PreparedBranches(NamedTuple):
    """What the denoiser is given at every step of n branches of B windows, besides the noisy windows.

    Args:
        reference: The portraits' features, as `VideoDenoiser.condition` makes them.
        conditioning: All other conditions.
        deep: What its deep layers make, where that is reused.
    """

    reference: ReferenceFeatures
    conditioning: VideoConditioning
    deep: DeepFeatures | None


class VideoSampler(WindowDiffusion):
    """Draws video from a portrait, a coarse motion of it, a plan and a recording."""

    sampling: VideoSamplingConfig
    denoiser: VideoDenoiser
    autoencoder: LatentCodec
    hints: HintConfig

    @torch.no_grad()
    def generate(
        self,
        portrait: np.ndarray,
        coarse: Iterable[np.ndarray],
        region_masks: np.ndarray,
        audio: np.ndarray,
        plan: MusclePlan,
        seed: int = DEFAULT_SEED,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
        sequential: bool = False,
        neutral_coarse: Iterable[np.ndarray] | None = None,
        portrait_features: ReferenceFeatures | None = None,
    ) -> Iterator[np.ndarray]:
        """Draw the video of a recording, window by window, in constant memory.

        Args:
            portrait: (H, W, 3) uint8 RGB.
            coarse: The mesh-warped portrait, one (H, W, 3) uint8 frame for each 640 samples of audio; not read where the denoiser has
                no use for it.
            region_masks: (5, h, w) 0..1 over the latent, in the order of `REGIONS`.
            audio: (N,) float32 samples at 16 kHz.
            plan: The muscle plan, its times in seconds from the start.
            seed: The same seed gives the same video.
            guidance: How the branches are combined; None for this model's own.
            num_inference_steps: Denoising steps; None for this model's own number.
            sequential: Whether to run one branch of a step after the other: slower, in a third of the memory.
            neutral_coarse: The same as `coarse` of a neutral plan, for branches that are given no plan; None gives them `coarse`.
            portrait_features: What `VideoDenoiser.read_portrait` read of the portrait, for a denoiser that needs it.

        Yields:
            ceil(N / 640) frames (H, W, 3) uint8 RGB.

        Raises:
            InputError: If sizes do not fit, or there are too few coarse frames.
        """
        f, (height, width) = self.autoencoder.factor, portrait.shape[:2]
        if height % f or width % f or region_masks.shape != (5, height // f, width // f):
            raise InputError(f"A portrait of {height}×{width} pixels needs sides that are multiples of {f}, and masks of an {f}th of them.")
        masks = torch.from_numpy(np.asarray(region_masks, np.float32))

        def hints_of(video: Iterable[np.ndarray]) -> Callable[[int], Tensor]:
            images = iter(video)

            def hints(wanted: int) -> Tensor:
                """(1, wanted, C, h, w) latents of the next coarse frames."""
                fresh = list(islice(images, wanted))
                if len(fresh) < wanted:
                    raise InputError("The coarse video ends before the audio; it has one frame for each 640 samples.")
                for image in fresh:
                    if image.shape != portrait.shape:
                        raise InputError(f"Coarse frames have the portrait's size {portrait.shape}; this one has {image.shape}.")
                return self.latents(_pixels(np.stack(fresh)[None]).to(self.device))

            return hints

        latents = self.latents(_pixels(portrait[None]).to(self.device))
        neutral_hints = None if neutral_coarse is None else hints_of(neutral_coarse)
        rest = (seed, guidance, num_inference_steps, sequential, neutral_hints, portrait_features)
        for new in self.draw_latents(latents, hints_of(coarse), masks, audio, plan, *rest):
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
        seed: int = DEFAULT_SEED,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
        sequential: bool = False,
        neutral_hints: Callable[[int], Tensor] | None = None,
        portrait_features: ReferenceFeatures | None = None,
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
            neutral_hints: The same as `hints` of a neutral plan, for branches that are given no plan.
            portrait_features: What `VideoDenoiser.read_portrait` read of the portrait.

        Yields:
            Consecutive pieces (1, n, C, h, w), together ceil(N / 640) frames.
        """
        frames, t, recording = frames_of(len(audio)), self.window_frames, AudioWindows(audio, self.audio_encoder)
        plans, masks = PlanTensors.collate([plan]).to(self.device), region_masks[None].float().to(self.device)
        reference = {**self.denoiser.encode_reference(portrait), **_on(portrait_features or {}, self.device)}
        noise = WindowNoise([seed], (t, *portrait.shape[1:]))
        first = self.past_frames if self.denoiser.needs_past else 0
        sources = [hints, *([neutral_hints] if neutral_hints is not None else [])] if self.denoiser.reads_hint else []
        strips = [_HintStrip(source, frames, t) for source in sources]
        nowhere = torch.zeros(1, t, *portrait.shape[1:], device=self.device)

        def draw(start: int, past: Tensor) -> Tensor:
            found = [strip.window(start, past.shape[1]) for strip in strips]
            return self.sample_window(
                reference,
                found[0] if found else nowhere,
                masks,
                None,
                plans.shifted(torch.tensor([start / FPS], device=self.device)),
                self._as_read_again(past),
                guidance=guidance or self.guidance,
                num_inference_steps=num_inference_steps,
                noise=noise.next(1),
                sequential=sequential,
                audio_embeds=recording.embeds(start, t, self.device),
                neutral_hint=found[1] if len(found) > 1 else None,
            )

        # where each window continues something, the first continues the portrait held still
        before = portrait[:, None].expand(-1, first, -1, -1, -1)
        for _, new in draw_windows(draw, [frames], before, t, self.past_frames):
            yield new

    def _as_read_again(self, past: Tensor) -> Tensor:
        """The past as it was drawn or, for networks that were used so, decoded to pixels and encoded again."""
        if not self.denoiser.rereads_past or not past.shape[1]:
            return past
        return self.autoencoder.encode(self.autoencoder.decode(past)).to(past.dtype)

    @torch.no_grad()
    def sample_window(
        self,
        reference: ReferenceFeatures,
        hint: Tensor,
        region_masks: Tensor,
        audio: Tensor | None,
        plan: PlanTensors,
        past: Tensor | None = None,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
        noise: Tensor | None = None,
        sequential: bool = False,
        audio_embeds: Tensor | None = None,
        neutral_hint: Tensor | None = None,
    ) -> Tensor:
        """Draw one window by the full sampling loop.

        Args:
            reference: The features of B portraits, from `VideoDenoiser.encode_reference`.
            hint: (B, T, C, h, w) latents of the coarse frames.
            region_masks: (B, 5, h, w) 0..1.
            audio: (B, (T + 2·context)·640) samples; None where there are `audio_embeds`.
            plan: B plans in window time.
            past: (B, P, C, h, w) latents that the window's first P frames repeat.
            guidance: How the branches are combined; None draws the fully conditioned branch alone.
            num_inference_steps: Denoising steps; None for the model's own number.
            noise: (B, T, C, h, w) noise to start from; drawn where not given.
            sequential: Whether to run one branch after the other.
            audio_embeds: (B, T, D) features of the audio, instead of samples.
            neutral_hint: (B, T, C, h, w) coarse frames of a neutral plan, for branches that are given no plan; None gives them `hint`.

        Returns:
            (B, T, C, h, w) latents, the first P the past's.
        """
        known, noise = Past.of(past, hint), torch.randn_like(hint) if noise is None else noise.to(hint.device)
        if audio_embeds is None:
            if audio is None:
                raise ValueError("A window is drawn from samples or from their features; there are neither.")
            audio_embeds = self.audio_encoder(audio)
        shared = WindowInputs(reference, audio_embeds, hint, neutral_hint, region_masks, known)
        masks = region_masks.transpose(0, 1)[:, :, None, None]  # (5, B, 1, 1, h, w)
        return self.denoise_windows(plan, shared, known, noise, masks, guidance, num_inference_steps, sequential)

    def prepare(self, batch: CFGBatch, conditioning: WindowInputs) -> PreparedBranches:
        """Put the conditions of n branches of B windows together; see `WindowModel.prepare`.

        Args:
            batch: What differs between the branches.
            conditioning: What all branches share.

        Returns:
            What the denoiser is given, of n·B rows.
        """
        n, shared = len(batch.branches), conditioning
        audio_embeds, masks, past, past_mask = (
            repeat_batch(x, n) for x in (shared.audio_embeds, shared.region_masks, shared.past.values, shared.past.mask)
        )
        planned = [branch.emotion or branch.muscles for branch in batch.branches]
        hint = torch.cat([self.hints.choose(shared.hint, shared.neutral_hint, each) for each in planned])
        every = VideoConditioning(batch.plan, audio_embeds, batch.audio_mask, hint, masks, past_mask, past, batch.portrait_mask)
        reference = {name: repeat_batch(x, n) for name, x in shared.reference.items()}
        reuse = self.sampling.reuse
        return PreparedBranches(self.denoiser.condition(reference, every), every, None if reuse is None else DeepFeatures(reuse))

    def predict(self, noisy: Tensor, timestep: Tensor, prepared: PreparedBranches, step: int) -> Tensor:
        """Run the denoiser once for n branches of B windows; see `WindowModel.predict`.

        Args:
            noisy: (n·B, T, C, h, w) the windows, branch by branch.
            timestep: (n·B,) the training timestep.
            prepared: What `prepare` has made.
            step: The number of the denoising step.

        Returns:
            (n·B, T, C, h, w) predictions.
        """
        deep = {} if prepared.deep is None else {"deep": prepared.deep.at_step(step)}
        return self.denoiser(noisy, timestep, prepared.reference, prepared.conditioning, **deep)

    def latents(self, frames: Tensor) -> Tensor:
        """uint8 pixels (..., 3, H, W) → latents; latents as they are."""
        return self.autoencoder.encode(frames.float() / 255) if frames.dtype == torch.uint8 else frames.float()


class _HintStrip:
    """Coarse frames window by window: those of the past are kept, the last is repeated to the window's end."""

    def __init__(self, source: Callable[[int], Tensor], frames: int, window: int) -> None:
        self.source, self.frames, self.window_frames = source, frames, window
        self.last: Tensor | None = None

    def window(self, start: int, known: int) -> Tensor:
        """(1, T, C, h, w) of the window that starts at a frame, the first `known` of which it has given before."""
        fresh = self.source(min(self.window_frames, self.frames - start) - known)
        hint = fresh if self.last is None else torch.cat([self.last[:, self.last.shape[1] - known :], fresh], 1)
        self.last = torch.cat([hint, hint[:, -1:].expand(-1, self.window_frames - hint.shape[1], -1, -1, -1)], 1)
        return self.last


def _on(features: ReferenceFeatures, device: torch.device) -> ReferenceFeatures:
    return {name: value.to(device) for name, value in features.items()}


def _pixels(images: np.ndarray) -> Tensor:
    """(..., H, W, 3) uint8 → (..., 3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, -3)))
