"""The counting of the planners' benchmark, on made-up answers."""

import numpy as np
import pytest

from benchmarks.think import face, families, units
from benchmarks.think.judge import measure, score
from benchmarks.think.report import markdown
from benchmarks.think.summary import calibration, confusion, summarize
from tbd.face.motion import Motion
from tbd.think import KnowledgePlanner, MuscleAction, MusclePlan, Planner
from tbd.think.emotions import EMOTIONS
from tbd.think.facs import perform
from tests.draw.conftest import tiny_model
from tests.think.sentences import Sentence, sentences

FRAMES = round(families.TIMED_SECONDS * 25)


def plan(*units: tuple, **times: float) -> MusclePlan:
    return MusclePlan(actions=tuple(MuscleAction(unit=unit, side=side, intensity=level, **times) for unit, side, level in units))


class Stone(Planner):
    """Whatever it is told, it smiles on the left."""

    def plan(self, text, duration=None):
        return plan((12, "left", 0.5))


def test_units_are_counted_on_their_sides_and_from_a_trace():
    told = plan((12, "left", 0.5), (6, "both", 0.05), (4, "both", 0.3))
    counts = units.count_units(told, Sentence("", "", {"12L", "6", "1"}, {"4", "12", "12R", "2"}))
    assert counts == {"hits": 1, "missed": 2, "wrong": 2}  # AU6 is below a trace; AU4 and AU12 are forbidden on any side


def test_events_out_of_order_or_absent_are_seen():
    early, late = MuscleAction(unit=4, intensity=0.5, offset=2.0), MuscleAction(unit=12, intensity=0.5, onset=3.0)
    both = MusclePlan(actions=(late, early))
    assert units.in_order(both, [4, 12]) and not units.in_order(both, [12, 4]) and not units.in_order(both, [4, 20])


def test_the_cosine_hears_sides_and_intensities():
    left, right, both, none = plan((12, "left", 0.5)), plan((12, "right", 0.5)), plan((12, "both", 0.2)), MusclePlan()
    assert units.cosines([left, right, both, none]) == pytest.approx([0, 2**-0.5, 0, 2**-0.5, 0, 0])


def test_a_stone_scores_what_it_deserves():
    results = units.judge(Stone())
    lines = sentences()
    hits = sum(len(line.expected & {"12", "12L"}) for line in lines)
    assert results["units"]["all"]["recall"] == pytest.approx(hits / sum(len(line.expected) for line in lines))
    assert results["units"]["all"]["precision"] < 0.5 and not any(results["order"].values())
    assert {row["feeling"] for row in results["degrees"].values()} == {0.0}
    assert results["paraphrases"]["sad"]["least"] == pytest.approx(1.0) and results["sentences"]["hard"] < len(lines)


def test_asked_units_are_found_from_half_their_intensity():
    told = plan((12, "both", 0.8), (4, "both", 0.6))
    assert face.count_found(told, 0.6 * perform(told, FRAMES)) == {"hits": 2, "missed": 0, "wrong": 0}
    assert face.count_found(told, 0.4 * perform(told, FRAMES)) == {"hits": 0, "missed": 2, "wrong": 0}


def test_what_shares_channels_with_the_asked_is_not_wrong_and_the_rest_once():
    told = plan((12, "left", 0.6), (25, "both", 0.6))
    assert face.count_found(told, perform(told, FRAMES))["wrong"] == 0  # AU13 shows in a smile, AU26 in parted lips
    more = plan((12, "both", 0.6), (25, "both", 0.6), (43, "both", 0.6))
    assert face.count_found(told, perform(more, FRAMES)) == {"hits": 2, "missed": 0, "wrong": 2}  # the right corner, the lids
    assert face.unasked(perform(plan((12, "both", 0.6)), FRAMES), set(), 0.3) == [(12, "both")]
    assert face.unasked(perform(plan((12, "left", 0.6)), FRAMES), set(), 0.3) == [(12, "left")]


