"""Phones that a process of its own recognizes while a program is still importing what it needs.

Recognizing ten seconds of speech takes two, holds Python's lock all the while, and needs nothing but the sound.
"""

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from tbd.errors import TBDError
from tbd.speech.phones import Phone
from tbd.utils.jobs.multiprocessing import ignore_sigint

Passages = dict[bytes, tuple[Phone, ...]]
"""The phones of the passages of a recording, by their sound as a recognizer gives it to its decoder."""
Recognize = Callable[[str], Passages]


class RecognitionAhead:
    """Starts to recognize a recording; the process ends with this one.

    Args:
        recognize: Recognizes the recording at a path: the phones of each passage, by its sound. It may raise `TBDError` or `OSError`.
        path: The recording, in any format that FFmpeg reads.
    """

    def __init__(self, recognize: Recognize, path: str | os.PathLike) -> None:
        # A fork has nothing to import anew; this is called before anything of the process has threads.
        context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        self._results, child = context.Pipe(duplex=False)
        context.Process(target=_send, args=(recognize, os.fspath(path), child), daemon=True).start()
        child.close()
        self._found: Passages | None = None

    def phones(self, sound: bytes) -> tuple[Phone, ...] | None:
        """Wait for the phones of a passage.

        Args:
            sound: The passage as `tbd.speech.recognizer` gives it to its decoder.

        Returns:
            Its phones; None where it is no passage of the recording, or the process failed.
        """
        if self._found is None:
            try:
                self._found = self._results.recv()
            except (EOFError, OSError):
                self._found = {}
        return self._found.get(sound)


_started: list[RecognitionAhead] = []


def start_ahead(recognize: Recognize, path: str | os.PathLike) -> None:
    """Start to recognize a recording that is drawn soon.

    Nothing is done where nothing is gained: with one processor, or once the imports that take so long are over.

    Args:
        recognize: As for `RecognitionAhead`.
        path: The recording.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if processors > 1 and "torch" not in sys.modules and threading.active_count() == 1:
        _started[:] = [RecognitionAhead(recognize, path)]


def recognized_ahead(sound: bytes) -> tuple[Phone, ...] | None:
    """Find the words' phones of a passage that is recognized already, or being recognized.

    Args:
        sound: As for `RecognitionAhead.phones`.

    Returns:
        Its phones; None where `start_ahead` was not asked for them.
    """
    return _started[0].phones(sound) if _started else None


def _send(recognize: Recognize, path: str, results: Connection) -> None:
    """Send what is recognized; nothing where the recording cannot be read, which the program itself will say."""
    ignore_sigint()
    try:
        results.send(recognize(path))
    except (TBDError, OSError):
        results.close()
