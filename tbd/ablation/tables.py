"""Tables of a study, in Markdown, LaTeX and CSV."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tbd.ablation.runs import TRUTH, Result
from tbd.ablation.statistics import SIGNIFICANCE_LEVEL, Cell, best, collect, compare
from tbd.ablation.study import Study, Variant
from tbd.evaluation.protocol import MetricEntry, Protocol

_ARROWS = {"higher": "↑", "lower": "↓", "reference": "→"}
_TEX = {"↑": r"$\uparrow$", "↓": r"$\downarrow$", "→": r"$\rightarrow$"}
MARK = "*"
"""Follows a number that differs significantly from the baseline's."""
Kind = Literal["higher", "lower", "reference"]


@dataclass
class Column:
    """One metric over all variants.

    Args:
        entry: The metric in the protocol.
        better: Which way is good.
        cells: Variant → its number, in the table's order.
        aim: The number of the true motion, if it is known.
    """

    entry: MetricEntry
    better: Kind
    cells: dict[str, Cell]
    aim: float | None

    @property
    def title(self) -> str:
        """The metric's label with an arrow that says which way is good."""
        return f"{self.entry.label} {_ARROWS[self.better]}"

    def best(self, among: Sequence[str] | None = None) -> set[str]:
        """Return the names of the best variants, of all or of those named; see `tbd.ablation.statistics.best`."""
        chosen = {name: cell for name, cell in self.cells.items() if among is None or name in among}
        return best(chosen, self.better, self.aim, self.entry.digits)


def columns_of(study: Study, protocol: Protocol, rows: Sequence[Variant], results: Sequence[Result]) -> list[Column]:
    """Collect the numbers of a study's metrics, and compare the variants with the baseline.

    Args:
        study: The study.
        protocol: The study's protocol.
        rows: All variants.
        results: The runs that are done.

    Returns:
        A column for each metric of the study, in its order.
    """
    truth = next((r for r in results if r.variant == TRUTH), None)
    made = []
    for name in study.metrics or [entry.name for entry in protocol.metrics]:
        entry = protocol.entry(name)
        assert entry is not None  # checked before anything is trained
        cells = {row.name: collect([r for r in results if r.variant == row.name], name) for row in rows}
        compare(cells, study.base_row)
        known = next((r.values[name] for r in results if name in r.values), None)
        aim = truth.values[name].number if truth is not None and name in truth.values else None
        made.append(Column(entry, entry.better or (known.better if known is not None else "reference"), cells, aim))
    return made


def format_cell(cell: Cell, digits: int) -> str:
    """Format a number as mean ± standard deviation, with `MARK` if it differs significantly from the baseline's.

    Args:
        cell: The number.
        digits: Number of decimals.

    Returns:
        The text; a dash if there is no number.

    Example:
        >>> format_cell(Cell({1: 0.5, 2: 0.7}), 2), format_cell(Cell(), 2)
        ('0.60 ± 0.14', '–')
    """
    if cell.mean is None:
        return "–"
    spread = "" if cell.deviation is None else f" ± {cell.deviation:.{digits}f}"
    return f"{cell.mean:.{digits}f}{spread}{MARK if cell.significant else ''}"


