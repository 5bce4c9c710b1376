import numpy as np
import pytest

from tbd.data.synthetic import espeak
from tbd.data.synthetic.engines import DEBIAN_PACKAGES, ENGINES, engine_of, find_voices
from tbd.data.synthetic.speech import Delivery, Voice
from tbd.data.synthetic.visemes import VOWELS, base_symbols
from tbd.errors import InputError
from tbd.media.rates import SAMPLE_RATE
from tbd.speech.phones import SILENCE

SENTENCES = ["Please bring back a pot of tea, and take the paper to Peter.", "Did Bob keep the copper pipe?"]


def installed():
    """One voice of each kind that each engine has."""
    voices = [v for engine in ENGINES for v in engine.voices() if v.language == "en"]
    return [v for v in voices if v.engine != "espeak" or v.name in ("en-us+f2", "en+m3")]


@pytest.fixture(params=installed() or [None], ids=str)
def voice(request):
    if request.param is None:
        pytest.skip(f"no speech synthesizer; apt-get install {' '.join(DEBIAN_PACKAGES)}")
    return request.param


def level(audio, start, end):
    """Decibels of a stretch given in seconds."""
    piece = audio[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
    return 10 * np.log10(np.square(piece).mean() + 1e-9)


def test_phone_times_fit_the_sound(voice):
    found = {"pause": [], "closure": [], "vowel": []}
    for speech in engine_of(voice).speak(SENTENCES, voice, Delivery()):
        for p in speech.phones:
            middle, quarter = (p.start + p.end) / 2, p.duration / 4
            if p.symbol == SILENCE and p.duration > 0.08:
                found["pause"].append(level(speech.audio, middle - quarter, middle + quarter))
            elif p.symbol in ("p", "t", "k") and p.start > 0.3:
                # the closure is somewhere in the first two thirds: its quietest 15 ms
                starts = np.arange(p.start, p.start + 0.66 * p.duration, 0.005)
                found["closure"].append(min(level(speech.audio, s, s + 0.015) for s in starts))
            elif set(base_symbols(p.symbol)) & VOWELS:
                found["vowel"].append(level(speech.audio, middle - quarter, middle + quarter))
    typical = {kind: np.median(levels) for kind, levels in found.items() if levels}
    assert typical["vowel"] - typical["closure"] > 20
    assert "pause" not in typical or typical["vowel"] - typical["pause"] > 25


def test_phones_cover_the_sound_in_order(voice):
    for speech in engine_of(voice).speak(SENTENCES, voice, Delivery(rate=1.2, pitch=2, tract=0.9)):
        assert speech.audio.dtype == np.float32
        assert np.abs(speech.audio).max() <= 1
        assert speech.phones[0].start == 0
        assert speech.phones[-1].end == pytest.approx(speech.duration, abs=1e-3)
        assert all(a.end == pytest.approx(b.start, abs=1e-6) for a, b in zip(speech.phones, speech.phones[1:]))


def test_delivery_sets_the_rate_and_leaves_it_when_the_tract_changes(voice):
    def seconds(**delivery):
        return sum(s.duration for s in engine_of(voice).speak(SENTENCES, voice, Delivery(**delivery)))

    if voice.name.endswith("hts"):
        pytest.skip("festival's HMM voice keeps its own rate")
    assert seconds(rate=1.3) < 0.88 * seconds()
    assert seconds(tract=1.15) == pytest.approx(seconds(), rel=0.08)


def test_a_longer_tract_lowers_the_spectrum(voice):
    def centroid(tract):
        audio = np.concatenate([s.audio for s in engine_of(voice).speak(SENTENCES, voice, Delivery(tract=tract))])
        power = np.abs(np.fft.rfft(audio)) ** 2
        return (power * np.arange(len(power))).sum() / power.sum() / len(power)

    assert centroid(1.15) < 0.95 * centroid(0.87)


def test_earlier_speech_changes_nothing(voice):
    first = engine_of(voice).speak(SENTENCES[:1], voice, Delivery())[0]
    engine_of(voice).speak(SENTENCES[1:], voice, Delivery(rate=1.3, pitch=3))
    again = engine_of(voice).speak(SENTENCES[:1], voice, Delivery())[0]
    assert again.phones == first.phones
    np.testing.assert_array_equal(again.audio, first.audio)


def test_mandarin_is_read_from_pinyin():
    chinese = Voice("espeak", "cmn-latn-pinyin+f2", "cmn")
    if chinese not in ENGINES[1].voices():
        pytest.skip("espeak-ng or its Mandarin is not installed")
    symbols = [p.symbol for p in engine_of(chinese).speak(["ma1ma5 mai3 ping2guo3"], chinese, Delivery())[0].phones]
    assert symbols.count("m") == 3
    assert any(s.startswith("p") for s in symbols)


def test_no_engine_names_the_packages(monkeypatch):
    def absent():
        raise OSError

    monkeypatch.setattr(espeak, "_EspeakLibrary", absent)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="apt-get install flite"):
        find_voices()
