"""What the motion and the video model share: branches as one batch, and windows that continue one another."""

from collections.abc import Sequence

import numpy as np
import torch
from diffusers import SchedulerMixin
from torch import Tensor

from tbd.draw.conditioning.audio_encoder import AudioEncoder
from tbd.draw.conditioning.plan_encoder import PlanEmbeds, PlanEncoder
from tbd.draw.guidance.base import Branch
from tbd.media.rates import SAMPLES_PER_FRAME
from tbd.speech.alignment import PHONES_PER_FRAME

_SCHEDULER_METHODS = ("add_noise", "set_timesteps", "step", "scale_model_input")


def require_noise_scheduler(noise_scheduler: SchedulerMixin) -> None:
    """Refuse a noise scheduler that training or sampling could not use; its base class declares none of their methods.

    Raises:
        TypeError: it lacks something.
    """
    missing = [name for name in _SCHEDULER_METHODS if not callable(getattr(noise_scheduler, name, None))]
    if missing or not hasattr(noise_scheduler, "alphas_cumprod"):
        raise TypeError(
            f"{type(noise_scheduler).__name__} cannot drive a diffusion here: it lacks {', '.join(missing) or 'alphas_cumprod'}."
        )


def require_widths(plan_encoder: PlanEncoder, plan_dim: int, audio_encoder: AudioEncoder, audio_dim: int) -> None:
    """Refuse encoders whose embeddings a denoiser does not take.

    Args:
        plan_encoder, audio_encoder: the encoders.
        plan_dim, audio_dim: what the denoiser takes of each.

    Raises:
        ValueError: a width is another.
    """
    for name, encoder, dim in (("plan", plan_encoder, plan_dim), ("audio", audio_encoder, audio_dim)):
        if encoder.dim != dim:
            raise ValueError(f"The {name} encoder gives width {encoder.dim}; the denoiser takes {dim}.")


def build_cfg_batch(
    branches: Sequence[Branch], size: int, planned: PlanEmbeds, uncond_plan: PlanEmbeds | None, like: Tensor
) -> tuple[PlanEmbeds, Tensor]:
    """What each branch is conditioned on, as one batch.

    Args:
        branches: n condition sets.
        size: B.
        planned: the plans of B windows.
        uncond_plan: what stands for ε(∅) where it is a plan of its own, such as a neutral one; None withholds the plan.
        like: for dtype and device.

    Returns:
        The n·B plans, branch by branch, and (n·B,) 1 where the audio is given.
    """
    plans = [planned if branch.emotion or uncond_plan is None else uncond_plan for branch in branches]
    hidden = [Branch(branch.audio, branch.emotion or uncond_plan is not None, branch.muscles) for branch in branches]
    flags = torch.tensor(hidden, dtype=like.dtype, device=like.device).repeat_interleave(size, 0)  # (n·B, 3)
    return PlanEmbeds.cat(plans).only(flags[:, 1], flags[:, 2]), flags[:, 0]


def crossfade_seam(drawn: Tensor, past: Tensor, frames: int, ease: int = 5) -> Tensor:
    """Ease a window into the past that it continues: strong guidance draws past the clean past, and the seam would show.

    Args:
        drawn: (B, T, C), the first `frames` of which redraw the past.
        past: (B, T, C), its first `frames` what was there.
        frames: of the past, 1 or more.
        ease: frames over which the difference at the seam fades out.
    """
    missed = past[:, frames - 1 : frames] - drawn[:, frames - 1 : frames]  # (B, 1, C)
    fade = torch.arange(ease, 0, -1, device=drawn.device)[:, None] / (ease + 1)  # (ease, 1)
    new = drawn[:, frames : frames + ease]
    return torch.cat([drawn[:, :frames], new + missed * fade[: new.shape[1]], drawn[:, frames + ease :]], 1)


class AudioWindows:
    """What a model hears of a recording, window by window.

    Args:
        audio: (N,) float32 samples at 16 kHz.
        encoder: who hears it; its phones are recognized once, where it wants them.
    """

    def __init__(self, audio: np.ndarray, encoder: AudioEncoder) -> None:
        self.audio, self.context, self.phones = audio, encoder.context, encoder.listen(audio)

    def window(self, start: int, frames: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor | None]:
        """From frame `start`, the context on both sides included: samples (1, (T + 2·context)·640), phones (1, (T + 2·context)·4)."""
        first, count = start - self.context, frames + 2 * self.context
        sound = _slice_padded(self.audio, first * SAMPLES_PER_FRAME, count * SAMPLES_PER_FRAME).to(device)
        if self.phones is None:
            return sound, None
        return sound, _slice_padded(self.phones, first * PHONES_PER_FRAME, count * PHONES_PER_FRAME).to(device)


def _slice_padded(values: np.ndarray, start: int, length: int) -> Tensor:
    """(1, length) from `start`, zeros outside the recording."""
    out = np.zeros((1, length), values.dtype)
    low, high = max(start, 0), min(start + length, len(values))
    if high > low:
        out[0, low - start : high - start] = values[low:high]
    return torch.from_numpy(out)
