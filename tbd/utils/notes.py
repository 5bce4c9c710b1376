"""Notes: one sentence where something was guessed, mended or left out, and the work goes on.

A note is a warning of its own class, so that library users filter it as any other. The command line prints it on stderr.
"""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


class Note(UserWarning):
    """What was guessed, mended or left out, in one sentence that names the file."""


def note(message: str) -> None:
    """Issue a `Note`.

    Args:
        message: One sentence.
    """
    frame = sys._getframe(1)
    # no registry: Python would otherwise say a sentence once per line of code and process
    warnings.warn_explicit(message, Note, frame.f_code.co_filename, frame.f_lineno)


@contextmanager
def collected() -> Iterator[list[str]]:
    """Collect the notes that are issued in the block instead of showing them; a sentence that comes twice is kept once.

    Other warnings are issued again when the block ends.
    """
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", Note)
        try:
            yield notes
        finally:
            notes += dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, Note))
    for other in caught:
        if not issubclass(other.category, Note):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)


@contextmanager
def printed(command: str) -> Iterator[None]:
    """Print the notes that are issued in the block on stderr, each sentence once, as the command line does.

    Args:
        command: Name of the subcommand, which the line begins with.
    """
    before, seen = warnings.showwarning, set()

    def show(message, category, *rest, **options) -> None:
        if not issubclass(category, Note):
            before(message, category, *rest, **options)
        elif str(message) not in seen:
            seen.add(str(message))
            print(f"tbd {command}: note: {message}", file=sys.stderr)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before
