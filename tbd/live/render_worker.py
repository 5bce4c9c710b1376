"""One process that renders frames of live faces: how it is started and asked, and what it does.

A process is a Python of its own, which reads portraits and frames of motion from its standard input and writes pictures to its standard
output. It ends when its input does: with whoever started it, however that ends.
"""

import os
import pickle
import select
import subprocess
import sys
import weakref
from contextlib import suppress
from typing import Any, BinaryIO, Protocol

import numpy as np

from tbd.errors import TBDError
from tbd.face.render.renderer import DrawFrame, PreparedPortrait

STARTS = 60.0
"""Seconds that a process may take to start."""
DRAWS = 5.0
"""Seconds that it may take to draw a frame of somebody who speaks at this moment; one that takes longer is ended."""
_ENDS = 2.0
"""Seconds that it is given to end by itself."""
_PIPE = 1 << 20
"""Bytes of a pipe, so that a frame is read in one piece."""


class WorkerEnded(Exception):
    """A process has ended, or does not answer."""


class UnfitPortrait(Exception):
    """A portrait cannot be given to another process."""


class WorkerProcess(Protocol):
    """A process that answers, as `subprocess.Popen` starts one."""

    stdin: Any
    stdout: Any
    pid: int

    def kill(self) -> None:
        """End it at once."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; see `subprocess.Popen.wait`."""
        ...


def start_process() -> WorkerProcess:
    """Start a process that does what comes on its standard input."""
    # the same packages as here, however this process was started. Not `multiprocessing`: it would run the user's script again
    boot = f"import sys; sys.path[:] = {sys.path!r}; from tbd.live.render_worker import serve; serve()"
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # processes are the parallelism here
    return subprocess.Popen(
        [sys.executable, "-c", boot], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **threads},
        start_new_session=True,  # a terminal's Ctrl-C is for this process, with which that one ends
    )  # fmt: skip


class RenderWorker:
    """One process; whoever holds it has it alone.

    Args:
        patience: Seconds that it may take to draw a frame.
        process: The process; None to start one.
    """

    def __init__(self, patience: float = DRAWS, process: WorkerProcess | None = None) -> None:
        self._patience = patience
        self._process = start_process() if process is None else process
        self._to, self._from = self._process.stdin, self._process.stdout
        with suppress(OSError, AttributeError, ImportError):  # Linux alone has it
            import fcntl

            fcntl.fcntl(self._from, fcntl.F_SETPIPE_SZ, _PIPE)
        self._loaded = weakref.WeakKeyDictionary[PreparedPortrait, int]()
        self._sent = set[int]()
        self.ended = False

    @property
    def number(self) -> int:
        """Return the number that the system gave it; of one that somebody else has started, once it has said so."""
        return self._process.pid

    def await_start(self) -> None:
        """Wait until it has started.

        Raises:
            WorkerEnded: If it does not.
        """
        self._process.pid = self._receive(STARTS)

    def holds(self, key: int, draw: PreparedPortrait) -> None:
        """Note that it has a portrait already.

        Args:
            key: The portrait's number.
            draw: The portrait.
        """
        self._sent.add(key)
        self._loaded[draw] = key

    def load(self, key: int, draw: PreparedPortrait) -> None:
        """Give it a portrait, unless it has it, and take away those that nobody has any more.

        Args:
            key: The portrait's number.
            draw: The portrait.

        Raises:
            UnfitPortrait: If it cannot be given to another process.
            WorkerEnded: If the process has ended.
        """
        if draw in self._loaded:
            return
        try:
            pickled = pickle.dumps(draw, 5)
        except Exception as error:  # whatever a user's part of it raises
            raise UnfitPortrait from error
        gone = self._sent.difference(self._loaded.values())
        self._send(("load", gone, key, pickled))
        if not self._receive(STARTS):
            raise UnfitPortrait
        self._sent = self._sent - gone | {key}
        self._loaded[draw] = key

    def render(self, key: int, draw: PreparedPortrait, args: tuple[Any, ...]) -> np.ndarray:
        """Have a frame drawn.

        Args:
            key: The portrait's number.
            draw: The portrait.
            args: The frame's values, and what else `draw` takes.

        Returns:
            (H, W, 3) uint8 RGB.

        Raises:
            UnfitPortrait: If it cannot be given to another process.
            WorkerEnded: If the process has ended.
        """
        self.load(key, draw)
        self._send(("draw", key, args))
        frame: np.ndarray = self._receive(self._patience)
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
            raise WorkerEnded("it has ended") from error

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
            raise WorkerEnded("it has ended") from fault
        if error is not None:
            raise error
        return result


# -- in the process ----------------------------------------------------------------------------------------------------------


def serve() -> None:
    """Do what comes on standard input until it ends: what the process of a `RenderWorker` runs."""
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # what a library prints must not come between pictures
        serve_held(sys.stdin.buffer, out, {})


def serve_held(requests: BinaryIO, replies: BinaryIO, portraits: dict[int, DrawFrame]) -> None:
    """Do what comes until it ends, with portraits that are there already.

    Args:
        requests: What to do.
        replies: Where pictures go.
        portraits: Number → what draws it.
    """
    with suppress(EOFError, OSError, pickle.UnpicklingError):  # whoever started it has ended
        _serve(requests, replies, portraits)


def _serve(requests: BinaryIO, replies: BinaryIO, portraits: dict[int, DrawFrame]) -> None:
    import cv2

    cv2.setNumThreads(1)
    result: Any = os.getpid()
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
