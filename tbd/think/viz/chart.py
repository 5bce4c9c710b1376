"""A plan as a picture: the muscles at work on a face, what they are, and when. SVG, from strings alone."""

import math
import re
import textwrap
from collections.abc import Iterable, Iterator
from html import escape
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tbd.think.action_units import ACTION_UNITS, REGIONS, Region, Side
from tbd.think.emotions import EMOTION_SPECS
from tbd.think.plan import MuscleAction, MusclePlan
from tbd.think.viz.muscle_fibres import FIBRES, OUTLINE, PUPIL, RINGS, Strip

WIDTH = 1000
"""Width of the picture in pixels; its height follows from what there is to show."""
INK, QUIET, RULE, PAPER, PANEL = "#2b2724", "#6f675f", "#ddd6cc", "#fbf9f5", "#f3efe8"
REGION_COLORS: dict[Region, str] = {"upper": "#3567a8", "eyes": "#11786d", "middle": "#96600f", "lower": "#bf4a34", "head": "#75559f"}
_FACE = (290, 262)  # where the face's origin lies on the face's panel
_LIST = 560  # left edge of the list of units
_ELBOW = _LIST - 6  # where a leader leaves its row for the muscle
_ROW, _HEADING = 37, 25
_SIDES: dict[Side, tuple[Side, ...]] = {"both": ("left", "right"), "left": ("left",), "right": ("right",)}
_STYLES = {
    "skin": 'fill="#fffdfa" stroke="none"',
    "ear": f'fill="#fffdfa" stroke="{INK}" stroke-width="1.4"',
    "hair": 'fill="#e9e2d8" stroke="none"',
    "eye": 'fill="#ffffff" stroke="none"',
    "line": f'fill="none" stroke="{INK}" stroke-width="1.5"',
    "faint": f'fill="none" stroke="{INK}" stroke-width="1" stroke-opacity="0.38"',
    "soft": f'fill="none" stroke="{INK}" stroke-width="1" stroke-opacity="0.55"',
    "brow": f'fill="{INK}" fill-opacity="0.62" stroke="none"',
    "lip": 'fill="#ecd9d0" fill-opacity="0.7" stroke="none"',
}
"""Lines and areas of the face. A half leaves its midline open, so that two of them join without a seam."""


_IRIS = (
    f'<circle cx="{PUPIL[0]}" cy="{PUPIL[1]}" r="11" fill="#d3cabd" stroke="{INK}" stroke-width="1.1"/>'
    f'<circle cx="{PUPIL[0]}" cy="{PUPIL[1]}" r="4.6" fill="{INK}"/>'
)
_MIRROR = ' transform="scale(-1 1)"'


class Row(NamedTuple):
    """A unit in the list: the side it acts on and its peak intensity."""

    unit: int
    side: Side
    level: float


def chart(plan: MusclePlan) -> str:
    """Draw a plan.

    Every active unit has its muscles on the face, mirrored by side (the subject's left is on the viewer's right), in its
    region's colour, the wider and denser the stronger; muscles that relax are dashed. A list names them, with the peak of
    each. Where the plan has times, a timeline shows the feelings and each unit's envelope.

    Returns:
        An SVG document. Each muscle is a ``<g class="muscle" data-unit="12" data-side="left">``.

    Args:
        plan: The plan to draw.

    Example:
        >>> svg = chart(MusclePlan.model_validate({"actions": [{"unit": 12, "side": "left", "intensity": 0.5}]}))
        >>> svg[:4], svg.count('class="muscle"')
        ('<svg', 1)
    """
    rows = _rows(plan)
    top = 128 if len(_wrapped(plan.text)) > 1 else 102
    listed = sum(_ROW for _ in rows) + _HEADING * len({_region(row) for row in rows})
    face_height = max(630, listed + 40)
    timed = bool(plan.segments) or any(a.onset is not None or a.offset is not None for a in plan.actions)
    timeline, timeline_height = _timeline(plan, rows, top + face_height + 24) if timed and (rows or plan.segments) else ("", 0)
    height = top + face_height + timeline_height + 40
    parts = [_header(plan), _face(rows, top, face_height), _list(rows, top, face_height, listed), timeline]
    style = "font-family=\"'Source Sans 3', 'Helvetica Neue', Helvetica, Arial, sans-serif\""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'aria-labelledby="title desc" {style} fill="{INK}" stroke-linecap="round" stroke-linejoin="round">\n'
        f'<title id="title">{_text(plan.text or "A muscle plan")}</title>\n<desc id="desc">{_text(_summary(rows))}</desc>\n'
        f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>\n' + "\n".join(part for part in parts if part) + "\n</svg>\n"
    )


