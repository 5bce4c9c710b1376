"""Read the duration of audio that a file's header declares, so that truncated files are noticed."""

import struct
from pathlib import Path
from typing import Any, BinaryIO

_ESTIMATED = ("mp3", "aac", "ac3", "eac3", "amr", "ogg", "avi", "mpegts", "asf")
"""Formats whose duration FFmpeg estimates, or counts from another start; `elementary_streams` reads an mp3's own count."""
_UNKNOWN_SIZE = 2**31 - 2**16
"""Bytes; a larger size in a WAV header (2 or 4 GiB, less some) means that its writer did not know."""


def declared_duration(container: Any, stream: Any, path: Path, has_video: bool = False) -> float:
    """Read how much audio a file's header declares.

    Args:
        container: Open PyAV container.
        stream: Its audio stream.
        path: The file.
        has_video: Whether the container's own duration may be its video's.

    Returns:
        Seconds; 0 where the header does not say.
    """
    if container.format.name == "wav":
        return _wav_duration(path)
    if container.format.name in _ESTIMATED:
        return 0.0
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return 0.0 if has_video else (container.duration or 0) / 1e6


def _wav_duration(path: Path) -> float:
    """FFmpeg says how much data is there; this says how much there should be (RIFF's `data` chunk)."""
    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return 0.0
        file.seek(12)
        rate = 0
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                return size / rate if rate and size < _UNKNOWN_SIZE else 0.0
            rate = _bytes_per_second(file, size) if name == b"fmt " else rate
            file.seek(size % 2 + (0 if name == b"fmt " else size), 1)
    return 0.0


def _bytes_per_second(file: BinaryIO, size: int) -> int:
    body = file.read(size)
    return struct.unpack("<I", body[8:12])[0] if len(body) >= 12 else 0
