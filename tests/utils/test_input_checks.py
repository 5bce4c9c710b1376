"""The Python API answers what it cannot use with one sentence of its own."""

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.utils import input_checks

TONE = np.sin(np.arange(1600, dtype=np.float32))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_samples(dtype):
    samples = input_checks.check_audio(TONE.astype(dtype)[::-1])
    assert samples.dtype == np.float32 and samples.flags.c_contiguous and np.allclose(samples, TONE[::-1], atol=1e-3)


@pytest.mark.parametrize(
    ("audio", "words"),
    [
        ((TONE * 32767).astype(np.int16), r"ndarray \(1600,\) of int16"),
        (np.stack([TONE, TONE]), r"ndarray \(2, 1600\) of float32"),
        (TONE * 32767, "reaches 3.277e"),
        (TONE[:0], "is empty"),
        (TONE * np.nan, "no numbers"),
        (TONE.tolist(), "of type list"),
        ("hello.wav", "of type str"),
        (None, "is None"),
    ],
)
def test_other_sound_is_refused(audio, words):
    with pytest.raises(InputError, match=words):
        input_checks.check_audio(audio)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((3, 8, 8), np.uint8),
        np.zeros((1, 8, 8, 3), np.uint8),
        np.zeros((8, 8, 3), np.float32),
        np.zeros((0, 8, 3), np.uint8),
        "me.jpg",
        None,
    ],
)
def test_other_pictures_are_refused(image):
    with pytest.raises(InputError, match=r"give an \(H, W, 3\) uint8 RGB array"):
        input_checks.check_image(image)


def test_numbers_and_words():
    assert input_checks.check_int(np.int64(5), "The seed", 0, 9) == 5
    for value in (-1, 10, 1.0, True, "5", None):
        with pytest.raises(InputError, match="The seed is a whole number from 0 to 9"):
            input_checks.check_int(value, "The seed", 0, 9)
    with pytest.raises(InputError, match="of type bytes"):
        input_checks.check_text(b"happy")
