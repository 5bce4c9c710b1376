"""Work that a process of its own has begun while a program is still importing what it needs, which takes seconds."""

import multiprocessing
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from tbd.errors import TBDError
from tbd.utils.jobs.multiprocessing import ignore_sigint
from tbd.utils.jobs.threads import usable_cores

Work = Callable[..., Iterator[Any]]


class HeadStart:
    """A process that works for this one, and ends with it.

    It answers for nothing: where it fails, or is ended, the program does the work itself and says by itself what is wrong.

    Args:
        work: Yields results that can be pickled, one after the other. It may raise `TBDError` or `OSError`.
        args: Its arguments.

    Example:
        >>> start = HeadStart(zip, "ab", "cd")
        >>> start.next(), start.next(), start.next()
        (('a', 'c'), ('b', 'd'), None)
    """

    def __init__(self, work: Work, *args: Any) -> None:
        # A fork has nothing to import anew; this is called before anything of the process has threads.
        forks = sys.platform == "linux"
        context: Any = multiprocessing.get_context("fork" if forks else "spawn")
        self._results, child = context.Pipe(duplex=False)
        inherited = self._results if forks else None
        self.process = context.Process(target=_send, args=(work, args, child, inherited), daemon=True)
        self.process.start()
        child.close()

    def next(self) -> Any:
        """Wait for the next result.

        Returns:
            The result; None where there is no further one, or the process has ended otherwise.
        """
        try:
            return self._results.recv()
        except (EOFError, OSError):
            return None

    def close(self) -> None:
        """Want no further results."""
        self._results.close()


def pays_off() -> bool:
    """Return whether a process can have a head start: not with one core, and not once this process has threads or has imported torch."""
    return usable_cores() > 1 and "torch" not in sys.modules and threading.active_count() == 1


def _send(work: Work, args: tuple[Any, ...], results: Connection, inherited: Connection | None) -> None:
    """Send what comes; no more once something fails, which the program itself will say."""
    ignore_sigint()
    if inherited is not None:  # or nothing would tell that the program has ended, and what it has not taken would wait for ever
        inherited.close()
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    # what is large fits into no pipe, and the program takes it late: the work goes on meanwhile
    sender = threading.Thread(target=_send_all, args=(waiting, results), name="tbd-head-start", daemon=True)
    try:
        for result in work(*args):
            waiting.put((result,))
            if sender.ident is None:  # not before: what forks, or puts imports off, wants to be alone
                sender.start()
    except (TBDError, OSError):
        pass
    waiting.put(None)
    if sender.ident is None:
        sender.start()
    sender.join()


def _send_all(waiting: "queue.SimpleQueue[Any]", results: Connection) -> None:
    with suppress(OSError):  # the program has ended
        while (result := waiting.get()) is not None:
            results.send(*result)
    results.close()
