"""Findings name what a face cannot do; a repaired plan has none, and keeps all that was sound."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from tbd.think import KnowledgePlanner, MuscleAction, MusclePlan, Segment
from tbd.think.action_units import ACTION_UNITS, ANTAGONISTS, REGIONS, SPEECH, TRACE
from tbd.think.emotions import EMOTION_SPECS, EMOTIONS
from tbd.think.facs import measure, perform
from tbd.think.plan_checks import check, repair
from tbd.think.plan_rules.muscles import HELD
from tbd.think.rules.expression import express
from tbd.think.rules.parser import read

WORDS = {region: "described" for region in REGIONS}


def plan_of(*actions: dict, **fields) -> MusclePlan:
    return MusclePlan(actions=tuple(MuscleAction(**{"intensity": 0.5} | action) for action in actions), **{"regions": WORDS} | fields)


def segment(start: float, end: float | None, emotion: str = "sad", intensity: float = 0.5) -> Segment:
    return Segment(start=start, end=end, emotions={emotion: 1}, intensity=intensity)


def kinds(plan: MusclePlan) -> set[str]:
    return {finding.kind for finding in check(plan)}


# -- single findings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("a", "b"), ANTAGONISTS)
def test_antagonists_are_found_and_the_weaker_lets_go(a, b):
    plan = plan_of({"unit": a, "intensity": 0.3}, {"unit": b, "intensity": 0.4})
    (finding,) = check(plan)
    assert finding.kind == "antagonists" and set(finding.where) == {f"AU{a}", f"AU{b}"} and finding.end is None
    mended, (change,) = repair(plan)
    assert [action.unit for action in mended.actions] == [b] and f"AU{a} lets go" in change


@pytest.mark.parametrize("apart", [({"side": "left"}, {"side": "right"}), ({"offset": 2}, {"onset": 2}), ({"onset": 3}, {"offset": 1})])
def test_antagonists_that_never_meet_are_none(apart):
    assert check(plan_of({"unit": 12} | apart[0], {"unit": 15} | apart[1])) == ()


def test_an_antagonist_keeps_its_time_and_its_other_side():
    plan = plan_of({"unit": 15, "intensity": 0.3}, {"unit": 12, "side": "left", "intensity": 0.6, "onset": 1, "offset": 2})
    values = perform(repair(plan)[0], 125)  # 5 s
    left, right = measure(values, 15, "left"), measure(values, 15, "right")
    assert np.allclose(right, 0.3, atol=1e-5)
    assert np.allclose(left[:25], 0.3, atol=1e-5) and np.allclose(left[38:50], 0, atol=1e-5) and np.allclose(left[63:], 0.3, atol=1e-5)


def test_a_smile_wins_a_tie_and_what_yields_itself_presses_nobody():
    assert [a.unit for a in repair(plan_of({"unit": 15}, {"unit": 12}))[0].actions] == [12]
    chain = plan_of({"unit": 20, "intensity": 0.3}, {"unit": 18, "intensity": 0.4}, {"unit": 12, "intensity": 0.5})
    assert len(check(chain)) == 2
    assert [a.unit for a in repair(chain)[0].actions] == [12, 20]  # AU18 yields to AU12, so AU20 need not yield to AU18


@pytest.mark.parametrize("unit", SPEECH)
def test_units_that_speech_needs(unit):
    (finding,) = check(plan_of({"unit": unit, "intensity": 1.0}))
    assert finding.kind == "speech" and finding.where == (f"AU{unit}",)
    assert repair(plan_of({"unit": unit, "intensity": 1.0}))[0].actions[0].intensity == SPEECH[unit]
    assert check(plan_of({"unit": unit, "intensity": SPEECH[unit]})) == ()
    assert check(plan_of({"unit": unit, "intensity": 1.0, "onset": 1, "offset": 1 + HELD})) == ()  # a pause is long enough


def test_short_presses_in_a_row_are_one_long_one():
    row = [{"unit": 24, "intensity": 0.8, "onset": t, "offset": t + 0.7} for t in (0, 0.8, 1.6)]
    assert kinds(plan_of(*row)) == {"speech"} and check(plan_of(*row[::2])) == ()


def test_what_nobody_sees():
    plan = plan_of({"unit": 4, "intensity": TRACE / 2}, {"unit": 7, "intensity": TRACE})
    assert [(f.kind, f.where) for f in check(plan)] == [("intensity", ("AU4",))]
    assert [a.unit for a in repair(plan)[0].actions] == [7]


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (plan_of({"unit": 15, "intensity": 0.8}, emotions={"sad": 1}), ("sad", 0.8)),
        (plan_of(emotions={"sad": 1}), ("neutral", 0.0)),
        (plan_of(segments=(segment(0, None, "fear", 0.7),)), ("neutral", 0.7)),
        (plan_of(emotions={"fear": 1}, segments=(segment(0, 1, "fear", 0.3), segment(1, None, "fear", 0.6))), ("fear", 0.6)),
    ],
)
def test_what_is_named_is_felt(plan, expected):
    assert [(f.kind, f.where) for f in check(plan)] == [("intensity", ("intensity",))]
    mended, _ = repair(plan)
    assert (max(mended.emotions, key=mended.emotions.get), mended.intensity) == expected


def test_orders_mean_nothing_by_themselves():
    assert check(plan_of({"unit": 4, "intensity": 1})) == ()


def test_regions_that_move_are_described():
    plan = plan_of({"unit": 12}, {"unit": 1}, regions={"upper": "lifted", "lower": "  "})
    assert [(f.kind, f.where) for f in check(plan)] == [("regions", ("lower",))]
    assert repair(plan)[0].regions == {"upper": "lifted", "lower": "The lip corners are drawn back and up, markedly."}


def test_words_drawn_from_the_muscles_follow_them_and_others_stay():
    order = plan_of({"unit": 15, "intensity": 0.3}, {"unit": 12})
    own = order.model_copy(update={"regions": {"lower": "A brave little smile."}})
    drawn = order.model_copy(update={"regions": {"lower": "The lip corners are drawn back and up; the lip corners are pulled down."}})
    assert repair(own)[0].regions == own.regions
    assert repair(drawn)[0].regions == {"lower": "The lip corners are drawn back and up, markedly."}


def test_timelines_are_closed():
    feels = {"emotions": {"sad": 1}, "intensity": 0.5}
    plan = plan_of(segments=(segment(0.5, 1), segment(2, None, "fear"), segment(3, 4, "angry")), **feels)
    assert [(f.start, f.end) for f in check(plan)] == [(0, 0.5), (1, 2), (3, None)] and kinds(plan) == {"timeline"}
    assert [(s.start, s.end) for s in repair(plan)[0].segments] == [(0, 2), (2, 3), (3, 4)]


def test_muscles_stop_where_the_timeline_ends():
    feels = {"emotions": {"sad": 1}, "intensity": 0.5, "segments": (segment(0, 3),)}
    plan = plan_of({"unit": 1}, {"unit": 2, "onset": 2.9, "apex": 3.2}, {"unit": 4, "offset": 4}, {"unit": 7, "onset": 3.5}, **feels)
    assert [f.where for f in check(plan)] == [("AU2",), ("AU4",), ("AU7",)]
    assert [(a.unit, a.apex, a.offset) for a in repair(plan)[0].actions] == [(1, None, None), (2, 3, None), (4, None, 3)]


def test_values_that_went_around_validation():
    nan, inf = float("nan"), float("inf")
    odd = [
        {"intensity": 3},
        {"intensity": -1},
        {"intensity": nan},
        {"unit": 99},
        {"side": "middle"},
        {"onset": 2, "apex": 1},
        {"offset": inf},
    ]
    actions = tuple(MuscleAction(unit=12, intensity=0.5).model_copy(update=update) for update in odd)
    segments = (
        segment(0, None).model_copy(update={"start": -1, "intensity": nan}),
        segment(2, None).model_copy(update={"emotions": {"joy": 1}}),
    )
    plan = MusclePlan.model_construct(actions=actions, segments=segments, emotions={"sad": 2, "fear": -1}, intensity=7)
    assert sum(finding.kind == "bounds" for finding in check(plan)) == len(odd) + 5
    assert_mended(plan)
    assert repair(plan)[0].intensity == 1 and repair(plan)[0].emotions == {"sad": 1}


# -- whole plans -------------------------------------------------------------------------------------------------------


def assert_mended(plan: MusclePlan) -> None:
    """Repair leaves a valid plan without findings, and repairing again changes nothing."""
    mended, changes = repair(plan)
    assert bool(changes) == bool(check(plan))
    assert check(mended) == () and repair(mended) == (mended, ())
    assert MusclePlan.from_json(mended.to_json()) == mended
    for a, b in combinations(mended.actions, 2):  # by independent means: no frame in which both pull
        if (a.unit, b.unit) in ANTAGONISTS or (b.unit, a.unit) in ANTAGONISTS:
            times = np.arange(-1, 12, 0.04)
            on = [(times >= (x.onset or -9) + 0.01) & (times < (99 if x.offset is None else x.offset) - 0.01) for x in (a, b)]
            assert {a.side, b.side} == {"left", "right"} or not (on[0] & on[1]).any()


def random_plan(rng: np.random.Generator) -> MusclePlan:
    """Anything that validation lets through."""

    def action() -> MuscleAction:
        unit = ACTION_UNITS[int(rng.choice(list(ACTION_UNITS)))]
        times = sorted(rng.uniform(-0.5, 8, 3).round(2))
        given = {field: time for field, time in zip(("onset", "apex", "offset"), times) if rng.random() < 0.6}
        return MuscleAction(unit=unit.number, side=str(rng.choice(unit.sides)), intensity=float(rng.choice([0, 1, rng.random()])), **given)

    def feeling() -> dict:
        emotions = {str(e): float(rng.random()) + 0.01 for e in rng.choice(EMOTIONS, rng.integers(1, 3), replace=False)}
        return {"emotions": emotions, "intensity": float(rng.choice([0, rng.random()]))}

    edges = sorted(rng.uniform(0, 8, 2 * rng.integers(0, 4)).round(1))
    spans = [(start, end) for start, end in zip(edges[::2], edges[1::2]) if start < end]
    segments = tuple(Segment(start=start, end=None if rng.random() < 0.2 else end, **feeling()) for start, end in spans)
    regions = {region: str(rng.choice(["", "as it is"])) for region in REGIONS if rng.random() < 0.6}
    return MusclePlan(actions=tuple(action() for _ in range(rng.integers(0, 14))), segments=segments, regions=regions, **feeling())


@pytest.mark.parametrize("seed", range(5))
def test_random_plans_are_mended(seed):
    rng = np.random.default_rng(seed)
    plans = [random_plan(rng) for _ in range(100)]
    assert sum(bool(check(plan)) for plan in plans) > 80
    for plan in plans:
        assert_mended(plan)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_prototypes_pull_together(emotion):
    for prototype in EMOTION_SPECS[emotion].prototypes:
        plan = plan_of(*({"unit": unit, "side": side, "intensity": level} for unit, side, level in prototype))
        assert "antagonists" not in kinds(plan)


LINES = (Path(__file__).parent / "sentences.txt").read_text(encoding="utf-8").splitlines()
SENTENCES = [line.split("|")[0].strip() for line in LINES if line and line[0] not in "[#"]


@pytest.mark.parametrize("duration", [None, 1.0, 6.0])
def test_the_planner_thinks_sound_plans(duration):
    planner = KnowledgePlanner()
    assert len(SENTENCES) > 150
    for text in SENTENCES:
        ordered = {f"AU{unit}" for moment in read(text).moments for unit in express(moment).ordered}
        findings = [
            f for f in check(planner.plan(text, duration=duration)) if not (f.kind in ("speech", "antagonists") and set(f.where) <= ordered)
        ]
        assert findings == [], text


def test_a_sound_plan_comes_back_as_it_was():
    plan = KnowledgePlanner().plan("she fights back tears, then smiles", duration=4)
    assert check(plan) == () and repair(plan) == (plan, ())
