"""A motion into a file."""

import csv
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tbd.errors import InputError
from tbd.face.motion import CHANNELS, Motion
from tbd.face.motion_io import livelink
from tbd.media.rates import FPS
from tbd.utils.atomic import atomic_output
from tbd.utils.user_warnings import warn

_FORMAT = "tbd-motion-1"
SUFFIXES = (".npz", ".csv", ".tsv")


def write_motion(motion: Motion, path: str | os.PathLike) -> None:
    """Write a motion; the name's ending says how.

    Args:
        motion: T frames.
        path: ``.npz`` holds all, to the bit, and the metadata. ``.csv`` is Live Link Face's layout, which Unreal and
            Blender read and which has no columns for the head's offset. ``.tsv`` is a table of all 58 channels by our
            own names and conventions, tab between them, with the time in seconds.

    Raises:
        InputError: The name has another ending, or the file cannot be written.
    """
    write = _WRITERS.get(Path(path).suffix.lower())
    if write is None:
        raise InputError(f"Cannot write a motion to {path}: use a name ending in .npz or .csv.")
    with atomic_output(path) as temporary:
        write(motion, temporary, str(path))


def _write_npz(motion: Motion, file: Path, name: str) -> None:
    about = {"fps": FPS, "format": _FORMAT, "metadata": json.dumps(motion.metadata)}
    np.savez_compressed(file, values=motion.values, channels=np.array(CHANNELS), **about)


def _write_live_link(motion: Motion, file: Path, name: str) -> None:
    _write_rows(file, livelink.rows(motion), ",")
    far = float(np.abs(motion.head[:, 3:]).max(initial=0))
    if far > 1e-3:
        warn(
            f"{name}: Live Link Face's layout has no columns for the head's offset, here up to {far:.2f} of the space between the eyes; "
            "write .npz to keep it."
        )


def _write_table(motion: Motion, file: Path, name: str) -> None:
    rows = [[f"{i / FPS:.2f}", *(f"{v:.9g}" for v in row)] for i, row in enumerate(motion.values)]
    _write_rows(file, [["time", *CHANNELS], *rows], "\t")


def _write_rows(file: Path, rows: Sequence[Sequence[str]], separator: str) -> None:
    with open(file, "w", newline="", encoding="utf-8") as target:
        csv.writer(target, delimiter=separator, lineterminator="\n").writerows(rows)


_WRITERS: dict[str, Callable[[Motion, Path, str], None]] = {".npz": _write_npz, ".csv": _write_live_link, ".tsv": _write_table}
