import itertools
from importlib.resources import files

import numpy as np
import pytest

from tbd.data.synthetic.engines import ENGINES, engine_of
from tbd.data.synthetic.speech import Delivery
from tbd.data.synthetic.visemes import loudness_of, speech_lips
from tbd.face.channels import INDEX
from tbd.media.rates import SAMPLE_RATE
from tbd.media.wav import read_wave
from tbd.speech import recognizer
from tbd.speech.phones import SILENCE, Phone
from tbd.speech.recognizer import LONGEST, SphinxRecognizer, passages
from tests.speech.humming import Humming

VOICE = read_wave(files("tbd") / "assets" / "voice.wav")


def jaw(phones, audio):
    return speech_lips(phones, loudness_of(audio, len(audio) // 640)).values[:, INDEX["jawOpen"]]


@pytest.mark.parametrize(("english", "least"), [(True, 0.75), (False, 0.6)])
def test_a_recognizer_moves_the_jaw_as_the_true_phones_do(english, least):
    voices = [v for engine in ENGINES for v in engine.voices() if str(v) == "flite-slt"]
    if not voices:
        pytest.skip("flite is not installed")
    said = engine_of(voices[0]).speak(["please put the paper back on the table and open the other door"], voices[0], Delivery())[0]
    heard = SphinxRecognizer(words=english).recognize(said.audio)
    assert np.corrcoef(jaw(said.phones, said.audio), jaw(heard, said.audio))[0, 1] > least


def test_long_recordings_are_cut_where_it_is_quiet():
    loud = np.random.default_rng(0).standard_normal(40 * 16000).astype(np.float32) * 0.1
    loud[12 * 16000 : int(12.5 * 16000)] = 0
    pieces = list(passages(loud))
    assert len(pieces[0]) == pytest.approx(12.25 * 16000, abs=0.15 * 16000)
    assert max(map(len, pieces)) <= LONGEST * 16000
    assert sum(map(len, pieces)) == len(loud)


def test_silence_is_no_speech():
    assert SphinxRecognizer().recognize(np.zeros(16000, np.float32)) == []


def test_what_is_heard_does_not_depend_on_what_was_heard_before():
    noise = np.random.default_rng(0).standard_normal(32000).astype(np.float32) * 0.1
    first, second = VOICE[:48000], VOICE[48000:96000]
    words, bare = SphinxRecognizer(), SphinxRecognizer(words=False)

    def heard():
        recognizer._recognized.cache_clear()
        return words.recognize(first), bare.recognize(first)

    recognizer._decoder.cache_clear()
    fresh = heard()
    for before in (noise, second):
        words.recognize(before), bare.recognize(before)
        assert heard() == fresh


def test_a_recording_of_any_length_is_heard_passage_by_passage():
    audio = np.ones(40 * SAMPLE_RATE, np.float32) * 0.1
    audio[12 * SAMPLE_RATE : 14 * SAMPLE_RATE] = 0
    heard = Humming().listen(audio)
    assert heard[0].start == 0 and heard[-1].end == pytest.approx(40)
    assert all(a.end == pytest.approx(b.start) for a, b in itertools.pairwise(heard))
    hums = [p for p in heard if p.symbol == "m"]
    cuts = np.cumsum([len(p) for p in passages(audio)]) / SAMPLE_RATE
    assert [p.end for p in hums] == pytest.approx(cuts.tolist())
    assert Humming().listen(np.zeros(SAMPLE_RATE, np.float32)) == [Phone(0, 1, SILENCE)]
    assert Humming().listen(np.zeros(0, np.float32)) == []
