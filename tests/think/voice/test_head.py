"""The head: its weights are whole, and each cue pulls where it should."""

import numpy as np
import pytest

from tbd.think.emotions import EMOTIONS
from tbd.think.voice.functionals import Functionals
from tbd.think.voice.head import AXES, VoiceHead

HEAD = VoiceHead()
TENSORS = HEAD._tensors


def cues(**deviations: float) -> Functionals:
    """Ordinary speech, with some cues so many standard deviations away."""
    away = np.array([deviations.get(name, 0.0) for name in Functionals._fields])
    return Functionals(*(TENSORS["mean"] + away * TENSORS["deviation"]))


def test_the_weights_fit_the_cues():
    assert TENSORS["mean"].shape == TENSORS["arousal.weight"].shape == (len(Functionals._fields),)
    assert TENSORS["axes"].shape == (len(AXES), len(Functionals._fields)) and all(np.isfinite(t).all() for t in TENSORS.values())
    assert set(TENSORS["emotions"].astype(int)) == set(range(max(TENSORS["emotions"].astype(int)) + 1)) <= set(range(len(EMOTIONS)))


def test_ordinary_speech_is_neutral_and_not_sure():
    heard = HEAD(cues())
    assert max(heard.probabilities, key=heard.probabilities.get) == "neutral" and heard.probabilities["neutral"] < 0.6
    assert heard.aroused < 0.5 and heard.axes == pytest.approx(dict.fromkeys(AXES, 0.0), abs=1e-9)


@pytest.mark.parametrize("names", [("flux",), ("alpha", "centroid", "tilt"), ("pitch", "pitch_low")])
def test_a_tense_or_high_voice_is_aroused(names):
    more, less = (HEAD(cues(**dict.fromkeys(names, sign))).arousal for sign in (1.5, -1.5))
    assert more > less + 0.03


def test_an_accident_does_not_count_for_more_than_three_deviations():
    assert HEAD(cues(flux=3.0)) == HEAD(cues(flux=300.0))


def test_probabilities_sum_to_one_wherever():
    for flux in (-3, 0, 3):
        for pitch in (-3, 0, 3):
            assert sum(HEAD(cues(flux=flux, pitch=pitch)).probabilities.values()) == pytest.approx(1)
