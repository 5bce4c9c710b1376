"""A video model as a predictor: what tells one training from another, and that it is given the motions of `tbd generate`."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from tbd.draw.video.hints import HintConfig
from tbd.evaluation.video_predictor import VideoPredictor
from tbd.face.motion import Motion
from tbd.think.plan import MusclePlan
from tests.draw.tiny_video import PLAN, tiny_video_model


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


class Clip:
    def plan(self) -> MusclePlan:
        return PLAN

    def audio(self) -> np.ndarray:
        return np.zeros(5 * 640, np.float32)

    def frames(self) -> int:
        return 5

    def face(self, size: int) -> None:
        return None


class Motions:
    """Draws 1 in all channels with a plan, 2 without."""

    def generate(self, audio, plan, seed):
        yield Motion(np.full((5, 58), 2.0 if plan == MusclePlan() else 1.0, np.float32))


@pytest.mark.parametrize(("without_plan", "neutral"), [("same", None), ("all", 2.0)])
def test_a_neutral_motion_is_drawn_where_the_model_reads_one(monkeypatch, without_plan, neutral):
    given = []

    def render(self, face, motion):
        given.extend([motion, self.neutral_motion])
        return iter(())

    monkeypatch.setattr("tbd.draw.video.loading.load_video_model", lambda _: tiny_video_model(hints=HintConfig("all", without_plan)))
    monkeypatch.setattr("tbd.draw.motion.loading.load_motion_model", lambda _: Motions())
    monkeypatch.setattr("tbd.draw.video.renderer.VideoRenderer.render", render)
    VideoPredictor("model").predict(Clip(), 64, 0)
    motion, other = given
    assert (motion.values == 1).all() and (neutral is None) == (other is None)
    assert other is None or (other.values == neutral).all()
