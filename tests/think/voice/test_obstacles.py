"""What is no single voice is said to be none; what is one, however bad the line, is not."""

import numpy as np
import pytest

from tbd.media import read_audio
from tbd.speech.prosody import describe_prosody
from tbd.think.voice.obstacles import find_obstacle
from tbd.utils.sample_inputs import VOICE
from tests.think.voice.sounds import crowd, music, telephone, voice

NOISE = np.random.default_rng(0).standard_normal(64000).astype(np.float32)


@pytest.mark.parametrize(
    ("sound", "obstacles"),
    [
        (np.zeros(32000, np.float32), {"silent"}),
        (1e-5 * NOISE, {"silent"}),
        (np.zeros(1, np.float32), {"silent"}),
        (voice(0.2), {"short"}),
        (crowd(), {"crowd"}),
        (0.1 * NOISE, {"crowd"}),
        (music(), {"music", "crowd"}),
        (np.sin(2 * np.pi * 440 * np.arange(64000) / 16000).astype(np.float32), {"music"}),
    ],
    ids=["silence", "hiss", "one sample", "0.2 s", "crowd", "noise", "chords", "a tone"],
)
def test_no_voice(sound, obstacles):
    assert find_obstacle(describe_prosody(sound)) in obstacles


@pytest.mark.parametrize("change", [lambda x: x, telephone, lambda x: np.clip(4 * x, -0.3, 0.3), lambda x: x + 0.003 * NOISE[: len(x)]])
def test_a_voice_on_a_bad_line_is_a_voice(change):
    real = read_audio(VOICE)[:64000]
    assert find_obstacle(describe_prosody(change(real))) == ""
    assert find_obstacle(describe_prosody(change(voice(level=0.3)))) == ""
