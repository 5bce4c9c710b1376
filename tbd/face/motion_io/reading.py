"""A motion from a file of any of the kinds that we know."""

import os
from pathlib import Path

from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.face.motion_io.arrays import read_npy, read_npz
from tbd.face.motion_io.documents import read_json
from tbd.face.motion_io.sniffing import kind_of
from tbd.face.motion_io.table import to_motion
from tbd.face.motion_io.text import read_text

_READERS = {"npz": read_npz, "npy": read_npy, "json": read_json, "text": read_text}


def read_motion(path: str | os.PathLike) -> Motion:
    """Read a motion, whatever its name ends in.

    Args:
        path: A ``.npz`` of ours; a CSV of Live Link Face or of any other program in any dialect; JSON; or NumPy arrays.

    Returns:
        The motion at 25 frames a second. What was guessed, scaled, resampled or left out is said in notes.

    Raises:
        InputError: The file is missing or is no motion.
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
    motion = found if isinstance(found, Motion) else to_motion(found)
    if not len(motion):
        raise InputError(f"{path} holds no frames.")
    return motion
