"""Read video of any container and codec that FFmpeg decodes, at exactly 25 frames per second."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.media.container import (
    LONGEST_GAP,
    Damage,
    Segment,
    decode_stream,
    first_decodable,
    missing_seconds,
    open_container,
    require_file,
    start_time,
    video_streams,
)
from tbd.media.hdr import is_hdr, tone_map
from tbd.media.integrity.truncation import is_truncated
from tbd.media.orientation import is_sideways, is_upright, to_upright
from tbd.media.rates import FPS
from tbd.utils.user_warnings import warn

_JITTER = 1e-3
"""Seconds by which time stamps may be off, since containers round them to milliseconds or coarser."""
_TIE = 1e-6
"""Seconds by which one of two frames must be nearer, given the error of summed floats."""
_MAX_FRAME_SECONDS = 0.08
"""A frame that lasts longer is held on purpose; in slow but steady video (12.5 frames per second) none does."""
_MAX_MISSING = 0.25
"""Seconds that may be missing at a file's end without a warning."""
_MAX_GAP = 0.06
"""Seconds without a frame, beyond the previous frame's own length, that need no warning."""
_MAX_DROPPED = 1.5
"""Frames that may be dropped without a warning: cameras and encoders drop one now and then."""
_SQUARE_TOLERANCE = 0.01
"""Deviation of the pixel aspect ratio from 1 that is ignored: nobody sees it, and scaling costs sharpness."""
_PLAUSIBLE_RATIOS = (0.2, 5.0)
"""Range of plausible pixel aspect ratios; others are a mistake in the header."""


@dataclass(frozen=True)
class VideoInfo:
    """Properties that a video file declares.

    Args:
        width: Pixels, as displayed.
        height: Pixels, as displayed.
        fps: Average frames per second.
        duration: Seconds.
        has_audio: Whether it has an audio track.
        metadata: Tags of the container.

    Example:
        >>> VideoInfo(1920, 1080, 29.97, 2.5, has_audio=True).width
        1920
    """

    width: int
    height: int
    fps: float
    duration: float
    has_audio: bool
    metadata: dict[str, str] = field(default_factory=dict)


def video_info(path: str | os.PathLike) -> VideoInfo:
    """Read the properties of a video; its first frame is decoded for that.

    Args:
        path: Any video that FFmpeg decodes.

    Returns:
        What the file declares.

    Raises:
        InputError: If the file is missing or holds no video.
    """
    path = require_file(path, "video")
    with open_container(path, "video") as container:
        stream = _video_stream(container, path)
        first = next((segment.frame for segment in decode_stream(container, stream, Damage()) if segment.frame is not None), None)
        if first is None:
            raise InputError(f"{path} holds no frames; give a video.")
        length = float(stream.duration * stream.time_base) if stream.duration else (container.duration or 0) / 1e6
        width, height = _width(first, _pixel_ratio(stream)), first.height
        if is_sideways(first):
            width, height = height, width
        rate = float(stream.average_rate or stream.guessed_rate or FPS)
        return VideoInfo(width, height, rate, length, bool(container.streams.audio), {**container.metadata})


def _video_stream(container: Any, path: Path) -> Any:
    from av.codec.context import Flags

    streams = video_streams(container)
    if not streams:
        cover = " but a cover" if container.streams.video else ""
        raise InputError(f"{path} has no moving pictures in it{cover}; give a video.")
    stream = first_decodable(streams, path, "moving pictures")
    stream.thread_type = "AUTO"
    # else FFmpeg keeps frames back from a damaged packet to the next keyframe, which may be the rest of the video
    stream.codec_context.flags |= Flags.output_corrupt
    return stream


