"""Processes that render the frames of live faces, so that drawing their motion has Python's interpreter lock to itself."""

import itertools
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from tbd.errors import first_line
from tbd.face.render.renderer import DrawFrame, PreparedPortrait
from tbd.live.render_worker import DRAWS, STARTS, RenderWorker, UnfitPortrait, WorkerEnded
from tbd.utils.jobs.threads import usable_cores
from tbd.utils.user_warnings import warn

HELD = -1
"""Number of a portrait that processes have from the start."""
_MOST_STARTS = 8
"""How often processes are started again that were ended from outside."""
_NOT_STARTED = "No process that draws frames could be started ({}); the process that draws motion draws them, which makes them fewer."
_ENDED = "A process that draws frames has ended unexpectedly; until another has started, frames may be fewer."


class RenderProcesses:
    """Draws frames of mesh warps in processes of their own; what draws otherwise is drawn where it is called.

    A process that has not started yet, or has been killed, is nothing to wait for: its frames are drawn here. They are the same pictures.

    Args:
        count: How many; None for `default_count`, 0 for none.
        patience: Seconds that a frame may take to be drawn; a process that takes longer is ended.
        ended: What is said of a process that has ended.

    Example:
        >>> with RenderProcesses(0) as processes:
        ...     processes.render(lambda values: values.astype(np.uint8), np.zeros(2)).tolist()
        [0, 0]
    """

    def __init__(self, count: int | None = None, patience: float = DRAWS, ended: str = _ENDED) -> None:
        self.count = default_count() if count is None else count
        self._patience, self._ended = patience, ended
        self._keys = weakref.WeakKeyDictionary[PreparedPortrait, int]()
        self._unfit = weakref.WeakSet[PreparedPortrait]()
        self._numbers = itertools.count()
        self._free, self._all = deque["RenderWorker"](), list["RenderWorker"]()
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

    def adopt(self, draw: PreparedPortrait, processes: Sequence[RenderWorker]) -> None:
        """Take processes that have a portrait already, instead of starting any.

        Args:
            draw: The portrait, for those that are started where one of them ends.
            processes: All have started, and hold the portrait as number `HELD`.
        """
        with self._changed:
            self._keys[draw] = HELD
            self.count, self._starts_left = len(processes), _MOST_STARTS
            for process in processes:
                process.holds(HELD, draw)
                self._all.append(process)
                self._free.append(process)

    def wait(self, seconds: float = STARTS) -> bool:
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
        except WorkerEnded:
            pass  # `_put_back` sees it
        except UnfitPortrait:
            self._unfit.add(draw)

    def _key(self, draw: PreparedPortrait) -> int:
        with self._changed:
            return self._keys.setdefault(draw, next(self._numbers))

    @contextmanager
    def _one(self) -> "Iterator[RenderWorker | None]":
        """A process that has nothing to do; None where there is none."""
        with self._changed:
            process = self._free.popleft() if self._free else None
        try:
            yield process
        finally:
            if process is not None:
                self._put_back(process)

    def _put_back(self, process: "RenderWorker") -> None:
        with self._changed:
            lost = process.ended and process in self._all
            if lost:
                self._all.remove(process)
            elif process in self._all:
                self._free.append(process)
        if lost and not self._closed:
            process.end()
            warn(self._ended)
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
        process: RenderWorker | None = None
        try:
            process = RenderWorker(self._patience)
            process.await_start()
        except (OSError, WorkerEnded) as error:
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
    return min(usable_cores() - 1, 4) if can_start_processes() else 0


def can_start_processes() -> bool:
    """Return whether another Python can be started, whose pipes can be waited for."""
    return os.name == "posix" and bool(sys.executable) and not getattr(sys, "frozen", False)


def _end_all(processes: list[RenderWorker]) -> None:
    for process in processes:
        process.hang_up()
    for process in processes:
        process.end()
