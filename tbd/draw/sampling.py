"""The one denoising loop and the one window loop, which the motion and the video model share."""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tbd.draw.conditioning.audio_encoder import AudioEncoder
from tbd.draw.conditioning.plan_encoder import PlanEmbeds, PlanEncoder
from tbd.draw.diffusers_schedulers import SchedulerMixin
from tbd.draw.guidance.base import Branch, Guidance, NoGuidance
from tbd.draw.noise_scheduler import noise_process
from tbd.draw.window_options import GeometricSpacing
from tbd.media.rates import SAMPLES_PER_FRAME
from tbd.speech.alignment import PHONES_PER_FRAME


def require_widths(plan_encoder: PlanEncoder, plan_dim: int, audio_encoder: AudioEncoder, audio_dim: int) -> None:
    """Refuse encoders whose embeddings a denoiser does not take.

    Args:
        plan_encoder: The plan encoder.
        plan_dim: Width of the plan tokens that the denoiser takes.
        audio_encoder: The audio encoder.
        audio_dim: Width of the audio features that the denoiser takes.

    Raises:
        ValueError: If a width differs.
    """
    for name, encoder, dim in (("plan", plan_encoder, plan_dim), ("audio", audio_encoder, audio_dim)):
        if encoder.dim != dim:
            raise ValueError(f"The {name} encoder gives width {encoder.dim}; the denoiser takes {dim}.")


@dataclass
class Past:
    """The first frames of B windows, which were drawn with the windows before.

    Args:
        values: (B, T, C, …) the frames drawn already, zeros behind them.
        mask: (B, T) 1 at the frames drawn already.
        frames: Number of frames drawn already.
    """

    values: Tensor
    mask: Tensor
    frames: int

    @classmethod
    def of(cls, past: Tensor | None, like: Tensor) -> "Past":
        """Place frames at the start of windows.

        Args:
            past: (B, P, C, …) frames drawn already; None for windows that continue nothing.
            like: (B, T, C, …) a tensor of the windows' shape, type and device.

        Returns:
            The past of B windows of T frames.
        """
        values, frames = torch.zeros_like(like), 0 if past is None else past.shape[1]
        mask = torch.zeros(like.shape[:2], device=like.device)
        if past is not None and frames:
            values[:, :frames], mask[:, :frames] = past, 1
        return cls(values, mask, frames)


PredictBranches = Callable[[tuple[Branch, ...], Tensor, Tensor, int], dict[Branch, Tensor]]
"""Branches, noisy windows (B, T, C, …), a timestep () and the number of the step → each branch's prediction (B, T, C, …)."""


def denoise(
    predict: PredictBranches,
    noise: Tensor,
    past: Past,
    noise_scheduler: SchedulerMixin,
    num_inference_steps: int,
    guidance: Guidance | None,
    region_masks: Tensor,
    crossfade_frames: int = 0,
    sequential: bool = False,
    spacing: GeometricSpacing | None = None,
) -> Tensor:
    """Draw B windows by the full sampling loop.

    Args:
        predict: Runs the denoiser for the wanted branches.
        noise: (B, T, C, …) normal noise to start from.
        past: The frames that the windows repeat.
        noise_scheduler: The noise scheduler. A copy of it runs, since multistep schedulers remember earlier steps.
        num_inference_steps: Number of denoising steps.
        guidance: How the branches are combined; None draws the fully conditioned branch alone.
        region_masks: (5, …) weights 0..1 of each region of `REGIONS`, broadcastable to (5, B, T, C, …).
        crossfade_frames: Frames behind the past over which the difference at the seam fades out; see `crossfade_seam`.
        sequential: Whether to run one branch after the other, in less memory, instead of all as one batch.
        spacing: At which noise levels the steps are; None for the scheduler's own choice.

    Returns:
        (B, T, C, …) the windows, their first frames the past's.
    """
    process = noise_process(copy.deepcopy(noise_scheduler))
    timesteps = process.start(num_inference_steps, spacing)  # which may be more than were asked for
    guidance = (guidance or NoGuidance()).for_sampling(timesteps)  # some guidances remember steps, too
    kept = expand_as(past.mask, noise) > 0
    x = process.first(noise)
    for i, timestep in enumerate(timesteps):
        progress = i / max(len(timesteps) - 1, 1)
        branches = guidance.branches(progress)
        noisy = torch.where(kept, past.values, process.model_input(x, timestep))
        preds: dict[Branch, Tensor] = {}
        for group in [(branch,) for branch in branches] if sequential else [branches]:
            preds |= predict(group, noisy, timestep, i)
        x = process.step(guidance(preds, progress, region_masks), timestep, x)
    if past.frames and crossfade_frames:
        x = crossfade_seam(x, past.values, past.frames, crossfade_frames)
    return torch.where(kept, past.values, x)


def draw_windows(
    draw: Callable[[int, Tensor], Tensor], lengths: Sequence[int], past: Tensor, window_frames: int, past_frames: int
) -> Iterator[tuple[int, Tensor]]:
    """Draw clips window by window, each window continuing the one before, in constant memory.

    Args:
        draw: Draws one window of the first clips: from the frame at which it starts and the frames (b, P, C, …) that it repeats
            to (b, T, C, …).
        lengths: Frames of each of B clips, the longest first.
        past: (B, 0, C, …) an empty tensor of the frames' shape, type and device.
        window_frames: T, frames of a window.
        past_frames: Frames that a window repeats of the one before.

    Yields:
        The frame at which a piece starts, and the new frames (b, n, …) of the first b clips: those that have not ended.
    """
    done = 0
    while done < lengths[0]:
        lasting = sum(length > done for length in lengths)
        past = past[:lasting]
        window = draw(done - past.shape[1], past)
        new = window[:, past.shape[1] :][:, : lengths[0] - done]
        yield done, new
        done += new.shape[1]
        past = window[:, window_frames - past_frames :]


