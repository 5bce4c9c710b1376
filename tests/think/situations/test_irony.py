"""Praise is believed where what follows deserves it."""

import time

import pytest

from tbd.think.situations.irony import follows_praise
from tests.think.sentences import leading
from tests.think.situations.fakes import planner

KEYWORDS = {"jammed": "angry", "won": "happy", "tyre": "sad", "monday": "neutral", "tea": "happy"}


@pytest.mark.parametrize(
    ("text", "emotions"),
    [
        ("Wonderful, the printer has jammed.", {"angry"}),
        ("Oh great, the printer has jammed!", {"angry"}),
        ("Just what I needed: a flat tyre", {"sad"}),
        ("Great, we won the cup!", {"happy"}),
        ("Just what I needed, a cup of tea.", {"happy"}),
        ("Oh great, another Monday.", {"angry", "contempt"}),
    ],
)
def test_what_follows_decides(tmp_path, text, emotions):
    assert leading(planner(tmp_path, KEYWORDS).plan(text), 0) in emotions


def test_an_encoder_is_not_loaded_where_nothing_is_praised(tmp_path):
    chosen = planner(tmp_path, KEYWORDS)
    chosen.plan("furious, then a small smile")
    assert chosen.encoder.seen == []


@pytest.mark.parametrize("text", ["oh well, " * 40, "oh " * 130, "great, " * 50 + "a", "just " * 80 + ","])
def test_long_ones_take_no_time(text):
    start = time.process_time()
    follows_praise(text)
    assert time.process_time() - start < 0.5
