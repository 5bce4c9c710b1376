"""Errors that a user can act on.

Each carries one sentence: what was wrong, with which file, and what would be right. The command line prints that
sentence without a traceback and exits with `exit_code`; library users catch `TBDError`.
"""

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