@dataclass
class CFGBatch:
    """What differs between the n branches of B windows, branch by branch.

    Args:
        branches: The condition sets.
        plan: n·B plans; what a branch is not given has presence 0.
        audio_mask: (n·B,) 1 where the audio is given.
        portrait_mask: (n·B,) 1 where the portrait is given.
    """

    branches: Sequence[Branch]
    plan: PlanEmbeds
    audio_mask: Tensor
    portrait_mask: Tensor


def build_cfg_batch(branches: Sequence[Branch], size: int, cond_plan: PlanEmbeds, uncond_plan: PlanEmbeds | None, like: Tensor) -> CFGBatch:
    """Build the plans and the masks of all branches as one batch.

    Args:
        branches: n condition sets.
        size: B, the number of windows.
        cond_plan: The plans of B windows.
        uncond_plan: The plans that stand for ε(∅) where it has plans of its own, such as neutral ones; None withholds the plan.
        like: A tensor of the wanted type and device.

    Returns:
        The batch.
    """
    plans = [cond_plan if branch.emotion or uncond_plan is None else uncond_plan for branch in branches]
    shown = [branch._replace(emotion=branch.emotion or uncond_plan is not None) for branch in branches]
    flags = torch.tensor(shown, dtype=like.dtype, device=like.device).repeat_interleave(size, 0)  # (n·B, 4)
    audio, emotion, muscles, portrait = flags.unbind(1)
    return CFGBatch(branches, PlanEmbeds.cat(plans).only(emotion, muscles), audio, portrait)


def crossfade_seam(drawn: Tensor, past: Tensor, frames: int, crossfade_frames: int = 5) -> Tensor:
    """Fade a window into the past that it continues.

    Strong guidance redraws the past otherwise than it was, and the difference would show as a jump at the seam.

    Args:
        drawn: (B, T, C, …) the window, its first `frames` frames the redrawn past.
        past: (B, T, C, …) a window whose first `frames` frames are the past.
        frames: Frames of the past, 1 or more.
        crossfade_frames: New frames over which the difference at the seam fades out.

    Returns:
        (B, T, C, …) the window with the difference taken from its first new frames.
    """
    missed = past[:, frames - 1 : frames] - drawn[:, frames - 1 : frames]  # (B, 1, C, …)
    fade = torch.arange(crossfade_frames, 0, -1, device=drawn.device) / (crossfade_frames + 1)  # (F,)
    new = drawn[:, frames : frames + crossfade_frames]
    faded = expand_as(fade[None], drawn)[:, : new.shape[1]]  # (1, F, 1, …)
    return torch.cat([drawn[:, :frames], new + missed * faded, drawn[:, frames + crossfade_frames :]], 1)


def expand_as(x: Tensor, like: Tensor) -> Tensor:
    """Add dimensions behind, so that a tensor broadcasts over another.

    Args:
        x: (B,) or (B, T).
        like: (B, T, C, …).

    Returns:
        (B, 1, 1, …) or (B, T, 1, …), of as many dimensions as `like`.
    """
    return x[(...,) + (None,) * (like.ndim - x.ndim)]


def repeat_batch(x: Tensor, n: int) -> Tensor:
    """Repeat a batch.

    Args:
        x: (B, …).
        n: How often.

    Returns:
        (n·B, …), the whole batch n times.
    """
    return x.repeat(n, *[1] * (x.ndim - 1))


class AudioWindows:
    """A recording, window by window, as an audio encoder takes it, or as one that reads it as a whole has made it.

    Args:
        audio: (N,) float32 samples at 16 kHz.
        encoder: The audio encoder; the phones are recognized once, where it takes any.
    """

    def __init__(self, audio: np.ndarray, encoder: AudioEncoder) -> None:
        self.audio, self.context, self.phones = audio, encoder.context, encoder.listen(audio)
        self.encoder, self.whole = encoder, encoder.encode_recording(audio)

    def window(self, start: int, frames: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor | None]:
        """Cut a window with the encoder's context on both sides; zeros beyond the recording's ends.

        Args:
            start: First frame of the window, without context.
            frames: T, frames of the window.
            device: Device of the results.

        Returns:
            Samples (1, (T + 2·context)·640), and phones (1, (T + 2·context)·4) or None.
        """
        first, count = start - self.context, frames + 2 * self.context
        sound = _slice_padded(self.audio, first * SAMPLES_PER_FRAME, count * SAMPLES_PER_FRAME).to(device)
        if self.phones is None:
            return sound, None
        return sound, _slice_padded(self.phones, first * PHONES_PER_FRAME, count * PHONES_PER_FRAME).to(device)

    def embeds(self, start: int, frames: int, device: torch.device | str = "cpu") -> Tensor:
        """Compute the features of a window.

        Args:
            start: First frame of the window, without context.
            frames: T, frames of the window.
            device: Device of the encoder and of the result.

        Returns:
            (1, T, D) features.
        """
        if self.whole is not None:
            return self.encoder.cut_window(self.whole, start, frames)[None].to(device)
        return self.encoder(*self.window(start, frames, device))


def _slice_padded(values: np.ndarray, start: int, length: int) -> Tensor:
    """(1, length) from `start`, zeros outside the recording."""
    out = np.zeros((1, length), values.dtype)
    low, high = max(start, 0), min(start + length, len(values))
    if high > low:
        out[0, low - start : high - start] = values[low:high]
    return torch.from_numpy(out)
