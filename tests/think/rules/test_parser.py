"""Kinds of sentences that name a feeling and were once misread; those of `benchmarks/think` by which the rules were mended as a whole."""

import pytest

from benchmarks.think.families import items
from benchmarks.think.judge import leading, measure
from tbd.think import KnowledgePlanner
from tbd.think.rules.parser import read

PLANNER = KnowledgePlanner()


@pytest.mark.parametrize("item", items(("named", "named_fresh")), ids=lambda item: item.text[:40])
def test_named_feelings(item):
    assert measure(PLANNER, item)["whole"]


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("less sad than angry", "angry"),  # comparison
        ("more frightened than angry", "fear"),
        ("I couldn't be prouder", "happy"),  # a superlative in disguise
        ("Isn't she angry?", "angry"),  # a question, not a denial
        ("She isn't angry.", "neutral"),
        ("he is f**king furious", "angry"),
        ("she failed to look sad", "neutral"),
    ],
)
def test_kinds(text, emotion):
    assert leading(PLANNER.plan(text))[0] == emotion


def test_a_slip_is_read_and_said():
    plan = PLANNER.plan("She is verry dissapointed.")
    assert leading(plan)[0] == "sad" and "“dissapointed” is read as “disappointed”." in plan.notes


@pytest.mark.parametrize("text", ["happy -> sad", "happy ⇒ sad", "😊➡️😢", "😊 👉 😢", "happy, then sad"])
def test_arrows_are_an_order(text):
    first, second = PLANNER.plan(text).segments
    assert "happy" in first.emotions and "sad" in second.emotions and first.end == second.start


def test_an_amount_behind_an_at_sign():
    assert PLANNER.plan("angry@0.3").intensity < 0.4 < 0.7 < PLANNER.plan("angry@90%").intensity
    assert PLANNER.plan("angry @2s").actions[0].onset == 2


@pytest.mark.parametrize("text", ["The starling sits on the roof.", "He is a scallop farmer."])
def test_other_words_are_no_slips(text):
    assert leading(PLANNER.plan(text))[0] == "neutral"


def test_what_somebody_keeps_to_himself_is_hidden_and_a_smile_to_oneself_is_not():
    kept, smiled = (read(text).moments[0].readings[0].manner for text in ("He keeps his fear to himself", "She keeps smiling to herself"))
    assert (kept, smiled) == ("held", "felt")


def test_tears_that_are_blinked_away_are_hidden_and_blinked():
    readings = read("He blinks away his tears").moments[0].readings
    assert [(r.sense.name, r.manner) for r in readings] == [("blink", "felt"), ("cry", "held")]


def test_slips_of_the_pen_are_read_in_each_part_of_a_sequence():
    text = read("smilling, then furios")
    assert [moment.readings[0].sense.mix for moment in text.moments] == [{"happy": 1.0}, {"angry": 1.0}]
    assert len(text.notes) == 2 and not read("the starling, then the martin, then the swift").notes
