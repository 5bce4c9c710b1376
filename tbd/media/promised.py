"""How long a sound should be by its file's own word, so that one that is broken off is noticed."""

import struct
from pathlib import Path
from typing import Any, BinaryIO

from tbd.media.container import films

_ESTIMATED = ("mp3", "aac", "ac3", "eac3", "amr", "ogg", "avi", "mpegts", "asf")
"""Formats whose length FFmpeg guesses, or counts from another start; `tbd.media.framing` reads an mp3's own count."""
_UNKNOWN = 2**31 - 2**16
"""Bytes of sound from which a WAV's header says that its writer did not know: 2 GiB and 4 GiB, less some."""


def promised_seconds(container: Any, stream: Any, path: Path) -> float:
    """Seconds of sound that a file's header promises.

    Args:
        container: PyAV's, open.
        stream: Its stream of sound.
        path: The file.

    Returns:
        Seconds; 0 where the header does not know.
    """
    if container.format.name == "wav":
        return _of_wav(path)
    if container.format.name in _ESTIMATED:
        return 0.0
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return 0.0 if films(container) else (container.duration or 0) / 1e6


def _of_wav(path: Path) -> float:
    """FFmpeg tells how much of the data is there; this, how much there should be (RIFF's `data` chunk)."""
    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return 0.0
        file.seek(12)
        rate = 0
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                return size / rate if rate and size < _UNKNOWN else 0.0
            rate = _bytes_a_second(file, size) if name == b"fmt " else rate
            file.seek(size % 2 + (0 if name == b"fmt " else size), 1)
    return 0.0


def _bytes_a_second(file: BinaryIO, size: int) -> int:
    body = file.read(size)
    return struct.unpack("<I", body[8:12])[0] if len(body) >= 12 else 0
