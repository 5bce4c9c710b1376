"""Texts that are written oddly: what is read is what they say."""

import time

import pytest

from benchmarks.think.judge import leading
from tbd.think import KnowledgePlanner, SituationPlanner
from tbd.think.rules.cleaning import clean

PLANNER = KnowledgePlanner()


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("ha\u200bppy", "happy"),  # zero width
        ("sa\u00add", "sad"),  # soft hyphen
        ("\u202esad\u202c", "sad"),  # direction
        ("sad\x00\x07", "sad"),  # control
        ("ｈａｐｐｙ", "happy"),
        ("𝓼𝓪𝓭", "sad"),
        ("h4ppy", "happy"),
        ("4ngry", "angry"),
        ("h a p p y", "happy"),
        ("#SoAngryRightNow", "angry"),
        ("<p>She is <i>very</i> angry</p>", "angry"),
        ("&lt;sad&gt;", "sad"),
        ("<sad>", "sad"),
        ("[sad](https://x.org/happy)", "sad"),
        ("hahahaha", "happy"),
        ("T_T", "sad"),
        ("😮\u200d💨", "happy"),  # a sigh of relief, joined of two
        ("I passed 😂", "happy"),
        ("I passed 😭", "sad"),
        ("I am pi**ed", "neutral"),
        ("He is p*ssed", "angry"),
        ("https://example.org/happy-birthday", "neutral"),
        ("happy@example.org", "neutral"),
        ("C:\\Users\\happy\\a.txt", "neutral"),
        ("<script>alert('happy')</script>", "neutral"),
        ("She passed the salt.", "neutral"),
    ],
)
def test_what_it_says_is_read(text, emotion):
    assert leading(PLANNER.plan(text))[0] == emotion


def test_respellings_and_addresses_are_said():
    notes = PLANNER.plan("h4ppy, see www.sad.org").notes
    assert "“h4ppy” is read as “happy”." in notes and "“www.sad.org” is an address and is not read." in notes


@pytest.mark.parametrize(
    "text", ["AU12 at 0.5", "au4b", "au12@0.5", "from 0 to 2s", "1st", "iPhone", "McDonald", "8/10", "and/or", "U.S. law"]
)
def test_other_spellings_stay(text):
    assert clean(text, frozenset(["sad", "i", "au"]), []) == text


@pytest.mark.parametrize(
    "text",
    [
        '[{"start": 0, "end": 2, "emotion": "happy"}, {"start": 2, "end": 4, "emotion": "sad"}]',
        '[{"emotion": "happy", "start_time": 0.0, "end_time": 2.0}, {"emotion": "sad", "start_time": 2.0, "end_time": 4.0}]',
    ],
)
def test_a_timeline_in_json(text):
    segments = [segment for segment in PLANNER.plan(text, duration=5).segments if segment.intensity > 0]
    assert [(s.start, s.end, max(s.emotions, key=lambda e: s.emotions[e])) for s in segments] == [(0, 2, "happy"), (2, 4, "sad")]


@pytest.mark.parametrize("text", ["12345", "!!!", "💀", "\u200b"])
def test_no_words_are_no_other_language(text):
    plan = SituationPlanner().plan(text)
    assert plan.intensity == 0 and "has no words" in plan.notes[0]


@pytest.mark.parametrize("sign", ["a", "@", "(", "<", "4a", "http://", "#A", "{", "a ", "aB", "\u200b", "&amp;"])
def test_long_ones_take_no_time(sign):
    start = time.process_time()
    clean(sign * 4800, frozenset(["sad"]), [])
    assert time.process_time() - start < 1
