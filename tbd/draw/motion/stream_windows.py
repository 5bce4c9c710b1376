"""Windows of motion of voices that are still speaking: what a model needs for one, and drawing several streams' at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.guidance.base import COND, COND_NO_AUDIO, Branch, Guidance, over_regions, weighted, within
from tbd.draw.motion.sampler import MotionSampler
from tbd.think.plan import MusclePlan

_CROSSFADE = 2
"""Frames over which a hop's difference to the past fades out. Where hops are short, a longer fade would never let go of the past: a
smile that a plan ends would stay for seconds."""


class LipGuidance(Guidance):
    """The voice's scale on the lower face, and all else as trained: half the branches, for a machine that is short of time.

    Args:
        audio_scale: Strength of the audio in the lower face; 1 is as trained.

    Example:
        >>> LipGuidance(1.0).branches(0.0) == (COND,)
        True
    """

    scale_names = ("audio_scale",)

    def __init__(self, audio_scale: float = 1.5) -> None:
        self.audio_scale = audio_scale

    def branches(self, progress: float) -> tuple[Branch, ...]:
        """Name the wanted branches; see `Guidance.branches`."""
        return (COND,) if self.audio_scale == 1 else (COND, COND_NO_AUDIO)

    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        """Combine the predictions of one step; see `Guidance.__call__`."""
        more = over_regions(within(["lower"], self.audio_scale - 1, 0.0), preds[COND], masks)
        return weighted(preds, {COND: 1 + more, COND_NO_AUDIO: -more})


@lru_cache(maxsize=16)
def lip_guidance(audio_scale: float) -> LipGuidance:
    """Return the one `LipGuidance` of a scale, so that windows of several streams are known to be drawn alike."""
    return LipGuidance(audio_scale)


@dataclass(frozen=True)
class StreamWindow:
    """What is drawn next of a stream.

    Args:
        audio: (1, (T + 2·context)·640) samples.
        phones: (1, (T + 2·context)·4) for an audio encoder that takes them.
        plan: The muscle plan.
        seconds: When the window starts, in the plan's time.
        past: (P, 58) motion that the window's first P frames repeat.
        noise: (T, 58) noise to start from.
        new: How many frames behind the past are given out; the rest is thrown away.
    """

    audio: Tensor
    phones: Tensor | None
    plan: MusclePlan
    seconds: float
    past: Tensor
    noise: Tensor
    new: int


@torch.inference_mode()
def sample_windows(model: MotionSampler, windows: Sequence[StreamWindow], guidance: Guidance, num_inference_steps: int) -> list[Tensor]:
    """Draw windows of several streams, those of one shape together: a model's weights are read once for all of them.

    Args:
        model: The motion model.
        windows: The windows.
        guidance: How the branches are combined.
        num_inference_steps: Denoising steps.

    Returns:
        (new, 58) motion of each.
    """
    drawn: dict[int, Tensor] = {}
    alike: dict[tuple[int, int, bool], list[int]] = {}
    for i, window in enumerate(windows):
        alike.setdefault((len(window.past), len(window.noise), window.phones is None), []).append(i)
    for (past, _, _), places in alike.items():
        group = [windows[i] for i in places]
        phones = [window.phones for window in group if window.phones is not None]
        plans, starts = PlanTensors.collate([window.plan for window in group]), torch.tensor([window.seconds for window in group])
        frames = model.sample_window(
            torch.cat([window.audio for window in group]),
            plans.to(model.device).shifted(starts.to(model.device)),
            past=torch.stack([window.past for window in group]).to(model.device) if past else None,
            guidance=guidance,
            num_inference_steps=num_inference_steps,
            noise=torch.stack([window.noise for window in group]),
            phones=torch.cat(phones) if phones else None,
            crossfade_frames=_CROSSFADE,
        )
        drawn.update((i, rows[past : past + windows[i].new].float().cpu()) for i, rows in zip(places, frames))
    return [drawn[i] for i in range(len(windows))]
