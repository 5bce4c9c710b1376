"""A laugh in a sad sentence is a laugh, not happiness: muscles move when it is heard, and what is felt stays."""

import numpy as np
import pytest

from tbd.think import KnowledgePlanner, MusclePlan
from tbd.think.action_units import ANTAGONISTS
from tbd.think.facs import measure, perform
from tbd.think.plan_checks import check
from tbd.think.voice import VocalEvent, VoiceReading
from tbd.think.voice.event_muscles import MUSCLES, add_events
from tbd.think.voice.planning import plan_with_voice
from tests.think.sentences import sentences

LAUGH, SOB, SIGH = VocalEvent("laugh", 2.0, 3.0, 0.9), VocalEvent("sob", 2.0, 3.0, 0.8), VocalEvent("sigh", 2.0, 3.0, 0.8)
WHISPER = VocalEvent("whisper", 2.0, 4.0, 0.9)
SECONDS = 5.0


def thought(text: str, *events: VocalEvent, spoken: bool = True) -> MusclePlan:
    reading = VoiceReading(events=events, spoken=spoken)
    return plan_with_voice(lambda words: KnowledgePlanner().plan(words, SECONDS), text, np.zeros(80000, np.float32), lambda _: reading)


def shown(plan: MusclePlan, unit: int) -> np.ndarray:
    return measure(perform(plan, 125), unit)


def test_a_laugh_in_a_sad_sentence_is_a_laugh_and_no_happiness():
    plan, alone = thought("sad", LAUGH), KnowledgePlanner().plan("sad", SECONDS)
    assert plan.emotions == alone.emotions == {"sad": 1.0} and plan.intensity == alone.intensity and plan.segments == alone.segments
    assert shown(plan, 12)[62] > 0.7 and shown(plan, 6)[62] > 0.6 and shown(plan, 15)[62] < 0.05  # at 2.5 s
    assert shown(plan, 12)[30] < 0.05 and shown(plan, 12)[110] < 0.05  # before and after
    assert shown(plan, 15)[30] == pytest.approx(shown(alone, 15)[30], abs=0.02) and shown(plan, 15)[115] > 0.9 * shown(alone, 15)[115]
    assert shown(plan, 1)[62] == pytest.approx(shown(alone, 1)[62], abs=0.02)  # the brows stay sad


@pytest.mark.parametrize(("event", "units"), [(LAUGH, (6, 12, 26)), (SOB, (1, 4, 15, 17)), (SIGH, (43, 54))])
def test_each_event_moves_its_muscles_at_its_time_alone(event, units):
    plan = thought("", event)
    for unit in units:
        assert shown(plan, unit)[62] > 0.2 and shown(plan, unit)[20] < 0.05 and shown(plan, unit)[110] < 0.05, unit
    assert plan.emotions == {"neutral": 1.0}


@pytest.mark.parametrize(
    ("event", "said"), [(LAUGH, "A laugh is heard from 2.0 s to 3.0 s (0.90 sure)"), (SOB, "A sob is heard"), (SIGH, "A sigh")]
)
def test_what_was_heard_and_when_is_said(event, said):
    for plan in (thought("sad", event), thought("", event), thought("", event, spoken=False)):
        step = next(step for step in plan.reasoning if step.title in ("What is heard", "What the voice adds"))
        assert said in step.text
    assert "What is felt stays what the text says" in thought("sad", event).reasoning[-1].text
    assert "Nothing but a " in thought("", event, spoken=False).notes[0]


def test_a_whisper_holds_the_muscles_back():
    plan, alone = thought("sad", WHISPER), KnowledgePlanner().plan("sad", SECONDS)
    assert shown(plan, 15)[80] < 0.85 * shown(alone, 15)[80] and shown(plan, 15)[20] == pytest.approx(shown(alone, 15)[20], abs=0.02)
    assert "A whisper is heard" in plan.reasoning[-1].text


def test_muscles_that_are_ordered_are_not_moved_against():
    plan = thought("AU15 at 0.6", LAUGH)
    assert (
        shown(plan, 15)[62] == pytest.approx(0.6, abs=0.05) and not [a for a in plan.actions if a.unit == 12] and shown(plan, 6)[62] > 0.6
    )


@pytest.mark.parametrize("text", [*[text for _, text, *_ in sentences()][::9], "", "sad, then happy", "She fights back tears, then smiles"])
def test_a_face_can_carry_it_out(text):
    events = VocalEvent("laugh", 0.0, 1.0, 0.8), VocalEvent("sob", 1.4, 2.6, 0.8), VocalEvent("sigh", 4.0, 5.0, 0.7)
    plan, alone = thought(text, *events), KnowledgePlanner().plan(text, SECONDS)
    assert len(check(plan)) <= len(check(alone)) and MusclePlan.from_json(plan.to_json()) == plan and np.isfinite(perform(plan, 125)).all()


def test_no_event_leaves_the_very_plan_and_a_long_recording_has_few():
    plan = KnowledgePlanner().plan("sad", SECONDS)
    assert add_events(plan, (), SECONDS) is plan and add_events(plan, (WHISPER,), SECONDS) is plan
    many = [VocalEvent("laugh", 10.0 * i, 10.0 * i + 1 + 0.1 * i, 0.9) for i in range(30)]
    added = [a for a in add_events(MusclePlan(), many, 300.0).actions if a.unit == 12]
    assert len(added) == 8 and min(a.onset or 0.0 for a in added) > 200


def test_the_units_of_an_event_do_not_oppose_each_other():
    for pulls in MUSCLES.values():
        units = [unit for unit, *_ in pulls]
        assert not [pair for pair in ANTAGONISTS if set(pair) <= set(units)]
