"""Time columns: seconds, milliseconds, frame numbers, clock times and time codes, all to seconds."""

import re
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from tbd.errors import InputError
from tbd.face.motion_io import column_names
from tbd.utils.user_warnings import warn

_TIMES = {
    "time", "times", "t", "timestamp", "timestamps", "second", "seconds", "sec", "secs", "elapsed", "elapsedtime", "playbacktime",
    "timesec", "timeseconds", "timeinseconds", "timems", "timestampms", "timeus", "timestampus", "timestampns", "timens",
    "milliseconds", "ms", "timecode", "timecodes", "tc", "smpte", "clock", "date", "datetime", "frametime",
}  # fmt: skip
_FRAMES = {"frame", "frames", "frameindex", "frameidx", "framenumber", "frameno", "frameid", "index", "idx", "row", "unnamed0"}
_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_TIMECODE = re.compile(r"(\d{1,2})[:;.](\d{1,2})[:;.](\d{1,2})([:;])(\d{1,3}(?:[.,]\d+)?)")
"""HH:MM:SS:FF, FF with a fraction in Live Link Face; `;` before the frames marks drop-frame codes (SMPTE ST 12-1)."""
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")
_DAY = 86_400.0
_BASES = (24, 25, 30, 48, 50, 60, 100, 120, 240)
LIVE_LINK_RATE = 60
"""Live Link Face counts frames of its time codes at 60 a second, whatever rate the camera runs at."""


def is_time(name: str) -> bool:
    """Tell whether a column's name is that of a time."""
    return column_names.plain(name) in _TIMES


def is_frame_number(name: str) -> bool:
    """Tell whether a column's name is that of a frame number; pandas writes its own without a name."""
    return column_names.plain(name) in _FRAMES or name.strip() == "#"


def is_rate(name: str) -> bool:
    """Tell whether a column's name is that of a frame rate."""
    return column_names.plain(name) in ("fps", "framerate", "framespersecond", "exportfps")


def seconds_of(cells: Sequence[str], where: Sequence[str], name: str, path: str) -> np.ndarray:
    """Convert a time column to seconds.

    Args:
        cells: (R,) texts as the file writes them, none of them empty.
        where: (R,) names of the rows for messages, such as ``line 7``.
        name: The column's name; a unit in it decides.
        path: The file's path, for messages.

    Returns:
        (R,) float64 seconds.

    Raises:
        InputError: If a cell is no time.
    """
    if all(re.match(r"\d{4}-\d\d-\d\d[T ]", c) for c in cells):
        return np.array([_date(c, w, path) for c, w in zip(cells, where)])
    if all(":" in c for c in cells):
        codes = [code for c in cells if (code := _TIMECODE.fullmatch(c))]
        values = _from_timecodes(codes) if len(codes) == len(cells) else np.array([_clock(c, w, path) for c, w in zip(cells, where)])
        return _past_midnight(values)
    return in_seconds(np.array([_number(c, w, name, path) for c, w in zip(cells, where)]), name, path)


def in_seconds(values: np.ndarray, name: str, path: str) -> np.ndarray:
    """Convert a numeric time column to seconds: by the unit in its name, else by which rate its steps make possible.

    Args:
        values: (R,) float64, as the file holds them.
        name: The column's name; a unit in it decides.
        path: The file's path, for messages.

    Returns:
        (R,) float64 seconds.
    """
    unit = column_names.unit(name) or {"ms": "ms", "milliseconds": "ms"}.get(column_names.plain(name))
    unit = unit or next((u for u in ("ms", "us", "ns") if re.search(rf"(time|stamp){u}$", column_names.plain(name))), None)
    if unit in _PER_SECOND:
        return values / _PER_SECOND[unit]
    steps = np.diff(values)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    if unit == "frames" or step == 1.0:
        warn(f"{path}: the column {name!r} counts rows, not seconds; they are taken as 25 frames a second.")
        return values / 25
    guessed = next((u for u, longest in (("s", 1.0), ("ms", 1000.0), ("us", 1e6), ("ns", 1e9)) if step <= longest), "ns")
    if guessed != "s":
        warn(f"{path}: the column {name!r} is taken as {guessed}, since its rows are {step:g} apart.")
    return values / _PER_SECOND[guessed]


def _number(cell: str, where: str, name: str, path: str) -> float:
    try:
        return float(cell.replace(",", "."))
    except ValueError:
        raise InputError(f"{path}: {where}, {name}: {cell!r} is no time.") from None


def _clock(cell: str, where: str, path: str) -> float:
    match = _CLOCK.fullmatch(cell)
    if match is None:
        raise InputError(f"{path}: {where}: {cell!r} is no time; seconds, H:MM:SS.sss or HH:MM:SS:FF is right.")
    return int(match[1] or 0) * 3600 + int(match[2]) * 60 + float(match[3].replace(",", "."))


def _date(cell: str, where: str, path: str) -> float:
    try:
        return datetime.fromisoformat(cell.replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise InputError(f"{path}: {where}: {cell!r} is no date and time.") from None


def _from_timecodes(codes: Sequence[re.Match]) -> np.ndarray:
    parts = np.array([[int(m[1]), int(m[2]), int(m[3]), float(m[5].replace(",", "."))] for m in codes])
    whole, frames = parts[:, 0] * 3600 + parts[:, 1] * 60 + parts[:, 2], parts[:, 3]
    base = _base(whole, frames)
    if any(m[4] == ";" for m in codes) and base in (30, 60):
        minutes = parts[:, 0] * 60 + parts[:, 1]
        dropped = (base // 15) * (minutes - minutes // 10)
        return (whole * base + frames - dropped) * 1001 / (base * 1000)
    return whole + frames / base


def _base(whole: np.ndarray, frames: np.ndarray) -> int:
    """Frames a second of time codes: where a second ends, its last frame number shows it; else Live Link Face's 60."""
    least = 0 if len(np.unique(whole)) > 1 else LIVE_LINK_RATE
    return next((b for b in _BASES if b > int(frames.max()) and b >= least), 1000)


def _past_midnight(values: np.ndarray) -> np.ndarray:
    return values + _DAY * np.concatenate([[0], np.cumsum(np.diff(values) < -_DAY / 2)])
