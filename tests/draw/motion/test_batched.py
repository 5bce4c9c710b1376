"""Clips that are drawn together are the clips that are drawn alone."""

import numpy as np
import pytest

from tbd.draw.motion.batched import ClipRequest, draw_clips
from tbd.think.plan import MuscleAction, MusclePlan
from tests.draw.conftest import model as model


@pytest.fixture
def scripts():
    rng = np.random.default_rng(0)
    lengths = (12, 75, 50, 54)  # within one window, over three, and both sides of a window's edge
    plans = [MusclePlan(), MusclePlan(actions=(MuscleAction(unit=4, intensity=0.9, onset=1.5),)), MusclePlan(), MusclePlan()]
    return [ClipRequest(rng.normal(0, 0.1, n * 640).astype(np.float32), plan, i) for i, (n, plan) in enumerate(zip(lengths, plans))]


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_together_is_as_alone(model, scripts, batch_size):
    for script, drawn in zip(scripts, draw_clips(model, scripts, batch_size)):
        pieces = [piece.values for piece in model.generate(script.audio, script.plan, seed=script.seed)]
        assert np.allclose(drawn.values, np.concatenate(pieces), atol=1e-5)
        assert drawn.metadata["seams"] == np.cumsum([len(piece) for piece in pieces])[:-1].tolist()
