"""The sound of a clip, as long as its frames: read, and written to the cache."""

import wave
from pathlib import Path

import numpy as np

from tbd.data.sources.base import RawClip
from tbd.errors import InputError
from tbd.media import read_audio
from tbd.media.rates import SAMPLE_RATE, SAMPLES_PER_FRAME
from tbd.utils.atomic import atomic_output
from tbd.utils.user_warnings import collect_warnings

NOTABLE = 0.1
"""Seconds by which sound and pictures, or a video and its interval, may differ in length before the record says so."""


def prepare_sound(raw: RawClip, path: Path, frames: int) -> tuple[np.ndarray | None, str, float]:
    """Read the clip's sound, as long as its frames: the video's own, or else the file beside it.

    Args:
        raw: The clip.
        path: Its video, opened.
        frames: Number of frames of the prepared clip.

    Returns:
        (frames · 640,) float32, or None; remarks; the seconds of sound that the file holds.
    """
    try:
        sound, notes = _read_noted(path, raw.record.origin)
    except InputError as error:
        if raw.audio is None:
            return None, _remark(error).replace(str(path), raw.record.origin), 0.0
        try:
            with raw.audio.opened() as apart:
                sound, notes = _read_noted(apart, raw.audio.name)
        except InputError as inner:
            return None, _remark(inner), 0.0
    seconds = len(sound) / SAMPLE_RATE
    first = round(raw.start * SAMPLE_RATE)
    part = sound[first : first + frames * SAMPLES_PER_FRAME]
    short = frames / 25 - len(sound[first:]) / SAMPLE_RATE
    longer = -short if raw.end is None else 0.0
    remark = ""
    if max(short, longer) > NOTABLE:
        remark = f"the sound is {max(short, longer):.2f} s {'shorter' if short > 0 else 'longer'} than the pictures"
    return np.pad(part, (0, frames * SAMPLES_PER_FRAME - len(part))), "; ".join(filter(None, (remark, *notes))), round(seconds, 3)


def _read_noted(path: Path, name: str) -> tuple[np.ndarray, list[str]]:
    """Read a file's sound, and the notes on it under that name."""
    with collect_warnings() as notes:
        sound = read_audio(path)
    return sound, named_notes(notes, path, name)


def named_notes(notes: list[str], path: Path, name: str) -> list[str]:
    """Let notes on a file call it by a clip's name.

    Args:
        notes: The notes, in which the file has its path.
        path: The path.
        name: The name.

    Returns:
        The notes, without full stops.
    """
    return [line.replace(str(path), name).rstrip(".") for line in notes]


def _remark(error: InputError) -> str:
    """Shorten an error to what is wrong, without the advice."""
    return str(error).split(";")[0].rstrip(".")


def save_sound(path: Path, sound: np.ndarray) -> None:
    """Write a 16 kHz mono wave file.

    Args:
        path: The file.
        sound: (N,) samples in −1..1.
    """
    with atomic_output(path) as temporary, wave.open(str(temporary), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(np.round(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
