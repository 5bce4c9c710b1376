"""Settings refuse what cannot be, and the command line says what differs from the model's own."""

import pytest

from tbd.draw.guidance.base import NoGuidance
from tbd.draw.guidance.progressive import ProgressiveGuidance
from tbd.errors import InputError
from tbd.studio.settings import Settings, command_line


@pytest.mark.parametrize("wrong", [{"emotion_scale": -1}, {"muscle_scale": 5.1}, {"audio_scale": "2"}, {"head_motion": float("nan")},
                                   {"seed": -1}, {"seed": 2.0}, {"size": 100}, {"size": 100_000}])  # fmt: skip
def test_what_is_out_of_range_is_refused(wrong):
    with pytest.raises(InputError):
        Settings(**wrong)


def test_the_model_s_own_scales_are_left_out():
    own = {"emotion_scale": 1.5, "muscle_scale": 1.5}
    settings = Settings(emotion_scale=1.5, muscle_scale=2.05, audio_scale=3.0)
    assert settings.options(own)[:3] == ["--muscle-scale", "2.05", "--head-motion"]


def test_scales_reach_the_guidance():
    scaled = Settings(muscle_scale=2.0).guidance(ProgressiveGuidance(1.5, 1.5, 1.5))
    assert scaled.scales() == {"emotion_scale": 1.5, "muscle_scale": 2.0, "audio_scale": 1.5}
    assert isinstance(Settings(muscle_scale=2.0).guidance(NoGuidance()), NoGuidance)  # which has none


def test_another_model_is_named(tmp_path):
    assert "--motion-model" not in command_line("me.jpg", "v.wav", Settings(), {})
    assert "--motion-model me/motion " in command_line("me.jpg", "v.wav", Settings(), {}, "me/motion")
    (tmp_path / "mine").mkdir()
    assert "--motion-model mine " in command_line("me.jpg", "v.wav", Settings(), {}, str(tmp_path / "mine"))


def test_no_folder_is_shown():
    assert "/" not in command_line("/home/me/secret/me.jpg", "/tmp/x/v.wav", Settings(), {})
