"""Head, lids, rest, smoothness and seams, each on a motion whose answer is known."""

import numpy as np
import pytest

from tbd.face.motion import Motion
from tbd.metrics import (
    BlinkRate,
    HeadMotionDiversity,
    Jerk,
    SeamJump,
    SilenceLipEnergy,
    Unmeasurable,
)
from tbd.metrics.dynamics import silent_frames
from tbd.metrics.faces.face_points import eat_template


def test_head_motion_is_the_mean_deviation_of_three_angles():
    motion = Motion.zeros(100)
    motion["headYaw"] = np.radians(np.where(np.arange(100) % 2, 3, -3))
    assert HeadMotionDiversity().measure(motion.values)["value"] == pytest.approx(1.0, rel=1e-5)


def test_blinks_a_minute_and_long_clips_count_more():
    long, short = Motion.zeros(750), Motion.zeros(250)  # 30 s and 10 s
    for start in (100, 300, 500):
        long["eyeBlinkLeft"][start : start + 4] = long["eyeBlinkRight"][start : start + 4] = 0.9
    long["eyeBlinkLeft"][600:604] = 0.9  # a wink
    metric = BlinkRate()
    assert metric.measure(long.values)["value"] == pytest.approx(6)
    metric.update(long.values)
    metric.update(short.values)
    assert float(metric.compute()) == pytest.approx(4.5, abs=1e-6), "three blinks in forty seconds"


def test_silence_is_found_beside_speech_of_any_loudness():
    rng = np.random.default_rng(0)
    for gain in (1.0, 0.01):
        audio = gain * rng.uniform(-0.5, 0.5, 50 * 640)
        audio[10 * 640 : 20 * 640] *= 1e-3
        audio[30 * 640 : 33 * 640] *= 1e-3  # a stop within a word
        found = silent_frames(audio.astype(np.float32), 55)
        assert found.nonzero()[0].tolist() == [*range(10, 20), *range(50, 55)]


def test_lips_that_move_in_silence_are_felt_and_a_closing_mouth_is_not():
    points, audio = np.tile(eat_template(), (40, 1, 1)), np.full(40 * 640, 0.3, np.float32)
    audio[20 * 640 :] = 0
    audio[::2] *= -1
    metric = SilenceLipEnergy()
    points[19:21, 66, 1] += [9, 4]  # still open when the voice stops
    assert metric.measure(points, audio)["value"] == pytest.approx(0, abs=1e-9)
    points[20:, 66, 1] += np.where(np.arange(20) % 2, 1.0, 0.0)
    assert metric.measure(points, audio)["value"] == pytest.approx(25 / 64, rel=0.1), "a pixel each frame, 64 between the eyes"
    with pytest.raises(Unmeasurable, match="no silence"):
        metric.measure(points[:18], audio)


def test_jerk_of_a_cubic_is_its_third_derivative_and_the_head_does_not_count():
    time = np.arange(30) / 25
    points = np.tile(eat_template(), (30, 1, 1))
    points[:, 27, 1] += 64 * 5 * time**3  # one of 68 points, 30 inter-ocular distances per s³
    metric = Jerk()
    assert metric.measure(points)["value"] == pytest.approx(30 / 68, rel=1e-6)
    assert metric.measure(points + 40 * np.sin(9 * time)[:, None, None])["value"] == pytest.approx(30 / 68, rel=1e-6)
    lost = points.copy()
    lost[::3] = np.nan
    with pytest.raises(Unmeasurable):
        metric.measure(lost)


def test_seams_are_measured_in_usual_steps():
    motion = Motion.zeros(50)
    motion["jawOpen"] = 0.02 * (np.arange(50) % 2)
    motion["jawOpen"][25:] += 0.1
    metric = SeamJump()
    assert metric.measure(motion.values, [25])["value"] == pytest.approx(0.12 / 0.02, rel=1e-4)
    assert metric.measure(motion.values, [10, 70])["value"] == pytest.approx(1, rel=1e-4)
    for nothing in ([], [0, 50]):
        with pytest.raises(Unmeasurable):
            metric.measure(motion.values, nothing)
