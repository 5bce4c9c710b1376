"""Speech passes as it is, whispered too; what is no voice stops after a while, and who then speaks is heard."""

import numpy as np
import pytest
from scipy.io import wavfile
from scipy.signal import istft, stft

from tbd.speech.voice_gate import VoiceGate
from tbd.utils.sample_inputs import VOICE

SECONDS = 7
RATE = 16000
SILENCE = np.zeros(RATE, np.float32)


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    rate, samples = wavfile.read(VOICE)
    assert rate == RATE
    return (samples / 32768).astype(np.float32)


def gains(sound: np.ndarray, piece: int = 1600) -> np.ndarray:
    """(N / 160,) what the gate lets through."""
    gate = VoiceGate()
    for start in range(0, len(sound), piece):
        gate.feed(sound[start : start + piece])
    return np.concatenate([gate.gains(at, at + 100) for at in range(max(len(sound) // 160 - 400, 0), len(sound) // 160, 100)])


def whispered(voice: np.ndarray) -> np.ndarray:
    """The same words without a pitch."""
    _, _, spectrum = stft(voice, RATE, nperseg=400, noverlap=300)
    smooth = np.apply_along_axis(lambda column: np.convolve(column, np.ones(9) / 9, "same"), 0, np.abs(spectrum))
    phase = np.random.default_rng(0).uniform(0, 2 * np.pi, smooth.shape)
    return istft(smooth * np.exp(1j * phase), RATE, nperseg=400, noverlap=300)[1][: len(voice)].astype(np.float32)


def made(kind: str) -> np.ndarray:
    rng, time = np.random.default_rng(7), np.arange(SECONDS * RATE) / RATE
    sound = np.zeros(len(time))

    def note(hertz: float, seconds: float) -> np.ndarray:
        at = np.arange(int(seconds * RATE)) / RATE
        return sum(np.exp(-3 * at) * 0.25 / k * np.sin(2 * np.pi * hertz * k * at) for k in range(1, 8))

    if kind == "noise":
        sound = rng.normal(0, 0.1, len(time))
    elif kind == "hum":
        sound = sum(0.3 / k * np.sin(2 * np.pi * 50 * k * time + k) for k in range(1, 12))
    elif kind == "beeps":
        sound = 0.5 * np.sin(2 * np.pi * 1000 * time) * (time % 1 < 0.2)
    elif kind == "clicks":
        sound[:: RATE // 3] = 0.9
    elif kind == "melody":
        sound = np.concatenate([note(hertz, 0.25) for hertz in (262, 294, 330, 392, 440, 392, 330, 294) * 4])[: len(time)]
    elif kind == "applause":
        for start in rng.integers(0, len(time) - 800, 600):
            sound[start : start + 800] += rng.normal(0, 0.05, 800) * np.exp(-np.arange(800) / 120)
    elif kind == "dog":
        at = np.arange(3200) / RATE
        bark = sum(np.sin(2 * np.pi * np.cumsum(500 - 720 * at) * k / RATE) / k for k in range(1, 12)) + rng.normal(0, 0.6, 3200)
        for start in range(0, len(time) - 6000, 9600):
            sound[start : start + 3200] += 0.3 * bark * np.sin(np.pi * at / 0.2)
    return sound.astype(np.float32)


@pytest.mark.parametrize("piece", [1600, 100_000])
def test_speech_passes_whole(voice, piece):
    pause = 0.01 * np.random.default_rng(0).normal(size=RATE // 2).astype(np.float32) * np.abs(voice).max()
    for sound in (voice, whispered(voice), np.concatenate([voice[:32000], SILENCE, SILENCE, SILENCE, voice[:32000], pause, voice[:32000]])):
        assert gains(sound, piece).min() == 1


@pytest.mark.parametrize("kind", ["noise", "hum", "beeps", "clicks", "melody", "applause", "dog"])
def test_what_is_no_voice_stops(kind):
    passed = gains(made(kind))  # of the last four of seven seconds
    assert passed[20] == 1 and not passed[120:].any()


def test_who_speaks_after_noise_is_heard(voice):
    passed = gains(np.concatenate([made("noise"), voice[: 3 * RATE]]))  # of the last four seconds, of which the first is noise
    assert not passed[:90].any() and passed[170:].min() == 1


def test_a_vowel_that_is_held_is_a_voice(voice):
    start = RATE
    held = np.tile(voice[start : start + 480], 100)  # 3 s
    assert gains(np.concatenate([voice[:start], held])).min() == 1
