"""Columns of a table of measured rows, and the best number of each: shared by the page and the markdown."""

from dataclasses import dataclass

from tbd.evaluation.console import ARROWS, format_value
from tbd.evaluation.leaderboard.entry import Entry
from tbd.evaluation.leaderboard.store import Table
from tbd.evaluation.scores import Value

STILL = "tbd.evaluation.predictors.StillPortrait"
COSTS = ("speed", "memory")
"""Columns that are the predicting machine's word."""


def is_bound(entry: Entry, table: Table) -> bool:
    """Check whether a row is no model but a bound: the ground truth, or a portrait that does not move.

    The board knows the truth's row by having coded its clips. That a portrait stands still is the row's own word, which takes it out
    of the competition.
    """
    return entry.slug in table.truths or _is_still(entry)


def _is_still(entry: Entry) -> bool:
    return entry.measured_scores.predictor.get("class_path") == STILL


def truth_of(table: Table) -> Entry | None:
    """Find the row of the ground truth, which the board has coded and measured itself; None if there is none."""
    return next((entry for entry in ordered(table) if entry.slug in table.truths), None)


def ordered(table: Table) -> list[Entry]:
    """Sort a table's measured rows: ground truth first, the still portrait last, others between by the first metric that they have."""

    def key(entry: Entry) -> tuple[int, float, str]:
        rank = 0 if entry.slug in table.truths else 2 if _is_still(entry) else 1
        first = next(iter(entry.measured_scores.metrics.values()), Value())
        number = first.number if first.number is not None else float("nan")
        value = -number if first.better == "higher" else number
        return rank, value if value == value else float("inf"), entry.name

    return sorted(table.measured, key=key)


@dataclass(frozen=True)
class Column:
    """A column of numbers.

    Args:
        name: Name of the metric, or ``speed`` or ``memory``.
        label: Heading.
        unit: Unit of the numbers, "" where they have none.
        better: Which way is good, as in `tbd.evaluation.scores.Value`.
        digits: Number of decimals.
        about: A sentence for the reader.
    """

    name: str
    label: str
    unit: str
    better: str
    digits: int
    about: str

    @property
    def arrow(self) -> str:
        """Arrow that shows which way is good."""
        return ARROWS[self.better]

    def value(self, entry: Entry) -> Value | None:
        """Look up a row's result; None where the row does not have this metric."""
        scores = entry.measured_scores
        if self.name == "speed":
            number = scores.speed.get("seconds_per_second")
        elif self.name == "memory":
            number = scores.memory.get("peak_mb")
        else:
            return scores.metrics.get(self.name)
        return None if number is None else Value(values={"value": number}, better="lower")

    def text(self, entry: Entry) -> str:
        """Write a row's number, or a dash."""
        value = self.value(entry)
        return "–" if value is None else format_value(value, self.digits)

    def fewer_clips(self, entry: Entry, table: Table) -> int | None:
        """Say over how many clips a row's number is, where others that the board recomputed are over more; None where it is over all."""
        value = self.value(entry)
        if self.name in COSTS or value is None or value.number is None or value.clips >= table.clips(self.name):
            return None
        return value.clips

    def number(self, entry: Entry) -> float | None:
        """Look up a row's number; None where it has none."""
        value = self.value(entry)
        return None if value is None else value.number


def columns_of(table: Table) -> list[Column]:
    """List the columns of a table: its protocol's metrics in order, then speed and memory; a metric that no row has is left out."""
    names = list(table.measured[0].measured_scores.metrics)
    columns = []
    # of a protocol that does not ship, rows that were recomputed say what a metric is
    rows = sorted(table.measured, key=lambda entry: entry.slug not in table.verified)
    for name in names:
        entry = table.recipe.entry(name) if table.recipe is not None else None
        shown = [e.measured_scores.metrics[name] for e in rows if name in e.measured_scores.metrics]
        value = next((v for v in shown if v.number is not None), None)
        if value is None:
            continue
        label, digits, about = (entry.label, entry.digits, entry.about) if entry is not None else (name, 3, "")
        columns.append(Column(name, label, value.unit, value.better, digits, about))
    if any(entry.measured_scores.speed for entry in table.measured):
        speed = "Seconds of work for a second of video, rendering and coding included, on the machine named below, as its rows say."
        columns.append(Column("speed", "Time", "s/s", "lower", 2, speed))
        columns.append(Column("memory", "Memory", "MB", "lower", 0, "Most memory that the predicting process held, as its rows say."))
    return columns


def absent_of(table: Table) -> dict[str, str]:
    """Map each metric that no row has to the reason."""
    reasons = {}
    for name, value in table.measured[0].measured_scores.metrics.items():
        values = [entry.measured_scores.metrics[name] for entry in table.measured if name in entry.measured_scores.metrics]
        if all(v.number is None for v in values):
            reasons[name] = value.absent or ""
    return reasons


def best_of(column: Column, table: Table) -> set[str]:
    """Find the rows with the best number, of those that are verified and over all clips that the metric can measure.

    Bounds do not compete, a lone row is not the best of anything, and time and memory, which the board cannot recompute, have no best.

    Args:
        column: The column.
        table: The table.

    Returns:
        Names of the best rows; several where their numbers read the same.
    """
    if column.name in COSTS:
        return set()
    truth = truth_of(table)
    aim = column.number(truth) if truth is not None else None
    scored = []
    for entry in table.measured:
        number = column.number(entry)
        if number is None or is_bound(entry, table) or not table.competes(entry, column.name):
            continue
        if column.better == "reference":
            if aim is None:
                return set()
            number = abs(number - aim)
        scored.append((-number if column.better == "higher" else number, column.text(entry), entry.name))
    if len(scored) < 2:
        return set()
    least = min(scored)
    # rows whose numbers read the same are equally good
    return {name for _, text, name in scored if text == least[1]}