def markdown(columns: Sequence[Column], names: Sequence[str]) -> str:
    """Write some rows as a Markdown table, the best numbers in bold, the true motion below.

    Args:
        columns: The metrics.
        names: Names of the rows.

    Returns:
        The table, without a line break at its end.
    """
    lines = [["", *(c.title for c in columns)], ["---", *["---:"] * len(columns)]]
    winners = [column.best(names) for column in columns]
    for name in names:
        cells = [format_cell(column.cells[name], column.entry.digits) for column in columns]
        lines.append([name, *(f"**{text}**" if name in won else text for text, won in zip(cells, winners))])
    lines.append([f"*{TRUTH}*", *("–" if c.aim is None else f"*{c.aim:.{c.entry.digits}f}*" for c in columns)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def latex(columns: Sequence[Column], names: Sequence[str], caption: str) -> str:
    """Write some rows as a LaTeX table that fits a page of text; needs the package booktabs.

    Args:
        columns: The metrics. As many as fit stand side by side, the others in further blocks below.
        names: Names of the rows.
        caption: What the table says.

    Returns:
        A ``table`` environment.
    """
    heads = ["", *(_escape(column.title) for column in columns)]
    rows = [[_escape(name), *_tex_row(columns, names, name)] for name in names]
    truth = [rf"\emph{{{TRUTH}}}", *("--" if c.aim is None else f"{c.aim:.{c.entry.digits}f}" for c in columns)]
    widths = [max(map(_tex_width, column)) for column in zip(heads, *rows, truth)]
    blocks = [_tabular(chosen, heads, rows, truth) for chosen in _fitting(widths)]
    start = [r"\begin{table}", r"\centering", r"\small", r"\setlength{\tabcolsep}{4pt}", rf"\caption{{{_escape(caption)}}}"]
    return "\n".join([*start, "\n\n\\medskip\n".join(blocks), r"\end{table}"]) + "\n"


_TEXT_WIDTH = 328.0
"""Points: a little less than the text of LaTeX's ``article`` is wide at 10 pt."""
_CHARACTER, _SCRIPT = 4.3, 3.5
"""Points that a character takes in ``\\small`` and in its subscripts, on average (Computer Modern: digits 4.6, bold 5.3, text 4.1)."""


def _tex_width(cell: str) -> float:
    """About how many points a cell takes, with the space beside it."""
    number, _, spread = cell.partition("_{")
    shown = re.sub(r"\\(?:mathbf|emph)|\\[a-z]*arrow|[\\${}^]", "", number)
    return len(shown.strip()) * _CHARACTER + len(spread.partition("}")[0].replace(r"\pm ", "±")) * _SCRIPT + 8


def _fitting(widths: Sequence[float]) -> list[list[int]]:
    """Numbers of the columns of each block; the first column, the names, begins every block."""
    blocks: list[list[int]] = []
    left = 0.0
    for i, width in enumerate(widths[1:], 1):
        if not blocks or width > left:
            blocks.append([0])
            left = _TEXT_WIDTH - widths[0]
        blocks[-1].append(i)
        left -= width
    return blocks


def _tabular(chosen: Sequence[int], heads: list[str], rows: list[list[str]], truth: list[str]) -> str:
    def line(cells: list[str]) -> str:
        return " & ".join(cells[i] for i in chosen) + r" \\"

    body = [line(heads), r"\midrule", *map(line, rows), r"\midrule", line(truth)]
    return "\n".join([rf"\begin{{tabular}}{{l{'r' * (len(chosen) - 1)}}}", r"\toprule", *body, r"\bottomrule", r"\end{tabular}"])


def _tex_row(columns: Sequence[Column], names: Sequence[str], name: str) -> list[str]:
    return [_tex_cell(column.cells[name], column.entry.digits, name in column.best(names)) for column in columns]


def _tex_cell(cell: Cell, digits: int, won: bool) -> str:
    if cell.mean is None:
        return "--"
    number = f"{cell.mean:.{digits}f}"
    number = rf"\mathbf{{{number}}}" if won else number
    spread = "" if cell.deviation is None else rf"_{{\pm {cell.deviation:.{digits}f}}}"
    return f"${number}{spread}{'^{*}' if cell.significant else ''}$"


def _escape(text: str) -> str:
    for sign in "&%$#_{}":
        text = text.replace(sign, "\\" + sign)
    for arrow, tex in _TEX.items():
        text = text.replace(arrow, tex)
    return text


def as_csv(columns: Sequence[Column], rows: Sequence[Variant]) -> str:
    """Write one line for each variant and metric, with everything that the other tables leave out.

    Args:
        columns: The metrics.
        rows: All variants.

    Returns:
        The text of a CSV file.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ("variant", "sweep", "line", "value", "metric", "better", "mean", "sd", "seeds", "true_motion", "difference", "p_clips", "p_seeds",
         "best", "absent")
    )  # fmt: skip
    for row in rows:
        for column in columns:
            cell, point = column.cells[row.name], row.point
            place = (point.sweep, point.line, point.value) if point else ("", "", "")
            numbers = (cell.mean, cell.deviation, len(cell.seeds), column.aim, cell.difference, cell.p_clips, cell.p_seeds)
            shown = ["" if n is None else f"{n:.6g}" for n in numbers]
            writer.writerow((row.name, *place, column.entry.name, column.better, *shown, int(row.name in column.best()), cell.absent or ""))
    return out.getvalue()


def seed_count(seeds: int) -> str:
    """Return ``1 seed``, ``3 seeds`` and so on."""
    return f"{seeds} seed{'s' if seeds != 1 else ''}"


def how_to_read(study: Study, results: Sequence[Result]) -> str:
    """Explain the numbers and marks of a table.

    Args:
        study: The study.
        results: The runs that are done.

    Returns:
        A paragraph.
    """
    seeds, clips = len(study.seeds), next((r.clips for r in results if r.variant != TRUTH), 0)
    return (
        f"Mean ± standard deviation over {seed_count(seeds)} of training and drawing; {clips} clips; bold is the best and what "
        "lies within a standard error of it, and nothing where there is one seed; → is best near the true motion's own number. "
        f"{MARK} differs from *{study.base_row}*: every seed lies on the same side, and p < {SIGNIFICANCE_LEVEL:g} in a two-sided "
        "Wilcoxon signed-rank test over clips, each clip's number averaged over seeds, with Holm's correction over all variants. That test "
        "says that the difference holds for other clips of this corpus with these trained models; that it holds for other trainings rests "
        "on the seeds' agreement alone. Metrics over the whole set (FMD, Emotions apart, Emotion) have no clips to test, and a paired "
        "t-test over seeds, uncorrected, which with three seeds sees only differences of 4.3 standard errors and more. Bars and bands of "
        "the plots are the standard deviation over seeds; no axis is narrower than six of those, or than a tenth of its numbers."
    )
