"""A motion model of a few thousand weights, and a renderer that paints what it is given: streams without a face."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from tbd.draw.conditioning.audio_encoder import MelEncoder
from tbd.draw.conditioning.plan_encoder import MuscleTokenEncoder
from tbd.draw.guidance.progressive import ProgressiveGuidance
from tbd.draw.motion.denoiser import MotionTransformer
from tbd.draw.motion.diffusion import MotionDiffusion
from tbd.draw.motion.streaming import MotionStream
from tbd.draw.window_options import SamplingConfig
from tbd.live.talking_head import TalkingHeadStream
from tbd.think.plan import MusclePlan


@pytest.fixture(scope="session")
def tiny_model() -> MotionDiffusion:
    """A motion model with random weights, of which the last are not zero, so that every input reaches the motion."""
    torch.manual_seed(0)
    parts = MotionTransformer(32, depth=1, heads=2), MuscleTokenEncoder(32), MelEncoder(32)
    torch.nn.init.normal_(parts[0].proj_out.weight, std=0.2)
    scheduler = DDIMScheduler(prediction_type="sample", clip_sample=False)
    guidance = ProgressiveGuidance(emotion_scale=1.5, audio_scale=1.5, audio_regions=["lower"])
    return MotionDiffusion(*parts, scheduler, guidance, sampling=SamplingConfig(2)).eval()


@pytest.fixture
def open_stream(tiny_model) -> Callable[..., TalkingHeadStream]:
    """Open a stream over pieces of sound; a frame is a picture of 16×16 pixels whose first channel shows the jaw."""

    def open_one(chunks, plan=None, sample_rate=16000, draw=paint, **options) -> TalkingHeadStream:
        return TalkingHeadStream(chunks, MotionStream(tiny_model, plan or MusclePlan()), draw, sample_rate=sample_rate, **options)

    return open_one


def paint(values: np.ndarray) -> np.ndarray:
    """(16, 16, 3) uint8 of the first three values."""
    return np.broadcast_to(np.clip(values[:3] * 255, 0, 255).astype(np.uint8), (16, 16, 3)).copy()


def noise(seconds: float, rate: int = 16000) -> np.ndarray:
    """(N,) float32 of a quiet noise."""
    return np.random.default_rng(1).normal(0, 0.1, int(seconds * rate)).astype(np.float32)
