"""A tiny model with random weights: the same code as the packaged one, in milliseconds."""

import pytest
import torch
from diffusers import DDIMScheduler

from tbd.draw.conditioning.audio_encoder import MelEncoder
from tbd.draw.conditioning.plan_encoder import MuscleTokenEncoder
from tbd.draw.guidance.progressive import ProgressiveGuidance
from tbd.draw.motion.denoiser import MotionTransformer
from tbd.draw.motion.diffusion import MotionDiffusion
from tbd.draw.window_options import SamplingConfig, WindowConfig


def tiny_model(**options) -> MotionDiffusion:
    torch.manual_seed(0)
    dim = 32
    parts = {
        "denoiser": MotionTransformer(dim, depth=2, heads=2, dropout=0.0),
        "plan_encoder": MuscleTokenEncoder(dim),
        "audio_encoder": MelEncoder(dim, bins=20, context=4),
        "noise_scheduler": DDIMScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="sample", clip_sample=False),
        "guidance": ProgressiveGuidance(),
    }
    model = MotionDiffusion(**{**parts, "sampling": SamplingConfig(3, 5), "windows": WindowConfig(30, 6), **options})
    # outlets start at zero, where nothing could be told apart
    torch.nn.init.normal_(model.denoiser.proj_out.weight, std=0.3)
    return model.eval()


@pytest.fixture
def model() -> MotionDiffusion:
    return tiny_model()
