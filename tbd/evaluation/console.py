"""Scores for the eye, at the end of `tbd evaluate`."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tbd.evaluation.protocol import Protocol
from tbd.evaluation.references.base import ReferenceClip
from tbd.evaluation.scores import KINDS, Scores, Value

ARROWS = {"higher": "↑", "lower": "↓", "reference": "≈"}
"""How tables say which way is good."""
FROM = {"file": "from files", "tracked": "tracked in pixels, on both sides"}
"""Where motion comes from, in words."""
_MOST = 12
"""Kinds of trouble that are printed; the file has all."""
_NAMED = 3
"""Clips that are named for each."""


def progress(clips: Sequence[ReferenceClip], console: Console) -> Iterator[ReferenceClip]:
    """The same clips, with a progress bar that goes away when they end."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=console.quiet) as progress:
        yield from progress.track(clips, description="clips")


def written(value: Value, digits: int) -> str:
    """A number with its decimals, or a dash.

    Example:
        >>> written(Value(values={"value": 0.12345}), 2), written(Value(absent="no weights"), 2)
        ('0.12', '–')
        >>> written(Value(values={"value": -0.001}), 2), written(Value(values={"value": -0.1}), 2)
        ('0.00', '−0.10')
    """
    if value.number is None:
        return "–"
    return f"{round(value.number, digits) + 0.0:.{digits}f}".replace("-", "−")  # a zero has no sign


def show(scores: Scores, protocol: Protocol, console: Console) -> None:
    """Print the numbers, what is absent and why, and what was wrong with which clips."""
    console.print(
        f"[bold]{scores.protocol}[/] {scores.protocol_hash[:12]}   {scores.found} of {scores.expected} clips found, {scores.scored} scored"
        + (f", motion {FROM[scores.motion]}" if scores.motion else ""),
        highlight=False,
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, side in (("metric", "left"), ("", "left"), ("value", "right"), ("± 95 %", "right"), ("unit", "left"), ("clips", "right")):
        table.add_column(name, justify=side)
    for entry in protocol.metrics:
        value = scores.metrics[entry.name]
        error = "" if value.error is None else f"{value.error:.{entry.digits}f}"
        table.add_row(entry.label, ARROWS[value.better], written(value, entry.digits), error, value.unit, str(value.clips))
    console.print(table)
    for entry in protocol.metrics:
        if (reason := scores.metrics[entry.name].absent) is not None:
            console.print(f"{entry.label} is absent: {reason}", highlight=False)
    _show_issues(scores, console)
    if scores.speed:
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
