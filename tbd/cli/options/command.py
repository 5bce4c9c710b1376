"""What a subcommand of `tbd` is: one line of help, the options it takes, and what it calls.

Each module named as a command ends with its `COMMAND`. `tbd --help` imports all of them, so nothing heavy is imported there before a
command runs.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace


class Command(NamedTuple):
    """A subcommand of `tbd`.

    Args:
        summary: One line of help.
        options: Adds the command's options to a parser.
        run: Runs the command with the parsed options. The command line ignores what it returns.
    """

    summary: str
    options: "Callable[[ArgumentParser], None]"
    run: "Callable[[Namespace], Any]"
