"""The loops that motion and video share."""

import numpy as np
import pytest
import torch

from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.motion.training_options import MotionTraining
from tbd.draw.sampling import draw_windows
from tbd.draw.training_options import ConditioningDropout, TrainingNoise
from tbd.draw.video.training_options import VideoConditioningDropout, VideoTraining
from tbd.draw.window_options import SamplingConfig, WindowConfig
from tbd.think.plan import MusclePlan
from tests.draw.conftest import tiny_model
from tests.draw.tiny_video import tiny_video_model


@pytest.mark.parametrize("past_frames", [0, 3])
@pytest.mark.parametrize("lengths", [[25], [10], [25, 24, 11, 1]])
def test_windows_cover_clips_and_continue_one_another(lengths, past_frames):
    """Each frame of each clip comes once, and a window is given the frames before it."""

    def draw(start: int, past: torch.Tensor) -> torch.Tensor:
        window = torch.arange(start, start + 10).float()[None, :, None].repeat(len(past), 1, 1)
        assert torch.equal(past, window[:, : past.shape[1]]) and past.shape[1] == (past_frames if start else 0)
        return window

    frames: list[list[float]] = [[] for _ in lengths]
    for start, new in draw_windows(draw, lengths, torch.zeros(len(lengths), 0, 1), 10, past_frames):
        assert new[0, 0, 0] == start and len(new) == sum(length > start for length in lengths)
        for clip, piece in zip(frames, new[..., 0].tolist()):
            clip += piece
    assert len(frames[0]) == lengths[0]
    assert all(clip[:length] == list(range(length)) for clip, length in zip(frames, lengths))


def test_a_sample_has_the_same_randomness_in_motion_and_video():
    """Its number and the run's seed decide it, not the kind of model."""
    noise = TrainingNoise(past=0.1, offset=0.2, timestep_bias=0.5)
    motion = tiny_model(training=MotionTraining(ConditioningDropout(0.5, 0.5, 0.5, 0.5), noise, seed=7), windows=WindowConfig(30, 2))
    video = tiny_video_model(training=VideoTraining(VideoConditioningDropout(0.5, 0.5, 0.5, 0.5), noise, seed=7))
    ids, clean = list(range(40)), torch.rand(40, 6, 4)
    of_motion, of_video = motion.add_noise(clean, ids), video.add_noise(clean[..., None, None], ids)
    assert all(torch.equal(of_motion.kept[name], of_video.kept[name]) for name in of_motion.kept)
    assert all(0.2 < of_motion.kept[name].mean() < 0.8 for name in of_motion.kept)
    assert np.allclose(of_motion.noise, of_video.noise[..., 0, 0]) and np.allclose(of_motion.past, of_video.past[..., 0, 0])
    assert of_video.kept["hint"].mean() < 1


def test_a_model_crossfades_over_as_many_frames_as_it_is_configured_to():
    """The frames behind the past change towards it, and none behind those."""
    drawn = {}
    for frames in (0, 8):
        noise = torch.randn(1, 30, 58, generator=torch.Generator().manual_seed(0))
        model, plans = tiny_model(sampling=SamplingConfig(3, frames)), PlanTensors.collate([MusclePlan()])
        drawn[frames] = model.sample_window(torch.zeros(1, 38 * 640), plans, torch.ones(1, 6, 58), noise=noise)
        assert torch.allclose(drawn[frames][:, :6], torch.ones(6, 58), atol=1e-6)
    change = (drawn[8] - drawn[0]).abs().mean((0, 2))
    assert (change[6:14] > 1e-3).all() and (change[6:14].diff() < 0).all() and (change[14:] == 0).all()
