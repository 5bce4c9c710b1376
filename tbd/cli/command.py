"""The subcommands of `tbd`, what each takes and what it calls.

A module here imports nothing heavy before a command runs, since `tbd --help` reads all of them; it ends with its `COMMANDS`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Command(NamedTuple):
    """A subcommand.

    Args:
        summary: one line of help.
        options: adds its options to a jsonargparse parser.
        run: does it, with the parsed values; its result is for tests and notebooks alone.
    """

    summary: str
    options: Callable[[Any], None]
    run: Callable[[Any], Any]
