"""Frames in which somebody speaks."""

import numpy as np

from tbd.media import read_audio
from tbd.speech.activity import speech_activity
from tbd.speech.phones import Phone
from tbd.speech.recognizer import PhoneRecognizer
from tbd.utils.sample_inputs import VOICE


def test_a_voice_is_found_between_silences() -> None:
    voice = read_audio(VOICE)[: 3 * 16000]
    pause = np.zeros(2 * 16000, np.float32)
    active = speech_activity(np.concatenate([pause, voice, pause]), 175)
    assert not active[:45].any() and not active[130:].any()
    assert active[50:125].mean() > 0.6


class _AlwaysTalking(PhoneRecognizer):
    name = "always"

    def recognize(self, audio: np.ndarray) -> list[Phone]:
        return [Phone(0.0, len(audio) / 16000, "a")]


def test_phones_that_are_guessed_in_faint_noise_do_not_count() -> None:
    rng = np.random.default_rng(0)
    audio = rng.standard_normal(50 * 640).astype(np.float32) * np.repeat([0.2, 0.002], 25 * 640).astype(np.float32)  # 40 dB apart
    active = speech_activity(audio, 60, _AlwaysTalking())
    assert active[:25].all() and not active[25:].any()
