"""Wave files of caches and corpora."""

import wave

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.media import read_audio
from tbd.media.wav import read_samples, read_wave

SAMPLES = np.arange(-1000, 1000, dtype=np.int16)


@pytest.fixture
def path(tmp_path):
    return write(tmp_path / "a.wav")


def write(path, rate=16000, channels=1, width=2):
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(SAMPLES.tobytes())
    return path


@pytest.mark.parametrize("start, stop", [(0, None), (3, 7), (1990, 5000), (5000, 6000), (7, 3), (7, None)])
def test_parts_are_slices(path, start, stop):
    assert np.array_equal(read_samples(path, start, stop), SAMPLES[start:stop])


def test_models_hear_fractions(path):
    heard = read_wave(path)
    assert heard.dtype == np.float32 and np.array_equal(heard * 32768, SAMPLES)


def test_bad_input(tmp_path, path):
    whole = path.read_bytes()
    files = {
        "missing.wav": (None, "No such file"),
        "empty.wav": (b"", "broken off"),
        "text.wav": (b"not a wave file at all", "RIFF"),
        "head.wav": (whole[:30], "broken off"),
        "cut.wav": (whole[:-501], "broken off"),
    }
    for name, (content, said) in files.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=f"{name} cannot be read as a wave file of 16 kHz.*{said}.*synthesize the clip again"):
            read_samples(tmp_path / name)
    for kind, said in ({"rate": 22050}, "22050 Hz"), ({"channels": 2}, "2 channels"), ({"width": 1}, "8 bits"):
        with pytest.raises(InputError, match=said):
            read_samples(write(tmp_path / "other.wav", **kind))


def test_a_header_of_one_sample_a_second_is_no_recording_of_hours(tmp_path):
    with pytest.raises(InputError, match="has 1 samples of sound a second; its header is wrong"):
        read_audio(write(tmp_path / "a.wav", rate=1))
