"""CSV in any sane dialect → `Table`: separators, decimal commas, comments, encodings, lines above the header."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tbd.errors import InputError
from tbd.face.motion_io import column_names, column_orders, timestamps
from tbd.face.motion_io.table import Table
from tbd.utils.text_encoding import decode_text
from tbd.utils.user_warnings import warn

_SEPARATORS = (",", ";", "\t", "|", None)
"""None is any white space."""
_COMMENTS = ("#", "//", "%", "!")
_SEARCHED = 60
"""Lines that are searched for a header."""
_EMPTY = {"", "nan", "null", "none", "n/a", "na", "#n/a", "-", "--", "nil", "inf", "-inf", "+inf", "infinity", "-infinity"}
_RATE = re.compile(r"(?:fps|frame\s*rate|rate)\D{0,8}?(\d+(?:[.,]\d+)?)", re.IGNORECASE)
_FASTEST = 1000
"""Frames a second; a larger rate is the sound's."""


class _Header(NamedTuple):
    line: int
    separator: str | None
    names: list[str]


class _Row(NamedTuple):
    where: str
    cells: list[str]


def read_text(path: Path) -> Table:
    """Read a table of text.

    Args:
        path: An existing file.

    Returns:
        Its columns and times.

    Raises:
        InputError: If the text is no such table, a cell is no number, or a row has more cells than the header.
    """
    lines = re.split(r"\r\n|\r|\n", decode_text(path.read_bytes()))
    header = _header(lines)
    if header is None:
        return _without_header(path, lines)
    rows = _rows(path, lines, header)
    rates = (float(m[1].replace(",", ".")) for line in lines[: header.line] if (m := _RATE.search(line)))
    rate = next((rate for rate in rates if 0 < rate <= _FASTEST), None)
    return _table(path, header.names, rows, rate)


def _cells(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return line.split()
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])]
    except csv.Error:
        return line.split(separator)


def _header(lines: Sequence[str]) -> _Header | None:
    """The line, and how it is cut, that names the most channels."""
    best: tuple[int, _Header | None] = (0, None)
    for i, line in enumerate(lines[:_SEARCHED]):
        bare = _uncommented(line)
        for separator in _SEPARATORS:
            cells = _cells(bare, separator)
            known = sum(cell[:1].isalpha() and column_names.meaning(cell) is not None for cell in map(_bare_name, cells))
            if known > best[0]:
                best = (known, _Header(i, separator, _without_tail(cells)))
        if best[0] > 1:
            break  # the first line that names channels
    return best[1]


def _bare_name(cell: str) -> str:
    """A cell without what may stand before a name: numbers of columns, separators."""
    return cell.lstrip("0123456789_-. ") or cell


def _uncommented(line: str) -> str:
    """The line without its comment mark: NumPy writes headers as comments."""
    bare = line.strip("\ufeff \x00")
    mark = next((m for m in _COMMENTS if bare.startswith(m)), None)
    return bare if mark is None else bare[len(mark) :].lstrip()


