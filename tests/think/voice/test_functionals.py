"""Cues of a stretch: each moves with what it names."""

import numpy as np
import pytest

from tbd.speech.prosody import describe_prosody
from tbd.think.voice.functionals import Functionals, summarize
from tests.think.voice.sounds import voice


def cues(**of: float) -> Functionals:
    found = summarize(describe_prosody(voice(**of)))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "more", "less"),
    [
        ("pitch", {"hertz": 200}, {"hertz": 100}),
        ("pitch_range", {"melody": 5}, {"melody": 1}),
        ("pitch_slope", {"melody": 6}, {"melody": 0.5}),
        ("alpha", {"tilt": 0.6}, {"tilt": 0.97}),
        ("centroid", {"tilt": 0.6}, {"tilt": 0.97}),
        ("rate", {"syllables": 6}, {"syllables": 3}),
    ],
)
def test_a_cue_moves_with_what_it_names(name, more, less):
    stronger, weaker = getattr(cues(**more), name), getattr(cues(**less), name)
    assert stronger > weaker + 0.1 * abs(weaker)


def test_pitch_is_in_semitones_over_100_hertz():
    assert cues(hertz=200, melody=0).pitch == pytest.approx(12, abs=0.4)


def test_the_rate_counts_syllables():
    found = {count: cues(syllables=count).rate for count in (3, 5)}
    assert found[3] < found[5] and all(rate > 0.8 * count for count, rate in found.items())


def test_gain_is_no_cue():
    loud, soft = (summarize(describe_prosody(gain * voice())) for gain in (4.0, 1.0))
    assert loud is not None and soft is not None and np.allclose(loud, soft, rtol=0.01, atol=0.02)


def test_hardly_any_voice_says_nothing():
    assert summarize(describe_prosody(voice(0.1))) is None and summarize(describe_prosody(np.zeros(0))) is None


def test_pauses_are_a_share_of_the_time_between_words():
    sound = np.concatenate([voice(2.0), np.zeros(32000, np.float32), voice(2.0)])
    found = summarize(describe_prosody(sound))
    assert found is not None and found.pausing == pytest.approx(1 / 3, abs=0.12)
