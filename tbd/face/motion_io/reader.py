"""Reading a motion from a file of any known kind."""

import os
from collections.abc import Callable
from pathlib import Path

from tbd.errors import InputError
from tbd.face.motion_io.csv_reader import read_text
from tbd.face.motion_io.file_type import kind_of
from tbd.face.motion_io.json_reader import read_json
from tbd.face.motion_io.numpy_reader import read_npy, read_npz
from tbd.face.motion_io.table import MotionData, Table, to_motion_data

_READERS: dict[str, Callable[[Path], Table | MotionData]] = {"npz": read_npz, "npy": read_npy, "json": read_json, "text": read_text}


def read_motion(path: str | os.PathLike) -> MotionData:
    """Read a motion, whatever the file's name ends in.

    Args:
        path: A ``.npz`` of ours; a CSV of Live Link Face or of any other program in any dialect; JSON; or NumPy arrays.

    Returns:
        (T, 58) values at 25 frames a second, T at least 1, and metadata; notes say what was guessed, scaled, resampled or left out.

    Raises:
        InputError: If the file is missing or is no motion.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a motion file in it.")
    if not path.exists():
        raise InputError(f"There is no motion file {path}.")
    if not path.is_file():
        raise InputError(f"{path} is a pipe or a device; give a motion file.")
    try:
        found = _READERS[kind_of(path)](path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    motion = to_motion_data(found) if isinstance(found, Table) else found
    if not len(motion.values):
        raise InputError(f"{path} holds no frames.")
    return motion
