"""Notes: what was guessed, scaled or left out, said on standard error so that nothing happens in silence.

A note is no progress message: ``--quiet`` does not hide it.
"""

import sys


def note(text: str) -> None:
    """Print one note.

    Args:
        text: A sentence that names the file it is about.
    """
    print(f"note: {text}", file=sys.stderr)
