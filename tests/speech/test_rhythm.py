"""The spectrum's own rhythm: a repeated vowel has one, changing vowels and noise have none."""

import numpy as np
import pytest

from tbd.speech.rhythm import measure_rhythm, mel_levels

RATE = 16000


def vowel(hertz: float, seconds: float) -> np.ndarray:
    """A tone with a formant at `hertz`, that swells and ends."""
    times = np.arange(int(seconds * RATE)) / RATE
    return np.sin(np.pi * times / seconds) * sum(
        np.exp(-(((k * 200 - hertz) / 300) ** 2)) * np.sin(2 * np.pi * 200 * k * times) for k in range(1, 20)
    )


def calls(formants: list[float]) -> np.ndarray:
    parts = [part for hertz in formants for part in (vowel(hertz, 0.1), np.zeros(RATE // 10))]
    return np.concatenate(parts) + 1e-4 * np.random.default_rng(0).standard_normal(sum(map(len, parts)))


def test_one_vowel_again_and_again_has_the_rhythm_of_its_calls():
    found = measure_rhythm(mel_levels(calls([700.0] * 6)))
    assert found.period == pytest.approx(0.2, abs=0.011) and found.strength > 0.6 and found.contrast > 0.6


def test_changing_vowels_repeat_less_than_one():
    same, other = (measure_rhythm(mel_levels(calls(f))) for f in ([700.0] * 6, [300.0, 2600.0, 900.0, 3400.0, 500.0, 1800.0]))
    assert other.strength < same.strength - 0.2


def test_noise_and_silence_have_none():
    noise = 0.1 * np.random.default_rng(0).standard_normal(2 * RATE)
    assert measure_rhythm(mel_levels(noise)).contrast < 0.2 and abs(measure_rhythm(mel_levels(np.zeros(RATE))).strength) < 1e-6


def test_levels_do_not_depend_on_gain_but_for_an_offset_and_are_limited_below():
    sound = calls([700.0] * 4)
    loud, soft = mel_levels(sound), mel_levels(0.1 * sound)
    assert (loud - soft).mean() == pytest.approx(20, abs=1.5) and mel_levels(np.zeros(0)).shape == (0, 20)
    assert (np.ptp(loud, axis=0) < 60).all()
