"""Blinks beside those that a model draws, and as deep as people's."""

import numpy as np
import pytest

from tbd.draw.motion.blinks import LIDS, BlinkMotion
from tbd.draw.motion.idle import IdleMotion
from tbd.face.channels import CHANNELS
from tbd.metrics.dynamics import count_blinks
from tbd.think.facs import perform
from tbd.think.plan import MuscleAction, MusclePlan

MINUTE = 1500
STILL = np.zeros((MINUTE, len(CHANNELS)), np.float32)


def drawn(depth: float = 0.9, every: int = 100) -> np.ndarray:
    """A model's motion of a minute that blinks so far."""
    values = STILL.copy()
    for at in range(50, MINUTE - 10, every):
        values[at : at + 6, LIDS] = depth * np.array([0.4, 0.9, 1, 0.7, 0.35, 0.12])[:, None]
    return values


def test_blinks_are_as_many_and_as_deep_as_peoples():
    moved = [IdleMotion()(drawn(), MusclePlan(), seed) for seed in range(12)]
    assert 20 < np.mean([count_blinks(one[:, LIDS].min(1)) for one in moved]) < 29  # of filmed people 27
    assert count_blinks(drawn()[:, LIDS].min(1)) == 15
    assert all(one[at : at + 6, LIDS].max() > 0.97 for one in moved for at in range(50, MINUTE - 10, 100))


def test_added_blinks_shut_last_as_long_as_peoples_and_keep_apart():
    values = STILL.copy()
    BlinkMotion(np.random.default_rng(3))(values, STILL)
    lids = values[:, LIDS[0]]
    starts = np.flatnonzero((lids[1:] >= 0.5) & (lids[:-1] < 0.5))
    assert len(starts) > 5 and lids.max() == 1 and np.diff(starts).min() > 20
    fine = np.interp(np.arange(0, MINUTE - 1, 0.02), np.arange(MINUTE), lids)
    assert (fine > 0.5).sum() * 0.02 / 25 / len(starts) == pytest.approx(0.13, abs=0.015)


def test_blinks_that_a_model_draws_last_as_long_as_peoples():
    values = STILL.copy()
    values[50:56, LIDS] = np.array([0.2, 0.6, 0.93, 0.8, 0.55, 0.2])[:, None]  # four frames at more than half, as the packaged model's
    BlinkMotion(np.random.default_rng(0), 1e-3)(as_it_comes := values.copy(), STILL)
    BlinkMotion(np.random.default_rng(0))(values, STILL)
    lids = values[45:60, LIDS[0]]
    assert (as_it_comes[45:60, LIDS[0]] > 0.5).sum() == 4 and (lids > 0.5).sum() == 3 and lids.max() > 0.97


def test_lids_that_a_plan_closes_halfway_stay_halfway():
    plan = MusclePlan(actions=(MuscleAction(unit=43, intensity=0.6),))
    asked = perform(plan, 250)
    assert 0.3 < asked[-1, LIDS].min() < 0.95
    for seed in range(8):
        values = asked.astype(np.float32)
        BlinkMotion(np.random.default_rng(seed))(values, asked)
        assert np.abs(values[60:] - asked[60:]).max() < 1e-6


def test_none_where_none_is_wanted():
    assert (IdleMotion(0, 0, 0, 0, 0)(drawn(), MusclePlan(), 1) == drawn()).all()
