import numpy as np

from tbd.think.plan import MuscleAction, MusclePlan, Segment
from tbd.think.plan_checks import check
from tbd.think.succession import hand_over, rebase

SAD = MusclePlan(
    emotions={"sad": 1.0}, intensity=0.8,
    actions=(MuscleAction(unit=1, intensity=0.6), MuscleAction(unit=15, intensity=0.5, onset=1.0, apex=1.5, offset=9.0)),
)  # fmt: skip
GLAD = MusclePlan(
    emotions={"happy": 1.0}, intensity=1.0,
    actions=(MuscleAction(unit=6, intensity=0.7), MuscleAction(unit=12, intensity=0.9, onset=1.0, apex=1.4)),
    segments=(
        Segment(end=1.0, emotions={"neutral": 1.0}, intensity=0.0),
        Segment(start=1.0, end=4.0, emotions={"happy": 1.0}, intensity=1.0),
    ),
)  # fmt: skip


def level(plan: MusclePlan, unit: int, seconds: float) -> float:
    return float(sum(a.envelope(np.array([seconds]))[0] for a in plan.actions if a.unit == unit))


def test_muscles_cross_over_in_half_a_second():
    plan = hand_over(SAD, GLAD, at=5.0)
    assert [round(level(plan, unit, 4.99), 2) for unit in (1, 15, 6, 12)] == [0.6, 0.5, 0, 0]
    assert [round(level(plan, unit, 5.5), 2) for unit in (1, 15, 6, 12)] == [0, 0, 0.7, 0]
    assert round(level(plan, 12, 6.4), 2) == 0.9  # a second and more after it took over, as its plan says
    steps = np.diff([[level(plan, unit, t) for unit in (1, 15, 6, 12)] for t in np.arange(4, 8, 0.04)], axis=0)
    assert np.abs(steps).max() < 0.2  # nothing jumps


def test_feelings_follow_each_other_and_the_last_one_stays():
    plan = hand_over(SAD, GLAD, at=5.0)
    assert [(s.start, s.end, *s.emotions) for s in plan.segments] == [(0, 5, "sad"), (5, 6, "neutral"), (6, None, "happy")]
    assert not [finding for finding in check(plan) if "timeline" in finding.kind]


def test_plans_that_take_over_for_hours_stay_short():
    plan = SAD
    for i in range(1, 200):
        plan = hand_over(plan, GLAD if i % 2 else SAD, at=i * 3.0)
        assert len(plan.actions) <= 8 and len(plan.segments) <= 5
    at_once = hand_over(hand_over(SAD, GLAD, at=3.0), SAD, at=3.0)
    assert MusclePlan.from_json(at_once.to_json()) == at_once


def test_a_plan_of_a_later_start_is_the_same_plan():
    plan = hand_over(SAD, GLAD, at=5.0)
    for start in (2.0, 5.2, 6.2, 60.0):
        later = rebase(plan, start)
        for unit in (1, 15, 6, 12):
            for t in (0.0, 0.3, 1.0, 5.0):
                assert abs(level(later, unit, t) - level(plan, unit, start + t)) < 1e-6
        assert list(later.timeline()[-1].emotions) == ["happy"] and later.timeline()[0].start == 0
        assert MusclePlan.from_json(later.to_json()) == later
