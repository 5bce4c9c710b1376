"""Plots of every metric along a sweep."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from tbd.ablation.statistics import Cell
from tbd.ablation.study import Study, Sweep, Variant
from tbd.ablation.tables import Column
from tbd.utils.atomic import atomic_output

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's, which colour-blind readers tell apart."""
_MARKERS = "osD^vP"
_OF_SIZE = 0.1
"""The least that an axis spans, as a share of the greatest number on it: smaller differences are seldom worth a picture."""
_OF_SPREAD = 6.0
"""The same in standard deviations over seeds: a step of one standard deviation, which is noise, rises by a sixth of the height at most."""


def plot_sweep(study: Study, sweep: Sweep, rows: Sequence[Variant], columns: Sequence[Column], path: Path) -> None:
    """Draw a small plot for each metric along a sweep.

    It shows the mean over seeds with its standard deviation as bars and a band, and the baseline (with its own band) and the true
    motion as lines. See `span` for how far the axes reach.

    Args:
        study: The study of the sweep.
        sweep: The sweep.
        rows: All variants.
        columns: The metrics.
        path: The file to write; its suffix is the format.
    """
    from matplotlib.figure import Figure

    across = min(4, len(columns))
    down = -(-len(columns) // across)
    figure = Figure(figsize=(3.2 * across, 2.5 * down + 0.5), layout="constrained")
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for axis, column in zip(axes, columns):
        base, shown = column.cells[study.base_row], []
        if base.mean is not None:
            shown.append(base)
            axis.axhline(base.mean, color="0.45", linewidth=1, linestyle="--", label=study.base_row)
            axis.axhspan(base.mean - (base.deviation or 0.0), base.mean + (base.deviation or 0.0), color="0.45", alpha=0.15, linewidth=0)
        for number, line in enumerate(sweep.lines or {"": {}}):
            own = [(row.point, column.cells[row.name]) for row in rows if row.point is not None]
            own = [(point, cell) for point, cell in own if (point.sweep, point.line) == (sweep.name, line)]
            points = [(point.value, cell) for point, cell in own if cell.mean is not None]
            shown += [cell for _, cell in points]
            _draw_line(axis, points, line or sweep.name, number)
        if column.aim is not None and _near(column, column.aim):
            axis.axhline(column.aim, color="0.1", linewidth=1, linestyle=":", label="true motion")
            shown.append(Cell({0: column.aim}))
        if shown:
            axis.set_ylim(*span(shown))
        axis.set_title(column.title, fontsize=10)
        axis.set_xlabel(sweep.label or sweep.key.rpartition(".")[2].replace("_", " "), fontsize=9)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[len(columns) :]:
        axis.set_visible(False)
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels())}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=min(6, len(handles)), fontsize=9, frameon=False)
    with atomic_output(path) as temporary:
        figure.savefig(temporary, dpi=130)


def _draw_line(axis: Any, points: Sequence[tuple[float, Cell]], label: str, number: int) -> None:
    """One line of a sweep; its seeds' spread where there is more than one."""
    places, means = [x for x, _ in points], [_mean(cell) for _, cell in points]
    spreads = [cell.deviation or 0.0 for _, cell in points]
    style: dict[str, str] = {"color": _COLOURS[number % len(_COLOURS)], "marker": _MARKERS[number % len(_MARKERS)], "label": label}
    if not any(spreads):
        axis.plot(places, means, **style, markersize=4, linewidth=1.3)
        return
    axis.errorbar(places, means, spreads, **style, markersize=4, linewidth=1.3, capsize=2)
    low, high = ([m + sign * s for m, s in zip(means, spreads)] for sign in (-1, 1))
    axis.fill_between(places, low, high, color=style["color"], alpha=0.12, linewidth=0)


def span(cells: Sequence[Cell]) -> tuple[float, float]:
    """Choose how far an axis reaches so that noise does not look like a slope.

    It covers all means and their standard deviations, and no less than a tenth of the greatest number or six times the seeds' usual
    standard deviation.

    Args:
        cells: What is drawn, all with a mean; at least one.

    Returns:
        Lower and upper end. An axis of numbers that are never below 0 does not begin below 0.

    Example:
        >>> low, high = span([Cell({1: 0.818}), Cell({1: 0.824})])  # would fill an axis of its own
        >>> round(low, 2), round(high, 2)
        (0.78, 0.86)
    """
    ends = [_mean(cell) + sign * (cell.deviation or 0.0) for cell in cells for sign in (-1, 1)]
    spreads = [cell.deviation for cell in cells if cell.deviation is not None]
    usual = mean(s * s for s in spreads) ** 0.5 if spreads else 0.0
    room = max(1.1 * (max(ends) - min(ends)), _OF_SIZE * max(map(abs, ends)), _OF_SPREAD * usual) or 1.0
    low = (max(ends) + min(ends) - room) / 2
    if low < 0 <= min(_mean(cell) for cell in cells):
        low = min(min(ends), 0.0)
    return low, low + room


def _mean(cell: Cell) -> float:
    assert cell.mean is not None  # cells without a number are not drawn
    return cell.mean


def _near(column: Column, aim: float) -> bool:
    """Whether the true motion's number can be drawn without squeezing the rest into a line."""
    means = [cell.mean for cell in column.cells.values() if cell.mean is not None]
    span = max(means) - min(means) if means else 0.0
    return bool(means) and min(means) - span - 1e-9 <= aim <= max(means) + span + 1e-9
