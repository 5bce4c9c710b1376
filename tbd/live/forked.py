"""Processes that are forked off one that has prepared a portrait: they have it already, and import nothing."""

import os
import select
import signal
import subprocess
import warnings
from contextlib import suppress
from typing import BinaryIO

from tbd.face.render.renderer import DrawFrame
from tbd.live.render_processes import HELD
from tbd.live.render_worker import serve_held


class Pipes:
    """Two pipes between a program and a process that is not there yet."""

    def __init__(self) -> None:
        self._requests, self._replies = os.pipe(), os.pipe()  # each to read from, to write to

    def close_theirs(self) -> None:
        """Close the process's ends, in all other processes, which then see when it has ended. Closing them again changes nothing."""
        _close(self._requests[0], self._replies[1])
        self._requests, self._replies = (-1, self._requests[1]), (self._replies[0], -1)

    def close_ours(self) -> None:
        """Close the program's ends: in the process, which then sees when the program has ended, or in a program that has no use for it."""
        _close(self._requests[1], self._replies[0])
        self._requests, self._replies = (self._requests[0], -1), (-1, self._replies[1])

    def process(self) -> "ForkedProcess":
        """Return the process as the program sees it, which then has the program's ends."""
        process = ForkedProcess(os.fdopen(self._requests[1], "wb"), os.fdopen(self._replies[0], "rb"))
        self._requests, self._replies = (self._requests[0], -1), (-1, self._replies[1])
        return process

    def serve(self, draw: DrawFrame) -> None:
        """Draw frames until the program has ended, in the process.

        Args:
            draw: Draws a frame.
        """
        with os.fdopen(self._requests[0], "rb") as requests, os.fdopen(self._replies[1], "wb") as replies:
            serve_held(requests, replies, {HELD: draw})


class ForkedProcess:
    """A process of another process, which is known by its pipes alone.

    Args:
        stdin: What to write requests to.
        stdout: What to read pictures from.
    """

    def __init__(self, stdin: BinaryIO, stdout: BinaryIO) -> None:
        self.stdin, self.stdout = stdin, stdout
        self.pid = 0
        """Its number; 0 until it is known."""

    def kill(self) -> None:
        """End it at once."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; see `subprocess.Popen.wait`.

        Args:
            timeout: Seconds.

        Returns:
            0.

        Raises:
            subprocess.TimeoutExpired: If it has not.
        """
        waiting = select.poll()
        waiting.register(self.stdout, 0)  # that nobody writes any more is told in any case
        if not waiting.poll(None if timeout is None else 1000 * timeout):
            raise subprocess.TimeoutExpired("frames", timeout or 0)
        return 0


def serve_forked(draw: DrawFrame, pipes: list[Pipes]) -> None:
    """Draw frames in this process and in ones that are forked off it, until the program that has the other ends of the pipes has ended.

    Args:
        draw: Draws a frame.
        pipes: One for each process, this one's first.
    """
    for own in pipes[1:]:
        if _is_fork():
            for other in pipes:
                if other is not own:
                    other.close_theirs()
            try:
                own.serve(draw)
            finally:
                os._exit(0)  # what else this process was going to do is the other's
        own.close_theirs()
    pipes[0].serve(draw)


def _is_fork() -> bool:
    """Fork; False in this process, also where it cannot be done: then nobody answers, which the program sees."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads here, which only sent the face, or searched for it
        try:
            return os.fork() == 0
        except OSError:
            return False


def _close(*ends: int) -> None:
    for end in ends:
        if end >= 0:
            os.close(end)
