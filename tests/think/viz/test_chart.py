"""A chart draws every muscle at work on its side, the stronger the bolder, as XML that anything can read."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from tbd.think import KnowledgePlanner, MuscleAction, MusclePlan, Segment
from tbd.think.action_units import ACTION_UNITS
from tbd.think.viz.chart import INK, PAPER, QUIET, REGION_COLORS, WIDTH, chart
from tbd.think.viz.muscle_fibres import FIBRES

SVG = "{http://www.w3.org/2000/svg}"


def draw(plan: MusclePlan) -> ElementTree.Element:
    return ElementTree.fromstring(chart(plan))


def of_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [element for element in root.iter() if element.get("class") == name]


def muscles(root: ElementTree.Element) -> dict[tuple[int, str], ElementTree.Element]:
    return {(int(g.get("data-unit")), g.get("data-side")): g for g in of_class(root, "muscle")}


def words(root: ElementTree.Element) -> str:
    return " ".join(element.text for element in root.iter(f"{SVG}text"))


@pytest.mark.parametrize("unit", ACTION_UNITS)
def test_every_unit_has_muscles_on_the_sides_where_it_acts(unit):
    for side in ACTION_UNITS[unit].sides:
        root = draw(MusclePlan(actions=(MuscleAction(unit=unit, side=side, intensity=0.5),)))
        drawn = muscles(root)
        pulled = {55: ("left",), 56: ("right",)}.get(unit, ("left", "right"))  # a head that tilts is pulled from one side
        assert set(drawn) == {(unit, s) for s in (pulled if side == "both" else (side,))}
        assert any(g.findall(f"{SVG}path") for g in drawn.values())
        assert all(("scale(-1 1)" in g.get("transform", "")) == (s == "right") for (_, s), g in drawn.items())
        assert f"AU{unit}" in words(root) and ACTION_UNITS[unit].name in words(root) and "0.50" in words(root)


@pytest.mark.parametrize(
    "text", ["angry", "she fights back tears, then smiles", "raise only the left eyebrow", "neutral", "winks, then nods"]
)
def test_plans_are_drawn_whole(text):
    plan = KnowledgePlanner().plan(text)
    root = draw(plan)
    assert {unit for unit, _ in muscles(root)} == {action.unit for action in plan.actions}
    assert root.find(f"{SVG}title").text == text and root.find(f"{SVG}desc").text


def test_the_left_is_on_the_viewers_right():
    root = draw(KnowledgePlanner().plan("raise only the left eyebrow"))
    (left,) = {side for _, side in muscles(root)}
    marks = {element.text: float(element.get("x")) for element in root.iter(f"{SVG}text")}
    assert left == "left" and marks["subject’s right"] < 0 < marks["subject’s left"]
    assert all(min(strip.edge[::2] + strip.opposite[::2]) >= 0 for strips in FIBRES.values() for strip in strips)


def test_stronger_is_bolder():
    levels = np.linspace(0.05, 1, 8)
    drawn = [muscles(draw(MusclePlan(actions=(MuscleAction(unit=12, intensity=level),))))[12, "left"] for level in levels]
    for measure in ("opacity", "stroke-width"):
        values = [float(g.get(measure)) for g in drawn]
        assert values == sorted(set(values)) and values[-1] > 1.5 * values[0]


def test_sides_that_differ_are_listed_apart():
    left, right = (MuscleAction(unit=12, side=side, intensity=level) for side, level in (("left", 0.8), ("right", 0.3)))
    root = draw(MusclePlan(actions=(left, right)))
    assert "Lip Corner Puller, left" in words(root) and "Lip Corner Puller, right" in words(root)
    assert float(muscles(root)[12, "left"].get("opacity")) > float(muscles(root)[12, "right"].get("opacity"))


def test_muscles_that_relax_are_dashed():
    drawn = muscles(draw(MusclePlan(actions=(MuscleAction(unit=26, intensity=0.5), MuscleAction(unit=12, intensity=0.5)))))
    dashed = {unit: any("stroke-dasharray" in path.attrib for path in g) for (unit, _), g in drawn.items()}
    assert dashed == {26: True, 12: False}


def test_a_timeline_where_there_are_times():
    root = draw(KnowledgePlanner().plan("[0-3s] neutral [3-6s] joy", duration=6))
    assert [segment.find(f"{SVG}text").text[:5] for segment in of_class(root, "segment")] == ["neutr", "happy"]
    smile = next(e for e in of_class(root, "envelope") if e.get("data-unit") == "12")
    points = np.array([point.split(",") for point in smile.get("points").split()], float)
    rising = np.flatnonzero(np.diff(points[1:-1, 1]) < 0)[0] / 181  # y is downwards
    assert rising == pytest.approx(0.5, abs=0.03) and points[:, 0].max() <= WIDTH
    assert not of_class(draw(KnowledgePlanner().plan("angry")), "envelope")


ODD = [
    MusclePlan(),
    MusclePlan(text="<b>&\x00\x1b ‘quoted’ 🙂 ]]>" + "word " * 200),
    MusclePlan(segments=(Segment(start=0, end=4000, emotions={"sad": 1}, intensity=1),)),
    MusclePlan(emotions=dict.fromkeys(("angry", "contempt", "disgusted", "fear", "happy", "neutral", "sad", "surprised"), 1)),
    MusclePlan(actions=tuple(MuscleAction(unit=u, side=known.sides[-1], intensity=1, onset=u) for u, known in ACTION_UNITS.items())),
]


@pytest.mark.parametrize("plan", ODD, ids=range(len(ODD)))
def test_odd_plans(plan):
    root = draw(plan)
    height = float(root.get("height"))
    assert all(float(text.get("y")) < height for text in root.iter(f"{SVG}text"))
    assert {unit for unit, _ in muscles(root)} == {action.unit for action in plan.actions}


def test_text_stands_out_from_the_paper():
    def luminance(color: str) -> float:
        channels = [int(part, 16) / 255 for part in re.findall("..", color[1:])]
        return np.dot([0.2126, 0.7152, 0.0722], [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels])

    for color in (INK, QUIET, *REGION_COLORS.values()):  # WCAG 2.1, AA
        assert (luminance(PAPER) + 0.05) / (luminance(color) + 0.05) >= 4.5, color
