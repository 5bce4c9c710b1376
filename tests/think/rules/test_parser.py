"""Kinds of sentences that name a feeling and were once misread; those of `benchmarks/think/named.txt` as a whole."""

import pytest

from benchmarks.think.families import items
from benchmarks.think.judge import leading, measure
from tbd.think import KnowledgePlanner

PLANNER = KnowledgePlanner()
KNOWN_FAULTS = {"The boy bravely blinks away his tears."}
"""Its blink is not read."""


@pytest.mark.parametrize("item", items(("named",)), ids=lambda item: item.text[:40])
def test_named_feelings(item):
    assert measure(PLANNER, item)["whole"] is (item.text not in KNOWN_FAULTS)


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


@pytest.mark.parametrize("text", ["The starling sits on the roof.", "He is a scallop farmer."])
def test_other_words_are_no_slips(text):
    assert leading(PLANNER.plan(text))[0] == "neutral"
