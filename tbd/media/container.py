"""Open media files and decode their packets, for audio and video alike: time origin, errors in one sentence, damaged packets."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tbd.errors import InputError
from tbd.media.integrity.elementary_streams import Packets
from tbd.media.integrity.truncation import lacks_index
from tbd.utils.jobs.forks import leave_garbage_to_parents
from tbd.utils.stand_ins import find_stand_in
from tbd.utils.user_warnings import warn

LONGEST_GAP = 3600.0
"""Seconds. Time stamps that jump farther are wrong (a stream's clock was reset), not a pause."""
_MAX_FAILURES = 20
"""Consecutive read failures after which a file is taken to end."""


def require_file(path: str | os.PathLike, kind: str) -> Path:
    """Check that a file exists and is not empty.

    Args:
        path: The file.
        kind: Name of its kind in messages: ``picture``, ``sound`` or ``video``.

    Returns:
        The path.

    Raises:
        InputError: If the file is missing, a folder, or empty.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a {kind} file.")
    if not path.is_file():
        # "<(program)" of a shell is a pipe, which cannot be read twice, nor from its end
        missing = f"{path} is a pipe or device; save the {kind} as a file first." if path.exists() else f"There is no {kind} file {path}."
        raise InputError(missing)
    if path.stat().st_size == 0:
        raise InputError(f"{path} is an empty file (0 bytes); give a {kind}.")
    return path


@contextmanager
def open_container(path: Path, kind: str) -> Iterator[Any]:
    """Open a PyAV container for reading; errors of FFmpeg within the block become one sentence.

    Args:
        path: The file.
        kind: Name of its kind in messages, as for `require_file`.

    Yields:
        The container, which is closed when the block ends.

    Raises:
        InputError: If the file is truncated, damaged, or of an unknown format.
    """
    import av

    if lacks_index(path):
        raise InputError(f"{path} is broken off: the index at the end of MP4 and MOV files is missing; copy the whole file again.")
    leave_garbage_to_parents()
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            yield container
    except (av.FFmpegError, OSError) as error:
        raise InputError(f"{path} cannot be read as {kind} ({_reason(error, path)}); give a whole file in a common format.") from error


def video_streams(container: Any) -> list[Any]:
    """Return the video streams of a PyAV container, without an album's cover."""
    from av.stream import Disposition

    return [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]


def first_decodable(streams: Sequence[Any], path: Path, what: str) -> Any:
    """Return the first of a container's streams for whose codec there is a decoder.

    Args:
        streams: One or more streams of PyAV.
        path: The file.
        what: What they hold, for the message.

    Returns:
        The stream.

    Raises:
        InputError: If there is a decoder for none.
    """
    found = next((stream for stream in streams if stream.codec_context is not None), None)
    if found is None:
        raise InputError(f"{path} holds {what} of a kind that cannot be decoded; save it anew as MP4 (H.264 and AAC).")
    return found


def _reason(error: Exception, path: Path) -> str:
    import av

    if isinstance(error, av.InvalidDataError):
        return find_stand_in(path) or "its format is unknown, or it is damaged"
    return getattr(error, "strerror", None) or str(error)


def start_time(container: Any) -> float:
    """Return the time in seconds at which a container's first stream starts."""
    return (container.start_time or 0) / 1e6


@dataclass
class Damage:
    """Counts of what could not be read of a stream.

    Args:
        packets: Number of packets read.
        damaged: Number of packets that could not be decoded.
        seconds: Total length of the damaged packets.
        unreadable: Number of places where no packet could be read.
        corrupt: Number of frames that were decoded with parts missing or wrong.
        end: Time in seconds, by the container's clock, at which the last packet of any stream ends.
    """

    packets: int = 0
    damaged: int = 0
    seconds: float = 0.0
    unreadable: int = 0
    corrupt: int = 0
    end: float = 0.0

    def report(self, path: Path, kind: str, instead: str) -> None:
        """Warn of what is damaged.

        Args:
            path: The file.
            kind: ``sound`` or ``video``.
            instead: Clause that says what replaces the damaged packets.

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
            warn(f"{count} of the {kind} in {path} {verb} damaged{length}; {instead}.")
        elif self.corrupt:
            count = f"{self.corrupt} frames" if self.corrupt > 1 else "A frame"
            warn(f"{count} of the {kind} in {path} {'are' if self.corrupt > 1 else 'is'} damaged; parts of the picture are wrong.")


@dataclass(frozen=True)
class Segment:
    """A decoded frame, or the gap that a damaged packet leaves.

    Args:
        time: Start in seconds by the container's clock; None where the file does not say.
        seconds: Length; 0 where unknown.
        frame: PyAV frame; None for a damaged packet.

    Example:
        >>> Segment(time=1.5, seconds=0.04).frame is None  # a damaged packet
        True
    """

    time: float | None
    seconds: float
    frame: Any = None


def decode_stream(container: Any, stream: Any, damage: Damage) -> Iterator[Segment]:
    """Decode a stream packet by packet, continuing after damaged ones, as players do.

    Args:
        container: PyAV container.
        stream: One of its audio or video streams.
        damage: Counts that are updated.

    Yields:
        A segment for each frame and for each damaged packet, in the order of the file.
    """
    import av

    stamped, times = container.format.name not in FORMATS_WITHOUT_TIMESTAMPS, _index_times(container, stream)
    for packet in _packets(container, stream, damage):
        damage.packets += packet.size > 0
        time = times(packet) if stamped else None
        try:
            frames = packet.decode()
        except av.FFmpegError:
            seconds = float(packet.duration * packet.time_base) if packet.duration else 0.0
            damage.damaged += packet.size > 0
            damage.seconds += seconds
            yield Segment(time, seconds)
            continue
        late = time - float(packet.pts * packet.time_base) if time is not None and packet.pts is not None else 0.0
        yield from (Segment(frame.time + late if stamped and frame.time is not None else None, _length(frame), frame) for frame in frames)


def decode_packets(packets: Packets, codec: str, damage: Damage) -> Iterator[Segment]:
    """Decode the packets of an elementary stream, with an empty segment for those that are missing between them.

    Args:
        packets: Result of `find_packets`.
        codec: FFmpeg's name of their codec.
        damage: Counts that are updated.

    Yields:
        A segment for each frame, and for each run of missing or damaged packets.
    """
    import av

    context = av.CodecContext.create(codec, "r")
    assert isinstance(context, av.AudioCodecContext)  # elementary streams here are audio
    time: float | None = -packets.delay
    for data, seconds, missing in packets.with_gaps():
        damage.unreadable += missing == 0
        if missing:
            damage.packets, damage.damaged = damage.packets + missing, damage.damaged + missing
            damage.seconds += missing * seconds
            yield Segment(time, missing * seconds)
            time = None
        damage.packets += 1
        try:
            frames = context.decode(av.Packet(data))
        except av.FFmpegError:
            damage.damaged, damage.seconds = damage.damaged + 1, damage.seconds + seconds
            yield Segment(time, seconds)
        else:
            yield from (Segment(time if i == 0 else None, _length(frame), frame) for i, frame in enumerate(frames))
        time = None


FORMATS_WITHOUT_TIMESTAMPS = ("mp3", "aac", "ac3", "eac3")
"""Elementary streams, whose packets have no time stamps: FFmpeg counts packets, and misses those that it cannot find."""


def _index_times(container: Any, stream: Any) -> Callable[[Any], float | None]:
    """Return a function that gives a packet's time: its stamp or, where FFmpeg only counts packets (AVI), the index entry."""
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
"""Bytes before the data of an AVI chunk."""


def _packets(container: Any, stream: Any, damage: Damage) -> Iterator[Any]:
    import av

    failures = 0
    kept = [*video_streams(container), *container.streams.audio] if _declares_longest(container) else [stream]
    while failures < _MAX_FAILURES:
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


def _declares_longest(container: Any) -> bool:
    """Whether a format declares the length of its longest stream only."""
    return container.format.name in ("matroska,webm", "flv")


def missing_seconds(container: Any, damage: Damage) -> float:
    """Measure how much of a Matroska, WebM or FLV file is missing at its end.

    Args:
        container: PyAV container that was read to its end.
        damage: Counts of the stream that was read.

    Returns:
        Seconds that the file declares beyond its last packet; 0 for other formats.
    """
    declared = (container.duration or 0) / 1e6  # some programs count from the start, some from 0: the smaller one is certain
    return max(declared - damage.end, 0.0) if _declares_longest(container) else 0.0


def _length(frame: Any) -> float:
    if hasattr(frame, "samples"):
        return frame.samples / frame.sample_rate
    return float(frame.duration * frame.time_base) if frame.duration else 0.0
