"""Descriptors: each moves with what it names, and not with the microphone's gain."""

from dataclasses import fields

import numpy as np

from tbd.speech.prosody import describe_prosody
from tests.think.voice.sounds import voice


def median(sound: np.ndarray, name: str) -> float:
    prosody = describe_prosody(sound)
    return float(np.median(getattr(prosody, name)[prosody.voiced]))


def test_a_tense_voice_is_brighter():
    slack, tense = voice(tilt=0.97), voice(tilt=0.6)
    for name, sign in (("alpha", 1), ("hammarberg", -1), ("tilt", 1), ("centroid", 1)):
        assert sign * (median(tense, name) - median(slack, name)) > 0.1, name


def test_gain_moves_the_level_alone():
    soft, loud = describe_prosody(voice()), describe_prosody(10 * voice())
    assert np.allclose(loud.level - soft.level, 20, atol=0.2)
    for field in fields(soft):
        if field.name != "level":
            assert np.allclose(getattr(soft, field.name), getattr(loud, field.name), equal_nan=True, atol=0.1), field.name


def test_speech_is_what_is_loud_enough():
    sound = np.concatenate([np.zeros(8000, np.float32), voice(2.0), np.zeros(8000, np.float32)])
    speech = describe_prosody(sound).speech
    assert not speech[:45].any() and not speech[-45:].any() and speech[55:-55].mean() > 0.6


def test_blocks_do_not_show(monkeypatch):
    whole = describe_prosody(voice())
    monkeypatch.setattr("tbd.speech.prosody._BLOCK", 77)
    parts = describe_prosody(voice())
    for field in fields(whole):
        assert np.allclose(getattr(whole, field.name), getattr(parts, field.name), equal_nan=True, atol=1e-6), field.name
