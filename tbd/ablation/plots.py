"""Plots of every metric along a sweep."""

from collections.abc import Sequence
from pathlib import Path

from tbd.ablation.study import Study, Sweep, Variant
from tbd.ablation.tables import Column
from tbd.files import atomic_output

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's, which colour-blind readers tell apart."""
_MARKERS = "osD^vP"


def plot_sweep(study: Study, sweep: Sweep, rows: Sequence[Variant], columns: Sequence[Column], path: Path) -> None:
    """One small plot a metric: mean over seeds with its standard deviation, the baseline and the true motion as lines.

    Args:
        study: of the sweep.
        sweep: along which.
        rows: all variants.
        columns: the metrics.
        path: a file; its suffix is the format.
    """
    from matplotlib.figure import Figure

    across = min(4, len(columns))
    down = -(-len(columns) // across)
    figure = Figure(figsize=(3.2 * across, 2.5 * down + 0.5), layout="constrained")
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for axis, column in zip(axes, columns):
        base = column.cells[study.base_row].mean
        if base is not None:
            axis.axhline(base, color="0.45", linewidth=1, linestyle="--", label=study.base_row)
        if column.aim is not None and _near(column, column.aim):
            axis.axhline(column.aim, color="0.1", linewidth=1, linestyle=":", label="true motion")
        for number, line in enumerate(sweep.lines or {"": {}}):
            own = [row for row in rows if row.point and (row.point.sweep, row.point.line) == (sweep.name, line)]
            points = [(row.point.value, column.cells[row.name]) for row in own]
            points = [(x, cell) for x, cell in points if cell.mean is not None]
            style = {"color": _COLOURS[number % len(_COLOURS)], "marker": _MARKERS[number % len(_MARKERS)]}
            axis.errorbar(
                [x for x, _ in points], [cell.mean for _, cell in points], [cell.deviation or 0.0 for _, cell in points],
                **style, markersize=4, linewidth=1.3, capsize=2, label=line or sweep.name,
            )  # fmt: skip
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


def _near(column: Column, aim: float) -> bool:
    """Whether the true motion's number can be drawn without squeezing the rest into a line."""
    means = [cell.mean for cell in column.cells.values() if cell.mean is not None]
    span = max(means) - min(means) if means else 0.0
    return bool(means) and min(means) - span - 1e-9 <= aim <= max(means) + span + 1e-9
