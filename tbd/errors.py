"""Errors that users can act on.

Each carries one sentence: what was wrong, with which file, and what would be right. The command line prints that
sentence without a traceback and exits with `exit_code`; library users catch `TBDError`.
"""

import errno
import os
import re

REQUEUE = 75
"""The exit code that says "not done, start me again" (EX_TEMPFAIL of BSD's sysexits): job files requeue on it."""
INTERRUPTED = 130
"""The exit code after Ctrl-C."""


class TBDError(Exception):
    """Something failed on the way (a full disk, a broken decoder). Exit code 1."""

    exit_code = 1


class InputError(TBDError):
    """What the user gave cannot be used: a file, a plan, an option. Exit code 2."""

    exit_code = 2


def first_line(error: BaseException) -> str:
    r"""Shorten another library's message to its first line.

    Args:
        error: Any exception.

    Returns:
        The first line of its message, or its class name if the message is empty.

    Example:
        >>> first_line(OSError("no such device\nat line 3")), first_line(EOFError())
        ('no such device', 'EOFError')
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your quota on that disk is used up",
    errno.EFBIG: "the file grew larger than this system allows (`ulimit -f`, or the file system's own limit)",
    errno.EROFS: "the disk is read-only",
    errno.EIO: "the disk reports an error",
}


class DiskError(TBDError, OSError):
    """A file could not be written: the disk is full, over quota, read-only, or broken. Exit code 1.

    Args:
        errno: The system's error number.
        strerror: The system's message.
        filename: File that was being written.
    """

    def __str__(self) -> str:
        reason = _REASONS.get(self.errno or 0, self.strerror)
        named = f"{self.filename} could not be written" if self.filename else "A file could not be written"
        return f"{named}: {reason}; make room or choose another place, nothing half-written was left."


def disk_error(error: BaseException, path: str | None = None) -> DiskError | None:
    """Recognize a failing disk, whichever library was writing.

    Args:
        error: What was raised; PyTorch, safetensors and NumPy state a full disk in their message alone.
        path: File that was being written.

    Returns:
        The error for the user; None if the cause was another.
    """
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        number = _number_of(cause)
        if number in _REASONS:
            return DiskError(number, os.strerror(number), path or getattr(cause, "filename", None))
        cause = cause.__cause__ or cause.__context__
    return None


def _number_of(error: BaseException) -> int | None:
    number = getattr(error, "errno", None)
    if isinstance(number, int):
        return number
    words = str(error)
    stated = re.search(r"os error (\d+)", words)
    if stated is not None:
        return int(stated[1])
    if isinstance(error, OSError) and re.search(r"\d+ requested and \d+ written", words):
        return errno.ENOSPC
    if isinstance(error, RuntimeError) and re.search(r"PytorchStreamWriter failed|unexpected pos \d+ vs", words):
        return errno.ENOSPC
    return next((n for n in _REASONS if os.strerror(n) in words), None)
