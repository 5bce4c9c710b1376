"""Typed words are spoken by what is installed."""

import pytest

from tbd.errors import InputError
from tbd.media import read_audio
from tbd.studio.speaking import speak, voice_names


@pytest.fixture
def voice() -> str:
    names = voice_names()
    if not names:
        pytest.skip("no speech synthesizer is installed (apt-get install flite)")
    return names[0]


def test_words_become_a_voice(tmp_path, voice):
    speak('-o "quoted" words;\nthe second line', voice, tmp_path / "a.wav")
    assert 1 < len(read_audio(tmp_path / "a.wav")) / 16_000 < 6


@pytest.mark.parametrize("words", ["", "  \n", "…?!"])
def test_nothing_to_say(tmp_path, voice, words):
    with pytest.raises(InputError, match="nothing to speak"):
        speak(words, voice, tmp_path / "a.wav")


def test_an_unknown_voice(tmp_path):
    with pytest.raises(InputError, match="no voice"):
        speak("hello", "flite-/etc/passwd", tmp_path / "a.wav")
