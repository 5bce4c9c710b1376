"""Phones that a process of its own recognizes while a program is still importing what it needs.

Recognizing ten seconds of speech takes two, holds Python's lock all the while, and needs nothing but the sound.
"""

import os
from collections.abc import Callable, Iterator

from tbd.speech.phones import Phone
from tbd.utils.jobs.head_start import HeadStart, pays_off

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
        self._start = HeadStart(_once, recognize, os.fspath(path))
        self._found: Passages | None = None

    def phones(self, sound: bytes) -> tuple[Phone, ...] | None:
        """Wait for the phones of a passage.

        Args:
            sound: The passage as `tbd.speech.recognizer` gives it to its decoder.

        Returns:
            Its phones; None where it is no passage of the recording, or the process failed.
        """
        if self._found is None:
            self._found = self._start.next() or {}
        return self._found.get(sound)


_started: list[RecognitionAhead] = []


def start_ahead(recognize: Recognize, path: str | os.PathLike) -> None:
    """Start to recognize a recording that is drawn soon, where something is gained by it.

    Args:
        recognize: As for `RecognitionAhead`.
        path: The recording.
    """
    if pays_off():
        _started[:] = [RecognitionAhead(recognize, path)]


def recognized_ahead(sound: bytes) -> tuple[Phone, ...] | None:
    """Find the words' phones of a passage that is recognized already, or being recognized.

    Args:
        sound: As for `RecognitionAhead.phones`.

    Returns:
        Its phones; None where `start_ahead` was not asked for them.
    """
    return _started[0].phones(sound) if _started else None


def _once(recognize: Recognize, path: str) -> Iterator[Passages]:
    yield recognize(path)
