"""Processes that render the frames of live faces, so that drawing their motion has Python's interpreter lock to itself.

A process is a Python of its own, which reads portraits and frames of motion from its standard input and writes pictures to its standard
output. It ends when its input does: with whoever started it, however that ends.
"""

import itertools
import os
import pickle
import select
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

import numpy as np

from tbd.errors import TBDError, first_line
from tbd.face.render.renderer import DrawFrame, PreparedPortrait
from tbd.utils.jobs.threads import usable_cores
from tbd.utils.user_warnings import warn

_STARTS, _DRAWS = 60.0, 5.0
"""Seconds that a process may take to start, and to draw a frame; one that takes longer is ended."""
_ENDS = 2.0
"""Seconds that it is given to end by itself."""
_PIPE = 1 << 20
"""Bytes of a pipe, so that a frame is read in one piece."""
_MOST_STARTS = 8
"""How often processes are started again that were ended from outside."""
_NOT_STARTED = "No process that draws frames could be started ({}); the process that draws motion draws them, which makes them fewer."
_ENDED = "A process that draws frames has ended unexpectedly; until another has started, frames may be fewer."


class RenderProcesses:
    """Draws frames of mesh warps in processes of their own; what draws otherwise is drawn where it is called.

    A process that has not started yet, or has been killed, is nothing to wait for: its frames are drawn here. They are the same pictures.

    Args:
        count: How many; None for `default_count`, 0 for none.

    Example:
        >>> with RenderProcesses(0) as processes:
        ...     processes.render(lambda values: values.astype(np.uint8), np.zeros(2)).tolist()
        [0, 0]
    """

    def __init__(self, count: int | None = None) -> None:
        self.count = default_count() if count is None else count
        self._keys = weakref.WeakKeyDictionary[PreparedPortrait, int]()
        self._unfit = weakref.WeakSet[PreparedPortrait]()
        self._numbers = itertools.count()
        self._free, self._all = deque["_Process"](), list["_Process"]()
        self._changed = threading.Lock()
        self._here = threading.Lock()  # the interpreter lock lets two mesh warps take as long as one after the other
        self._starting, self._starts_left, self._closed = 0, self.count + _MOST_STARTS, False
        self._finalizer = weakref.finalize(self, _end_all, self._all)

    def __enter__(self) -> "RenderProcesses":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def running(self) -> list[int]:
        """Return the numbers that the system gave the processes that are there."""
        return [process.number for process in [*self._all]]

    def load(self, draw: DrawFrame) -> None:
        """Start the processes if they are not there, and give them a portrait, all without waiting for it.

        Args:
            draw: What will draw frames.
        """
        if self.count and isinstance(draw, PreparedPortrait):
            with self._changed:
                self._keys.setdefault(draw, next(self._numbers))
            self._start_missing()
            threading.Thread(target=self._give, args=(draw,), name="tbd-live-portrait", daemon=True).start()

    def wait(self, seconds: float = _STARTS) -> bool:
        """Wait until all processes have started.

        Args:
            seconds: At most so long.

        Returns:
            Whether they have.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._closed:
            with self._changed:
                if not self._starting:
                    break
            time.sleep(0.01)
        return len(self._all) == self.count

    def render(self, draw: DrawFrame, *args: Any) -> np.ndarray:
        """Draw a frame.

        Args:
            draw: Draws it.
            args: Its arguments: the (58,) values, and what else `draw` takes.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        if isinstance(draw, PreparedPortrait) and draw not in self._unfit:
            with self._one() as process, self._noting(draw):
                if process is not None:
                    return process.render(self._key(draw), draw, args)
        with self._here:
            return draw(*args)

    def close(self) -> None:
        """End all processes; what is drawn afterwards is drawn here."""
        with self._changed:
            self._closed = True
            processes = [*self._all]
            self._all.clear()
            self._free.clear()
        _end_all(processes)

    # ----------------------------------------------------------------------------------------------------------------------

    @contextmanager
    def _noting(self, draw: PreparedPortrait) -> Iterator[None]:
        """Go on where a process has ended, or cannot draw a portrait."""
        try:
            yield
        except _Ended:
            pass  # `_put_back` sees it
        except _Unfit:
            self._unfit.add(draw)

    def _key(self, draw: PreparedPortrait) -> int:
        with self._changed:
            return self._keys.setdefault(draw, next(self._numbers))

    @contextmanager
    def _one(self) -> "Iterator[_Process | None]":
        """A process that has nothing to do; None where there is none."""
        with self._changed:
            process = self._free.popleft() if self._free else None
        try:
            yield process
        finally:
            if process is not None:
                self._put_back(process)

    def _put_back(self, process: "_Process") -> None:
        with self._changed:
            lost = process.ended and process in self._all
            if lost:
                self._all.remove(process)
            elif process in self._all:
                self._free.append(process)
        if lost and not self._closed:
            process.end()
            warn(_ENDED)
            self._start_missing()

    def _start_missing(self) -> None:
        """Start processes in the background until there are as many as there should be."""
        with self._changed:
            missing = min(self.count - len(self._all) - self._starting, self._starts_left)
            if missing <= 0 or self._closed:
                return
            self._starting += missing
            self._starts_left -= missing
        for _ in range(missing):
            threading.Thread(target=self._start, name="tbd-live-start", daemon=True).start()

    def _start(self) -> None:
        process: _Process | None = None
        try:
            process = _Process()
            process.await_start()
        except (OSError, _Ended) as error:
            if not self._closed:
                self._starts_left = 0
                warn(_NOT_STARTED.format(first_line(error).rstrip(".")))
            if process is not None:
                process.end()
            process = None
        for draw in [*self._keys]:
            with self._noting(draw):
                if process is not None:
                    process.load(self._key(draw), draw)
        with self._changed:
            self._starting -= 1
            if process is not None and not self._closed:
                self._all.append(process)
                self._free.append(process)
                process = None
        if process is not None:  # nobody wants it any more
            process.end()

    def _give(self, draw: PreparedPortrait) -> None:
        """Give a portrait to those that have nothing to do; the others take it when they draw it first."""
        seen = set[int]()
        while True:
            with self._changed:
                process = next((process for process in self._free if process.number not in seen), None)
                if process is None:
                    return
                self._free.remove(process)
            seen.add(process.number)
            with self._noting(draw):
                process.load(self._key(draw), draw)
            self._put_back(process)


