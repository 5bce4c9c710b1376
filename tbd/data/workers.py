"""Work spread over processes."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def spread(work: Callable[[T], R], items: Sequence[T], workers: int) -> Iterator[R]:
    """`work` over `items`, in any order; in this process where there is one worker.

    Example:
        >>> sorted(spread(abs, [-2, 1], workers=1))
        [1, 2]
    """
    if workers == 1:
        yield from map(work, items)
        return
    # spawn, since a forked copy of a process with threads (torch, mediapipe) can hang
    with multiprocessing.get_context("spawn").Pool(workers, _ignore_interrupts) as pool:
        yield from pool.imap_unordered(work, items, chunksize=4)


def _ignore_interrupts() -> None:
    """Ctrl-C reaches every process; the parent alone answers, and ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
