"""The emotion knob: how far emotions lie apart, whether intensity rises, what the lips lose."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from tbd.face.motion import Motion
from tbd.metrics import EmotionSeparation, IntensityMonotonicity, LipDrift, Unmeasurable
from tbd.metrics.controllability import motion_distance, rank_correlation
from tbd.metrics.faces.face_points import eat_template
from tbd.think.emotions import EMOTIONS


def held(channel: str, value: float) -> np.ndarray:
    motion = Motion.zeros(10)
    motion[channel] = value
    return motion.values


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_separation_is_the_mean_distance_of_the_emotions_means():
    metric = EmotionSeparation()
    assert torch.isnan(metric.compute())
    for emotion, channel in (("happy", "cheekPuff"), ("sad", "browInnerUp"), ("neutral", "jawOpen")):
        for value in (0.4, 0.6):
            metric.update(held(channel, value), EMOTIONS.index(emotion))
    assert float(metric.compute()) == pytest.approx(np.sqrt(2 * 0.5**2 / 52), rel=1e-5)


def test_rank_correlation_is_scipys_ties_included():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.integers(0, 5, (2, 9)).tolist()
        assert rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-9)
    assert rank_correlation([1, 1, 1], [1, 2, 3]) == 0


def test_intensity_that_rises_falls_or_does_nothing():
    metric, levels = IntensityMonotonicity(), [0.2, 0.8, 0.4, 0.6]
    assert metric.measure([held("cheekPuff", level**2) for level in levels], levels)["value"] == 1
    assert metric.measure([held("cheekPuff", 0.3)] * 4, levels)["value"] == 0
    order = [held("cheekPuff", x) for x in (0.1, 0.2, 0.4, 0.3)]  # from the weakest on: 0, 3rd, 4th, 2nd
    assert metric.measure(order, levels)["value"] == pytest.approx(spearmanr([0.2, 0.4, 0.6, 0.8], [0, 3, 2, 1]).statistic)
    with pytest.raises(Unmeasurable, match="three intensities"):
        metric.measure([held("cheekPuff", 0.3)] * 2, [0.1, 0.9])


def test_motion_distance_counts_blendshapes_alone():
    turned = held("jawOpen", 0.2)
    turned[:, 52:] = 1
    assert motion_distance(turned, held("jawOpen", 0.5)) == pytest.approx(0.3 / np.sqrt(52), rel=1e-5)


def test_lip_drift_is_zero_for_the_same_words_at_any_width():
    points = np.tile(eat_template(), (40, 1, 1))
    points[:, 66, 1] += 8 + 6 * np.sin(np.arange(40) / 2)
    wider, silent = points.copy(), points.copy()
    wider[:, 66, 1] += 5 + 3 * np.sin(np.arange(40) / 2)
    silent[:, 66, 1] += 6 * np.cos(np.arange(40) / 2) - 6 * np.sin(np.arange(40) / 2)
    assert LipDrift().measure(wider, points)["value"] == pytest.approx(0, abs=1e-9)
    assert LipDrift().measure(silent, points)["value"] == pytest.approx(1, abs=0.1)
