"""The default reader: what it hears in acted voices, how fast, and that it hears the same twice."""

import shutil
import time

import numpy as np
import pytest

from benchmarks.voice.acting import ACTS, act
from tbd.data.synthetic.speech import Voice
from tbd.media import read_audio
from tbd.think.emotions import EMOTIONS
from tbd.think.voice import ProsodicVoiceReader
from tbd.utils.sample_inputs import VOICE
from tests.think.voice.sounds import voice

READER = ProsodicVoiceReader()


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
@pytest.mark.parametrize("name", ["slt", "awb"])
def test_a_voice_that_acts_anger_is_more_aroused_than_one_that_acts_sadness(name):
    angry, neutral, sad = (READER.read(act(Voice("flite", name), ACTS[emotion][0], 1.0, seed=5)) for emotion in ("angry", "neutral", "sad"))
    assert angry.aroused > max(neutral.aroused, sad.aroused) + 0.2 and sad.aroused < 0.3
    assert angry.probabilities["angry"] > neutral.probabilities["angry"]


def test_probabilities_are_a_mix_over_the_emotions():
    reading = READER.read(read_audio(VOICE))
    assert set(reading.probabilities) == set(EMOTIONS) and sum(reading.probabilities.values()) == pytest.approx(1)
    assert 0 <= reading.aroused <= 1 and -1 <= reading.valence <= 1 and reading.confidence < 0.7


def test_the_same_sound_gives_the_same_reading():
    assert READER.read(read_audio(VOICE)) == ProsodicVoiceReader().read(read_audio(VOICE))


def test_gain_does_not_matter():
    loud, soft = READER.read(voice(level=0.4)), READER.read(voice(level=0.04))
    assert loud.aroused == pytest.approx(soft.aroused, abs=0.03) and loud.leading == soft.leading


def test_a_minute_takes_less_than_two_seconds_of_processor_time():
    minute = np.tile(voice(10), 6)
    READER.read(minute[:16000])
    start = time.process_time()
    READER.read(minute)
    assert time.process_time() - start < 2
