"""Text, voice, or both: who decides, and what is said of it."""

from dataclasses import replace

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.think import KnowledgePlanner, MusclePlan
from tbd.think.plan_checks import check
from tbd.think.voice import ProsodicVoiceReader, VoicePassage, VoiceReading, VoiceWindow
from tbd.think.voice.planning import check_source, plan_from_voice, plan_with_voice
from tbd.think.voice.wording import OBSTACLES
from tests.think.sentences import sentences
from tests.think.voice.sounds import crowd, music, telephone, voice

ANGRY = {"angry": 0.5, "happy": 0.3, "fear": 0.1, "neutral": 0.1}
SHOUT = VoiceReading(ANGRY, 0.8, -0.3, 0.95, ("bright and tense",), (VoicePassage(1.2, 3.0, 1.5, 2.0, ("louder", "higher")),))
STIRRED = VoiceReading({"angry": 0.3, "happy": 0.3, "fear": 0.2, "neutral": 0.2}, 0.7, 0.0, 0.9, ("high",), SHOUT.passages)
PLAIN = VoiceReading({"neutral": 0.6, "sad": 0.4}, 0.0, 0.0, 0.5)
SOUND = np.zeros(5 * 16000, np.float32)


def both(text: str, reading: VoiceReading, emotion_from: str = "both") -> MusclePlan:
    return plan_with_voice(lambda words: KnowledgePlanner().plan(words, 5.0), text, SOUND, lambda _: reading, check_source(emotion_from))


def test_without_a_text_the_voice_decides():
    plan = both("", SHOUT)
    assert max(plan.emotions, key=plan.emotions.get) == "angry" and "happy" not in plan.emotions  # no smile in a frown
    assert any(action.unit == 4 for action in plan.actions) and 0 < plan.intensity < 0.7
    heard = plan.reasoning[0]
    assert heard.title == "What is heard" and "aroused (0.95 sure)" in heard.text and "sounds like anger (0.50 sure)" in heard.text
    assert "louder and higher than this speaker's usual from 1.2 s to 3.0 s" in heard.text
    assert max(s.intensity for s in plan.segments) == max(plan.segments[1].intensity, 0) and plan.segments[1].start == 1.2


def test_how_sure_a_passage_is_aroused_is_said():
    window = VoiceWindow(1.0, 3.0, ANGRY, 0.6, -0.2, 0.71)
    said = both("sad", replace(SHOUT, windows=(window,))).reasoning[-1].text
    assert "from 1.2 s to 3.0 s (aroused, 0.71 sure)" in said


def test_what_is_not_told_is_not_shown():
    plan = both(" \n", STIRRED)
    assert plan.emotions == {"neutral": 1.0} and {action.unit for action in plan.actions} == {1, 2, 5}
    assert (
        max(action.intensity for action in plan.actions) < 0.35
        and "does not tell" in plan.reasoning[0].text
        and "does not tell" in plan.notes[0]
    )


def test_a_plain_voice_is_neutral_and_says_what_helps():
    plan = both("", PLAIN)
    assert plan.emotions == {"neutral": 1.0} and not plan.actions and plan.intensity == 0
    assert "whether it is aroused or calm it does not tell" in plan.reasoning[0].text and "quietly furious" in plan.notes[0]


@pytest.mark.parametrize("obstacle", sorted(OBSTACLES))
def test_an_obstacle_beside_a_text_is_said_to_the_user(obstacle):
    plan = both("sad", VoiceReading(obstacle=obstacle))
    assert plan.notes == (f"{OBSTACLES[obstacle]} The text decides alone.",) and plan.actions


@pytest.mark.parametrize("obstacle", sorted(OBSTACLES))
def test_an_obstacle_is_one_honest_sentence(obstacle):
    alone, added = both("", VoiceReading(obstacle=obstacle)), both("sad", VoiceReading(obstacle=obstacle))
    assert not alone.actions and OBSTACLES[obstacle] in alone.reasoning[0].text and OBSTACLES[obstacle] in alone.notes[0]
    assert added.actions == KnowledgePlanner().plan("sad", 5.0).actions and OBSTACLES[obstacle] in added.reasoning[-1].text


def test_with_a_text_the_text_decides_what_is_felt():
    plan = both("sad", SHOUT)
    assert (
        plan.emotions == {"sad": 1.0} and "stronger by 16%" in plan.reasoning[-1].text and plan.reasoning[-1].title == "What the voice adds"
    )
    assert plan.intensity > KnowledgePlanner().plan("sad", 5.0).intensity
    assert "louder and higher than this speaker's usual from 1.2 s to 3.0 s" in plan.reasoning[-1].text


def test_text_alone_and_voice_alone():
    assert both("sad", SHOUT, "text") == KnowledgePlanner().plan("sad", 5.0)
    plan = both("sad", SHOUT, "voice")
    assert plan.text == "sad" and max(plan.emotions, key=plan.emotions.get) == "angry"


@pytest.mark.parametrize("text", [text for _, text, *_ in sentences()][::6])
def test_a_plain_voice_changes_no_plan(text):
    plan, alone = both(text, PLAIN), KnowledgePlanner().plan(text, 5.0)
    assert plan.model_copy(update={"reasoning": alone.reasoning}) == alone and plan.reasoning[:-1] == alone.reasoning


def test_degrees_and_times_keep_the_last_word_and_that_is_said():
    plan, alone = both("slightly sad from 1 s to 4 s", SHOUT), KnowledgePlanner().plan("slightly sad from 1 s to 4 s", 5.0)
    assert plan.actions == alone.actions and plan.segments == alone.segments
    assert "how strongly it is felt, and keeps the last word" in plan.reasoning[-1].text
    assert "when it is felt, and keeps the last word" in plan.reasoning[-1].text


NOISE = np.random.default_rng(0).standard_normal(48000).astype(np.float32)
ODD = {
    "crowd": crowd(),
    "music": music(),
    "silence": np.zeros(32000, np.float32),
    "0.2 s": voice(0.2),
    "one sample": np.zeros(1, np.float32),
    "noise": 0.1 * NOISE,
    "clipped": np.clip(voice(level=30), -1, 1),
    "telephone": telephone(voice()),
    "faint": voice(level=3e-4),
    "an impulse": np.eye(1, 32000, 9000, dtype=np.float32)[0],
    "a step": np.repeat(np.float32([0, 0.5]), 16000),
    "far too loud": 7 * voice(),
}


@pytest.mark.parametrize("sound", ODD)
@pytest.mark.parametrize("text", ["", "sad"])
def test_odd_sound_is_no_accident(sound, text):
    plan = plan_with_voice(lambda words: KnowledgePlanner().plan(words, 5.0), text, ODD[sound], ProsodicVoiceReader().read)
    assert MusclePlan.from_json(plan.to_json()) == plan and "nan" not in plan.to_json().lower() and not check(plan)
    if not text:
        assert plan.emotions == {"neutral": 1.0} and not plan.actions and plan.notes
    else:
        assert plan.emotions == {"sad": 1.0}


def test_an_unknown_source_is_refused():
    with pytest.raises(InputError, match="text, voice or both, not from 'face'"):
        check_source("face")


def test_a_plan_from_a_voice_can_be_carried_out():
    for reading in (SHOUT, STIRRED, PLAIN):
        assert not check(plan_from_voice(reading, 5.0))
