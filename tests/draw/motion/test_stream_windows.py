"""Windows of several streams at once are the windows that each would be given by itself."""

import numpy as np
import pytest

from tbd.draw.motion.loading import load_motion_model
from tbd.draw.motion.stream_windows import lip_guidance, sample_windows
from tbd.draw.motion.streaming import MotionStream
from tbd.think.plan import MuscleAction, MusclePlan

PLANS = (
    MusclePlan(),
    MusclePlan(emotions={"happy": 1.0}, intensity=1.0, actions=(MuscleAction(unit=12, intensity=0.9), MuscleAction(unit=6, intensity=0.8))),
    MusclePlan(emotions={"sad": 1.0}, intensity=0.5),
)


@pytest.fixture(scope="module")
def model():
    return load_motion_model()


def test_others_in_the_batch_change_nothing(model):
    """The third is at its first window, and its hop is shorter."""
    streams = [MotionStream(model, plan, seed) for seed, plan in enumerate(PLANS)]
    for i, stream in enumerate(streams):
        stream.feed(np.random.default_rng(i).normal(0, 0.1, 16000).astype(np.float32))
    for stream in streams[:2]:
        for _ in range(3):
            stream.draw()
    windows = [stream.window(count, 4) for stream, count in zip(streams, (4, 4, 3))]
    together = sample_windows(model, windows, model.guidance, 2)
    alone = [sample_windows(model, [window], model.guidance, 2)[0] for window in windows]
    assert [len(drawn) for drawn in together] == [4, 4, 3]
    assert all(np.abs(one.numpy() - other.numpy()).max() < 1e-4 for one, other in zip(together, alone))
    assert np.abs(alone[0].numpy()[:3] - alone[2].numpy()).max() > 0.01


def test_streams_that_are_drawn_cheaply_share_their_guidance(model):
    one, other = (MotionStream(model, plan).guidance_for(True) for plan in PLANS[:2])
    assert one is other is lip_guidance(model.guidance.audio_scale)