def _without_tail(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells = cells[:-1]
    return cells


def _rows(path: Path, lines: Sequence[str], header: _Header) -> list[_Row]:
    found, short, width = [], [], len(header.names)
    for number, line in enumerate(lines[header.line + 1 :], header.line + 2):
        bare = line.strip(" \x00")
        if bare.startswith(_COMMENTS) or not bare.strip(" ,;\t|"):
            continue
        cells = _cells(bare if header.separator is None else line, header.separator)
        if any(cells[width:]):
            raise InputError(_too_long(path, number, len(_without_tail(cells)), width))
        if cells[:width] == header.names:
            continue  # the header once more, where files were joined
        if len(cells) < width:
            short.append(number)
        found.append(_Row(f"line {number}", [*cells[:width], *[""] * (width - len(cells))]))
    if short and short[-1] == int(found[-1].where.split()[1]):
        found = found[:-1]
        warn(f"{path}: line {short.pop()}, the last, is broken off and left out.")
    if short:
        warn(f"{path}: line {short[0]}{f' and {len(short) - 1} more' if short[1:] else ''} lacks cells; they count as empty.")
    return _without_units(path, found)


def _too_long(path: Path, line: int, cells: int, width: int) -> str:
    hint = " Decimal commas need another separator, such as a semicolon." if cells > 1.5 * width else ""
    return f"{path}: line {line} has {cells} cells under {width} columns.{hint}"


def _without_units(path: Path, rows: list[_Row]) -> list[_Row]:
    """Without a second line of header, which holds units or descriptions."""
    numbers = [any(_is_number(cell) or ":" in cell for cell in row.cells) for row in rows[:2]]
    if numbers != [False, True] or not any(cell.lower() not in _EMPTY for cell in rows[0].cells):
        return rows
    warn(f"{path}: {rows[0].where} holds no number and is passed over.")
    return rows[1:]


def _is_number(cell: str) -> bool:
    try:
        _number(cell)
    except ValueError:
        return False
    return cell.lower() not in _EMPTY


def _number(cell: str) -> float:
    """A cell's number, NaN where it is empty; a decimal comma, a per cent sign and a typographic minus are read."""
    try:
        value = float(cell)
        return value if np.isfinite(value) else np.nan
    except ValueError:
        bare = cell.strip().replace("\u2212", "-").replace("\xa0", "")
        if bare.lower() in _EMPTY:
            return np.nan
        if bare.endswith("%"):
            return _number(bare[:-1]) / 100
        if re.fullmatch(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?", bare):
            return float(bare.replace(",", "."))
        raise


def _table(path: Path, columns: list[str], rows: list[_Row], rate: float | None) -> Table:
    chosen = [i for i, name in enumerate(columns) if _is_used(name)]
    others = [name for i, name in enumerate(columns) if i not in chosen and not _is_clock(name) and name]
    values = np.full((len(rows), len(chosen)), np.nan)
    for at, i in enumerate(chosen):
        for r, row in enumerate(rows):
            values[r, at] = _parsed(path, row, columns[i], row.cells[i])
    seconds, kept, stated = _times(path, columns, rows, rate)
    empty = np.zeros((len(kept), len(others)))
    return Table(
        str(path), [*(columns[i] for i in chosen), *others], np.concatenate([values[kept], empty], 1), [rows[i].where for i in kept],
        seconds, stated, {"source": path.name},
    )  # fmt: skip


def _is_used(name: str) -> bool:
    return column_names.meaning(name) is not None


def _is_clock(name: str) -> bool:
    return timestamps.is_time(name) or timestamps.is_frame_number(name) or timestamps.is_rate(name)


def _parsed(path: Path, row: _Row, name: str, cell: str) -> float:
    try:
        return _number(cell)
    except ValueError:
        raise InputError(f"{path}: {row.where}, {name}: {cell[:40]!r} is no number.") from None


def _times(path: Path, columns: list[str], rows: list[_Row], above: float | None) -> tuple[np.ndarray | None, list[int], float | None]:
    """Seconds, the rows that have a time, and the rate that a column states, or a line above the header."""
    everything = list(range(len(rows)))
    stated = _stated_rate(path, columns, rows) or above
    times = [i for i, name in enumerate(columns) if timestamps.is_time(name)]
    frames = [i for i, name in enumerate(columns) if timestamps.is_frame_number(name)]
    column = next((i for i in [*times, *frames] if any(row.cells[i] for row in rows)), None)
    if column is None or not rows:
        return None, everything, stated
    kept = [i for i, row in enumerate(rows) if row.cells[column]]
    if len(kept) < len(rows):
        missing = next(row.where for row in rows if not row.cells[column])
        warn(f"{path}: {len(rows) - len(kept)} rows have no {columns[column]} and are left out, the first is {missing}.")
    cells, where = [rows[i].cells[column] for i in kept], [rows[i].where for i in kept]
    if column in times:
        return timestamps.seconds_of(cells, where, columns[column], str(path)), kept, None
    numbers = np.array([_parsed(path, rows[i], columns[column], rows[i].cells[column]) for i in kept])
    if stated is None:
        warn(f"{path} numbers its frames and has no times; they are taken as 25 a second.")
    return numbers / (stated or 25), kept, None


def _stated_rate(path: Path, columns: list[str], rows: list[_Row]) -> float | None:
    at = next((i for i, name in enumerate(columns) if timestamps.is_rate(name)), None)
    if at is None or not rows:
        return None
    rate = _parsed(path, rows[0], columns[at], rows[0].cells[at])
    if not 0 < rate <= _FASTEST:
        raise InputError(f"{path}: {rows[0].where}, {columns[at]}: {rows[0].cells[at]} is no number of frames a second.")
    return rate


def _without_header(path: Path, lines: Sequence[str]) -> Table:
    """Numbers alone: the number of columns must tell which they are."""
    filled = [(i, line) for i, line in enumerate(lines, 1) if line.strip() and not line.strip().startswith(_COMMENTS)]
    for separator in _SEPARATORS:
        cells = [_without_tail(_cells(line, separator)) for _, line in filled]
        widths = {len(row) for row in cells}
        if cells and len(widths) == 1 and len(cells[0]) > 1 and all(_is_number(c) or c.lower() in _EMPTY for c in cells[0]):
            values = np.array([[_parsed(path, _Row(f"line {i}", row), f"column {c + 1}", cell) for c, cell in enumerate(row)]
                               for (i, _), row in zip(filled, cells)])  # fmt: skip
            return column_orders.table_of(str(path), values, [f"line {i}" for i, _ in filled])
    first = filled[0][1].strip()[:60] if filled else ""
    raise InputError(f"{path} is no table of a motion: no line names channels such as jawOpen or eyeBlinkLeft. It begins {first!r}.")
