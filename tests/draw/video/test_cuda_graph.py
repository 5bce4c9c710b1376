"""A recorded call gives what the call gives, for every input and every size."""

import pytest
import torch

from tbd.data.datasets.video import VideoWindows
from tbd.draw.video.cuda_graph import CUDAGraphRunner
from tbd.draw.video.precision import MemoryOptions
from tbd.draw.video.training_options import VideoTraining
from tests.draw.tiny_video import clip, tiny_video_model

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
    assert model.denoiser._graph_runner.captured


def losses_of(model, steps: int, shapes: tuple[int, ...]) -> list[float]:
    """Losses of some steps of training, batches of these sizes in turn."""
    optimizer, found = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 1e-3), []
    windows = VideoWindows([clip(i) for i in range(4)], model.window_frames, model.audio_encoder.context, jitter=False)
    for i in range(steps):
        size = shapes[i % len(shapes)]
        batch = windows.__getitems__([(i + j) % len(windows) for j in range(size)])
        batch = {name: value.to("cuda") if hasattr(value, "to") and name != "id" else value for name, value in batch.items()}
        with torch.autocast("cuda", torch.bfloat16, enabled=False):
            loss = model.losses(batch)["loss"]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        found.append(float(loss.detach()))
    return found


@pytest.mark.parametrize("checkpointing", ["nothing", "most"])
def test_training_by_graphs_is_training(checkpointing):
    """Two sizes in turn, each captured once; what trains includes weights outside of the denoiser."""
    trainable = ["denoiser.unet.*", "denoiser.null_tokens", "plan_encoder.*"]
    memory = MemoryOptions(checkpointing)
    plain, graphed = (tiny_video_model(training=VideoTraining(trainable=trainable, cuda_graphs=g), memory=memory) for g in (False, True))
    expected = losses_of(plain.cuda().train(), 6, (2, 1))
    assert losses_of(graphed.cuda().train(), 6, (2, 1)) == pytest.approx(expected, rel=1e-3)
    assert len(graphed._graphed.captured) == 2
    assert len(set(expected)) == 6
    for (name, a), b in zip(plain.named_parameters(), graphed.parameters()):
        torch.testing.assert_close(a, b, rtol=1e-2, atol=2e-3, msg=name)
    graphed.eval()
    with torch.no_grad():
        assert graphed._training_denoiser() is graphed.denoiser, "a validation's batches are not worth a capture"
