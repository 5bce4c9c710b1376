"""A measured plan as a timeline: a row per action unit, the plan over what was tracked. SVG, from strings alone."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from tbd.data.measured_plans import MeasuredPlan
from tbd.face.channels import BLENDSHAPES, HEAD
from tbd.face.motion import Motion
from tbd.media.rates import FPS
from tbd.think.action_units import ACTION_UNITS, REGIONS, Side
from tbd.think.facs import measure
from tbd.think.plan import MuscleAction, MusclePlan
from tbd.think.viz.chart import REGION_COLORS

WIDTH = 1080
"""Width of the plot in its own units; its height follows from the rows."""
_LEFT, _RIGHT, _TOP = 206, 14, 22
_ROW, _TALL = 26, 21
_SPEECH, _AXIS = 16, 18
_POINTS = 400
"""Points of a curve at most."""
_APART = 0.35
"""Seconds below which two apexes are one moment."""


class Moment(NamedTuple):
    """A time at which units are at their strongest.

    Args:
        seconds: From the clip's start.
        actions: Those whose apex it is.
    """

    seconds: float
    actions: tuple[MuscleAction, ...]


class _Row(NamedTuple):
    unit: int
    side: Side


def track_of(values: np.ndarray, unit: int, side: Side) -> np.ndarray:
    """Measure what a motion shows of a unit.

    Args:
        values: (T, 58) relative to rest.
        unit: Its number; of the face or the head.
        side: Where it acts.

    Returns:
        (T,) level from 0 to 1.
    """
    channels = ACTION_UNITS[unit].channels
    if all(name in HEAD for name in channels):
        name, full = next(iter(channels.items()))
        return np.clip(values[:, len(BLENDSHAPES) + HEAD.index(name)] / full, 0, 1)
    return np.clip(measure(values, unit, side), 0, 1)


def moments_of(plan: MusclePlan, values: np.ndarray, most: int = 9) -> list[Moment]:
    """Choose the moments to look at: apexes of the strongest actions, each where its unit shows most.

    Args:
        plan: The plan.
        values: (T, 58) relative to rest.
        most: How many at most.

    Returns:
        In order of time.
    """
    times = np.arange(len(values)) / FPS
    moments: list[Moment] = []
    for action in sorted(plan.actions, key=lambda a: -a.intensity):
        shown = action.envelope(times) * (0.2 + track_of(values, action.unit, action.side))
        seconds = float(times[int(shown.argmax())])
        near = next((i for i, m in enumerate(moments) if abs(m.seconds - seconds) < _APART), None)
        if near is not None:
            moments[near] = moments[near]._replace(actions=(*moments[near].actions, action))
        elif len(moments) < most:
            moments.append(Moment(seconds, (action,)))
    return sorted(moments)


def timeline(measured: MeasuredPlan, motion: Motion, moments: Sequence[Moment]) -> str:
    """Draw a plan over time.

    Args:
        measured: The plan, what is not seen, and when the person speaks.
        motion: The motion that it was measured from.
        moments: Whose frames are shown below, numbered from 1.

    Returns:
        An ``<svg>`` element.
    """
    plan = measured.plan or MusclePlan()
    values, seconds = measured.relative(motion).values, max(motion.duration, 1 / FPS)
    rows = sorted({_Row(a.unit, a.side) for a in plan.actions}, key=lambda r: (REGIONS.index(ACTION_UNITS[r.unit].region), r.unit, r.side))
    bottom = _TOP + max(len(rows), 1) * _ROW
    height = bottom + _SPEECH + _AXIS

    def x(second: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * min(max(second / seconds, 0.0), 1.0)

    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="timeline of {escape(measured.clip)}">', _HATCH]
    parts += [f'<line class="grid" x1="{x(t):.1f}" x2="{x(t):.1f}" y1="{_TOP - 4}" y2="{bottom + _SPEECH}"/>' for t in _ticks(seconds)]
    for i, row in enumerate(rows):
        parts += _row(row, plan, values, _TOP + i * _ROW + _ROW - 3, seconds)
    if not rows:
        parts.append(f'<text x="{_LEFT + 8}" y="{_TOP + 17}">{escape(measured.reason or "no unit is at work")}</text>')
    parts += _hidden(measured, rows, x, bottom)
    parts += _moments(moments, x)
    parts += _speech(measured, x, bottom)
    parts += [f'<text x="{x(t):.1f}" y="{height - 4}" text-anchor="middle">{t:g}</text>' for t in _ticks(seconds)]
    parts.append(f'<text x="{_LEFT - 8}" y="{height - 4}" text-anchor="end">seconds</text>')
    return "".join([*parts, "</svg>"])


_HATCH = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="#c98a1b" fill-opacity=".13"/>'
    '<line x1="0" y1="0" x2="0" y2="6" stroke="#c98a1b" stroke-width="2" stroke-opacity=".55"/></pattern></defs>'
)


def _ticks(seconds: float) -> list[float]:
    step = next(step for step in (0.5, 1, 2, 5, 10, 30, 60, 300, 1200) if seconds / step <= 16 or step == 1200)
    return [k * step for k in range(int(seconds / step) + 1)]


def _row(row: _Row, plan: MusclePlan, values: np.ndarray, base: float, seconds: float) -> list[str]:
    unit = ACTION_UNITS[row.unit]
    color = REGION_COLORS[unit.region]
    at = np.unique(np.linspace(0, len(values) - 1, min(len(values), _POINTS)).astype(int))
    times = at / FPS
    level = np.max([a.envelope(times) for a in plan.actions if (a.unit, a.side) == (row.unit, row.side)], axis=0)
    seen = track_of(values, row.unit, row.side)[at]
    xs = _LEFT + (WIDTH - _LEFT - _RIGHT) * times / seconds
    side = "" if row.side == "both" else f" {row.side}"
    filled = _points([(xs[0], base), *zip(xs, base - _TALL * level), (xs[-1], base)])
    line = _points(zip(xs, base - _TALL * seen))
    return [
        f'<line class="base" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{base}" y2="{base}"/>',
        f'<text class="unit" x="{_LEFT - 8}" y="{base - 6}" text-anchor="end">AU{row.unit}{side} {escape(unit.name.lower())}</text>',
        f'<polygon points="{filled}" fill="{color}" fill-opacity=".38"/>',
        f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="1.1"/>',
    ]


def _points(pairs: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)


def _hidden(measured: MeasuredPlan, rows: Sequence[_Row], x: Callable[[float], float], bottom: float) -> list[str]:
    """What is not seen, hatched: over all rows, or over those of its region or side."""
    parts = []
    for u in measured.unseen:
        left, width = x(u.start), max(x(u.end) - x(u.start), 2)
        if u.reason == "the picture cuts":
            middle = x((u.start + u.end) / 2)
            parts.append(f'<line class="cut" x1="{middle:.1f}" x2="{middle:.1f}" y1="{_TOP - 4}" y2="{bottom}"/>')
            continue
        title = f"<title>{escape(u.part)}: {escape(u.reason)}</title>"
        eyes = [i for i, row in enumerate(rows) if u.part == "eyes" and ACTION_UNITS[row.unit].region == "eyes"]
        spans: list[tuple[float, float]] = [(_TOP + i * _ROW + 2, _ROW - 4) for i in eyes] or [(_TOP - 6, 4)]
        if u.part == "face":
            spans = [(_TOP, bottom - _TOP)]
        parts += [f'<rect x="{left:.1f}" y="{y}" width="{width:.1f}" height="{h}" fill="url(#hatch)">{title}</rect>' for y, h in spans]
    return parts


def _moments(moments: Sequence[Moment], x: Callable[[float], float]) -> list[str]:
    parts = []
    for number, moment in enumerate(moments, 1):
        at = x(moment.seconds)
        parts.append(f'<circle cx="{at:.1f}" cy="8" r="7.5" fill="#22242a"/><path d="M{at - 3:.1f} 17h6l-3 5z" fill="#22242a"/>')
        parts.append(f'<text class="number" x="{at:.1f}" y="11.5" text-anchor="middle">{number}</text>')
    return parts


def _speech(measured: MeasuredPlan, x: Callable[[float], float], bottom: float) -> list[str]:
    top = bottom + 6
    parts = [f'<text x="{_LEFT - 8}" y="{top + 7}" text-anchor="end">speech</text>']
    for start, end in measured.speech:
        parts.append(f'<rect class="speech" x="{x(start):.1f}" y="{top}" width="{max(x(end) - x(start), 1):.1f}" height="6" rx="2"/>')
    return parts
