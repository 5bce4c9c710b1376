from collections import Counter

import numpy as np
import pytest

from tbd.data.synthetic.plans import KINDS, sample_plan
from tbd.think.action_units import ACTION_UNITS, REGIONS
from tbd.think.emotions import EMOTION_SPECS, EMOTIONS, LEVELS

DURATION = 8.0


def plans(kind=None, count=400, emotion=None, level=None):
    rng = np.random.default_rng(0)
    for _ in range(count):
        drawn = emotion or str(rng.choice(EMOTIONS))
        yield sample_plan(drawn, level or (1 if drawn == "neutral" else int(rng.integers(1, 4))), DURATION, rng, kind)


def test_prototypes_show_their_emotion_at_their_level():
    for level, (low, high, _) in LEVELS.items():
        for plan in plans("prototype", 20, "happy", level):
            units = {a.unit for a in plan.actions}
            assert any(units == {u for u, _, _ in prototype} for prototype in EMOTION_SPECS["happy"].prototypes)
            assert low <= plan.intensity <= high
            assert plan.emotions == {"happy": 1.0}
    assert not next(plans("prototype", 1, "neutral", 1)).actions


def test_every_unit_is_asked_for_on_every_side_and_over_the_whole_range():
    seen, sides = {u: [] for u in ACTION_UNITS}, Counter()
    for plan in plans("random", 3000):
        for action in plan.actions:
            seen[action.unit].append(action.intensity)
            sides[action.unit, action.side] += 1
    for unit, known in ACTION_UNITS.items():
        assert len(seen[unit]) > 50, unit
        assert min(seen[unit]) < 0.25, unit
        assert max(seen[unit]) > 0.85, unit
        assert all(sides[unit, side] > 10 for side in known.sides), unit
        assert sum(sides[unit, side] for side in known.sides) == len(seen[unit]), unit


def test_nearly_half_of_the_plans_part_label_from_muscles():
    parted = KINDS["perturbed"] + KINDS["random"] + KINDS["mixture"] + KINDS["sequence"]
    assert sum(KINDS.values()) == pytest.approx(1)
    assert 0.4 <= parted <= 0.5


def test_timed_plans_unfold_within_the_clip():
    for plan in plans("timed", 100, "angry", 3):
        for action in plan.actions:
            assert 0 <= action.onset < action.apex <= DURATION
            assert action.offset is None or action.apex < action.offset <= DURATION + 0.2


def test_sequences_follow_one_another_without_gaps():
    for plan in plans("sequence", 100):
        assert plan.segments[0].start == 0
        assert plan.segments[-1].end is None
        assert all(a.end == b.start and a.emotions != b.emotions for a, b in zip(plan.segments, plan.segments[1:]))
        assert sum(plan.emotions.values()) == pytest.approx(1)


def test_mixtures_keep_units_of_both_feelings():
    for plan in plans("mixture", 50, "sad", 3):
        assert len(plan.emotions) == 2
        assert {a.unit for a in plan.actions} & {1, 15}


def test_opposed_units_are_not_asked_for_together():
    for plan in plans("random", 1000):
        units = {a.unit for a in plan.actions}
        assert not any(pair <= units for pair in ({51, 52}, {61, 62}, {5, 43}))


def test_plans_are_worded():
    for plan in plans(count=100):
        assert plan.description
        assert set(plan.regions) == {ACTION_UNITS[a.unit].region for a in plan.actions} <= set(REGIONS)
