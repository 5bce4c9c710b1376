"""A head that has drifted comes back; one that has not is left alone, to the last bit."""

import numpy as np
import pytest

from tbd.draw.motion.loading import load_motion_model
from tbd.draw.motion.pose_drift import POSE, PoseAnchor
from tbd.draw.motion.streaming import MotionStream
from tbd.face.channels import INDEX
from tbd.think.plan import MuscleAction, MusclePlan

STD = np.full(58, 0.07)


def nodding(rest: np.ndarray | float, seconds: int = 8) -> np.ndarray:
    """(T, 58) of a face that talks, with a head that nods by 0.03 about a rest."""
    motion = np.random.default_rng(0).uniform(0, 1, (25 * seconds, 58)).astype(np.float32)
    motion[:, POSE] = 0
    motion[:, INDEX["headPitch"]] = rest + 0.03 * np.sin(np.arange(25 * seconds))
    return motion


def test_what_people_do_is_the_same_to_the_last_bit():
    motion = nodding(0.07)
    assert np.array_equal(PoseAnchor(STD)(motion, MusclePlan()), motion)


def test_a_drift_ends_and_all_else_stays():
    motion = nodding(np.minimum(np.arange(200) * 0.005, 0.5))
    anchor = PoseAnchor(STD)
    held = np.concatenate([anchor(part, MusclePlan()) for part in np.split(motion, 50)])
    assert np.array_equal(held[:, : POSE.start], motion[:, : POSE.start])
    pitch = held[:, INDEX["headPitch"]]
    assert 0.1 < pitch[-25:].mean() < 0.2 and np.ptp(pitch[-25:]) > 0.05  # it still nods
    assert np.abs(np.diff(pitch)).max() < 0.06  # and is never moved at once


def test_a_head_that_is_meant_to_turn_turns():
    turned = np.zeros((100, 58), np.float32)
    turned[:, INDEX["headYaw"]] = 0.5
    plan = MusclePlan(actions=(MuscleAction(unit=51, intensity=0.8),))
    assert np.array_equal(PoseAnchor(STD)(turned, plan), turned)
    assert PoseAnchor(STD)(turned, MusclePlan())[-1, INDEX["headYaw"]] < 0.22


@pytest.mark.parametrize("sound", ["beeps", "faint noise", "pink noise"])
def test_sound_that_is_no_voice_nods_no_head(sound):
    """Without it the head went to 23°, 23° and 25° in twelve seconds; and the jaw, once it is known to be none, rests."""
    rng, seconds = np.random.default_rng(7), 12
    time = np.arange(seconds * 16000) / 16000
    if sound == "beeps":
        audio = 0.5 * np.sin(2 * np.pi * 1000 * time) * (time % 1 < 0.2)
    elif sound == "faint noise":
        audio = rng.normal(0, 1e-3, len(time))
    else:
        spectrum = np.fft.rfft(rng.normal(size=len(time)))
        audio = np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1), len(time))
        audio *= 0.4 / np.abs(audio).max()
    stream, degrees, jaw = MotionStream(load_motion_model(), MusclePlan()), [], []
    for piece in np.split(audio.astype(np.float32), seconds * 5):
        stream.feed(piece)
        while stream.ready():
            drawn = stream.draw()
            degrees.append(np.degrees(np.abs(drawn[:, POSE.start : POSE.start + 3])).max())
            jaw.append(drawn[:, INDEX["jawOpen"]])
    assert max(degrees) < 19, max(degrees)
    assert np.concatenate(jaw)[110:].max() < 0.05
