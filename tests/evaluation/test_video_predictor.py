"""A video model as a predictor: what tells one training from another."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from tbd.evaluation.video_predictor import VideoPredictor


@pytest.fixture
def predictor(monkeypatch) -> VideoPredictor:
    """A predictor of two small networks, of which one has bfloat16 weights, as large models are kept, and a counter without axes."""
    video = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).to(torch.bfloat16)
    video.denoiser = SimpleNamespace(reads_hint=True)
    monkeypatch.setattr("tbd.draw.video.loading.load_video_model", lambda _: video)
    monkeypatch.setattr("tbd.draw.motion.loading.load_motion_model", lambda _: nn.Linear(2, 2))
    return VideoPredictor("a-video-model", motion_model="a-motion-model")


def test_another_training_of_either_model_has_other_weights(predictor):
    before = predictor.weights()
    assert before == predictor.weights() and set(before) == {"a-video-model", "a-motion-model"}
    for name, model in (("a-video-model", predictor.model), ("a-motion-model", predictor.motion_model)):
        next(model.parameters()).data += 1
        after = predictor.weights()
        assert [other for other in after if after[other] != before[other]] == [name]
        before = after
