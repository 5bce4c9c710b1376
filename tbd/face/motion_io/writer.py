"""Writing a motion to a file."""

import csv
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.face.channels import CHANNELS, INDEX
from tbd.face.motion_io import live_link
from tbd.media.rates import FPS
from tbd.utils.atomic import atomic_output
from tbd.utils.user_warnings import warn

_FORMAT = "tbd-motion-1"
SUFFIXES = (".npz", ".csv", ".tsv")


def write_motion(path: str | os.PathLike, values: np.ndarray, metadata: Mapping[str, Any]) -> None:
    """Write a motion in the format that the name's ending stands for.

    Args:
        path: ``.npz`` holds all, to the bit, and the metadata. ``.csv`` is Live Link Face's layout, which Unreal and
            Blender read and which has no columns for the head's offset. ``.tsv`` is a table of all 58 channels by our
            own names and conventions, tab between them, with the time in seconds.
        values: (T, 58) float32, columns as `tbd.face.channels.CHANNELS`, at 25 frames a second.
        metadata: Plain values (JSON's types), which ``.npz`` keeps.

    Raises:
        InputError: If the name has another ending, or the file cannot be written.
    """
    write = _WRITERS.get(Path(path).suffix.lower())
    if write is None:
        raise InputError(f"Cannot write a motion to {path}: use a name ending in .npz or .csv.")
    with atomic_output(path) as temporary:
        write(temporary, values, metadata, str(path))


def _write_npz(file: Path, values: np.ndarray, metadata: Mapping[str, Any], name: str) -> None:
    np.savez_compressed(file, values=values, channels=np.array(CHANNELS), fps=FPS, format=_FORMAT, metadata=json.dumps(metadata))


def _write_live_link(file: Path, values: np.ndarray, metadata: Mapping[str, Any], name: str) -> None:
    _write_rows(file, live_link.rows(values), ",")
    far = float(np.abs(values[:, [INDEX[c] for c in live_link.ABSENT]]).max(initial=0))
    if far > 1e-3:
        warn(
            f"{name}: Live Link Face's layout has no columns for the head's offset, here up to {far:.2f} of the space between the eyes; "
            "write .npz to keep it."
        )


def _write_table(file: Path, values: np.ndarray, metadata: Mapping[str, Any], name: str) -> None:
    rows = [[f"{i / FPS:.2f}", *(f"{v:.9g}" for v in row)] for i, row in enumerate(values)]
    _write_rows(file, [["time", *CHANNELS], *rows], "\t")


def _write_rows(file: Path, rows: Sequence[Sequence[str]], separator: str) -> None:
    with open(file, "w", newline="", encoding="utf-8") as target:
        csv.writer(target, delimiter=separator, lineterminator="\n").writerows(rows)


_Write = Callable[[Path, np.ndarray, Mapping[str, Any], str], None]
_WRITERS: dict[str, _Write] = {
    ".npz": _write_npz,
    ".csv": _write_live_link,
    ".tsv": _write_table,
}