class RenderPool(ThreadPoolExecutor):
    """Threads, each of which has a frame drawn at a time.

    Args:
        processes: Draw the frames.
    """

    def __init__(self, processes: RenderProcesses) -> None:
        super().__init__(max(processes.count, 1), "tbd-live-frames")
        self._processes = processes

    def draw(self, by: float, draw: DrawFrame, *args: Any) -> "Future[np.ndarray | None]":
        """Have a frame drawn.

        Args:
            by: When its drawing must have begun, by `time.monotonic`.
            draw: Draws it.
            args: Its arguments.

        Returns:
            The frame; None if its turn came too late.
        """
        return self.submit(lambda: self._processes.render(draw, *args) if time.monotonic() < by else None)


def default_count() -> int:
    """Return how many processes draw frames on this machine: one for each core but the one that draws motion, up to four.

    On two cores a second one gets in the way of the motion: four speakers then see 10 frames a second each and not 12.5.
    """
    cores = usable_cores()
    own_python = os.name == "posix" and bool(sys.executable) and not getattr(sys, "frozen", False)
    return min(cores - 1, 4) if own_python else 0


class _Ended(Exception):
    """A process has ended, or does not answer."""


class _Unfit(Exception):
    """A portrait cannot be given to another process."""


class _Process:
    """One process; whoever holds it has it alone."""

    def __init__(self) -> None:
        # the same packages as here, however this process was started. Not `multiprocessing`: it would run the user's script again
        boot = f"import sys; sys.path[:] = {sys.path!r}; from tbd.live.render_processes import serve; serve()"
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # processes are the parallelism here
        self._process = subprocess.Popen(
            [sys.executable, "-c", boot], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **threads},
            start_new_session=True,  # a terminal's Ctrl-C is for this process, with which that one ends
        )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        with suppress(OSError, AttributeError, ImportError):  # Linux alone has it
            import fcntl

            fcntl.fcntl(self._from, fcntl.F_SETPIPE_SZ, _PIPE)
        self._loaded = weakref.WeakKeyDictionary[PreparedPortrait, int]()
        self._sent = set[int]()
        self.ended = False

    @property
    def number(self) -> int:
        return self._process.pid

    def await_start(self) -> None:
        self._receive(_STARTS)

    def load(self, key: int, draw: PreparedPortrait) -> None:
        """Give it a portrait, unless it has it, and take away those that nobody has any more."""
        if draw in self._loaded:
            return
        try:
            pickled = pickle.dumps(draw, 5)
        except Exception as error:  # whatever a user's part of it raises
            raise _Unfit from error
        gone = self._sent.difference(self._loaded.values())
        self._send(("load", gone, key, pickled))
        if not self._receive(_STARTS):
            raise _Unfit
        self._sent = self._sent - gone | {key}
        self._loaded[draw] = key

    def render(self, key: int, draw: PreparedPortrait, args: tuple[Any, ...]) -> np.ndarray:
        """Have a frame drawn."""
        self.load(key, draw)
        self._send(("draw", key, args))
        frame: np.ndarray = self._receive(_DRAWS)
        return frame

    def hang_up(self) -> None:
        """Say that nothing follows."""
        self.ended = True
        with suppress(OSError, ValueError):
            self._to.close()

    def end(self) -> None:
        """Let it end, or make it."""
        self.hang_up()
        try:
            self._process.wait(_ENDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with suppress(OSError, ValueError):
            self._from.close()

    def _send(self, message: Any) -> None:
        try:
            pickle.dump(message, self._to, 5)
            self._to.flush()
        except (OSError, ValueError) as error:  # ValueError: it was closed meanwhile
            self.ended = True
            raise _Ended("it has ended") from error

    def _receive(self, seconds: float) -> Any:
        try:
            waiting = select.poll()
            waiting.register(self._from, select.POLLIN)
            if not waiting.poll(1000 * seconds):
                self._process.kill()
                raise EOFError
            result, error = pickle.load(self._from)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError) as fault:
            self.ended = True
            raise _Ended("it has ended") from fault
        if error is not None:
            raise error
        return result


