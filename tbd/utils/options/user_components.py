"""Report errors of components that users write, which may raise anything, under the component's class."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tbd.errors import TBDError, disk_error


@contextmanager
def attribute_errors_to(component: Any, what: str) -> Iterator[None]:
    """Name the component if its code fails in the block.

    Errors of tbd's own classes pass through, as do full disks and any `TBDError`.

    Args:
        component: Component that is used in the block.
        what: Its role, such as "planner".

    Raises:
        TBDError: If a user's component fails; the message names its class and quotes the error.
    """
    try:
        yield
    except TBDError:
        raise
    except Exception as error:
        if type(component).__module__.partition(".")[0] == "tbd" or disk_error(error) is not None:
            raise
        raise component_error(component, what, f"failed: {_quote(error)}") from error


def require_type(result: Any, kind: type, component: Any, what: str) -> None:
    """Check the type of what a component returned.

    Args:
        result: What it returned.
        kind: Expected class.
        component: The component.
        what: Its role, such as "planner".

    Raises:
        TBDError: If the result is of another class.
    """
    if not isinstance(result, kind):
        raise component_error(component, what, f"gave {type(result).__name__}, not {kind.__name__}.")


def component_error(component: Any, what: str, how: str) -> TBDError:
    """Build the error of a component that failed.

    Args:
        component: The component.
        what: Its role, such as "planner".
        how: Predicate of the sentence, with its full stop.

    Returns:
        Error that names the component's class.
    """
    kind = type(component)
    return TBDError(f"The {what} {kind.__module__}.{kind.__qualname__} {how}")


def _quote(error: Exception) -> str:
    text = " ".join(str(error).split())[:300].rstrip(".")
    return f"{type(error).__name__}{f', {text}' if text else ''} (run again with --debug to see where)."
