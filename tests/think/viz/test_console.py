"""A shown plan says what it says, at any width, with and without colour."""

import io

import pytest
from rich.console import Console

from tbd.think import KnowledgePlanner, MusclePlan
from tbd.think.viz.console import bar, show


def shown(plan: MusclePlan, width: int, color: bool = False) -> str:
    stream = io.StringIO()
    show(plan, Console(file=stream, width=width, no_color=not color, force_terminal=color))
    return stream.getvalue()


@pytest.mark.parametrize("width", [80, 120, 200])
def test_everything_is_there_and_fits(width):
    text = shown(KnowledgePlanner().plan("she fights back tears, then smiles", duration=4), width)
    for expected in ("she fights back tears, then smiles", "What is felt", "Inner Brow Raiser", "until 2.6 s", "from 2.0 s", "[sad"):
        assert expected in text
    assert max(map(len, text.splitlines())) <= width


def test_colour_is_only_decoration():
    plan = KnowledgePlanner().plan("quietly furious")
    assert "\x1b[" in shown(plan, 80, color=True) and "\x1b[" not in shown(plan, 80)


def test_markup_in_a_sentence_is_shown_as_it_stands():
    assert "[0-2s] joy [bold]" in shown(KnowledgePlanner().plan("[0-2s] joy [bold]"), 80)


@pytest.mark.parametrize("plan", [MusclePlan(), KnowledgePlanner().plan(""), KnowledgePlanner().plan("[0-900s] joy [900-2000s] fear")])
def test_odd_plans(plan):
    assert shown(plan, 80)


def test_the_strip_follows_the_muscle():
    text = shown(KnowledgePlanner().plan("[0-3s] neutral [3-6s] joy", duration=6), 80)
    strip = next(line for line in text.splitlines() if line.lstrip().startswith("AU12")).split("AU12 ")[1]
    assert not strip[: len(strip) * 4 // 10].strip() and "▇" in strip


def test_bar():
    assert bar(0, 4) == "    " and bar(1, 4) == "████" and len(bar(0.33, 4)) == 4
