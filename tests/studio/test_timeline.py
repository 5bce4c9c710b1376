"""Edits of the page's timeline: what is valid reaches the plan, what is not is one sentence, and all can be undone."""

import pytest

from tbd.errors import InputError
from tbd.studio.limits import MAX_ACTIONS
from tbd.studio.timeline import History, Timeline
from tbd.think import KnowledgePlanner, MusclePlan


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    return Timeline.of(KnowledgePlanner().plan("she fights back tears, then smiles", duration=4.0))


def test_what_the_page_shows_comes_back_as_the_same_plan(timeline):
    assert timeline.edited({"rows": timeline.for_page(4.0)["rows"]}) == timeline


def test_a_muted_row_stays_on_the_page_and_leaves_the_plan(timeline):
    rows = timeline.for_page(4.0)["rows"]
    rows[0]["muted"] = True
    edited = timeline.edited({"rows": rows})
    assert edited.plan.actions == timeline.plan.actions[1:] and len(edited.rows) == len(timeline.rows)
    rows[0]["muted"] = False
    assert edited.edited({"rows": rows}).plan.actions == timeline.plan.actions


def test_descriptions_follow_the_muscles(timeline):
    rows = [row for row in timeline.for_page(4.0)["rows"] if row["unit"] != 12]
    assert timeline.edited({"rows": rows}).plan.regions["lower"] != timeline.plan.regions["lower"]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (None, "no rows"),
        ({"rows": "all"}, "no rows"),
        ({"rows": [3]}, "no rows"),
        ({"rows": [{"unit": 3, "intensity": 0.5}]}, "AU3"),
        ({"rows": [{"unit": 12, "intensity": 7}]}, "at most 1"),
        ({"rows": [{"unit": 12, "intensity": 0.5, "onset": 2, "offset": 1}]}, "order"),
        ({"rows": [{"unit": 12, "intensity": 0.5, "onset": float("nan")}]}, "onset"),
        ({"rows": [{"unit": 17, "intensity": 0.5, "side": "left"}]}, "both sides"),
        ({"rows": [{"unit": 12, "intensity": 0.5, "path": "/etc"}]}, "no part of a plan"),
        ({"rows": [{"unit": 12, "intensity": 0.5}] * (MAX_ACTIONS + 1)}, "at most"),
    ],
)
def test_an_edit_that_cannot_be_is_one_sentence(timeline, edit, says):
    with pytest.raises(InputError, match=says):
        timeline.edited(edit)


def test_undo_and_redo():
    texts = ["a", "b", "c"]
    history = History(Timeline.of(MusclePlan()))
    for text in texts:
        history.push(Timeline.of(MusclePlan(text=text)))
    assert [history.undo().plan.text for _ in range(4)] == ["b", "a", "", ""]
    history.redo()
    history.push(Timeline.of(MusclePlan(text="d")))
    assert history.redo().plan.text == "d" and history.undo().plan.text == "a"
