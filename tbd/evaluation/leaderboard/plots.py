"""Plots of the page, as SVG that takes its colours from the page's style."""

from collections.abc import Sequence
from html import escape

Point = tuple[str, float, float | None, str, str]
"""Row, number, half width of its interval or None, kind (``bound``, ``submitted`` or empty), and the number as written."""

_WIDTH, _LEFT, _RIGHT, _STEP = 310, 142, 46, 18


def dot_plot(title: str, points: Sequence[Point], aim: float | None = None) -> str:
    """A dot for each row on one common scale, with its interval, and a line where the ground truth lies.

    Args:
        title: For readers who do not see it.
        points: The rows, from top to bottom.
        aim: The truth's own number, where it is what counts.

    Returns:
        An ``<svg>`` element.
    """
    if not points:
        return ""
    ends = [number + sign * (error or 0) for _, number, error, _, _ in points for sign in (-1, 1)]
    ends += [] if aim is None else [aim]
    low, high = min(ends), max(ends)
    low = min(low, 0.0) if low < 0.35 * high else low  # begin at zero where that is near
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return round(_LEFT + (value - low) / span * (_WIDTH - _LEFT - _RIGHT), 1)

    height = _STEP * len(points) + 6
    description = "; ".join(f"{name} {text}" for name, _, _, _, text in points)
    marks = [f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(f"{title}: {description}")}">']
    if aim is not None:
        marks.append(f'<line class="truth" x1="{x(aim)}" x2="{x(aim)}" y1="0" y2="{height - 4}"/>')
    for row, (name, number, error, kind, text) in enumerate(points):
        y = _STEP * row + 11
        marks.append(f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>')
        marks.append(f'<text x="0" y="{y + 4}">{escape(_short(name))}</text>')
        if error:
            marks.append(f'<line class="whisker" x1="{x(number - error)}" x2="{x(number + error)}" y1="{y}" y2="{y}"/>')
        marks.append(f'<circle class="dot {kind}" cx="{x(number)}" cy="{y}" r="4"/>')
        marks.append(f'<text x="{_WIDTH}" y="{y + 4}" text-anchor="end">{escape(text)}</text>')
    return "".join([*marks, "</svg>"])


def _short(name: str, most: int = 22) -> str:
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"
