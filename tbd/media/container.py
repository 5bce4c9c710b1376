"""What readers of sound and of video share: opening a file, its zero of time, and going on after damaged packets."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tbd.errors import InputError
from tbd.media.endings import lacks_index
from tbd.media.framing import Packets
from tbd.utils.notes import note

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

    if lacks_index(path):
        raise InputError(f"{path} is broken off: the index at the end of MP4 and MOV files is missing; copy the whole file again.")
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            yield container
    except (av.FFmpegError, OSError) as error:
        raise InputError(f"{path} cannot be read as {kind} ({_reason(error, path)}); give a whole file in a common format.") from error


def films(container: Any) -> list[Any]:
    """The streams of moving pictures, without the cover of an album."""
    from av.stream import Disposition

    return [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]


_NO_MEDIA = {
    b"version https://git-lfs": "it is a pointer of Git LFS to the file, not the file itself",
    b"<!doctype html": "it is a web page",
    b"<html": "it is a web page",
}
"""The beginnings, in lower case, of files that downloads leave in place of what was meant."""


def _reason(error: Exception, path: Path) -> str:
    import av

    if isinstance(error, av.InvalidDataError):
        with open(path, "rb") as file:
            head = file.read(64).lstrip().lower()
        for beginning, what in _NO_MEDIA.items():
            if head.startswith(beginning):
                return what
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
        end: Seconds by the container's clock at which the last packet of any stream ends.
    """

    packets: int = 0
    damaged: int = 0
    seconds: float = 0.0
    unreadable: int = 0
    corrupt: int = 0
    end: float = 0.0

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
            length = f" ({self.seconds:.2f} s)" if self.seconds else ""
            note(f"{count} of the {kind} in {path} {verb} damaged{length}; {instead}.")
        elif self.corrupt:
            count = f"{self.corrupt} frames" if self.corrupt > 1 else "A frame"
            note(f"{count} of the {kind} in {path} {'are' if self.corrupt > 1 else 'is'} damaged; parts of the picture are wrong.")


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

    stamped, times = container.format.name not in UNSTAMPED, _index_times(container, stream)
    for packet in _packets(container, stream, damage):
        damage.packets += packet.size > 0
        time = times(packet) if stamped else None
        try:
            frames = packet.decode()
        except av.FFmpegError:
            seconds = float(packet.duration * packet.time_base) if packet.duration else 0.0
            damage.damaged += packet.size > 0
            damage.seconds += seconds
            yield Piece(time, seconds)
            continue
        late = time - float(packet.pts * packet.time_base) if time is not None and packet.pts is not None else 0.0
        yield from (Piece(frame.time + late if stamped and frame.time is not None else None, _length(frame), frame) for frame in frames)


def reframed_pieces(packets: Packets, codec: str, damage: Damage) -> Iterator[Piece]:
    """Decode packets that lie in a row, with a piece of silence for those that are missing between them.

    Args:
        packets: As `packets_of` finds them.
        codec: FFmpeg's name of their codec.
        damage: Counts what is damaged.
    """
    import av

    context = av.CodecContext.create(codec, "r")
    time: float | None = -packets.delay
    for data, seconds, missing in packets.pieces():
        damage.unreadable += missing == 0
        if missing:
            damage.packets, damage.damaged = damage.packets + missing, damage.damaged + missing
            damage.seconds += missing * seconds
            yield Piece(time, missing * seconds)
            time = None
        damage.packets += 1
        try:
            frames = context.decode(av.Packet(data))
        except av.FFmpegError:
            damage.damaged, damage.seconds = damage.damaged + 1, damage.seconds + seconds
            yield Piece(time, seconds)
        else:
            yield from (Piece(time if i == 0 else None, _length(frame), frame) for i, frame in enumerate(frames))
        time = None


UNSTAMPED = ("mp3", "aac", "ac3", "eac3")
"""Formats that are packets in a row, without time stamps: FFmpeg counts them, and does not count those that it cannot find."""


def _index_times(container: Any, stream: Any) -> Callable[[Any], float | None]:
    """How to tell a packet's time: by its stamp, or, where FFmpeg only counts packets (AVI), by the file's index."""
    entries = stream.index_entries if container.format.name == "avi" else ()
    known = {entry.pos + _CHUNK_HEADER: entry.timestamp for entry in entries}
    unit, late = 0.0, 0.0

    def time(packet: Any) -> float | None:
        nonlocal unit, late
        if packet.pts is None:
            return None
        stamp = known.get(packet.pos)
        unit = unit or (stamp / packet.pts if stamp and packet.pts > 0 else 0.0)  # the index counts bytes of some codecs
        late = stamp / unit - packet.pts if stamp and unit else late  # a chunk may hold several packets
        return float((packet.pts + late) * packet.time_base)

    return time


_CHUNK_HEADER = 8
"""Bytes."""


def _packets(container: Any, stream: Any, damage: Damage) -> Iterator[Any]:
    import av

    failures = 0
    kept = [*films(container), *container.streams.audio] if _says_length(container) else [stream]
    while failures < _PATIENCE:
        try:
            for packet in container.demux(kept):
                failures = 0
                if packet.pts is not None and packet.time_base:
                    damage.end = max(damage.end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
                if packet.stream.index == stream.index:
                    yield packet
            return
        except (av.FFmpegError, IndexError):  # PyAV's list of streams lacks one that FFmpeg finds on the way
            failures += 1
            damage.unreadable += failures == 1
            if container.format.name == "dv":  # FFmpeg 8 aborts the process when it is asked to read on
                return


def _says_length(container: Any) -> bool:
    """Whether a format says how long the longest stream is, and not how long each one is."""
    return container.format.name in ("matroska,webm", "flv")


def broken_off(container: Any, damage: Damage) -> float:
    """Seconds that a film of Matroska, WebM or FLV promises beyond what was read to its end.

    Args:
        container: A PyAV container that was read to its end.
        damage: Of the stream that was read.
    """
    promised = (container.duration or 0) / 1e6  # some programs count from the start, some from 0: the smaller one is certain
    return max(promised - damage.end, 0.0) if _says_length(container) else 0.0


def _length(frame: Any) -> float:
    if hasattr(frame, "samples"):
        return frame.samples / frame.sample_rate
    return float(frame.duration * frame.time_base) if frame.duration else 0.0
