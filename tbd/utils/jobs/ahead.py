"""Compute items of an iterator ahead, in a thread."""

import queue
import threading
from collections.abc import Generator, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
_END = object()


def ahead(items: Iterator[T], wait: bool = True) -> Generator[T, None, None]:
    """Start computing items at once, in a thread of their own, and yield them as they come.

    Args:
        items: What to compute. It is closed, in the thread, at its next item after the result was closed.
        wait: Whether closing the result waits for that.

    Returns:
        An iterator over the same items; an exception of the thread is raised where its item would have come.

    Example:
        >>> list(ahead(iter("abc")))
        ['a', 'b', 'c']
    """
    done: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
    closed = threading.Event()

    def compute() -> None:
        try:
            for item in items:
                if closed.is_set():
                    break
                done.put((item, None))
            done.put((_END, None))
        except BaseException as error:
            done.put((_END, error))
        finally:
            if isinstance(items, Generator):
                items.close()

    thread = threading.Thread(target=compute, name="tbd-ahead", daemon=True)
    thread.start()  # here, not at the first item: that is the point
    received = _received(done, closed, thread if wait else None)
    next(received)  # into its `try`: a generator that never began would be closed without ending the thread
    return received


def _received(
    done: "queue.SimpleQueue[tuple[Any, BaseException | None]]", closed: threading.Event, thread: threading.Thread | None
) -> Generator[Any, None, None]:
    try:
        yield None
        while True:
            item, error = done.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        closed.set()
        if thread is not None:
            thread.join()