class VideoFrames:
    """The frames of a video at exactly 25 per second; see `read_video`.

    Each iteration opens the file again and yields (H, W, 3) uint8 RGB frames.

    Args:
        path: Any video that FFmpeg decodes.
        start: Seconds at which to start.
        end: Seconds at which to stop; the video's end by default.

    Raises:
        InputError: If the file is missing or holds no video.

    Example:
        >>> import tempfile
        >>> from tbd.media.writer import VideoWriter
        >>> path = f"{tempfile.mkdtemp()}/grey.mp4"
        >>> with VideoWriter(path) as writer:
        ...     for _ in range(25):
        ...         writer.write(np.full((64, 64, 3), 128, np.uint8))
        >>> frames = VideoFrames(path)
        >>> frames.duration, sum(1 for _ in frames)
        (1.0, 25)
    """

    def __init__(self, path: str | os.PathLike, start: float = 0.0, end: float | None = None) -> None:
        self.path, self.start, self.end = Path(path), start, end
        self.info = video_info(path)

    @property
    def duration(self) -> float:
        """Length in seconds, as the file declares; what is decoded may differ by a frame."""
        return max(min(self.info.duration, np.inf if self.end is None else self.end) - self.start, 0.0)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Iterate over (H, W, 3) uint8 RGB frames."""
        for frame in self.av_frames():
            yield _pixels(frame)

    def av_frames(self, threads: bool = True) -> Iterator[Any]:
        """Iterate over the same frames before they are rotated and converted to RGB.

        Args:
            threads: Whether to decode on several threads; one costs a fifth less CPU where other processes keep the machine busy.

        Yields:
            PyAV frames with square pixels, in the file's pixel format.
        """
        damage = Damage()
        with open_container(self.path, "video") as container:
            stream = _video_stream(container, self.path)
            stream.thread_type = "AUTO" if threads else "NONE"
            start, ratio = start_time(container) + self.start, _pixel_ratio(stream)
            if self.start > 0:
                container.seek(int(start * 1e6))  # to the keyframe before
            segments = decode_stream(container, stream, damage)
            frames = _progressive(_at(segment) for segment in segments if segment.frame is not None)
            last = None if self.end is None else round((self.end - self.start) * FPS)
            current: Any = None
            square: Any = None
            size: tuple[int, int] | None = None
            gaps: list[float] = []
            count, hdr, resized = 0, False, 0
            timed = self._record_gaps(_timed(frames, start, self.info.fps), gaps)
            for frame in resample_frames(timed, last):
                if frame is not current:
                    current, square = frame, _normalized(frame, ratio)
                    size = size or (square.width, square.height)
                    if (square.width, square.height) != size:
                        square, resized = _resized(square, *size), resized + 1
                    hdr |= is_hdr(frame)
                    damage.corrupt += frame.is_corrupt
                count += 1
                yield square
            if len(video_streams(container)) > 1:
                warn(f"{self.path} holds {len(video_streams(container))} tracks of pictures; the first one is taken.")
            lone = not container.streams.audio or bool(stream.duration)
            unread = missing_seconds(container, damage)
        if resized and size is not None:
            warn(f"The pictures of {self.path} change their size; all are brought to the first one's, {size[0]}×{size[1]}.")
        if hdr:
            warn(f"{self.path} is in high dynamic range (HDR); its colours are brought to those of ordinary video.")
        damage.report(self.path, "video", "the frame before stands in their place")
        if sum(gaps) > damage.seconds + _JITTER:
            warn(f"The time stamps of the video in {self.path} leave gaps of {sum(gaps):.2f} s in all; the frame before stands there.")
        self._warn_of_missing(count, last, lone, unread)

    def _record_gaps(self, timed: Iterable[tuple[float, float, Any]], gaps: list[float]) -> Iterator[tuple[float, float, Any]]:
        """Yield the same frames, and append to `gaps` the seconds during which regular video has none."""
        before = None
        for time, end, frame in timed:
            if before is not None and time - before > max(_MAX_GAP, _MAX_DROPPED / self.info.fps):
                gaps.append(time - before)
            before = end
            yield time, end, frame

    def _warn_of_missing(self, count: int, last: int | None, knows_length: bool, unread: float) -> None:
        if last is not None and count >= last:
            return
        missing = self.duration - count / FPS
        if knows_length and missing > _MAX_MISSING:
            warn(f"{self.path} is broken off or damaged: {missing:.1f} of its {self.duration:.1f} seconds of pictures are missing.")
        elif unread > _MAX_MISSING or is_truncated(self.path):
            warn(f"{self.path} is broken off after {count / FPS:.1f} seconds of pictures.")


def _at(segment: Segment) -> Any:
    """A segment's frame with the segment's time, which an index may know better than the frame."""
    frame = segment.frame
    if segment.time is not None and frame.time is not None and abs(segment.time - frame.time) > _JITTER:
        frame.pts = round(segment.time / frame.time_base)
    return frame


def _timed(frames: Iterable[Any], start: float, rate: float) -> Iterator[tuple[float, float, Any]]:
    """Yield start and end of each frame in seconds after `start`, and the frame.

    A frame without a time stamp follows the previous one, and so does one whose clock was reset, which a jump of an hour shows.
    """
    end = 0.0
    for frame in frames:
        time = end if frame.time is None else frame.time - start
        if abs(time - end) > LONGEST_GAP:
            start, time = start + time - end, end
        end = time + (float(frame.duration * frame.time_base) if frame.duration else 1 / rate)
        yield time, end, frame


def resample_frames(frames: Iterable[tuple[float, float, Any]], last: int | None = None) -> Iterator[Any]:
    """Choose the frame that is nearest in time to each n / 25 seconds; of two that are equally near, the earlier one.

    Where the source holds a frame for more than 80 ms (a frozen screen, a stalled camera), the next one comes at most 20 ms, half
    a frame, before its time: lips must not move ahead of the sound. The first frame also stands before its own time; the last
    one stands until its end.

    Args:
        frames: Start and end in seconds, and the frame, in order.
        last: Maximum number of frames.

    Yields:
        Frames at 25 per second.

    Example:
        >>> list(resample_frames((i / 30, (i + 1) / 30, i) for i in range(12)))
        [0, 1, 2, 4, 5, 6, 7, 8, 10, 11]
    """
    count, current, since, end = 0, None, 0.0, 0.0
    limit = np.inf if last is None else last
    for time, frame_end, frame in frames:
        held = time - since
        switch = time - (held / 2 if held <= _MAX_FRAME_SECONDS + _JITTER else 0.5 / FPS)
        while current is not None and count / FPS <= switch + _TIE and count < limit:
            yield current
            count += 1
        if count >= limit:
            return
        current, since, end = frame, time, frame_end
    while current is not None and (count + 0.5) / FPS < end and count < limit:
        yield current
        count += 1


def _progressive(frames: Iterator[Any]) -> Iterator[Any]:
    """Deinterlace interlaced frames; pass others on."""
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
    """Read the frames of a video at exactly 25 per second, chosen by their time stamps.

    Frame n is the source's frame nearest in time to start + n / 25 seconds, whatever the file's own rate (29.97, 60, variable);
    `resample_frames` defines it exactly. The display matrix and the pixel aspect ratio are applied, interlaced frames are
    deinterlaced, and damaged packets are skipped with a warning.

    Args:
        path: Any video that FFmpeg decodes.
        start: Seconds at which to start.
        end: Seconds at which to stop; the video's end by default.

    Returns:
        An iterable of (H, W, 3) uint8 RGB frames, which can be iterated over several times.

    Raises:
        InputError: If the file is missing or holds no video.

    Example:
        >>> for frame in read_video("clip.mp4"):  # doctest: +SKIP
        ...     print(frame.shape)
        (512, 512, 3)
    """
    return VideoFrames(path, start, end)


def _pixel_ratio(stream: Any) -> float:
    """Pixel aspect ratio of a stream; the container's value takes precedence over the codec's."""
    ratio = float(stream.sample_aspect_ratio or 1)
    return ratio if _PLAUSIBLE_RATIOS[0] <= ratio <= _PLAUSIBLE_RATIOS[1] and abs(ratio - 1) > _SQUARE_TOLERANCE else 1.0


def _width(frame: Any, ratio: float) -> int:
    """Width of a frame once its pixels are square; even where it changes."""
    return frame.width if ratio == 1 else max(2 * round(frame.width * ratio / 2), 2)


def _normalized(frame: Any, ratio: float) -> Any:
    """A PyAV frame with square pixels, the same height, and standard dynamic range.

    A frame that is changed is rotated as well, since its display matrix is lost.
    """
    import av
    from av.video.reformatter import Interpolation

    current = av.VideoFrame.from_ndarray(tone_map(frame), format="rgb24") if is_hdr(frame) else frame
    width = _width(frame, ratio)
    if width != frame.width:
        current = current.reformat(width=width, interpolation=Interpolation.BICUBIC)
    if current is frame or is_upright(frame):
        return current
    return av.VideoFrame.from_ndarray(to_upright(frame, current.to_ndarray(format="rgb24")), format="rgb24")


def _resized(frame: Any, width: int, height: int) -> Any:
    """A PyAV frame in another size; browsers' recordings change size on the way."""
    import av
    from av.video.reformatter import Interpolation

    resized = frame.reformat(width=width, height=height, interpolation=Interpolation.BICUBIC)
    if is_upright(frame):
        return resized
    return av.VideoFrame.from_ndarray(to_upright(frame, resized.to_ndarray(format="rgb24")), format="rgb24")


def _pixels(frame: Any) -> np.ndarray:
    """PyAV frame → (H, W, 3) uint8, rotated as its display matrix says."""
    return to_upright(frame, frame.to_ndarray(format="rgb24"))
