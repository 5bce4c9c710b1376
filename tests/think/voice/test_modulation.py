"""A plan follows a voice where its text leaves that open, and nowhere else."""

from itertools import pairwise

import numpy as np
import pytest

from tbd.think import KnowledgePlanner
from tbd.think.facs import measure, perform
from tbd.think.plan import MuscleAction, MusclePlan
from tbd.think.plan_checks import check
from tbd.think.voice import VoicePassage, VoiceReading
from tbd.think.voice.modulation import find_stretches, follow_voice, whole_factor
from tbd.think.voice.openness import Openness, find_openness

OPEN = Openness(strength=True, timing=True)
EVEN = VoiceReading(aroused=0.5)
STRESSED = VoiceReading(passages=(VoicePassage(2.0, 4.0, 1.5, 2.8, ("louder",)),))
SOFTENED = VoiceReading(passages=(VoicePassage(2.0, 4.0, -1.5, 2.8, ("softer",)),))
PAUSING = VoiceReading(pauses=((3.0, 4.2), (5.0, 5.3)))
AROUSED = VoiceReading(aroused=0.95)
DURATION = 6.0


def brow(plan: MusclePlan) -> np.ndarray:
    return measure(perform(plan, int(DURATION * 25)), 4)


def plan(text: str = "annoyed") -> MusclePlan:
    return KnowledgePlanner().plan(text, DURATION)


def test_an_even_voice_leaves_the_very_plan():
    assert follow_voice(plan(), EVEN, DURATION, OPEN) is not None
    before = plan()
    assert follow_voice(before, EVEN, DURATION, OPEN) is before
    assert follow_voice(before, VoiceReading(aroused=0.02), DURATION, OPEN) is before  # a calm voice weakens nothing


def test_a_stressed_passage_is_stronger_and_reaches_its_apex_with_the_stress():
    before, after = brow(plan()), brow(follow_voice(plan(), STRESSED, DURATION, OPEN))
    assert after[70] == pytest.approx(1.3 * before[70], rel=0.03)
    # strong already, it makes a little room for the stress
    assert after[:48] == pytest.approx(before[:48], rel=0.03) and after[115:] == pytest.approx(before[115:], rel=0.03)
    assert after.min() > 0.93 * before.min()  # no dip on the way back


def test_an_expression_near_its_full_strength_makes_room_for_stress():
    before, after = brow(plan("furious")), brow(follow_voice(plan("furious"), STRESSED, DURATION, OPEN))
    assert before[70] > 0.95 and after[70] == pytest.approx(before[70], abs=0.06) and after[40] == pytest.approx(0.8 * before[40], rel=0.03)


@pytest.mark.parametrize("text", ["surprised", "shocked", "afraid"])
def test_a_mouth_gives_way_in_silence_and_opens_again(text):
    jaws = [measure(perform(made, 150), 26) for made in (plan(text), follow_voice(plan(text), PAUSING, DURATION, OPEN))]
    before, after = jaws
    assert before.min() > 0.1 and after[88:95].max() < 0.02  # half a second after the voice stops
    assert after[:74] == pytest.approx(before[:74], abs=0.01) and after[110:] == pytest.approx(before[110:], abs=0.02)
    last = follow_voice(plan(text), VoiceReading(pauses=((0.0, 1.0), (4.0, 6.0))), DURATION, OPEN)
    jaw = measure(perform(last, 150), 26)
    assert jaw[:14].max() < 0.02 and jaw[50] > 0.1 and jaw[115:].max() < 0.02


@pytest.mark.parametrize("voice", [PAUSING, AROUSED])
@pytest.mark.parametrize("openness", [OPEN, Openness(strength=True, timing=False)])
def test_a_short_movement_of_the_mouth_that_no_silence_meets_stays(voice, openness):
    """It may be shorter than a muscle usually takes to move; only what a silence leaves over is too short to be shown."""
    short = MuscleAction(unit=26, intensity=0.6, onset=1.0, apex=1.1, offset=1.2)
    before = MusclePlan(emotions={"surprised": 1.0}, intensity=0.5, actions=(short, MuscleAction(unit=1, intensity=0.5)))
    assert short in follow_voice(before, voice, DURATION, openness).actions


def test_a_mouth_that_was_ordered_stays():
    before = plan("jaw dropped, brows raised")
    after = follow_voice(before, PAUSING, DURATION, find_openness(before.text))
    assert [a for a in after.actions if a.unit in (25, 26, 27)] == [a for a in before.actions if a.unit in (25, 26, 27)] != []


def test_a_softened_passage_and_a_long_pause_relax():
    before = brow(plan())
    softened, paused = (brow(follow_voice(plan(), voice, DURATION, OPEN)) for voice in (SOFTENED, PAUSING))
    assert softened[80] < 0.8 * before[80] and softened[40] == pytest.approx(before[40], abs=0.01)
    assert paused[98] < 0.87 * before[98] and paused[60] == pytest.approx(before[60], abs=0.01)
    assert paused[129] == pytest.approx(before[129], abs=0.02)  # a short pause does not


def test_a_surely_aroused_voice_makes_all_stronger_but_not_what_speech_needs():
    before, after = plan(), follow_voice(plan(), AROUSED, DURATION, OPEN)
    factors = {a.unit: a.intensity / b.intensity for a, b in zip(after.actions, before.actions)}
    assert factors[4] == pytest.approx(whole_factor(AROUSED), abs=0.01) and whole_factor(AROUSED) > 1.1
    assert factors[25] == 1 and after.intensity > before.intensity


def test_the_text_keeps_the_last_word():
    for text, voice in (("slightly angry", AROUSED), ("angry from 1 s to 5 s", STRESSED), ("AU4 at 0.7", AROUSED)):
        before = plan(text)
        assert follow_voice(before, voice, DURATION, find_openness(text)) is before, text


def test_segments_follow_and_tile_the_time():
    after = follow_voice(plan("sad, then happy"), STRESSED, DURATION, OPEN)
    assert [s.start for s in after.segments[1:]] == [s.end for s in after.segments[:-1]] and after.segments[-1].end is None
    assert max(s.intensity for s in after.segments) == pytest.approx(after.intensity, abs=1e-3)


@pytest.mark.parametrize("text", ["angry", "sad, then happy", "She fights back tears, then smiles", "winks", "disgusted", "surprised"])
@pytest.mark.parametrize("voice", [STRESSED, SOFTENED, PAUSING, AROUSED])
def test_a_face_can_carry_it_out(text, voice):
    before, after = plan(text), follow_voice(plan(text), voice, DURATION, OPEN)
    assert len(check(after)) <= len(check(before)) and after.model_validate(after.model_dump()) == after
    assert np.isfinite(perform(after, 150)).all()


def test_a_wink_keeps_its_level():
    after = follow_voice(plan("winks"), STRESSED, DURATION, OPEN)
    assert [a.intensity for a in after.actions if a.unit == 46] == [a.intensity for a in plan("winks").actions if a.unit == 46]


def test_a_plan_without_muscles_stays():
    assert follow_voice(MusclePlan(), STRESSED, DURATION, OPEN) == MusclePlan()


def test_of_many_passages_the_strongest_are_kept_and_none_overlap():
    passages = tuple(VoicePassage(t, t + 0.9, 1 + t / 30, t + 0.4) for t in np.arange(0, 30, 1.0).tolist())
    stretches = find_stretches(VoiceReading(passages=passages, pauses=((4.0, 5.5),)), 30.0)
    assert 3 <= len(stretches) <= 7 and all(b.start >= a.end for a, b in pairwise(stretches))
