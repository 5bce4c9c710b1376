"""Performances of one plan: each of the variations, and none where there is none."""

import numpy as np
import pytest

from tbd.data.synthetic.plans import sample_plan
from tbd.data.synthetic.variation import PerformanceVariation, PersonalStyle, perform_variation
from tbd.errors import InputError
from tbd.think.action_units import ANTAGONISTS
from tbd.think.emotions import EMOTIONS
from tbd.think.facs import perform
from tbd.think.plan import MuscleAction, MusclePlan

PLAIN = PersonalStyle()
PLAN = MusclePlan(
    actions=(
        MuscleAction(unit=1, intensity=0.5),
        MuscleAction(unit=12, intensity=0.6, onset=2.0, apex=2.5, offset=5.0),
        MuscleAction(unit=24, intensity=0.4, onset=1.0),
    )
)


def performances(count: int = 300, plan: MusclePlan = PLAN, style: PersonalStyle = PLAIN, **only: float) -> list[MusclePlan]:
    variation = PerformanceVariation(**{**dict.fromkeys(PerformanceVariation.__dataclass_fields__, 0.0), **only})
    return [perform_variation(plan, 8.0, variation, style, np.random.default_rng(i)) for i in range(count)]


def of_unit(plans, unit, name):
    return np.array([getattr(a, name) for plan in plans for a in plan.actions if a.unit == unit])


def test_no_variation_performs_the_plan_as_it_stands():
    assert all((perform(plan, 200) == perform(PLAN, 200)).all() for plan in performances(5, style=PersonalStyle(1, 1, {1: 1.0}, 1)))


def test_timing_is_jittered_about_the_plan():
    plans = performances(timing=0.2)
    for name, planned in (("onset", 2.0), ("offset", 5.0)):
        found = of_unit(plans, 12, name)
        assert found.mean() == pytest.approx(planned, abs=0.04) and found.std() == pytest.approx(0.2, abs=0.03)
    assert set(of_unit(plans, 1, "onset")) == {None}  # what is there from the start stays so


def test_an_open_action_may_come_in_later():
    onsets = of_unit(performances(entrance=0.4), 1, "onset")
    assert np.mean([onset is not None for onset in onsets]) == pytest.approx(0.4, abs=0.08)


def test_units_are_dropped_added_and_taken_along():
    assert len(of_unit(performances(dropped=0.25), 12, "unit")) == pytest.approx(225, abs=30)
    assert np.mean([len(plan.actions) for plan in performances(added=0.7)]) == pytest.approx(3.5, abs=0.2)  # some would oppose the plan's
    along = performances(coactivation=0.5)
    assert len(of_unit(along, 2, "unit")) == pytest.approx(150, abs=30) and len(of_unit(along, 6, "unit")) == pytest.approx(150, abs=30)
    assert (of_unit(along, 6, "onset") == 2.0).all() and of_unit(along, 6, "intensity").max() < 0.6


def test_nothing_that_is_added_pulls_against_the_plan():
    for plan in performances(200, MusclePlan(actions=(MuscleAction(unit=24, intensity=0.5),)), added=4.0, coactivation=1.0):
        units = {a.unit for a in plan.actions}
        assert not any(a in units and b in units for a, b in ANTAGONISTS)


def test_intensity_and_sides_vary():
    spread = np.log(of_unit(performances(intensity=0.2), 1, "intensity") / 0.5)
    assert spread.std() == pytest.approx(0.2, abs=0.03) and abs(spread.mean()) < 0.04
    sided = performances(asymmetry=0.3)
    left, right = (np.array([a.intensity for p in sided for a in p.actions if a.unit == 12 and a.side == s]) for s in ("left", "right"))
    assert ((left - right) / 0.6).std() == pytest.approx(0.3, abs=0.04) and np.allclose(left + right, 1.2)
    assert {a.side for p in sided for a in p.actions if a.unit == 24} == {"both"}  # acts on both sides by nature


def test_a_style_is_its_speakers_from_clip_to_clip():
    strong = PersonalStyle(strength=1.0, units={12: 1.0}, reaction=1.0, lean=1.0)
    variation = PerformanceVariation(**{**dict.fromkeys(PerformanceVariation.__dataclass_fields__, 0.0), "style": 0.2})
    plans = [perform_variation(PLAN, 8.0, variation, strong, np.random.default_rng(i)) for i in range(5)]
    assert all(plan == plans[0] for plan in plans)
    by_side = {a.side: a.intensity for a in plans[0].actions if a.unit == 12}
    assert np.mean(list(by_side.values())) == pytest.approx(0.6 * np.exp(0.4), rel=0.01) and by_side["left"] > by_side["right"]
    assert of_unit(plans, 24, "onset")[0] == pytest.approx(1.1) and PersonalStyle.sample(np.random.default_rng(0)).units


def test_any_plan_can_be_performed():
    """Every performance is a plan that a face can show, at thrice the usual variation as well."""
    for i in range(200):
        plan = sample_plan(EMOTIONS[i % len(EMOTIONS)], 1 + i % 3, 6.0, np.random.default_rng(i))
        rng = np.random.default_rng([i, 1])
        performed = perform_variation(plan, 6.0, PerformanceVariation().scaled(3.0), PersonalStyle.sample(rng), rng)
        assert MusclePlan.model_validate(performed.model_dump()) == performed
        assert (performed.emotions, performed.segments) == (plan.emotions, plan.segments)


def test_what_is_no_variation_is_refused():
    with pytest.raises(InputError, match=r"dropped of a performance's variation is 1\.5"):
        PerformanceVariation(dropped=1.5)
    with pytest.raises(InputError, match="timing"):
        PerformanceVariation(timing=-1)
