"""Pitch: of tones that are known, without the fundamental, in noise."""

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from tbd.speech.pitch import RATE, track_pitch

SECOND = np.arange(16000) / 16000


def tone(hertz: float, seconds: float = 1.0) -> np.ndarray:
    times = np.arange(int(16000 * seconds)) / 16000
    return sum(np.sin(2 * np.pi * hertz * k * times) / k for k in range(1, 8))


@pytest.mark.parametrize("hertz", [75, 120, 210, 440, 600])
def test_a_tone_has_its_pitch(hertz):
    track = track_pitch(tone(hertz)).hertz[10:-10]
    assert np.isfinite(track).all() and np.abs(12 * np.log2(track / hertz)).max() < 0.2


def test_a_glide_is_followed():
    semitones = np.linspace(0, 12, 32000)
    sound = np.sin(2 * np.pi * np.cumsum(150 * 2 ** (semitones / 12)) / 16000)
    track = track_pitch(sound).hertz[20:180]
    expected = 150 * 2 ** (np.interp(np.arange(20, 180) / RATE + 0.005, np.arange(32000) / 16000, semitones) / 12)
    assert np.abs(12 * np.log2(track / expected)).max() < 0.4


def test_the_pitch_survives_a_telephone_which_cuts_the_fundamental():
    cut = sosfilt(butter(6, [300, 3400], "band", fs=16000, output="sos"), tone(110))
    assert np.nanmedian(track_pitch(cut).hertz) == pytest.approx(110, rel=0.02)


def test_noise_and_silence_have_none():
    noise = np.random.default_rng(0).standard_normal(16000)
    assert np.isfinite(track_pitch(noise).hertz).mean() < 0.05
    assert not np.isfinite(track_pitch(np.zeros(16000)).hertz).any()
    assert len(track_pitch(np.zeros(0)).hertz) == 0 and len(track_pitch(np.ones(1)).hertz) == 1


def test_periodicity_falls_with_noise():
    noise = np.random.default_rng(0).standard_normal(16000)
    clean, noisy = (np.median(track_pitch(tone(150) + level * noise).periodicity) for level in (0.001, 0.3))
    assert clean > 0.99 and 0.5 < noisy < clean - 0.02


def test_blocks_do_not_show(monkeypatch):
    glide = np.sin(2 * np.pi * np.cumsum(np.linspace(100, 300, 16000)) / 16000)
    whole = track_pitch(glide)
    monkeypatch.setattr("tbd.speech.pitch._BLOCK", 33)
    assert np.array_equal(whole.hertz, track_pitch(glide).hertz, equal_nan=True)