@pytest.mark.parametrize("frames", [-4, 0, 7])
def test_a_late_change_is_timed(frames):
    told = plan((4, "both", 0.7), onset=2.0, apex=2.5)
    (error,) = face.timing_errors(told, np.roll(perform(told, FRAMES), frames, axis=0) * (np.arange(FRAMES) >= 10)[:, None])
    assert error == pytest.approx(frames / 25, abs=0.01)


def test_a_change_that_never_comes_has_no_time():
    told = plan((4, "both", 0.7), onset=2.0)
    assert face.timing_errors(told, np.zeros((FRAMES, 58), np.float32)) == [None]
    assert face.timing_errors(plan((4, "both", 0.7)), np.zeros((FRAMES, 58), np.float32)) == []  # it is there from the start


def test_a_face_that_performs_its_plan_reaches_it():
    """Speech on top changes nothing: it is in the neutral drawing too."""
    speech = Motion.zeros(FRAMES)
    speech["jawOpen"] = 0.3 * np.abs(np.sin(np.arange(FRAMES)))
    reached = face.reach(KnowledgePlanner(), lambda told: perform(told, FRAMES) + speech.values)
    assert len(reached["plans"]) == 20 and reached["units"]["f1"] > 0.98
    assert reached["timing"]["reached"] >= 0.9 * reached["timing"]["changes"] > 20 and reached["timing"]["median"] < 0.02


def test_a_still_face_reaches_nothing_and_the_report_says_so():
    still = face.reach(KnowledgePlanner(), lambda told: np.zeros((FRAMES, 58), np.float32))
    assert still["units"]["f1"] == 0 and still["timing"]["reached"] == 0
    planners = {"Stone": summarize([measure(Stone(), item) for item in families.spread(families.items(), 1)])}
    results = {"protocol": "think-2", "planners": planners, "units": {"Stone": units.judge(Stone())}, "face": {"planner": "Stone", **still}}
    assert "\n0 of " in markdown(results) and "Events in order in 0 of 20" in markdown(results)


def test_a_model_draws_the_seconds_asked_for():
    draw = face.drawer(tiny_model(), np.zeros(round(families.TIMED_SECONDS * 16000) + 5000, np.float32))
    assert draw(MusclePlan()).shape == (FRAMES, 58)


def test_a_sentence_is_whole_only_with_its_leading_emotion_its_units_and_without_the_forbidden():
    item = families.Item("named feelings", "named", "x", ("happy",), (("12R", "6"),), ("4",))
    smile = MusclePlan(emotions={"happy": 1.0}, intensity=0.5, actions=plan((6, "both", 0.5)).actions)
    assert score(smile, item)["whole"]
    assert not score(smile.model_copy(update={"emotions": {"sad": 1.0}}), item)["whole"]
    assert not score(smile.model_copy(update={"actions": plan((6, "both", 0.5), (4, "both", 0.5)).actions}), item)["whole"]


def test_confidence_is_held_against_what_is_right():
    assert calibration([(0.95, True)] * 19 + [(0.95, False)])["ece"] == pytest.approx(0.0)
    assert calibration([(0.95, False)] * 4)["ece"] == pytest.approx(0.95)


def test_the_summary_of_a_stone():
    chosen = families.spread(families.items(), 3)
    assert [item.family for item in chosen[:5]] == list(families.FAMILIES)
    records = [measure(Stone(), item) for item in chosen]
    summary = summarize(records)
    assert summary["valid"] == {"unmended": 0.0, "mended": 1.0} and summary["sentences"] == 15  # it moves what it does not feel
    assert summary["families"]["factual"]["leading"] == {"right": 3, "n": 3}  # a stone feels nothing
    assert sum(map(sum, confusion(records))) == sum(bool(item.leading) for item in chosen)


def test_each_sentence_stands_once_and_names_emotions_that_exist():
    texts = [(item.source, item.text) for item in families.items()]
    assert len(texts) == len(set(texts))
    assert all(name in EMOTIONS for item in families.items() for name in item.leading)
