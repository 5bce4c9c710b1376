"""What is felt one after the other, or at a time, in other languages than English."""

import re
from itertools import groupby
from pathlib import Path

import pytest

from tbd.think.emotions import EMOTIONS
from tbd.think.rules.lexicon import ASSETS
from tbd.think.rules.parser import read
from tbd.think.situations.feeling_words import named_feelings
from tbd.think.situations.feelings_in_time import english, passage
from tbd.think.situations.language_tables import language_named
from tests.think.situations.fakes import planner


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return planner(tmp_path_factory.mktemp("heads"), {"chat est mort": "sad", "chien": "sad", "cadeau": "happy", "parade": "neutral"})


def timeline(plan):
    """(leading emotion, start) of each stretch."""
    return [(max(s.emotions, key=s.emotions.get) if s.intensity > 0 else "neutral", round(s.start, 1)) for s in plan.timeline()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("d'abord triste, puis en colère", [("sad", 0), ("angry", 3)]),
        ("zuerst fröhlich, ab 3 Sekunden wütend", [("happy", 0), ("angry", 3)]),
        ("先开心，后来生气", [("happy", 0), ("angry", 3)]),
        ("primero feliz y luego triste", [("happy", 0), ("sad", 3)]),
        ("сначала грустно, потом весело", [("sad", 0), ("happy", 3)]),
        ("arrabbiata per 3 secondi, poi felice", [("angry", 0), ("happy", 3)]),
        ("von Sekunde 1 bis 3 überrascht", [("neutral", 0), ("surprised", 1), ("neutral", 3)]),
        ("asustado hasta el segundo 2,5 y después contento", [("fear", 0), ("happy", 2.5)]),
        ("三秒后生气", [("neutral", 0), ("angry", 3)]),
        ("最初の2秒は悲しい、それから嬉しい", [("sad", 0), ("happy", 2)]),
        ("3초까지 슬프다가 그다음 행복해요", [("sad", 0), ("happy", 3)]),
        ("[0-2 s] triste [2-6 s] en colère", [("sad", 0), ("angry", 2)]),
        ("wütend ab 0:02", [("neutral", 0), ("angry", 2)]),
        ("0:00-0:02 triste, 0:02-0:04 content", [("sad", 0), ("happy", 2), ("neutral", 4)]),
        ("traurig ab 50 %", [("neutral", 0), ("sad", 3)]),
        ("from 0 to 2 s triste, from 2 to 4 s joyeux", [("sad", 0), ("happy", 2), ("neutral", 4)]),
        ("first triste then feliz", [("sad", 0), ("happy", 3)]),
        ("triste au début", [("sad", 0), ("neutral", 2)]),
        ("glücklich, am Ende nicht glücklich, sondern wütend", [("happy", 0), ("angry", 3.9)]),
    ],
)
def test_parts_and_times(made, text, expected):
    assert timeline(made.plan(text, 6.0)) == expected


def test_sentences_that_were_written_before_the_table_was_run(made):
    lines = [line for line in (Path(__file__).parent / "timed.txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    right = 0
    for line in lines:
        _, _, seconds, answer, text = line.split("|")
        found = [next(part) for _, part in groupby(timeline(made.plan(text, float(seconds))), lambda stretch: stretch[0])]
        wanted = [part.split("@") for part in answer.split()]
        right += [e for e, _ in found] == [e for e, _ in wanted] and all(
            start >= 0.55 * float(seconds) if named == "late" else abs(start - float(named)) <= 0.35
            for (_, start), (_, named) in zip(found, wanted)
        )
    assert (right, len(lines)) == (40, 40)


def test_a_part_that_names_nothing_is_read_as_a_situation(made):
    plan = made.plan("D'abord elle apprend que son chat est mort, à partir de 3 secondes elle est folle de joie", 6.0)
    assert timeline(plan) == [("sad", 0), ("happy", 3)]
    assert "elle apprend que son chat est mort" in plan.reasoning[0].text


def test_parts_of_which_none_names_a_feeling_are_read_where_their_order_is_said(made):
    assert timeline(made.plan("D'abord il perd son chien, ensuite il reçoit un cadeau", 6.0)) == [("sad", 0), ("happy", 3)]
    assert len(made.plan("Il perd son chien, ensuite il reçoit un cadeau", 6.0).timeline()) == 1  # a story


def test_a_time_is_quoted_and_not_read_as_english():
    found = named_feelings("wütend ab 2 Sekunden", read("wütend ab 2 Sekunden"))
    assert found.is_in_time and found.moments[0].start.seconds == 2 and found.moments[0].readings[0].words == "wütend"


def test_times_that_cannot_be_are_noted(made):
    plan = made.plan("wütend ab -3 Sekunden", 6.0)
    assert timeline(plan) == [("angry", 0)] and "lies before the start" in plan.notes[0]
    plan = made.plan("von 5 bis 2 Sekunden wütend", 6.0)
    assert timeline(plan) == [("neutral", 0), ("angry", 2), ("neutral", 5)] and "ends before it starts" in plan.notes[0]


def test_words_that_hold_a_word_of_order_say_none():
    assert not passage("王先生很生气", language_named("Chinese")).is_parted


def sections():
    text = (ASSETS / "times_by_language.txt").read_text(encoding="utf-8")
    parts = re.split(r"^\[(.+)\]$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2]))


def test_every_language_with_feelings_has_words_of_order_and_a_second():
    feelings = set(re.findall(r"^\[([^|\]]+)", (ASSETS / "feelings_by_language.txt").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert {name.strip() for name in feelings} == set(sections()) - {"*"}
    for name, body in sections().items():
        keys = [line.split(":")[0] for line in body.splitlines() if line and not line.startswith("#")]
        assert len(keys) == len(set(keys)), name
        needed = {"second", "first", "then", "at the start", "at the end", "for # seconds", "until # seconds"}
        assert name == "*" or needed <= set(keys), name


def test_the_english_of_every_phrase_is_read_and_patterns_are_whole():
    said = {line.split(":")[0] for body in sections().values() for line in body.splitlines() if line and not line.startswith("#")}
    for key in said - {"second", "numbers", "first", "then", "at the end"}:
        when = english(key.replace("#", "1", 1).replace("#", "2"), [])
        assert when is not None and any(time is not None for time in (when.start, when.end, when.length, when.delay)), key
    for name, body in sections().items():
        numbers = {key: key.count("#") for key in said}
        for pattern, key in language_named(name).patterns:
            assert pattern.groups >= numbers[key], (name, key)
        assert not re.search(r"#[^:]*: .*, ,", body), name


def test_no_key_of_the_table_is_an_emotion():
    assert not set(EMOTIONS) & {line.split(":")[0] for body in sections().values() for line in body.splitlines()}