def _rows(plan: MusclePlan) -> list[Row]:
    """The active units by region and height; sides that act alike share a row."""
    peaks: dict[int, dict[Side, float]] = {}
    for action in plan.actions:
        for side in _SIDES[action.side]:
            own = peaks.setdefault(action.unit, {})
            own[side] = max(action.intensity, own.get(side, 0.0))
    rows = []
    for unit, own in peaks.items():
        together = len(own) == 2 and own["left"] == own["right"]
        rows += [Row(unit, "both", own["left"])] if together else [Row(unit, side, level) for side, level in own.items()]
    return sorted((r for r in rows if r.level > 0), key=lambda r: (REGIONS.index(_region(r)), _anchor(r)[1], r.unit, r.side))


def _region(row: Row) -> Region:
    return ACTION_UNITS[row.unit].region


def _summary(rows: Iterable[Row]) -> str:
    said = [f"AU{unit} {ACTION_UNITS[unit].name}{'' if side == 'both' else f', {side} side'}, {level:.2f}" for unit, side, level in rows]
    return f"Muscles at work: {'; '.join(said)}." if said else "No muscle is at work: the face is at rest."


# -- text ----------------------------------------------------------------------------------------------------------------


def _text(words: str) -> str:
    """Escaped, on one line, without the control characters that XML refuses."""
    return escape(" ".join(re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", words).split()))


def _label(x: float, y: float, words: str, size: float = 13, color: str = INK, more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{color}"{" " + more if more else ""}>{_text(words)}</text>'


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), 76, max_lines=2, placeholder=" …") or ["A muscle plan"]


def _header(plan: MusclePlan) -> str:
    serif = "font-family=\"Georgia, 'Source Serif 4', 'Times New Roman', serif\""
    lines = _wrapped(plan.text)
    parts = [_label(48, 54 + 28 * i, line, 24, more=serif) for i, line in enumerate(lines)]
    x, y = 48.0, 54 + 28 * len(lines)
    for emotion, weight in sorted(plan.emotions.items(), key=lambda item: -item[1]):
        words = emotion if weight > 0.995 else f"{emotion} {weight:.0%}"
        parts.append(f'<circle cx="{x + 5:g}" cy="{y - 4.5:g}" r="5" fill="{EMOTION_SPECS[emotion].color}"/>')
        parts.append(_label(x + 16, y, words, 14, QUIET))
        x += 16 + 7.6 * len(words) + 18
    parts.append(_label(x, y, f"intensity {plan.intensity:.2f}", 14, QUIET))
    return "\n".join(parts)


# -- face ----------------------------------------------------------------------------------------------------------------


def _face(rows: list[Row], top: int, height: int) -> str:
    x, y = _FACE[0], top + _FACE[1] + (height - 630) / 2
    lines = "".join(f'<path d="{path}" {_STYLES[style]}/>{_IRIS if style == "eye" else ""}' for style, path in OUTLINE)
    halves = "".join(f"<g{mirror}>{lines}</g>" for mirror in ("", _MIRROR))
    muscles = "\n".join(_muscle(row, side) for row in rows for side in _halves(row))
    names = _label(-232, 368, "subject’s right", 12, QUIET) + _label(232, 368, "subject’s left", 12, QUIET, 'text-anchor="end"')
    return f'<g transform="translate({x:g} {y:g})">\n{halves}\n{muscles}\n{names}\n</g>'


def _halves(row: Row) -> tuple[Side, ...]:
    """The halves of the face on which muscles move the unit: a head that tilts is pulled from one side."""
    return tuple(side for side in _SIDES[row.side] if any(_strips(row.unit, side)))


def _strips(unit: int, side: Side) -> Iterator[tuple[str, bool, tuple[Strip, ...]]]:
    """(muscle, whether it relaxes, strips) of the muscles that a unit moves on one side."""
    for name in ACTION_UNITS[unit].muscles:
        muscle = name.removeprefix("relaxed ")
        of_side, _, rest = muscle.partition(" ")
        if of_side in ("left", "right"):
            if of_side != side:
                continue
            muscle = rest
        yield name, name.startswith("relaxed "), RINGS.get(unit, FIBRES[muscle]) if muscle == "orbicularis oris" else FIBRES[muscle]


def _muscle(row: Row, side: Side) -> str:
    known, color = ACTION_UNITS[row.unit], REGION_COLORS[_region(row)]
    mirror = _MIRROR if side == "right" else ""
    drawn = []
    for _, relaxes, strips in _strips(row.unit, side):
        dashes = ' stroke-dasharray="3 4"' if relaxes else ""
        for strip in strips:
            drawn.append(f'<path d="{_ribbon(strip)}" fill="{color}" fill-opacity="{0.1 if relaxes else 0.2}" stroke="none"/>')
            drawn.append(f'<path d="{_fibres(strip)}" fill="none"{dashes}/>')
    title = f"<title>{_text(f'AU{row.unit} {known.name}, {side}, {row.level:.2f}: ' + ', '.join(known.muscles))}</title>"
    return (
        f'<g class="muscle" data-unit="{row.unit}" data-side="{side}" stroke="{color}" stroke-width="{0.8 + 1.6 * row.level:.2f}" '
        f'opacity="{0.3 + 0.65 * row.level:.2f}"{mirror}>{title}{"".join(drawn)}</g>'
    )


def _between(strip: Strip, share: float) -> list[float]:
    """The fibre that lies at `share` 0..1 of the way between the strip's edges."""
    return [a + share * (b - a) for a, b in zip(strip.edge, strip.opposite)]


def _curve(points: Iterable[float]) -> str:
    x0, y0, *rest = (f"{value:.1f}".removesuffix(".0") for value in points)
    return f"M{x0} {y0}C{' '.join(rest)}"


def _fibres(strip: Strip) -> str:
    return "".join(_curve(_between(strip, i / (strip.fibres - 1))) for i in range(strip.fibres))


def _ribbon(strip: Strip) -> str:
    back = tuple(value for i in (6, 4, 2, 0) for value in strip.opposite[i : i + 2])
    return f"{_curve(strip.edge)}L{_curve(back)[1:]}Z"


def _anchor(row: Row) -> tuple[float, float]:
    """The middle of the unit's first strip, on the viewer's right where it is there, or else on the left."""
    side = _halves(row)[0]
    strips = next(iter(_strips(row.unit, side)))[2]
    x0, y0, x1, y1, x2, y2, x3, y3 = _between(strips[0], 0.5)
    x, y = (x0 + 3 * x1 + 3 * x2 + x3) / 8, (y0 + 3 * y1 + 3 * y2 + y3) / 8
    return (-x if side == "right" else x), y


# -- list ----------------------------------------------------------------------------------------------------------------


def _list(rows: list[Row], top: int, height: int, listed: int) -> str:
    if not rows:
        y = top + height / 2 - 20
        return _label(_LIST + 24, y, "No muscle is at work.", 17) + _label(_LIST + 24, y + 24, "The face is at rest.", 14, QUIET)
    face_y = top + _FACE[1] + (height - 630) / 2
    middle = face_y + sum(_anchor(row)[1] for row in rows) / len(rows)  # beside the muscles, so that leaders stay short
    heights, headings, y = [], [], min(max(top + 12, middle - listed / 2), top + height - listed - 12)
    for before, row in zip([None, *rows], rows):
        if before is None or _region(before) != _region(row):
            more = 'letter-spacing="1.6" font-weight="bold"'
            headings.append(_label(_LIST + 24, y + 15, _region(row).upper(), 10.5, REGION_COLORS[_region(row)], more))
            y += _HEADING
        heights.append(y)
        y += _ROW
    drawn = [_entry(row, y) + _leader(row, y + 10, face_y) for row, y in zip(_uncrossed(rows, heights, face_y), heights)]
    return "\n".join(headings + drawn)


def _uncrossed(rows: list[Row], heights: list[float], face_y: float) -> list[Row]:
    """The rows with neighbours of one region swapped where their leaders would cross."""
    rows = list(rows)

    def at(row: Row, y: float, x: float) -> float:
        x0, y0 = _anchor(row)
        return y0 + face_y + (y + 10 - y0 - face_y) * (x - x0) / (_ELBOW - _FACE[0] - x0)

    for _ in rows:
        for i, (upper, lower) in enumerate(pairwise(rows)):
            x = max(_anchor(upper)[0], _anchor(lower)[0])
            if _region(upper) == _region(lower) and at(upper, heights[i], x) > at(lower, heights[i + 1], x):
                rows[i : i + 2] = lower, upper
    return rows


def _entry(row: Row, y: float) -> str:
    known, color = ACTION_UNITS[row.unit], REGION_COLORS[_region(row)]
    x = _LIST + 24
    name = f"{known.name}{'' if row.side == 'both' else f', {row.side}'}"
    muscles = textwrap.shorten(", ".join(known.muscles), 64, placeholder=" …")
    return (
        _label(x, y + 14, f"AU{row.unit}", 13.5, color, 'font-weight="bold"')
        + _label(x + 46, y + 14, name, 13.5)
        + _label(x + 46, y + 28, muscles, 10.5, QUIET, 'font-style="italic"')
        + f'<rect x="{x + 250}" y="{y + 6:g}" width="90" height="7" rx="3.5" fill="{RULE}"/>'
        + f'<rect x="{x + 250}" y="{y + 6:g}" width="{max(4, 90 * min(1, row.level)):.1f}" height="7" rx="3.5" fill="{color}"/>'
        + _label(x + 382, y + 14, f"{row.level:.2f}", 12.5, INK, 'text-anchor="end"')
    )


def _leader(row: Row, y: float, face_y: float) -> str:
    """A thin line from the list to the muscle. A muscle on the viewer's left gets none: it would cross the face."""
    color = REGION_COLORS[_region(row)]
    x0, y0 = _FACE[0] + _anchor(row)[0], face_y + _anchor(row)[1]
    dot = f'<circle cx="{x0:.1f}" cy="{y0:.1f}" r="2.6" fill="{PAPER}" stroke="{color}" stroke-width="1.3"/>'
    if _halves(row) == ("right",):
        name = _label(_FACE[0] - 232, y0 + 4, f"AU{row.unit}", 12, color, 'font-weight="bold"')
        return dot + name + _line(_FACE[0] - 196, y0, x0 - 4, y0, color)
    path = f"M{_LIST + 16} {y:.1f}H{_ELBOW}L{x0 + 3:.1f} {y0:.1f}"
    return dot + f'<path d="{path}" fill="none" stroke="{color}" stroke-width="0.8" stroke-opacity="0.55"/>'


def _line(x0: float, y0: float, x1: float, y1: float, color: str = RULE) -> str:
    return f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{color}" stroke-width="0.8"/>'


# -- timeline ------------------------------------------------------------------------------------------------------------


def _timeline(plan: MusclePlan, rows: list[Row], top: float) -> tuple[str, int]:
    """The strips below the face, and their height."""
    until = plan.horizon()
    left, right, row_height = 236, WIDTH - 48, 24
    scale = (right - left) / until
    y = top + 26
    bottom = y + 14 + 34 * bool(plan.segments) + row_height * len(rows)
    step = next(s for s in (0.5, 1, 2, 5, 10, 30, 60, 300, 3600) if until / s <= 12 or s == 3600)
    ticks = [i * step for i in range(math.floor(until / step + 1e-6) + 1)]
    parts = [_line(48, top - 8, right, top - 8), _label(48, top + 18, "SECONDS", 10.5, QUIET, 'letter-spacing="1.6" font-weight="bold"')]
    for tick in ticks:
        x = left + tick * scale
        parts += [_line(x, y, x, bottom), _label(x, top + 18, f"{tick:g}", 11.5, QUIET, 'text-anchor="middle"')]
    y += 8
    if plan.segments:
        parts.append(_label(48, y + 17, "feeling", 13))
        parts += [_segment(segment, left, scale, y, until) for segment in plan.segments]
        y += 34
    for row in rows:
        parts.append(_envelope(plan.actions, row, left, scale, y, row_height, until))
        y += row_height
    return "\n".join(parts), round(bottom - top + 20)


def _segment(segment, left: float, scale: float, y: float, until: float) -> str:
    end = until if segment.end is None else segment.end
    main = max(segment.emotions, key=lambda emotion: segment.emotions[emotion])
    names = " + ".join(e for e, w in sorted(segment.emotions.items(), key=lambda item: -item[1]) if w >= 0.25)
    x, width = left + segment.start * scale, max(2.0, (end - segment.start) * scale)
    fits = [words for words in (f"{names} {segment.intensity:.2f}", names, main) if 7.2 * len(words) + 16 < width]
    color = EMOTION_SPECS[main].color
    return (
        f'<g class="segment"><title>{_text(f"{names} {segment.intensity:.2f}, {segment.start:g} to {end:g} s")}</title>'
        f'<rect x="{x + 1:.1f}" y="{y:g}" width="{width - 2:.1f}" height="24" rx="4" fill="{color}" fill-opacity="0.3"/>'
        f'<rect x="{x + 1:.1f}" y="{y:g}" width="4" height="24" rx="2" fill="{color}"/>'
        + (_label(x + 13, y + 16.5, fits[0], 13) if fits else "")
        + "</g>"
    )


def _envelope(actions: Iterable[MuscleAction], row: Row, left: float, scale: float, y: float, height: float, until: float) -> str:
    times = np.linspace(0, until, 181)
    own = [a.envelope(times) for a in actions if a.unit == row.unit and set(_SIDES[a.side]) & set(_SIDES[row.side])]
    level = np.max(own, axis=0)
    base, room = y + height - 2, height - 5
    points = " ".join(f"{left + t * scale:.1f},{base - room * v:.1f}" for t, v in zip(times, level))
    color, side = REGION_COLORS[_region(row)], "" if row.side == "both" else f" {row.side[0].upper()}"
    return (
        _label(48, y + 16, f"AU{row.unit}{side}", 12, color, 'font-weight="bold"')
        + _label(104, y + 16, ACTION_UNITS[row.unit].name, 12, QUIET)
        + _line(left, base, left + until * scale, base)
        + f'<polygon class="envelope" data-unit="{row.unit}" points="{left},{base:g} {points} {left + until * scale:.1f},{base:g}" '
        f'fill="{color}" fill-opacity="0.35" stroke="none"/><polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.3"/>'
    )
