"""From a table's columns to a motion's values: channels by name, units, absent channels, gaps, and 25 frames a second."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tbd.errors import InputError
from tbd.face.channels import CHANNELS, HEAD, INDEX
from tbd.face.motion_io import column_names, live_link, units
from tbd.media.rates import FPS
from tbd.utils.user_warnings import warn

_ON_GRID = 0.0015
"""Seconds that a time stamp may lie beside its frame and still be that frame's: writers round to milliseconds."""
_LONG_GAP = 0.5
"""Seconds without a row that are worth a note."""
_NAMED = 5
"""Columns that a warning names before it only counts them."""


class MotionData(NamedTuple):
    """What a motion file holds.

    Args:
        values: (T, 58) float, columns as `tbd.face.channels.CHANNELS`, at 25 frames a second.
        metadata: Plain values that say where the motion comes from.
    """

    values: np.ndarray
    metadata: dict[str, Any]


@dataclass(frozen=True)
class Table:
    """Numbers by column, as a file holds them.

    Args:
        path: The file's path, for messages.
        names: (C,) names of the columns, as the file spells them.
        values: (R, C) float64; NaN where a cell is empty.
        where: (R,) names of the rows for messages, such as ``line 7``.
        seconds: (R,) float64 time of each row in seconds, or None where the file has no times.
        rate: Rows a second, where the file states it and has no times.
        metadata: Metadata of the motion.
    """

    path: str
    names: list[str]
    values: np.ndarray
    where: Sequence[str]
    seconds: np.ndarray | None = None
    rate: float | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def is_live_link(self) -> bool:
        """Whether its columns are Live Link Face's."""
        return live_link.is_layout(self.names)


def to_motion_data(table: Table) -> MotionData:
    """Read a table as a motion.

    Args:
        table: At least one of its columns is a channel.

    Returns:
        The motion at 25 frames a second.

    Raises:
        InputError: If no column is a channel, there are no rows, one channel is there twice with different numbers, times go
            back, or the numbers fit no unit.
    """
    if not len(table.values):
        raise InputError(f"{table.path} holds no frames.")
    channels = _by_channel(table)
    _note_holes(table)
    seconds, rows = _in_order(table)
    filled = {channel: _filled(values[rows], seconds) for channel, values in channels.items()}
    columns = {channel: values for channel, values in filled.items() if values is not None}
    _note_absent(table, columns)
    values = np.zeros((len(seconds), len(CHANNELS)))
    for channel, column in columns.items():
        values[:, INDEX[channel]] = column
    declared = {c: u for n in table.names if (m := column_names.meaning(n)) and (u := column_names.unit(n)) for c in (m.channel,)}
    values = units.scaled(values, declared, table.path)
    if table.is_live_link:
        values = live_link.from_live_link(values)
    return MotionData(_resampled(values, seconds, table), dict(table.metadata))


def _by_channel(table: Table) -> dict[str, np.ndarray]:
    """Channel → (R,) numbers, halves averaged, and notes on what is not used."""
    found: dict[str, list[tuple[int, bool]]] = {}
    unknown = []
    for i, name in enumerate(table.names):
        meaning = column_names.meaning(name)
        if meaning is not None:
            found.setdefault(meaning.channel, []).append((i, meaning.half))
        elif not column_names.is_unused(name):
            unknown.append(name)
    if not found:
        listed = ", ".join(map(repr, table.names[:_NAMED]))
        raise InputError(f"{table.path} has no column of a motion, such as jawOpen or eyeBlinkLeft; it has {listed or 'none'}.")
    if unknown:
        warn(f"{table.path}: {_listed([_with_guess(n) for n in unknown], 'columns')} not used.")
    return {channel: _one(table, channel, columns) for channel, columns in found.items()}


def _with_guess(name: str) -> str:
    near = column_names.nearest(name)
    return f"{name!r} (did you mean {near}?)" if near else repr(name)


def _listed(words: Sequence[str], what: str) -> str:
    """``a, b are`` or ``12 columns (a, b, …) are``."""
    if len(words) <= _NAMED:
        return f"{', '.join(words)} {'is' if len(words) == 1 else 'are'}"
    return f"{len(words)} {what} ({', '.join(words[:_NAMED])}, …) are"


