"""Distances of sets of motions against scipy."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from tbd.face.channels import INDEX
from tbd.face.motion import Motion
from tbd.metrics import (
    FrechetMotionDistance,
)
from tbd.metrics.motion_frechet import motion_features


def test_frechet_motion_distance_against_scipy():
    ours, theirs = (np.random.default_rng(seed).random((300, 58)) * (0.7 + 0.7 * seed) for seed in (0, 1))
    metric = FrechetMotionDistance()
    metric.update(ours[:100], theirs)
    metric.update(ours[99:], None)  # features take a frame and the one before it
    features = [motion_features(motion).numpy() for motion in (ours, theirs)]
    mean, covariance = zip(*[(x.mean(0), np.cov(x.T)) for x in features])
    root = sqrtm(covariance[0] @ covariance[1]).real
    expected = ((mean[0] - mean[1]) ** 2).sum() + np.trace(covariance[0] + covariance[1] - 2 * root)
    assert float(metric.compute()) == pytest.approx(expected, rel=1e-8)
    metric.reset()
    metric.update(ours, ours)
    assert float(metric.compute()) == pytest.approx(0, abs=1e-9)


def test_a_copy_of_a_set_metric_has_sums_of_its_own():
    metric, motion = FrechetMotionDistance(), np.random.default_rng(0).random((20, 58))
    metric.update(motion, motion)
    twin = metric.clone()
    twin.update(motion, None)
    assert (metric.preds.count, twin.preds.count, twin.target.count) == (19, 38, 19)


def test_velocities_count_five_times():
    motion = Motion.zeros(2)
    motion["jawOpen"] = [0.2, 0.5]
    features = motion_features(torch.from_numpy(motion.values))[0]
    assert float(features[INDEX["jawOpen"]]) == pytest.approx(0.5) and float(features[58 + INDEX["jawOpen"]]) == pytest.approx(1.5)
