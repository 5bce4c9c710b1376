"""Components that users write may raise anything: their failure is told as theirs, by class, with their own words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tbd.errors import TBDError, disk_error


@contextmanager
def answerable(component: Any, what: str) -> Iterator[None]:
    """Tell whose fault it is where a component that is not packaged fails in the block.

    Errors of packaged classes pass through, as do full disks and what components say as a `TBDError` themselves.

    Args:
        component: What works in the block.
        what: Its slot, such as "planner".

    Raises:
        TBDError: It failed; names its class and quotes its words.
    """
    try:
        yield
    except TBDError:
        raise
    except Exception as error:
        if type(component).__module__.partition(".")[0] == "tbd" or disk_error(error) is not None:
            raise
        raise failure(component, what, f"failed: {_words(error)}") from error


def require_kind(made: Any, kind: type, component: Any, what: str) -> None:
    """Check what a component has given.

    Args:
        made: What it gave.
        kind: What is right.
        component: Which component.
        what: Its slot, such as "planner".

    Raises:
        TBDError: It gave something else.
    """
    if not isinstance(made, kind):
        raise failure(component, what, f"gave {type(made).__name__}, not {kind.__name__}.")


def failure(component: Any, what: str, how: str) -> TBDError:
    """The error of a component that failed; arguments as `require_kind`'s."""
    kind = type(component)
    return TBDError(f"The {what} {kind.__module__}.{kind.__qualname__} {how}")


def _words(error: Exception) -> str:
    said = " ".join(str(error).split())[:300].rstrip(".")
    return f"{type(error).__name__}{f', {said}' if said else ''} (run again with --debug to see where)."
