"""The process of one command: `python -m tbd` is `tbd`."""

import atexit
import gc
import os
import sys
from contextlib import suppress

_GARBAGE = 10_000
"""New objects after which Python looks for those that only refer to each other. What a drawing imports are millions, nearly all to stay;
to look through them every 700, as it does by itself, takes a seventh of the time."""


def run() -> None:
    """Be the process of one command.

    To take apart what a drawing has imported, object by object, takes Python half a second when it ends. The system frees it at once, so
    the process ends as soon as all that was left for its end is done.

    Raises:
        SystemExit: With the command's exit code.
    """
    gc.set_threshold(_GARBAGE)
    codes: list[int] = []
    atexit.register(_end, codes)  # before anything heavy is imported: what is left first is done last
    from tbd.cli.main import main

    try:
        code = main()
    except SystemExit as end:
        codes.append(end.code if isinstance(end.code, int) else int(end.code is not None))
        raise
    codes.append(code)
    sys.exit(code)


def _end(codes: list[int]) -> None:
    if codes:  # otherwise an error that Python reports in its own way
        with suppress(OSError):  # nobody reads any more
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(codes[0])


if __name__ == "__main__":
    run()
