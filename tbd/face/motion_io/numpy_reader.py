"""NumPy's files → `Table`."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.face.channels import CHANNELS
from tbd.face.motion_io import column_names, column_orders, timestamps
from tbd.face.motion_io.table import MotionData, Table
from tbd.media.rates import FPS

_VALUES = ("values", "blendshapes", "weights", "data", "motion", "arr_0", "coefficients", "expression")
_NAMES = ("channels", "names", "columns", "blendshape_names")
_RATES = ("fps", "rate", "frame_rate", "framerate", "mocap_frame_rate")
_PARSING = threading.Lock()
"""NumPy reads headers with `ast.literal_eval`, which fails at random in several threads at once before Python 3.11.8 (gh-106905)."""


def read_npz(path: Path) -> Table | MotionData:
    """Read what `tbd` writes, and other archives of arrays.

    Args:
        path: An existing ``.npz``.

    Returns:
        The motion of our own files, to the bit; the columns of others, those of an array without names in the order that fits best.

    Raises:
        InputError: If the file is damaged, holds Python objects, or none of its arrays is a motion.
    """
    arrays = _opened(path)
    if _is_own(arrays):
        return MotionData(arrays["values"], _metadata(path, arrays))
    rate = next((float(arrays[key]) for key in _RATES if key in arrays and arrays[key].size == 1), None)
    named = {key: array for key, array in arrays.items() if column_names.meaning(key) and array.ndim == 1}
    if named:
        return _from_columns(path, named, arrays, rate)
    key = next((k for k in _VALUES if k in arrays), None) or next((k for k, a in arrays.items() if a.ndim == 2), None)
    if key is None:
        raise InputError(f"{path} holds no motion, but {', '.join(arrays) or 'nothing'}.")
    columns = next(([str(c) for c in arrays[k]] for k in _NAMES if k in arrays and arrays[k].ndim == 1), None)
    return _from_array(path, arrays[key], columns, rate, _metadata(path, arrays))


def read_npy(path: Path) -> Table:
    """Read an array of (frames, channels), as `read_npz` does."""
    return _from_array(path, _opened(path)["arr_0"], None, None, {})


def _opened(path: Path) -> dict[str, np.ndarray]:
    try:
        with _PARSING:
            loaded = np.load(path, allow_pickle=False)
            return {key: loaded[key] for key in loaded.files} if hasattr(loaded, "files") else {"arr_0": loaded}
    except ValueError as error:
        if "pickle" in str(error) or "Object" in str(error):
            raise InputError(f"{path} holds Python objects (a pickle), which can run code and are not opened; save plain arrays.") from None
        raise InputError(f"{path} is a damaged NumPy file.") from None
    except Exception as error:  # zlib, zipfile, tokenize, EOF: NumPy lets many through
        raise InputError(f"{path} is a damaged NumPy file ({type(error).__name__}).") from None


def _is_own(arrays: Mapping[str, np.ndarray]) -> bool:
    written = {"values", "channels", "fps"} <= set(arrays)
    return written and arrays["fps"].size == 1 and int(arrays["fps"]) == FPS and arrays["channels"].tolist() == list(CHANNELS)


def _metadata(path: Path, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    try:
        found = json.loads(str(arrays["metadata"])) if "metadata" in arrays else {"source": path.name}
    except ValueError:
        return {"source": path.name}
    return found if isinstance(found, dict) else {"source": path.name}


def _from_array(path: Path, array: np.ndarray, columns: list[str] | None, rate: float | None, metadata: dict[str, Any]) -> Table:
    if array.dtype.names:
        fields = {name: array[name] for name in array.dtype.names}
        return _from_columns(path, {name: field for name, field in fields.items() if column_names.meaning(name)}, fields, rate)
    if array.ndim == 3 and 1 in array.shape:
        array = array.squeeze(array.shape.index(1))
    if array.ndim != 2 or not np.issubdtype(array.dtype, np.number):
        raise InputError(f"{path} holds an array {array.shape} {array.dtype}; a motion is (frames, channels) of numbers.")
    where = [f"frame {i}" for i in range(len(array))]
    if columns is None:
        if array.shape[1] not in column_orders.COUNTS and array.shape[0] in column_orders.COUNTS:
            raise InputError(f"{path} holds an array {array.shape}; a motion is (frames, channels), so transpose it.")
        return column_orders.table_of(str(path), array.astype(np.float64), where, rate)
    if len(columns) != array.shape[1]:
        raise InputError(f"{path} names {len(columns)} channels and holds {array.shape[1]}.")
    return Table(str(path), columns, array.astype(np.float64), where, None, rate, metadata)


def _from_columns(path: Path, named: Mapping[str, np.ndarray], arrays: Mapping[str, np.ndarray], rate: float | None) -> Table:
    if not named:
        raise InputError(f"{path} names no channel of a motion, such as jawOpen or eyeBlinkLeft.")
    lengths = {len(array) for array in named.values()}
    if len(lengths) != 1:
        raise InputError(f"{path}: its channels have different lengths ({', '.join(map(str, sorted(lengths)))}).")
    frames = lengths.pop()
    where = [f"frame {i}" for i in range(frames)]
    times = next((array for key, array in arrays.items() if timestamps.is_time(key) and array.shape == (frames,)), None)
    seconds = None if times is None else timestamps.in_seconds(times.astype(np.float64), "time", str(path))
    values = np.stack([array.astype(np.float64) for array in named.values()], 1)
    return Table(str(path), list(named), values, where, seconds, rate, {"source": path.name})
