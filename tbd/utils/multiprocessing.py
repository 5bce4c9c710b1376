"""Work spread over processes, of which the parent alone answers Ctrl-C."""

import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.pool import Pool
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def parallel_map(work: Callable[[T], R], items: Sequence[T], workers: int) -> Iterator[R]:
    """`work` over `items`, in any order; in this process where there is one worker.

    Example:
        >>> sorted(parallel_map(abs, [-2, 1], workers=1))
        [1, 2]
    """
    if workers == 1:
        yield from map(work, items)
        return
    with process_pool(workers) as pool:
        yield from pool.imap_unordered(work, items, chunksize=4)


@contextmanager
def process_pool(workers: int) -> Iterator[Pool]:
    """Processes that are ended with the block, however it ends; what they had half-written is removed."""
    # spawn, since a forked copy of a process with threads (torch, mediapipe) can hang
    context = multiprocessing.get_context("spawn")
    with _deaf_to_interrupts():  # which new processes inherit, so that they are deaf while they still import
        pool = context.Pool(workers, ignore_sigint)
    try:
        yield pool
    except BaseException:
        pool.terminate()
        pool.join()
        raise
    pool.close()  # they end by themselves; ended while they shut down, they would complain
    pool.join()


def ignore_sigint() -> None:
    """For the start of a worker: a terminal's Ctrl-C reaches every process, but the parent ends the others, and each then
    removes what it had half-written.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # Python lets no other set handlers
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
