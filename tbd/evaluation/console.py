"""The table of scores that `tbd evaluate` prints, and its progress bar."""

from collections.abc import Iterator, Sequence
from typing import Literal

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tbd.evaluation.protocol import Protocol
from tbd.evaluation.references.base import ReferenceClip
from tbd.evaluation.scores import KINDS, Scores, Value

ARROWS = {"higher": "↑", "lower": "↓", "reference": "≈"}
"""`Value.better` → the arrow that tables show for it."""
MOTION_SOURCES = {"file": "from files", "tracked": "tracked in the pixels of both clips"}
"""`Scores.motion` → words for it."""
_MOST = 12
"""Groups of issues that are printed; the file has all."""
_NAMED = 3
"""Clips that are named for each."""


def progress(clips: Sequence[ReferenceClip], console: Console) -> Iterator[ReferenceClip]:
    """Show a progress bar while clips are worked on; it goes away when they end.

    Args:
        clips: The clips.
        console: Draws the bar, unless it is quiet.

    Yields:
        The same clips.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=console.quiet) as bar:
        yield from bar.track(clips, description="clips")


def format_value(value: Value, digits: int) -> str:
    """Write a number with its decimals, or a dash where there is none.

    Args:
        value: A metric's result.
        digits: Number of decimals.

    Returns:
        The text, with a typographic minus sign.

    Example:
        >>> format_value(Value(values={"value": 0.12345}), 2), format_value(Value(absent="no weights"), 2)
        ('0.12', '–')
        >>> format_value(Value(values={"value": -0.001}), 2), format_value(Value(values={"value": -0.1}), 2)
        ('0.00', '−0.10')
    """
    if value.number is None:
        return "–"
    return f"{round(value.number, digits) + 0.0:.{digits}f}".replace("-", "−")  # a zero has no sign


def print_scores(scores: Scores, protocol: Protocol, console: Console) -> None:
    """Print the numbers, which metrics are absent and why, and what was wrong with which clips.

    Args:
        scores: The result of an evaluation.
        protocol: The protocol that it was made by.
        console: Where to print.
    """
    console.print(
        f"[bold]{scores.protocol}[/] {scores.protocol_hash[:12]}   {scores.found} of {scores.expected} clips found, {scores.scored} scored"
        + (f", motion {MOTION_SOURCES[scores.motion]}" if scores.motion else ""),
        highlight=False,
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    justify: Literal["left", "right"]
    for name, justify in (("metric", "left"), ("", "left"), ("value", "right"), ("± 95 %", "right"), ("unit", "left"), ("clips", "right")):
        table.add_column(name, justify=justify)
    for entry in protocol.metrics:
        value = scores.metrics[entry.name]
        error = "" if value.error is None else f"{value.error:.{entry.digits}f}"
        table.add_row(
            entry.label, ARROWS[value.better], format_value(value, entry.digits), error, value.unit or value.lag(), str(value.clips)
        )
    console.print(table)
    for entry in protocol.metrics:
        if (reason := scores.metrics[entry.name].absent) is not None:
            console.print(f"{entry.label} is absent: {reason}", highlight=False)
    _show_issues(scores, console)
    if "frames_per_second" in scores.speed:
        speed, memory = scores.speed["frames_per_second"], scores.memory["peak_mb"]
        console.print(
            f"predicted at {speed:.0f} frames a second, at most {memory:.0f} MB; evaluated in {scores.seconds:.0f} s", highlight=False
        )


def _show_issues(scores: Scores, console: Console) -> None:
    groups = scores.grouped()
    for kind, detail, clips in groups[:_MOST]:
        named = ", ".join(clips[:_NAMED]) + (f" and {len(clips) - _NAMED} more" if len(clips) > _NAMED else "")
        console.print(f"{kind} ({KINDS.get(kind, kind)}): {detail}: {named}", highlight=False)
    if len(groups) > _MOST:
        console.print(f"and {len(groups) - _MOST} other kinds of trouble, all in the scores file", highlight=False)
