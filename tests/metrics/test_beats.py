"""Beat alignment against Bailando's arithmetic written out, and beats that are known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.signal import argrelextrema

from tbd.face.channels import HEAD, INDEX
from tbd.metrics import BeatAlignment, Unmeasurable
from tbd.metrics.beats import alignment, head_beats, voice_beats


def nodding(frames: int = 200, period: float = 40.0) -> np.ndarray:
    motion = np.zeros((frames, 58))
    motion[:, INDEX["headPitch"]] = 0.1 * np.cos(2 * np.pi * np.arange(frames) / period)
    return motion


def voice(onsets, frames: int = 200) -> np.ndarray:
    sound, hum = np.zeros(frames * 640), 0.3 * np.sin(np.arange(4 * 640) * 0.2)
    for frame in onsets:
        sound[frame * 640 : (frame + 4) * 640] = hum
    return sound


def test_beats_and_score_are_bailandos():
    motion = np.cumsum(np.random.default_rng(0).normal(0, 0.01, (200, 58)), 0)
    pose = motion[:, [INDEX[name] for name in HEAD[:3]]].reshape(-1, 1, 3)
    speed = np.mean(np.sqrt(np.sum((pose[1:] - pose[:-1]) ** 2, axis=2)), axis=1)
    theirs = argrelextrema(gaussian_filter(speed, 5), np.less)
    assert len(theirs[0]) > 3 and np.array_equal(head_beats(motion), theirs[0])
    beats = np.array([20, 77, 150])
    expected = sum(np.exp(-np.min((theirs[0] - beat) ** 2) / 2 / 9) for beat in beats) / len(beats)
    assert alignment(beats, head_beats(motion)) == pytest.approx(expected, abs=1e-12)


def test_a_voice_sets_in_where_it_does():
    assert voice_beats(voice((30, 80, 120)), 200).tolist() == [30, 80, 120]
    assert len(voice_beats(np.zeros(200 * 640), 200)) == 0


def test_a_head_that_rests_with_the_voice_is_aligned_and_one_between_is_not():
    metric, motion = BeatAlignment(), nodding()  # it turns round every 20 frames
    on, off = (metric.measure(motion, voice(range(first, 190, 40)))["value"] for first in (20, 30))
    assert on > 0.7 and off < 0.1
    assert metric.measure(np.zeros((200, 58)), voice((20,)))["value"] == 0
    with pytest.raises(Unmeasurable, match="no onset"):
        metric.measure(motion, np.zeros(200 * 640))
