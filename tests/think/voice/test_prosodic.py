"""The default reader: what it hears in acted voices, how fast, and that it hears the same twice."""

import shutil
import subprocess
import sys
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
from tests.think.voice.test_emphasis import STRESSED

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


def test_windows_follow_the_time():
    reading = READER.read(STRESSED)
    assert [w.start for w in reading.windows] == [0.5 * i for i in range(len(reading.windows))] and len(reading.windows) == 12
    inside, outside = ([w.arousal for w in reading.windows if (w.start in (2.5, 3.0)) == within] for within in (True, False))
    assert min(inside) > np.median(outside) and all(sum(w.probabilities.values()) == pytest.approx(1) for w in reading.windows)
    assert reading.aroused_in(2.5, 4.5) == reading.windows[5].aroused and reading.aroused_in(20, 21) is None


def test_windows_without_speech_are_left_out():
    sound = np.concatenate([voice(3), np.zeros(80000, np.float32), voice(3)])
    assert not [w for w in READER.read(sound).windows if w.start >= 3 and w.end <= 8]
    assert len(READER.read(voice(1.5)).windows) == 1


def test_gain_does_not_matter():
    loud, soft = READER.read(voice(level=0.4)), READER.read(voice(level=0.04))
    assert loud.aroused == pytest.approx(soft.aroused, abs=0.03) and loud.leading == soft.leading


def test_a_minute_takes_less_than_two_seconds_of_processor_time():
    minute = np.tile(voice(10), 6)
    READER.read(minute[:16000])
    start = time.process_time()
    READER.read(minute)
    assert time.process_time() - start < 2


def test_a_plan_of_a_sentence_alone_loads_no_ears():
    code = "import sys; from tbd.think import KnowledgePlanner as P; P().plan('sad'); assert not [m for m in sys.modules if 'voice' in m]"
    subprocess.run([sys.executable, "-c", code], check=True)
