"""What the page's script refuses, as sentences."""

import pytest

from tbd.errors import InputError
from tbd.studio.handlers import Handlers
from tbd.studio.refusals import refusal


@pytest.mark.parametrize(
    ("message", "place", "sentence"),
    [
        ({"place": "portrait", "failure": "NotFoundError"}, "portrait", "There is no camera; plug one in, or upload a picture."),
        ({"place": "voice", "failure": "NotReadableError"}, "voice",
         "Something else uses the microphone; end that, or upload a recording."),
        ({"place": "voice", "failure": "<b>"}, "voice", "The microphone cannot be used; upload a recording."),
        ({"place": "clip", "name": "a.mp4", "size": 2**31, "type": "video/mp4"}, "clip",
         "a.mp4 has 2048 MiB; the studio takes files up to 64 MiB."),
        (
            {"place": "portrait", "name": "a.mp4", "size": 9, "type": "video/mp4"},
            "portrait",
            "a.mp4 is a video; to dub its speaker, give it below the portrait.",
        ),
        (
            {"place": "clip", "name": "a.png", "size": 9, "type": "image/png"},
            "clip",
            "a.png is no video; give one of the speaker who is dubbed.",
        ),
    ],
)  # fmt: skip
def test_a_refusal_is_a_sentence(message, place, sentence):
    assert refusal(message) == (place, sentence)


@pytest.mark.parametrize(
    "message", [None, [], {"place": "seed", "size": 1}, {"place": "clip", "failure": "x"}, {"place": "voice", "size": "x"}]
)
def test_what_is_no_refusal_is_one_too(message):
    with pytest.raises(InputError, match="reload"):
        refusal(message)
    assert "reload" in Handlers.refuse(message)[0]


def test_a_refusal_stands_where_the_file_was_given():
    portrait, voice = Handlers.refuse({"place": "voice", "name": "<i>.wav", "size": 2**31, "type": "audio/wav"})
    assert portrait is None and "&lt;i&gt;.wav has 2048 MiB" in voice
