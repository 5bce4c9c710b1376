"""A recorded call gives what the call gives, for every input and every size."""

import pytest
import torch

from tbd.draw.video.cuda_graph import CUDAGraphRunner
from tbd.draw.video.training_options import VideoTraining
from tests.draw.tiny_video import tiny_video_model

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")


def test_it_gives_what_the_call_gives():
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.SiLU(), torch.nn.Conv2d(8, 4, 3)).cuda()
    calls = []

    def call(x):
        calls.append(len(x))
        return {"seen": net(x)}

    replay = CUDAGraphRunner(call)
    for size in (2, 1, 2, 2, 1):
        x = torch.randn(size, 3, 16, 16, device="cuda")
        torch.testing.assert_close(replay(x)["seen"], net(x).detach(), rtol=1e-3, atol=1e-4)
    assert len(calls) == 2 * 4, "each size is recorded once, after three calls that warm up"


def test_precisions_are_recorded_apart():
    net = torch.nn.Linear(8, 8).cuda().requires_grad_(False)
    replay, x = CUDAGraphRunner(lambda x: {"y": net(x)}), torch.randn(2, 8, device="cuda")
    with torch.autocast("cuda", torch.bfloat16):
        assert replay(x)["y"].dtype == torch.bfloat16
    assert replay(x)["y"].dtype == torch.float32


def test_a_frozen_reference_is_replayed_in_training():
    model = tiny_video_model(training=VideoTraining(trainable=["denoiser.unet.*motion_modules*"])).cuda()
    portrait = torch.randn(1, model.denoiser.channels, 8, 8, device="cuda")
    before = {name: x.clone() for name, x in model.denoiser.train().encode_reference(portrait).items()}
    model.compile_parts()
    for name, x in model.denoiser.encode_reference(portrait).items():
        torch.testing.assert_close(x, before[name], rtol=1e-2, atol=1e-3)
    assert model.denoiser._replay.recorded
