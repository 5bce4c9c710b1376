"""Reading video: any container and codec that FFmpeg reads, at exactly 25 frames a second, as it is meant to be seen."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.media.container import LONGEST_GAP, Damage, Piece, broken_off, decoded_pieces, existing, films, opened, start_of
from tbd.media.endings import breaks_off
from tbd.media.hdr import is_hdr, tone_mapped
from tbd.media.rates import FPS
from tbd.media.turning import is_sideways, is_turned, turned
from tbd.utils.notes import note

_JITTER = 1e-3
"""Seconds by which time stamps may be off, since containers round them to milliseconds and less."""
_TIE = 1e-6
"""Seconds by which of two frames one must be nearer: what adding up floats may be off."""
_HELD = 0.08
"""Seconds. A frame that lasts longer is held on purpose; of a slow but steady film (12.5 a second) none does."""
_BROKEN_OFF = 0.25
"""Seconds that may be missing at a film's end before a note says so."""
_STILL = 0.06
"""Seconds without a frame, beyond the one before's own length, that need no note."""
_SEVERAL = 1.5
"""Frames that may be left out without a note: cameras and encoders drop one now and then."""
_SQUARE = 0.01
"""By how much a pixel's shape may differ from a square and be left so: nobody sees it, and scaling costs sharpness."""
_RATIOS = (0.2, 5.0)
"""Plausible widths of a pixel in its heights; others are a header's mistake."""


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says of itself. Width and height as displayed; duration in seconds; fps as an average."""

    width: int
    height: int
    fps: float
    duration: float
    has_audio: bool
    metadata: dict[str, str] = field(default_factory=dict)


def video_info(path: str | os.PathLike) -> VideoInfo:
    """Open a video and decode its first frame.

    Raises:
        InputError: the file is missing or holds no moving pictures.
    """
    path = existing(path, "video")
    with opened(path, "video") as container:
        stream = _video_stream(container, path)
        first = next((piece.frame for piece in decoded_pieces(container, stream, Damage()) if piece.frame is not None), None)
        if first is None:
            raise InputError(f"{path} holds no frames; give a video.")
        length = float(stream.duration * stream.time_base) if stream.duration else (container.duration or 0) / 1e6
        wide, tall = _width(first, _pixel_ratio(stream)), first.height
        sides = (tall, wide) if is_sideways(first) else (wide, tall)
        rate = float(stream.average_rate or stream.guessed_rate or FPS)
        return VideoInfo(*sides, rate, length, bool(container.streams.audio), {**container.metadata})


def _video_stream(container: Any, path: Path) -> Any:
    from av.codec.context import Flags

    streams = films(container)
    if not streams:
        cover = " but a cover" if container.streams.video else ""
        raise InputError(f"{path} has no moving pictures in it{cover}; give a video.")
    stream = streams[0]
    stream.thread_type = "AUTO"
    # else FFmpeg keeps frames back from a damaged packet to the next keyframe, which may be the rest of the film
    stream.codec_context.flags |= Flags.output_corrupt
    return stream


class VideoFrames:
    """The frames of a video at exactly 25 a second; see `read_video`. Each `iter` opens the file anew."""

    def __init__(self, path: str | os.PathLike, start: float = 0.0, end: float | None = None) -> None:
        self.path, self.start, self.end = Path(path), start, end
        self.info = video_info(path)

    @property
    def duration(self) -> float:
        """Seconds, as the file says; what is decoded may differ by a frame."""
        return max(min(self.info.duration, np.inf if self.end is None else self.end) - self.start, 0.0)

    def __iter__(self) -> Iterator[np.ndarray]:
        """(H, W, 3) uint8 RGB frames."""
        for frame in self.decoded():
            yield _pixels(frame)

    def decoded(self, threads: bool = True) -> Iterator[Any]:
        """Iterate over the same frames as PyAV decodes them: of square pixels, not yet turned or converted.

        Args:
            threads: Decode on several; one is a fifth cheaper where other processes keep the machine busy.
        """
        damage = Damage()
        with opened(self.path, "video") as container:
            stream = _video_stream(container, self.path)
            stream.thread_type = "AUTO" if threads else "NONE"
            start, ratio = start_of(container) + self.start, _pixel_ratio(stream)
            if self.start > 0:
                container.seek(int(start * 1e6))  # to the keyframe before
            pieces = decoded_pieces(container, stream, damage)
            frames = _progressive(_at(piece) for piece in pieces if piece.frame is not None)
            last = None if self.end is None else round((self.end - self.start) * FPS)
            shown, square, size, count, hdr, resized = None, None, None, 0, False, 0
            timed = self._watched(_timed(frames, start, self.info.fps), still := [])
            for frame in at_25_a_second(timed, last):
                if frame is not shown:
                    shown, square = frame, _shown(frame, ratio)
                    size = size or (square.width, square.height)
                    if (square.width, square.height) != size:
                        square, resized = _resized(square, *size), resized + 1
                    hdr |= is_hdr(frame)
                    damage.corrupt += frame.is_corrupt
                count += 1
                yield square
            if len(films(container)) > 1:
                note(f"{self.path} holds {len(films(container))} tracks of pictures; the first one is taken.")
            lone = not container.streams.audio or bool(stream.duration)
            unread = broken_off(container, damage)
        if resized:
            note(f"The pictures of {self.path} change their size; all are brought to the first one's, {size[0]}×{size[1]}.")
        if hdr:
            note(f"{self.path} is in high dynamic range (HDR); its colours are brought to those of ordinary video.")
        damage.report(self.path, "video", "the frame before stands in their place")
        if sum(still) > damage.seconds + _JITTER:
            note(f"The time stamps of the video in {self.path} leave gaps of {sum(still):.2f} s in all; the frame before stands there.")
        self._tell_what_is_missing(count, last, lone, unread)

    def _watched(self, timed: Iterable[tuple[float, float, Any]], still: list[float]) -> Iterator[tuple[float, float, Any]]:
        """The same frames; seconds during which a film whose frames come regularly shows none are appended to `still`."""
        before = None
        for time, end, frame in timed:
            if before is not None and time - before > max(_STILL, _SEVERAL / self.info.fps):
                still.append(time - before)
            before = end
            yield time, end, frame

    def _tell_what_is_missing(self, count: int, last: int | None, length_is_known: bool, unread: float) -> None:
        if last is not None and count >= last:
            return
        missing = self.duration - count / FPS
        if length_is_known and missing > _BROKEN_OFF:
            note(f"{self.path} is broken off or damaged: {missing:.1f} of its {self.duration:.1f} seconds of pictures are missing.")
        elif unread > _BROKEN_OFF or breaks_off(self.path):
            note(f"{self.path} is broken off after {count / FPS:.1f} seconds of pictures.")


def _at(piece: Piece) -> Any:
    """The piece's frame, with the piece's time, which an index may know better than the frame."""
    frame = piece.frame
    if piece.time is not None and frame.time is not None and abs(piece.time - frame.time) > _JITTER:
        frame.pts = round(piece.time / frame.time_base)
    return frame


def _timed(frames: Iterable[Any], start: float, rate: float) -> Iterator[tuple[float, float, Any]]:
    """When each frame begins and ends, in seconds after `start`, and the frame.

    One without a time stamp follows the one before, and so does one whose clock was set anew, which an hour's jump shows.
    """
    end = 0.0
    for frame in frames:
        time = end if frame.time is None else frame.time - start
        if abs(time - end) > LONGEST_GAP:
            start, time = start + time - end, end
        end = time + (float(frame.duration * frame.time_base) if frame.duration else 1 / rate)
        yield time, end, frame


def at_25_a_second(frames: Iterable[tuple[float, float, Any]], last: int | None = None) -> Iterator[Any]:
    """Choose the frame that is nearest in time to each n / 25 seconds; of two that are equally near, the earlier one.

    Where the source holds a frame for more than 80 ms (a still screen, a stalled camera), the next one comes at most 20 ms, half
    a frame, before its time: who speaks while nothing moves must not be seen to move early. Before the first frame's time
    the first frame stands; the last one stands until its end.

    Args:
        frames: Begin and end in seconds, and the frame, in order.
        last: How many frames to give at most.

    Example:
        >>> list(at_25_a_second((i / 30, (i + 1) / 30, i) for i in range(12)))
        [0, 1, 2, 4, 5, 6, 7, 8, 10, 11]
    """
    count, shown, since, end = 0, None, 0.0, 0.0
    limit = np.inf if last is None else last
    for time, frame_end, frame in frames:
        held = time - since
        switch = time - (held / 2 if held <= _HELD + _JITTER else 0.5 / FPS)
        while shown is not None and count / FPS <= switch + _TIE and count < limit:
            yield shown
            count += 1
        if count >= limit:
            return
        shown, since, end = frame, time, frame_end
    while shown is not None and (count + 0.5) / FPS < end and count < limit:
        yield shown
        count += 1


def _progressive(frames: Iterator[Any]) -> Iterator[Any]:
    """Interlaced frames made whole; others as they are."""
    graph, kind = None, None
    for frame in frames:
        if graph is not None and kind != _kind(frame):  # the filter would end the process
            yield from _flushed(graph)
            graph = None
        if graph is None:
            if not frame.interlaced_frame:
                yield frame
                continue
            graph, kind = _deinterlacer(frame), _kind(frame)
        graph.push(frame)
        yield from _pulled(graph)
    if graph is not None:
        yield from _flushed(graph)


def _kind(frame: Any) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name


def _deinterlacer(frame: Any) -> Any:
    import av

    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    graph.link_nodes(source, graph.add("yadif", "deint=interlaced"), graph.add("buffersink")).configure()
    return graph


def _flushed(graph: Any) -> Iterator[Any]:
    graph.push(None)
    yield from _pulled(graph)


def _pulled(graph: Any) -> Iterator[Any]:
    import av

    with suppress(av.BlockingIOError, av.EOFError):
        while True:
            yield graph.pull()


def read_video(path: str | os.PathLike, start: float = 0.0, end: float | None = None) -> VideoFrames:
    """Read the frames of a video at exactly 25 a second, chosen by their time stamps.

    Frame n is the source's frame nearest in time to start + n / 25 seconds, whatever the file's own rate is (29.97, 60, variable);
    `at_25_a_second` says so exactly. Rotation metadata and the shape of pixels (sample aspect ratio) are applied, interlaced
    frames are made whole, damaged packets are left out with a note.

    Args:
        path: Any video that FFmpeg reads.
        start: Seconds at which to begin.
        end: Seconds at which to stop; at the video's end where not given.

    Returns:
        Frames that can be gone through several times.

    Raises:
        InputError: If the file is missing or holds no moving pictures.

    Example:
        >>> for frame in read_video("clip.mp4"):  # doctest: +SKIP
        ...     print(frame.shape)
        (512, 512, 3)
    """
    return VideoFrames(path, start, end)


def _pixel_ratio(stream: Any) -> float:
    """Width of a stream's pixels in their heights; the container's word counts more than the codec's."""
    ratio = float(stream.sample_aspect_ratio or 1)
    return ratio if _RATIOS[0] <= ratio <= _RATIOS[1] and abs(ratio - 1) > _SQUARE else 1.0


