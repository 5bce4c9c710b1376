"""Place decoded audio on a time line: gaps where time stamps jump ahead, none where they only jitter."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import accumulate

from tbd.media.container import LONGEST_GAP, Segment

_TOLERANCE = 0.015
"""Seconds of jitter that is no gap: less than a packet of Opus (20 ms) or AAC (21 ms)."""
_LOOKAHEAD = 5
"""Segments that must agree on a jump; a single odd time stamp, or jitter, moves nothing."""
_MAX_OVERLAP = 1.0
"""Seconds. Time stamps that go back farther restart, as in joined files."""


def place_segments(segments: Iterable[Segment], zero: float | None, fallback: float | None = None) -> Iterator[tuple[float, Segment]]:
    """Assign each segment its start time.

    Segments are contiguous as long as their time stamps agree with their sample counts to 15 ms. A jump ahead leaves a gap, a
    small jump back an overlap; larger jumps back, and ahead by more than an hour, are taken for a clock that was reset, and
    the segments are joined.

    Args:
        segments: Segments of `decode_stream` or `decode_packets`.
        zero: Time stamp in seconds that becomes time 0; the first segment's where None.
        fallback: Time stamp that replaces the first segment's if that is damaged, since it may have held encoder delay.

    Yields:
        Start in seconds, and the segment.
    """
    clock: float | None = None
    offset = 0.0 if zero is None else zero
    for segment, following in _with_following(segments):
        if clock is None:
            offset = _first(segment, fallback) if zero is None else zero
            clock = 0.0 if segment.time is None else segment.time - offset
        jump = _jump(clock, [segment, *following], offset)
        if -_MAX_OVERLAP <= jump <= LONGEST_GAP:
            clock += jump
        else:
            offset += jump
        yield clock, segment
        clock += segment.seconds


def _first(segment: Segment, fallback: float | None) -> float:
    time = fallback if segment.frame is None and fallback is not None else segment.time
    return time or 0.0


def _with_following(segments: Iterable[Segment]) -> Iterator[tuple[Segment, list[Segment]]]:
    """Each segment with the few that follow it."""
    waiting: deque[Segment] = deque()
    for segment in segments:
        waiting.append(segment)
        if len(waiting) == _LOOKAHEAD:
            yield waiting.popleft(), list(waiting)
    while waiting:
        yield waiting.popleft(), list(waiting)


def _jump(clock: float, segments: list[Segment], offset: float) -> float:
    """Seconds by which all of these segments are late (positive) or early; 0 where they do not agree."""
    ends = accumulate((segment.seconds for segment in segments), initial=clock)
    late = [segment.time - offset - end for segment, end in zip(segments, ends) if segment.time is not None]
    if segments[0].time is None or not late:
        return 0.0
    if min(late) > _TOLERANCE:
        return min(late)
    return max(late) if max(late) < -_TOLERANCE else 0.0
