"""Warnings for users: one sentence where input was guessed, repaired or skipped, and the work goes on.

They are of a class of their own, so that library users can filter them. The command line prints them on stderr.
"""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class TBDWarning(UserWarning):
    """Input was guessed, repaired or skipped; one sentence names the file."""


def warn(message: str) -> None:
    """Issue a `TBDWarning`.

    Args:
        message: One sentence.
    """
    frame = sys._getframe(1)
    # no registry: Python would otherwise issue a message once per line of code and process
    warnings.warn_explicit(message, TBDWarning, frame.f_code.co_filename, frame.f_lineno)


@contextmanager
def collect_warnings() -> Iterator[list[str]]:
    """Collect the `TBDWarning`s of the block instead of showing them; other warnings are issued again when it ends.

    Yields:
        A list that is filled when the block ends; of equal messages the first is kept.
    """
    messages: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TBDWarning)
        try:
            yield messages
        finally:
            messages += dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, TBDWarning))
    for other in caught:
        if not issubclass(other.category, TBDWarning):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)


@contextmanager
def print_warnings(command: str) -> Iterator[None]:
    """Print the `TBDWarning`s of the block on stderr, equal messages once, as the command line does.

    Args:
        command: Name of the subcommand, with which the line starts.
    """
    before = warnings.showwarning
    seen: set[str] = set()

    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, file: TextIO | None = None, line: str | None = None
    ) -> None:
        if not issubclass(category, TBDWarning):
            before(message, category, filename, lineno, file, line)
        elif str(message) not in seen:
            seen.add(str(message))
            print(f"tbd {command}: warning: {message}", file=sys.stderr)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before
