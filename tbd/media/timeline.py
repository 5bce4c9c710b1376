"""Where decoded blocks of sound lie in time: silence where time stamps jump ahead, and no clicks where they only jitter."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import accumulate

from tbd.media.container import LONGEST_GAP, Piece

_TOLERANCE = 0.015
"""Seconds by which time stamps may be off without meaning a gap: below the packets of Opus (20 ms) and AAC (21 ms)."""
_AHEAD = 5
"""Blocks that must agree on a jump: a single odd time stamp, and stamps that jitter to and fro, move nothing."""
_LONGEST_OVERLAP = 1.0
"""Seconds. Time stamps that go back farther are counted anew, as in joined files."""


def placed(pieces: Iterable[Piece], zero: float | None, fallback: float | None = None) -> Iterator[tuple[float, Piece]]:
    """Give each block its place in time.

    Blocks follow one another without a break as long as their time stamps agree with the number of their samples to 15 ms.
    A jump ahead leaves a gap, a small jump back an overlap; larger jumps back, and ahead by more than an hour, are
    taken for a clock that was set anew, and the blocks are joined.

    Args:
        pieces: Blocks as `decoded_pieces` gives them.
        zero: Time stamp of the moment 0, in seconds; the first block's where None.
        fallback: Instead of the first block's, where that is damaged: an encoder's lead-in may have been in it.

    Returns:
        Seconds at which the block begins, and the block.
    """
    clock, offset = None, zero
    for piece, following in _with_following(pieces):
        if clock is None:
            offset = _first(piece, fallback) if offset is None else offset
            clock = 0.0 if piece.time is None else piece.time - offset
        jump = _jump(clock, [piece, *following], offset)
        if -_LONGEST_OVERLAP <= jump <= LONGEST_GAP:
            clock += jump
        else:
            offset += jump
        yield clock, piece
        clock += piece.seconds


def _first(piece: Piece, fallback: float | None) -> float:
    time = fallback if piece.frame is None and fallback is not None else piece.time
    return time or 0.0


def _with_following(pieces: Iterable[Piece]) -> Iterator[tuple[Piece, list[Piece]]]:
    """Each block with the few that follow it."""
    waiting: deque[Piece] = deque()
    for piece in pieces:
        waiting.append(piece)
        if len(waiting) == _AHEAD:
            yield waiting.popleft(), list(waiting)
    while waiting:
        yield waiting.popleft(), list(waiting)


def _jump(clock: float, pieces: list[Piece], offset: float) -> float:
    """Seconds by which all of these blocks are late (positive) or early; 0 where they do not agree."""
    ends = accumulate((piece.seconds for piece in pieces), initial=clock)
    late = [piece.time - offset - end for piece, end in zip(pieces, ends) if piece.time is not None]
    if pieces[0].time is None or not late:
        return 0.0
    if min(late) > _TOLERANCE:
        return min(late)
    return max(late) if max(late) < -_TOLERANCE else 0.0
