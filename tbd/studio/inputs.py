"""Files of a browser → portrait and voice: measured before they are read, and named without their folders in every message."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from tbd.errors import InputError, TBDError
from tbd.face.geometry import FaceGeometry
from tbd.face.portrait import find_face
from tbd.face.portrait_notes import portrait_notes, several_faces
from tbd.face.tracker import Tracker
from tbd.face.tracking.choice import LARGEST, FaceChoice
from tbd.media.audio import read_audio, read_sound
from tbd.media.container import open_container
from tbd.media.image import read_image
from tbd.media.video import read_video
from tbd.studio.limits import LONGEST_CLIP, MAX_CHARACTERS, MAX_SECONDS, MAX_UPLOAD_MIB
from tbd.studio.refusals import too_large
from tbd.studio.session import Portrait, Voice
from tbd.utils.user_warnings import collect_warnings


@contextmanager
def named(path: Path, name: str) -> Iterator[None]:
    """Let the errors of the block call a file by its name alone: a page shows no folders of the machine.

    Args:
        path: The file.
        name: What to call it.

    Raises:
        TBDError: What the block raised, of the same class.
    """
    try:
        yield
    except TBDError as error:
        raise type(error)(without_folder(str(error), path, name)) from error


def without_folder(message: str, path: Path, name: str) -> str:
    """Replace a file's path in a message by a name.

    Args:
        message: The message.
        path: The file.
        name: What to call it.

    Returns:
        The message.

    Example:
        >>> without_folder("/tmp/x/a.png is no picture.", Path("/tmp/x/a.png"), "a.png")
        'a.png is no picture.'
    """
    return message.replace(str(path), name).replace(str(path.parent), "the upload")


def _require_small(path: Path, name: str) -> None:
    size = path.stat().st_size
    if size > MAX_UPLOAD_MIB * 2**20:
        raise InputError(too_large(name, size))


def read_portrait(path: Path, name: str, tracker: Tracker, face: FaceChoice = LARGEST) -> Portrait:
    """Read a picture and find the face in it.

    Args:
        path: The uploaded file.
        name: What to call it.
        tracker: Finds the face.
        face: Which one of several.

    Returns:
        The portrait, with notes on what is odd about it.

    Raises:
        InputError: If it is too large, no picture, or shows no face.
    """
    with named(path, name), collect_warnings() as warnings:
        _require_small(path, name)
        image = read_image(path)
        found = find_face(tracker, image, name, face)
    return _portrait(path, name, image, found, face, warnings)


def read_clip(path: Path, name: str, tracker: Tracker, face: FaceChoice = LARGEST) -> Portrait:
    """Read the start of a video and find the face that will be dubbed; the rest is followed when the voice is known.

    Args:
        path: The uploaded file.
        name: What to call it.
        tracker: Finds the face.
        face: Which one of several.

    Returns:
        The portrait: the first frame that shows a face.

    Raises:
        InputError: If it is too large, too long, no video, or its first second shows no face.
    """
    with named(path, name), collect_warnings() as warnings:
        _require_small(path, name)
        video = read_video(path, 0.0, 1.0)
        seconds = read_video(path).duration
        if seconds > LONGEST_CLIP:
            raise InputError(f"{name} lasts {seconds:.0f} s; the studio takes videos up to {LONGEST_CLIP:.0f} s. Cut it.")
        failure = InputError(f"{name} holds no frames.")
        for image in video:
            try:
                found = find_face(tracker, image, name, face)
            except InputError as error:
                failure = error
                continue
            return replace(_portrait(path, name, image, found, face, warnings), clip=path)
        raise failure


def _portrait(path: Path, name: str, image: np.ndarray, face: FaceGeometry, choice: FaceChoice, warnings: Sequence[str]) -> Portrait:
    notes = [without_folder(warning, path, name) for warning in warnings] + several_faces(face, choice) + portrait_notes(face)
    return Portrait(name, image, face, tuple(notes), choice)


def read_voice(path: Path, name: str) -> Voice:
    """Read a recording.

    Args:
        path: The uploaded file.
        name: What to call it.

    Returns:
        The voice, with notes on what is odd about it.

    Raises:
        InputError: If it is too large, too long, silent, or holds no sound.
    """
    with named(path, name), collect_warnings() as warnings:
        _require_small(path, name)
        _require_short(path, name)
        voice = Voice(name, read_audio(path), read_sound(path))
        if voice.sound.duration > MAX_SECONDS:
            raise InputError(_too_long(name, voice.sound.duration))
    return Voice(name, voice.samples, voice.sound, tuple(without_folder(w, path, name) for w in warnings))


def _require_short(path: Path, name: str) -> None:
    """By what the packets say, before an hour of them is decoded into memory."""
    with open_container(path, "sound") as container:
        if not container.streams.audio:
            return  # `read_audio` says so
        stream = container.streams.audio[0]
        seconds = 0.0
        for packet in container.demux(stream):
            seconds += float((packet.duration or 0) * packet.time_base) if packet.time_base else 0.0
            if seconds > MAX_SECONDS:
                total = (container.duration or 0) / 1e6
                raise InputError(_too_long(name, max(total, seconds)))


def _too_long(name: str, seconds: float) -> str:
    return f"{name} lasts {seconds:.0f} s; the studio takes voices up to {MAX_SECONDS:.0f} s. Cut it, or use `tbd generate`."


def check_sentence(text: str | None, what: str = "The sentence") -> str:
    """Check what was typed.

    Args:
        text: The words; None for none.
        what: What messages call them.

    Returns:
        The words without space around them.

    Raises:
        InputError: If they are too long.
    """
    text = (text or "").strip()
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"{what} has {len(text)} characters; the studio takes up to {MAX_CHARACTERS}.")
    return text
