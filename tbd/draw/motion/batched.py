"""Many clips drawn at once, as `MotionDiffusion.generate` draws each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from tbd.draw.conditioning.audio_encoder import frames_of
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.sampling import AudioWindows
from tbd.face.channels import CHANNELS
from tbd.face.motion import Motion
from tbd.media.rates import FPS
from tbd.think.plan import MusclePlan

if TYPE_CHECKING:  # which draws its own test clips with this
    from tbd.draw.motion.diffusion import MotionDiffusion


@dataclass(frozen=True)
class Script:
    """What a model is told of a clip.

    Args:
        audio: (N,) float32 at 16 kHz.
        plan: its times are seconds from the start.
        seed: of the noise.
    """

    audio: np.ndarray
    plan: MusclePlan
    seed: int


@torch.no_grad()
def draw_clips(
    model: "MotionDiffusion", scripts: Sequence[Script], batch_size: int = 64, num_inference_steps: int | None = None
) -> list[Motion]:
    """Every clip's motion, the same as one by one by `MotionDiffusion.generate`; in each one's metadata its seams.

    Args:
        model: with the guidance, the noise scheduler and the steps to draw with.
        scripts: the clips.
        batch_size: how many are drawn at once.
        num_inference_steps: instead of the model's own.
    """
    # neighbours in length end together, so that no batch goes on for one long clip
    order = sorted(range(len(scripts)), key=lambda i: -len(scripts[i].audio))
    drawn: dict[int, Motion] = {}
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        drawn |= dict(zip(chosen, _draw_batch(model, [scripts[i] for i in chosen], num_inference_steps)))
    return [drawn[i] for i in range(len(scripts))]


def _draw_batch(model: "MotionDiffusion", scripts: Sequence[Script], steps: int | None) -> list[Motion]:
    """Clips from the longest to the shortest."""
    lengths = [frames_of(len(script.audio)) for script in scripts]
    plans = PlanTensors.collate([script.plan for script in scripts]).to(model.device)
    generators = [torch.Generator().manual_seed(script.seed) for script in scripts]
    recordings = [AudioWindows(script.audio, model.audio_encoder) for script in scripts]
    past = torch.zeros(len(scripts), 0, len(CHANNELS), device=model.device)
    pieces: list[Tensor] = []
    seams: list[int] = []
    done = 0
    while done < lengths[0]:
        left = sum(length > done for length in lengths)
        start = done - past.shape[1]
        window = _window(model, recordings[:left], plans[:left], generators[:left], past[:left], start, steps)
        new = window[:, past.shape[1] :]
        seams += [done] if done else []
        pieces.append(torch.nn.functional.pad(new, (0, 0, 0, 0, 0, len(scripts) - left)).float().cpu())
        done += new.shape[1]
        past = torch.nn.functional.pad(window[:, -model.past_frames :], (0, 0, 0, 0, 0, len(scripts) - left))
    whole = torch.cat(pieces, 1).numpy()
    return [
        Motion(Motion(row[:length]).clamped().values, {"seams": [seam for seam in seams if seam < length]})
        for row, length in zip(whole, lengths)
    ]


def _window(
    model: "MotionDiffusion",
    recordings: Sequence[AudioWindows],
    plans: PlanTensors,
    generators: Sequence[torch.Generator],
    past: Tensor,
    start: int,
    steps: int | None,
) -> Tensor:
    heard = [recording.window(start, model.window_frames, model.device) for recording in recordings]
    sound = torch.cat([sound for sound, _ in heard])
    phones = None if heard[0][1] is None else torch.cat([phones for _, phones in heard])
    # drawn on the CPU, so that a seed gives the same motion on every device
    noise = torch.cat([torch.randn(1, model.window_frames, len(CHANNELS), generator=generator) for generator in generators])
    shift = torch.full((len(recordings),), start / FPS, device=model.device)
    return model.sample_window(sound, plans.shifted(shift), past, model.guidance, steps, noise, phones)
