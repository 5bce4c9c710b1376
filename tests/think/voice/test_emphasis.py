"""Passages that stand out, and pauses."""

import numpy as np
import pytest

from tbd.speech.prosody import describe_prosody
from tbd.think.voice.emphasis import find_passages, find_pauses
from tests.think.voice.sounds import voice

STRESSED = np.concatenate([voice(3, level=0.05), voice(1.5, 180, 0.3, 0.8), voice(3, level=0.05, seed=2)])


def test_a_louder_and_higher_passage_is_found_where_it_is():
    (passage,) = find_passages(describe_prosody(STRESSED))
    assert passage.start == pytest.approx(3.0, abs=0.35) and passage.end == pytest.approx(4.5, abs=0.35)
    assert passage.start < passage.apex < passage.end and passage.emphasis > 1 and {"louder", "higher"} <= set(passage.cues)


def test_a_softer_passage_is_below_zero():
    soft = np.concatenate([voice(3, 150, 0.3), voice(2, 100, 0.02, 0.985), voice(3, 150, 0.3)])
    (passage,) = find_passages(describe_prosody(soft))
    assert passage.emphasis < -1 and "softer" in passage.cues and passage.start == pytest.approx(3, abs=0.5)


def test_the_gain_of_the_microphone_does_not_count():
    assert find_passages(describe_prosody(STRESSED)) == find_passages(describe_prosody(STRESSED * np.float32(0.5)))


def test_an_even_voice_has_none_and_a_short_one_is_not_judged():
    assert find_passages(describe_prosody(voice(8))) == () and find_passages(describe_prosody(STRESSED[42000:60000])) == ()
    assert find_passages(describe_prosody(np.zeros(0))) == ()


def test_pauses_lie_between_words_and_around_them():
    sound = np.concatenate([np.zeros(16000, np.float32), voice(2), np.zeros(12800, np.float32), voice(2), np.zeros(16000, np.float32)])
    pauses = [pause for pause in find_pauses(describe_prosody(sound)) if pause[1] - pause[0] > 0.5]
    assert pauses == [pytest.approx(pause, abs=0.15) for pause in ((0.0, 1.0), (3.0, 3.8), (5.8, 6.8))]
    assert find_pauses(describe_prosody(np.zeros(32000, np.float32))) == ()
