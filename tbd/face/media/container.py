"""What readers of sound and of video share: opening a file, its zero of time, and going on after damaged packets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tbd.errors import InputError
from tbd.notes import note

LONGEST_GAP = 3600.0
"""Seconds. Time stamps that jump farther are wrong (a stream's clock that was set anew), not a pause."""
_PATIENCE = 20
"""Failures to read on, one after another, after which a file is taken to end."""


def existing(path: str | os.PathLike, kind: str) -> Path:
    """The path of a file that is there and not empty.

    Args:
        path: Where the file should be.
        kind: What messages call it: ``picture``, ``sound`` or ``video``.

    Raises:
        InputError: If the file is missing, a folder, or empty.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a {kind} file.")
    if not path.is_file():
        raise InputError(f"There is no {kind} file {path}.")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is an empty file (0 bytes); give a {kind}.")
    return path


@contextmanager
def opened(path: Path, kind: str) -> Iterator[Any]:
    """A PyAV container for reading; what goes wrong in it becomes one sentence, and it is closed."""
    import av

    try:
        with av.open(str(path), metadata_errors="replace") as container:
            yield container
    except (av.FFmpegError, OSError) as error:
        raise InputError(f"{path} cannot be read as {kind} ({_reason(error)}); give a whole file in a common format.") from error


def _reason(error: Exception) -> str:
    import av

    if isinstance(error, av.InvalidDataError):
        return "its format is unknown, or it is damaged"
    return getattr(error, "strerror", None) or str(error)


def start_of(container: Any) -> float:
    """Seconds at which a container's first stream starts."""
    return (container.start_time or 0) / 1e6


@dataclass
class Damage:
    """What could not be read of a stream.

    Args:
        packets: How many packets were read.
        damaged: How many of them could not be decoded.
        seconds: Length of those.
        unreadable: Places at which not even a packet could be read.
        corrupt: Frames that were decoded with parts missing or wrong.
    """

    packets: int = 0
    damaged: int = 0
    seconds: float = 0.0
    unreadable: int = 0
    corrupt: int = 0

    def report(self, path: Path, kind: str, instead: str) -> None:
        """Issue a note of what is damaged.

        Args:
            path: The file.
            kind: ``sound`` or ``video``.
            instead: What stands in the damaged packets' place.

        Raises:
            InputError: If more than half of the stream is damaged.
        """
        if self.damaged * 2 > self.packets:
            raise InputError(
                f"{path} is damaged: {self.damaged} of its {self.packets} packets of {kind} cannot be decoded; give a whole file."
            )
        if self.damaged or self.unreadable:
            count = f"{self.damaged} of {self.packets} packets" if self.damaged else "A part"
            verb = "are" if self.damaged > 1 else "is"
            note(f"{count} of the {kind} in {path} {verb} damaged ({self.seconds:.2f} s); {instead}.")
        elif self.corrupt:
            note(f"{self.corrupt} frames of the {kind} in {path} are damaged: parts of their pictures are wrong.")


@dataclass(frozen=True)
class Piece:
    """A decoded frame, or the place of a damaged packet.

    Args:
        time: Seconds by the container's clock, or None where the file does not say.
        seconds: Length; 0 where unknown.
        frame: The PyAV frame, or None for a damaged packet.
    """

    time: float | None
    seconds: float
    frame: Any = None


def decoded_pieces(container: Any, stream: Any, damage: Damage) -> Iterator[Piece]:
    """Decode a stream packet by packet, and go on after a damaged one, as players do.

    Args:
        container: A PyAV container.
        stream: One of its streams of sound or video.
        damage: Counts what is damaged.
    """
    import av

    losses = Losses() if container.format.name in UNSTAMPED else None
    for packet in _packets(container, stream, damage):
        damage.packets += packet.size > 0
        if losses is not None and (lost := losses.before(packet)):
            damage.packets, damage.damaged, damage.seconds = damage.packets + lost[0], damage.damaged + lost[0], damage.seconds + lost[1]
            yield Piece(None, lost[1])
        try:
            frames = packet.decode()
        except av.FFmpegError:
            seconds = float(packet.duration * packet.time_base) if packet.duration else 0.0
            damage.damaged += packet.size > 0
            damage.seconds += seconds
            time = None if packet.pts is None or losses is not None else float(packet.pts * packet.time_base)
            yield Piece(time, seconds)
            continue
        yield from (Piece(None if losses is not None else frame.time, _length(frame), frame) for frame in frames)


UNSTAMPED = ("mp3", "aac")
"""Formats that are packets in a row, without time stamps: FFmpeg counts them, and does not count those that it cannot find."""


class Losses:
    """How many packets of a format without time stamps are missing: FFmpeg hands out what it cannot tell together with the next one."""

    def __init__(self) -> None:
        self._bytes, self._count = 0, 0

    def before(self, packet: Any) -> tuple[int, float] | None:
        """The packets that are missing before this one: how many, judged by the bytes they took, and their seconds."""
        data = bytes(packet)
        junk = next((i for i in range(len(data) - 1) if data[i] == 0xFF and data[i + 1] >= 0xE0), 0)
        # a title or a cover, where files were joined, is no loss
        tag = any(name in data[:junk] for name in (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN"))
        lost = round(junk * self._count / self._bytes) if junk and self._count and not tag else 0
        self._bytes, self._count = self._bytes + len(data) - junk, self._count + bool(data)
        return (lost, lost * float((packet.duration or 0) * packet.time_base)) if lost else None


def _packets(container: Any, stream: Any, damage: Damage) -> Iterator[Any]:
    import av

    failures = 0
    while failures < _PATIENCE:
        try:
            for packet in container.demux(stream):
                failures = 0
                yield packet
            return
        except (av.FFmpegError, IndexError):  # PyAV's list of streams lacks one that FFmpeg finds on the way
            failures += 1
            damage.unreadable += failures == 1


def _length(frame: Any) -> float:
    if hasattr(frame, "samples"):
        return frame.samples / frame.sample_rate
    return float(frame.duration * frame.time_base) if frame.duration else 0.0