def _end_all(processes: list[_Process]) -> None:
    for process in processes:
        process.hang_up()
    for process in processes:
        process.end()


# -- in the process ----------------------------------------------------------------------------------------------------------


def serve() -> None:
    """Do what comes on standard input until it ends: what a process of `RenderProcesses` runs."""
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # what a library prints must not come between pictures
        with suppress(EOFError, OSError, pickle.UnpicklingError):  # whoever started it has ended
            _serve(sys.stdin.buffer, out)


def _serve(requests: BinaryIO, replies: BinaryIO) -> None:
    import cv2

    cv2.setNumThreads(1)
    portraits: dict[int, DrawFrame] = {}
    result: Any = None
    error: Exception | None = None
    while True:  # the first answer says that it has started
        pickle.dump((result, error), replies, 5)
        replies.flush()
        result = error = None
        kind, *message = pickle.load(requests)
        if kind == "load":
            gone, key, pickled = message
            for old in gone:
                portraits.pop(old, None)
            with suppress(Exception):  # of a class that is not found here
                portraits[key] = pickle.loads(pickled)
            result = key in portraits
            continue
        key, args = message
        try:
            result = portraits[key](*args)
        except Exception as fault:
            error = fault if isinstance(fault, TBDError) else TBDError(f"A frame cannot be drawn ({type(fault).__name__}: {fault}).")
