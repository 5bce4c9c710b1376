"""Motion of whole clips, window by window: many at once, each as it would be drawn alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from tbd.draw.conditioning.audio_encoder import AudioEncoder, frames_of
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.guidance.base import Guidance
from tbd.draw.randomness import WindowNoise
from tbd.draw.sampling import AudioWindows, draw_windows
from tbd.face.channels import CHANNELS
from tbd.face.motion import Motion
from tbd.media.rates import FPS
from tbd.think.plan import MusclePlan


class WindowSampler(Protocol):
    """What draws one window of motion after the other: a `MotionDiffusion`."""

    audio_encoder: AudioEncoder
    guidance: Guidance
    window_frames: int
    past_frames: int

    @property
    def device(self) -> torch.device:
        """Where it draws."""

    def sample_window(
        self,
        audio: Tensor,
        plan: PlanTensors,
        past: Tensor | None = None,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
        noise: Tensor | None = None,
        phones: Tensor | None = None,
    ) -> Tensor:
        """Draw one window; see `MotionDiffusion.sample_window`.

        Args:
            audio: (B, (T + 2·context)·640) samples.
            plan: B plans in window time.
            past: (B, P, 58) motion that the window's first P frames repeat.
            guidance: How the branches are combined.
            num_inference_steps: Denoising steps.
            noise: (B, T, 58) noise to start from.
            phones: (B, (T + 2·context)·4) phones.

        Returns:
            (B, T, 58) motion.
        """


@dataclass(frozen=True)
class ClipRequest:
    """A clip to draw.

    Args:
        audio: (N,) float32 samples at 16 kHz.
        plan: The muscle plan, its times in seconds from the start.
        seed: Seed of the noise.
    """

    audio: np.ndarray
    plan: MusclePlan
    seed: int


@torch.no_grad()
def draw_clips(
    model: WindowSampler, requests: Sequence[ClipRequest], batch_size: int = 64, num_inference_steps: int | None = None
) -> list[Motion]:
    """Draw clips, the same as one by one by `MotionDiffusion.generate`.

    Args:
        model: The model, with the guidance and the noise scheduler to draw with.
        requests: The clips.
        batch_size: Number of clips that are drawn at once.
        num_inference_steps: Denoising steps; None for the model's own number.

    Returns:
        Every clip's motion, clamped to what a face can do; its ``seams`` are in the metadata.
    """
    # clips of like length end together, so that no batch goes on for one long clip
    order = sorted(range(len(requests)), key=lambda i: -len(requests[i].audio))
    drawn: dict[int, Motion] = {}
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        drawn |= dict(zip(chosen, _draw_batch(model, [requests[i] for i in chosen], num_inference_steps)))
    return [drawn[i] for i in range(len(requests))]


def draw_pieces(
    model: WindowSampler, requests: Sequence[ClipRequest], guidance: Guidance, num_inference_steps: int | None
) -> Iterator[tuple[int, Tensor]]:
    """Draw clips as one batch, window by window.

    Args:
        model: The model.
        requests: The clips, the longest first.
        guidance: How the branches are combined.
        num_inference_steps: Denoising steps; None for the model's own number.

    Yields:
        The frame at which a piece starts, and the new frames (b, n, 58) of the first b clips: those that have not ended.
    """
    plans = PlanTensors.collate([request.plan for request in requests]).to(model.device)
    noise = WindowNoise([request.seed for request in requests], (model.window_frames, len(CHANNELS)))
    recordings = [AudioWindows(request.audio, model.audio_encoder) for request in requests]

    def draw(start: int, past: Tensor) -> Tensor:
        audio, phones = zip(*(recording.window(start, model.window_frames, model.device) for recording in recordings[: len(past)]))
        return model.sample_window(
            torch.cat(audio),
            plans[: len(past)].shifted(torch.full((len(past),), start / FPS, device=model.device)),
            past=past,
            guidance=guidance,
            num_inference_steps=num_inference_steps,
            noise=noise.next(len(past)),
            phones=None if phones[0] is None else torch.cat(phones),
        )

    lengths = [frames_of(len(request.audio)) for request in requests]
    nothing = torch.zeros(len(requests), 0, len(CHANNELS), device=model.device)
    yield from draw_windows(draw, lengths, nothing, model.window_frames, model.past_frames)


def _draw_batch(model: WindowSampler, requests: Sequence[ClipRequest], steps: int | None) -> list[Motion]:
    """Clips from the longest to the shortest."""
    pieces: list[list[np.ndarray]] = [[] for _ in requests]
    seams: list[int] = []
    for start, new in draw_pieces(model, requests, model.guidance, steps):
        seams += [start] if start else []
        for clip, frames in zip(pieces, new.float().cpu().numpy()):
            clip.append(frames)
    lengths = [frames_of(len(request.audio)) for request in requests]
    return [
        Motion(Motion(np.concatenate(clip)[:length]).clamped().values, {"seams": [seam for seam in seams if seam < length]})
        for clip, length in zip(pieces, lengths)
    ]
