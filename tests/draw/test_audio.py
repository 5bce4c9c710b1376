import numpy as np
import pytest
import torch

from tbd.draw.audio import LogMel, MelEncoder, frames_of


def test_one_feature_per_frame():
    encoder = MelEncoder(dim=32, bins=20, context=4).eval()
    assert encoder(torch.randn(2, (25 + 8) * 640)).shape == (2, 25, 32)


def test_features_follow_their_frame():
    """A click moves the features around its own frame and leaves distant ones alone."""
    encoder = MelEncoder(dim=32, bins=20, context=4).eval()
    quiet = torch.zeros(1, (60 + 8) * 640)
    click = quiet.clone()
    click[0, (4 + 30) * 640 + 320] = 1.0
    change = (encoder(click) - encoder(quiet)).abs().sum(-1)[0]
    assert 28 <= int(change.argmax()) <= 32 and change[:15].max() == 0 == change[45:].max()


@pytest.mark.parametrize("hz", [200, 1000, 4000])
def test_a_tone_lights_its_mel_band(hz):
    mel = LogMel(80)
    loudest = mel(torch.sin(2 * np.pi * hz * torch.arange(16000) / 16000)[None])[0].mean(-1).argmax()
    lit = torch.linspace(0, 8000, 257)[mel.filters[loudest] > 0]
    assert lit.min() - 40 <= hz <= lit.max() + 40


def test_hundred_columns_a_second():
    assert LogMel(80)(torch.zeros(1, 32000)).shape == (1, 80, 200)


def test_frames_cover_all_samples():
    assert [frames_of(n) for n in (1, 640, 641, 1280)] == [1, 1, 2, 2]
