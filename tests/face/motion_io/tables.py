"""One performance as a table, and ways to write it."""

import io
import re
from pathlib import Path

import numpy as np

from tbd.face.channels import BLENDSHAPES, CHANNELS
from tbd.face.motion import Motion
from tbd.utils.user_warnings import collect_warnings

FRAMES = 50
TIMES = np.arange(FRAMES) / 25


def _performance() -> np.ndarray:
    """(50, 58): left and right together, as on a face."""
    values = np.zeros((FRAMES, 58))
    for i, channel in enumerate(BLENDSHAPES):
        phase = sum(map(ord, re.sub("Left|Right", "", channel)))
        values[:, i] = 0.3 + 0.3 * np.sin(3 * TIMES + phase)
    values[:, 52:55] = 0.2 * np.sin(2 * TIMES[:, None] + np.arange(3))
    values[:, 55:] = 0.05
    return values


VALUES = _performance()
FACE = np.concatenate([VALUES[:, :52], np.zeros((FRAMES, 6))], 1)


def rows(values=VALUES, times=TIMES, first="time", columns=CHANNELS) -> list[list[str]]:
    return [[first, *columns], *([f"{t:.4f}", *(f"{v:.6f}" for v in row)] for t, row in zip(times, values))]


def joined(table, separator=",") -> str:
    return "".join(separator.join(row) + "\n" for row in table)


def renamed(rename, table=None) -> str:
    table = table or rows()
    return joined([[table[0][0], *map(rename, table[0][1:])], *table[1:]])


def timed(first: str, stamp) -> str:
    table = rows()
    return joined([[first, *CHANNELS], *([stamp(i), *row[1:]] for i, row in enumerate(table[1:]))])


def snake(name: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", name).lower()


def commas(table) -> list[list[str]]:
    return [[cell.replace(".", ",") for cell in row] for row in table]


def load(tmp_path: Path, content: str | bytes, encoding="utf-8", name="m.csv") -> tuple[Motion, str]:
    """The motion and its notes."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    with collect_warnings() as notes:
        motion = Motion.load(path)
    return motion, " ".join(notes)


def npy_bytes(array, **options) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()
