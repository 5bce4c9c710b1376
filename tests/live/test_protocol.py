import json

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.live.protocol import pack_frame, read_message, unpack_frame
from tests.live.conftest import noise


def test_a_frame_comes_back():
    number, sound, picture = unpack_frame(pack_frame(70000, noise(0.04), b"jpeg"))
    assert number == 70000 and picture == b"jpeg" and np.abs(sound - noise(0.04)).max() < 1e-4


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "{}",
        "3",
        "null",
        '{"plan": 1}',
        '{"emotion": 3}',
        '{"sample_rate": 1}',
        json.dumps({"emotion": "a" * 1001}),
        '{"sample_rate": 160',
        '{"end": tr',
        "[" * 100_000,
        '{"emotion": "\\ud83d"}',
    ],
)
def test_what_is_no_message_is_refused_in_a_sentence(text):
    with pytest.raises(InputError):
        read_message(text)


def test_messages_are_read():
    assert read_message('{"sample_rate": 48000, "emotion": "sad"}') == {"sample_rate": 48000, "emotion": "sad"}
    assert read_message('{"end": true}') == {"end": True}