def _one(table: Table, channel: str, columns: Sequence[tuple[int, bool]]) -> np.ndarray:
    whole = [i for i, half in columns if not half]
    halves = [i for i, half in columns if half]
    if not whole:
        return np.mean([table.values[:, i] for i in halves], 0)
    first = table.values[:, whole[0]]
    for other in whole[1:]:
        if not np.allclose(first, table.values[:, other], atol=1e-6, equal_nan=True):
            spelled = " and ".join(repr(table.names[i]) for i in whole)
            raise InputError(f"{table.path} has {channel} twice ({spelled}), with different numbers; leave one column.")
    return first


def _in_order(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Seconds from the first row on, and which rows they belong to: a time that is there twice counts once."""
    if table.seconds is None:
        if table.rate is None:
            warn(f"{table.path} has no times; its rows are taken as {FPS} a second.")
        return np.arange(len(table.values)) / (table.rate or FPS), np.arange(len(table.values))
    steps = np.diff(table.seconds)
    if (steps < -1e-6).any():
        row = int(np.argmax(steps < -1e-6)) + 1
        raise InputError(f"{table.path}: time goes back at {table.where[row]}; if these are two takes, give one file for each.")
    rows = np.flatnonzero(np.concatenate([[True], steps > 1e-6]))
    if len(rows) < len(table.seconds):
        warn(f"{table.path}: {len(table.seconds) - len(rows)} rows have the time of the row before and are left out.")
    longest = float(np.diff(table.seconds[rows]).max(initial=0))
    if longest > max(_LONG_GAP, 4 * float(np.median(np.diff(table.seconds[rows]))) if len(rows) > 1 else 0):
        warn(f"{table.path}: {longest:.1f} s pass between two rows; the motion goes straight from one to the other.")
    return table.seconds[rows] - table.seconds[rows[0]], rows


def _note_holes(table: Table) -> None:
    """Name the first hole of columns that are not empty altogether, and rows that are."""
    used = [i for i, name in enumerate(table.names) if column_names.meaning(name)]
    missing = ~np.isfinite(table.values[:, used])
    lost = missing.all(1)
    if lost.any() and not lost.all():
        first = table.where[int(lost.argmax())]
        warn(f"{table.path}: {int(lost.sum())} rows are empty, the first is {first}; the motion goes straight across them.")
    holes = missing & ~missing.all(0) & ~lost[:, None]
    if holes.any():
        row, column = np.argwhere(holes)[0]
        first = f"{table.names[used[column]]} in {table.where[row]}"
        warn(f"{table.path}: {int(holes.sum())} cells hold no number, the first is {first}; they are interpolated.")


def _filled(values: np.ndarray, seconds: np.ndarray) -> np.ndarray | None:
    """A column without holes; None where it is one hole."""
    holes = ~np.isfinite(values)
    if holes.all():
        return None
    return np.interp(seconds, seconds[~holes], values[~holes]) if holes.any() else values


def _note_absent(table: Table, columns: dict[str, np.ndarray]) -> None:
    if not columns:
        raise InputError(f"{table.path} holds no numbers in the columns of its channels.")
    expected = [c for c in CHANNELS if not (table.is_live_link and c in live_link.ABSENT)]
    absent = [c for c in expected if c not in columns]
    if absent and absent == [c for c in HEAD if c in absent] and len(absent) > 3:
        warn(f"{table.path}: the head's {', '.join(absent)} are not there and taken as 0.")
    elif absent and len(absent) < len(expected):
        warn(f"{table.path}: {_listed(absent, 'channels')} not there and taken as 0.")


def _resampled(values: np.ndarray, seconds: np.ndarray, table: Table) -> np.ndarray:
    """(T, 58) at 25 frames a second, linear between rows; rows that lie on frames already are kept to the bit."""
    frames = np.round(seconds * FPS)
    if np.abs(seconds - frames / FPS).max() < _ON_GRID and (frames == np.arange(len(frames))).all():
        return values
    wanted = np.arange(int(seconds[-1] * FPS + 1e-2) + 1) / FPS
    resampled = np.stack([np.interp(wanted, seconds, column) for column in values.T], 1)
    rate = (len(seconds) - 1) / seconds[-1]
    warn(f"{table.path}: {len(seconds)} rows at {rate:.4g} a second became {len(wanted)} frames at {FPS}.")
    return resampled
