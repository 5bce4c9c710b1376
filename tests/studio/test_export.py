"""A voice as FLAC: to the bit where its samples have 16 bits, and to 24 bits otherwise."""

import av
import numpy as np
import pytest

from tbd.media.audio import Sound, read_sound
from tbd.studio.export import write_flac


@pytest.mark.parametrize("channels", [1, 2])
def test_16_bits_stay_as_they_are(tmp_path, channels):
    rng = np.random.default_rng(0)
    samples = (rng.integers(-32768, 32768, (channels, 24_001)) / 32768).astype(np.float32)
    write_flac(tmp_path / "a.flac", Sound(samples, 24_000))
    back = read_sound(tmp_path / "a.flac")
    assert back.sample_rate == 24_000 and (back.samples == samples).all()


def test_finer_samples_get_24_bits(tmp_path):
    samples = np.sin(np.arange(48_000) / 31)[None].astype(np.float32) * 0.7
    write_flac(tmp_path / "a.flac", Sound(samples, 48_000))
    with av.open(str(tmp_path / "a.flac")) as file:
        assert file.streams.audio[0].codec_context.format.name == "s32"
    assert np.abs(read_sound(tmp_path / "a.flac").samples - samples).max() < 2**-22