def _width(frame: Any, ratio: float) -> int:
    """Pixels of a frame's width when its pixels are square; even where it changes."""
    return frame.width if ratio == 1 else max(2 * round(frame.width * ratio / 2), 2)


def _shown(frame: Any, ratio: float) -> Any:
    """A PyAV frame with square pixels, its height kept, in an ordinary dynamic range.

    One that is changed is turned as well, since its display matrix is lost.
    """
    import av
    from av.video.reformatter import Interpolation

    shown = av.VideoFrame.from_ndarray(tone_mapped(frame), format="rgb24") if is_hdr(frame) else frame
    width = _width(frame, ratio)
    if width != frame.width:
        shown = shown.reformat(width=width, interpolation=Interpolation.BICUBIC)
    if shown is frame or not is_turned(frame):
        return shown
    return av.VideoFrame.from_ndarray(turned(frame, shown.to_ndarray(format="rgb24")), format="rgb24")


def _resized(frame: Any, width: int, height: int) -> Any:
    """A PyAV frame in another size; browsers' recordings change it on the way."""
    import av
    from av.video.reformatter import Interpolation

    resized = frame.reformat(width=width, height=height, interpolation=Interpolation.BICUBIC)
    if not is_turned(frame):
        return resized
    return av.VideoFrame.from_ndarray(turned(frame, resized.to_ndarray(format="rgb24")), format="rgb24")


def _pixels(frame: Any) -> np.ndarray:
    """A PyAV frame → (H, W, 3) uint8, turned as its display matrix says."""
    return turned(frame, frame.to_ndarray(format="rgb24"))
