"""What a live server and its page send each other: JSON in text, sound and pictures in binary messages.

To the server:

- first ``{"sample_rate": 48000, "emotion": "quietly furious"}``; the emotion may be left out;
- binary: 16-bit little-endian mono samples, any number of them;
- ``{"emotion": "…"}`` at any time: another sentence takes over;
- ``{"end": true}``: what is left is drawn, and the server closes.

From the server:

- first ``{"fps": 25, "sample_rate": 48000, "width": 512, "height": 512}``;
- binary, 25 a second: the frame's number and the size of its sound in bytes (two unsigned 32-bit little-endian numbers), its 16-bit
  sound, and its picture as JPEG; no picture where the one before stays;
- ``{"plan": "…"}``: what was thought, when a sentence has taken over;
- ``{"error": "…"}``: one sentence, before the server closes.
"""

import json
import struct
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.live.sound import check_rate

_HEADER = struct.Struct("<II")
LONGEST_MESSAGE = 1 << 20
"""Bytes of a message to the server: ten seconds of sound."""
LONGEST_SENTENCE = 1000
"""Characters of a sentence about a feeling."""
_KEYS = {"sample_rate", "emotion", "end"}


def read_message(text: str) -> dict[str, Any]:
    """Read a text message of a client.

    Args:
        text: The message.

    Returns:
        Its keys, those of the protocol alone, with values of the right type.

    Raises:
        InputError: If it is no message of the protocol.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):  # the latter of a thousand brackets
        message = None
    if not isinstance(message, dict) or not message or set(message) - _KEYS:
        raise InputError("A text message to a live server is JSON with sample_rate, emotion or end; sound is sent as binary messages.")
    if "sample_rate" in message:
        check_rate(message["sample_rate"])
    emotion = message.get("emotion", "")
    if not isinstance(emotion, str) or len(emotion) > LONGEST_SENTENCE or not _is_text(emotion):
        raise InputError(f"The emotion is a sentence of at most {LONGEST_SENTENCE} characters.")
    return message


def _is_text(text: str) -> bool:
    r"""Whether it can be written: JSON's ``\ud83d`` is half a character, as of an emoji that was cut."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def pack_frame(number: int, audio: np.ndarray, picture: bytes) -> bytes:
    """Make the message of one frame.

    Args:
        number: The frame's number, from 0 on.
        audio: (N,) float32 in −1..1.
        picture: The JPEG; empty where the picture before stays.

    Returns:
        The message.
    """
    sound = np.round(np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()
    return _HEADER.pack(number, len(sound)) + sound + picture


def unpack_frame(message: bytes) -> tuple[int, np.ndarray, bytes]:
    """Take the message of one frame apart; the inverse of `pack_frame`.

    Args:
        message: The message.

    Returns:
        The frame's number, its (N,) float32 sound, and its JPEG or nothing.
    """
    number, size = _HEADER.unpack_from(message)
    end = _HEADER.size + size
    return number, np.frombuffer(message[_HEADER.size : end], "<i2").astype(np.float32) / 32767, message[end:]
