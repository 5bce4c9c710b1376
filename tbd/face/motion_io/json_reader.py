"""JSON → `Table`: Audio2Face's weights, data sets' frames, lists of named coefficients."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.face.motion_io import column_names, column_orders, timestamps
from tbd.face.motion_io.table import Table

_NAMES = ("facsNames", "names", "channels", "blendShapeNames", "blendshapeNames", "blendshape_names", "columns", "keys")
_WEIGHTS = ("weightMat", "weights", "values", "data", "frames", "blendshapes", "blendShapes", "coefficients", "animation")
_RATES = ("exportFps", "fps", "frameRate", "frame_rate", "framerate", "rate")
_INNER = ("blendshapes", "blendShapes", "weights", "values", "coefficients", "shapes", "faceBlendshapes", "face_blendshapes", "categories")


def read_json(path: Path) -> Table:
    """Read a motion from JSON.

    Args:
        path: An existing file.

    Returns:
        Its columns and times. Understood are ``{"facsNames": […], "weightMat": [[…], …], "exportFps": 30}`` (Audio2Face),
        MediaPipe's ``categories``, ``{"names": […], "frames": [{"time": 0, "weights": […]}, …]}``,
        ``[{"time": 0, "jawOpen": 0.1, …}, …]`` with the coefficients in the frame or in an inner object or list,
        ``{"jawOpen": [0.1, …], …}``, and frames that stand on a line each without a list around them.

    Raises:
        InputError: If the file is no JSON, or none of these.
    """
    content = path.read_bytes()
    try:
        text = content.decode(json.detect_encoding(content))  # UTF-8, -16 or -32, with a byte order mark or without
        document = _lines(text) or json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is no valid JSON: line {error.lineno}, column {error.colno} breaks its rules.") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path} is no valid JSON.") from None
    try:
        return _table(path, document)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        right = "a list of frames with named numbers is right, or a list for each channel"
        raise InputError(f"{path} is JSON, but no motion's: {right}.") from None


def _lines(text: str) -> list[Any] | None:
    """Frames that stand on a line each (JSON Lines), None where the file is another JSON."""
    lines = [line for line in text.split("\n") if line.strip()]
    try:
        return [json.loads(line) for line in lines] if len(lines) > 1 else None
    except ValueError:
        return None


def _table(path: Path, document: Any) -> Table:
    listed_names, rate, listed = None, None, document
    if isinstance(document, Mapping):
        listed_names = next((document[key] for key in _NAMES if isinstance(document.get(key), list)), None)
        rate = next((float(document[key]) for key in _RATES if key in document), None)
        listed = next((document[key] for key in _WEIGHTS if isinstance(document.get(key), Sequence | Mapping)), document)
    if isinstance(listed, Mapping):
        return _from_columns(path, {**document, **listed}, rate)
    if not isinstance(listed, list) or not listed:
        raise InputError(f"{path} holds no frames.")
    frames = [_frame(frame, listed_names) for frame in listed]
    where = [f"frame {i}" for i in range(len(frames))]
    if all(isinstance(frame, np.ndarray) for frame, _ in frames):
        return column_orders.table_of(str(path), np.stack([frame for frame, _ in frames]), where, rate)
    columns = list(dict.fromkeys(name for frame, _ in frames for name in frame))
    values = np.array([[_number(frame.get(name)) for name in columns] for frame, _ in frames])
    times = [time for _, time in frames]
    seconds = _seconds(path, times, where) if all(time is not None for time in times) else None
    return Table(str(path), columns, values, where, seconds, rate, {"source": path.name})


def _frame(frame: Any, listed_names: list[str] | None) -> tuple[Any, Any]:
    """Coefficients by name (or an array, where they have no names), and the time."""
    time = None
    if isinstance(frame, Mapping):
        time = next((frame[key] for key in frame if timestamps.is_time(key) and not isinstance(frame[key], Mapping | list)), None)
        inner = next((frame[key] for key in _INNER if isinstance(frame.get(key), Mapping | list)), None)
        if inner is None:
            inner = {
                key: value for key, value in frame.items() if not isinstance(value, Mapping | list | str) and not timestamps.is_time(key)
            }
        elif isinstance(inner, Mapping):
            inner = {**{k: v for k, v in frame.items() if column_names.meaning(k)}, **inner}
        frame = inner
    frame = _one_face(frame)
    if isinstance(frame, list) and frame and isinstance(frame[0], Mapping):  # MediaPipe's categories
        frame = {c.get("categoryName") or c.get("category_name") or c["name"]: c.get("score", c.get("value")) for c in frame}
    if isinstance(frame, list):
        return (dict(zip(listed_names, frame, strict=True)) if listed_names else np.array(frame, np.float64)), time
    return {key: value for key, value in frame.items() if not timestamps.is_frame_number(key)}, time


def _one_face(frame: Any) -> Any:
    """The categories of the only face of MediaPipe's result, which lists faces: ``[{"categories": […]}]`` or ``[[…]]``."""
    if isinstance(frame, list) and len(frame) == 1:
        if isinstance(frame[0], list):
            return frame[0]
        if isinstance(frame[0], Mapping) and isinstance(frame[0].get("categories"), list):
            return frame[0]["categories"]
    return frame


def _from_columns(path: Path, columns: Mapping[str, Any], rate: float | None) -> Table:
    found = {name: values for name, values in columns.items() if isinstance(values, list) and column_names.meaning(name)}
    if not found:
        raise InputError(f"{path} names no channel of a motion, such as jawOpen or eyeBlinkLeft.")
    values = np.array([[_number(v) for v in column] for column in found.values()]).T
    where = [f"frame {i}" for i in range(len(values))]
    times = next((columns[n] for n in columns if timestamps.is_time(n) and isinstance(columns[n], list)), None)
    seconds = None if times is None else _seconds(path, times, where)
    return Table(str(path), list(found), values, where, seconds, rate, {"source": path.name})


def _seconds(path: Path, times: Sequence[Any], where: Sequence[str]) -> np.ndarray:
    return timestamps.seconds_of([str(time) for time in times], where, "time", str(path))


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)
