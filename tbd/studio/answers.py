"""What the page shows after an event, and how its failures are told."""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from tbd.errors import InputError, TBDError, disk_error
from tbd.studio.settings import Settings

_LOG = logging.getLogger(__name__)
EMPTY: dict[str, Any] = {}
"""A timeline without a plan."""


class Thought(NamedTuple):
    """What the page shows of a plan.

    Args:
        note: A failure, or nothing.
        reasoning: The chain of thought.
        chart: The muscles at work.
        timeline: Value of the timeline component.
    """

    note: str
    reasoning: str
    chart: str
    timeline: dict[str, Any]


class Drawn(NamedTuple):
    """What the page shows of a drawing; None leaves a part as it is.

    Args:
        note: A failure, or nothing.
        preview: The small video, or how far it is.
        video: The full video, or how far it is.
        downloads: What can be fetched.
        comparison: The kept video and the newest.
    """

    note: str = ""
    preview: str | None = None
    video: str | None = None
    downloads: str | None = None
    comparison: str | None = None


def settings_of(values: tuple[Any, ...]) -> Settings:
    """Read what the page's components hold.

    Args:
        values: Emotion scale, muscle scale, audio scale, head motion, seed and size; then perhaps frame and aspect.

    Returns:
        The settings.

    Raises:
        InputError: If one is out of range.
    """
    emotion, muscles, audio, head, seed, size, *framing = values
    frame: Any
    frame, aspect = framing or ("portrait", "")
    emotion, muscles, audio = (None if scale is None else float(scale) for scale in (emotion, muscles, audio))
    return Settings(emotion, muscles, audio, float(head), _whole(seed), _whole(size), frame, (aspect or "").strip())


def _whole(value: float) -> int:
    if value is None:
        raise InputError("The seed is empty; give a whole number.")
    if int(value) != value:
        raise InputError(f"The seed and the size are whole numbers, not {value}.")
    return int(value)


def explained(act: Callable[[], Any], failed: Callable[[str], Any]) -> Any:
    """Do something, and explain on the page why it failed.

    Args:
        act: What is done.
        failed: A sentence → what the page shows then.

    Returns:
        What `act` or `failed` returns.
    """
    try:
        return act()
    except Exception as error:
        return failed(sentence_of(error))


def sentence_of(error: Exception) -> str:
    """Say what the page says: the project's own sentences; of anything else its kind alone, since messages may hold paths."""
    if disk_error(error) is not None:
        return "The machine's disk is full or cannot be written; nothing half-drawn was kept."
    if isinstance(error, TBDError):
        return str(error)
    _LOG.exception("the studio failed")
    return f"Something failed ({type(error).__name__}); the terminal that runs the studio says where."
