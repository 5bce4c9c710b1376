"""What a set of motions holds: units that occur, and how much clips differ."""

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.face.channels import INDEX
from tbd.metrics.motion_variety import ActionUnitF1, MotionDiversity
from tbd.think.facs import perform
from tbd.think.plan import MuscleAction, MusclePlan

FRAMES = 50


def motion(*units: int, intensity: float = 0.6) -> np.ndarray:
    return perform(MusclePlan(actions=tuple(MuscleAction(unit=unit, intensity=intensity) for unit in units)), FRAMES)


def test_units_that_are_shown_missed_and_invented():
    metric = ActionUnitF1([1, 4, 12])
    metric.update(motion(1, 4), motion(1, 12))
    assert metric.by_unit() == {1: 1.0, 4: 0.0, 12: 0.0} and float(metric.compute()) == pytest.approx(1 / 3)
    metric.update(motion(12), motion(12))
    assert metric.by_unit()[12] == pytest.approx(2 / 3)  # one clip hit, one missed


def test_a_unit_below_the_threshold_is_not_active():
    metric = ActionUnitF1([1], threshold=0.5)
    metric.update(motion(1, intensity=0.4), motion(1, intensity=0.4))
    assert np.isnan(float(metric.compute()))


def test_diversity_is_that_of_pairs_whatever_their_number():
    """√(mean squared distance) of all pairs of clips, and about the same for half of the clips."""
    rng = np.random.default_rng(0)
    clips = [np.tile(rng.random(58), (FRAMES, 1)) for _ in range(60)]
    found = []
    for chosen in (clips, clips[:30]):
        metric = MotionDiversity(["upper"])
        for clip in chosen:
            metric.update(clip)
        features = np.stack([np.concatenate([c[:, metric.columns].mean(0), c[:, metric.columns].std(0)]) for c in chosen])
        pairs = [np.square(a - b).mean() for i, a in enumerate(features) for b in features[:i]]
        assert float(metric.compute()) == pytest.approx(100 * np.sqrt(np.mean(pairs)))
        found.append(float(metric.compute()))
    assert found[0] == pytest.approx(found[1], rel=0.1)


def test_one_face_for_all_has_no_diversity():
    metric = MotionDiversity()
    metric.update(motion(12))
    assert np.isnan(float(metric.compute()))
    metric.update(motion(12))
    assert float(metric.compute()) == 0
    assert INDEX["eyeBlinkLeft"] not in metric.columns


def test_what_is_no_unit_or_region_is_refused():
    with pytest.raises(InputError, match="AU99"):
        ActionUnitF1([99])
    with pytest.raises(InputError, match="threshold"):
        ActionUnitF1(threshold=0)
    with pytest.raises(InputError, match="ears is no region"):
        MotionDiversity(["ears"])
