"""Run work in several processes, of which the parent alone handles Ctrl-C."""

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
    """Apply a function to items in parallel, in any order.

    Args:
        work: Function of one item; it must be importable by worker processes.
        items: Its arguments.
        workers: Number of processes; 1 works in this process.

    Yields:
        Results, as they are ready.

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
    """Start a pool of processes for the block; if the block fails they are terminated, and remove what they had half-written.

    Args:
        workers: Number of processes.

    Yields:
        The pool.
    """
    # spawn, since a forked copy of a process with threads (torch, mediapipe) can hang
    context = multiprocessing.get_context("spawn")
    with _ignoring_sigint():  # new processes inherit it, so that they ignore Ctrl-C already while they import
        pool = context.Pool(workers, ignore_sigint)
    try:
        yield pool
    except BaseException:
        pool.terminate()
        pool.join()
        raise
    pool.close()  # they end by themselves; terminated while they shut down, they would print errors
    pool.join()


def ignore_sigint() -> None:
    """Initialize a worker process so that Ctrl-C does not end it.

    A terminal's Ctrl-C reaches every process; the parent alone handles it and terminates the workers, each of which then removes
    what it had half-written.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


@contextmanager
def _ignoring_sigint() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # Python lets no other set handlers
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
