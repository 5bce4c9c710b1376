"""What a multimodal model is shown and given: a portrait and a voice, as parts of a message."""

import base64
import io

import numpy as np

from tbd.media.rates import SAMPLE_RATE
from tbd.media.wav import write_wave
from tbd.think.llm.prompt import Message

LARGEST_SIDE = 768
"""Pixels: a larger portrait is scaled down, since models look at less."""
LONGEST = 60.0
"""Seconds of a voice that a model is given; how something is said shows in less."""

_VOICE = (
    "The recording of the speech is given. Take from how it is said what the sentence leaves open: the feeling, its strength and when "
    "it changes."
)
_PORTRAIT = "The portrait that will speak is shown. Take from it what the sentence leaves open, and what this face already shows at rest."
NO_SENTENCE = "(no sentence was given: take the feeling from what you see and hear)"


def with_observations(messages: list[Message], voice: np.ndarray | None, portrait: np.ndarray | None) -> list[Message]:
    """Add a voice and a portrait to the last message.

    Args:
        messages: Those that ask for the reasoning; the last one is the user's.
        voice: (N,) float32 samples at 16 kHz in −1..1, if any.
        portrait: (H, W, 3) uint8 RGB, if any.

    Returns:
        The messages, in the parts of OpenAI's chat API (`image_url` with a data URL, `input_audio`).
    """
    text = messages[-1]["content"]
    parts: list[dict[str, object]] = [{"type": "text", "text": text}]
    if portrait is not None:
        url = f"data:image/jpeg;base64,{base64.b64encode(_jpeg(portrait)).decode()}"
        parts += [{"type": "text", "text": _PORTRAIT}, {"type": "image_url", "image_url": {"url": url}}]
    if voice is not None:
        sound = base64.b64encode(_wave(voice)).decode()
        parts += [{"type": "text", "text": _VOICE}, {"type": "input_audio", "input_audio": {"data": sound, "format": "wav"}}]
    return [*messages[:-1], {**messages[-1], "content": parts}]


def _jpeg(portrait: np.ndarray) -> bytes:
    from PIL import Image

    image = Image.fromarray(portrait)
    image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


def _wave(voice: np.ndarray) -> bytes:
    file = io.BytesIO()
    write_wave(file, voice[: int(LONGEST * SAMPLE_RATE)])
    return file.getvalue()
