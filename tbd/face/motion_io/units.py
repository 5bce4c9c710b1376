"""Units of other programs: blendshapes in percent or of 8 bits, heads in degrees, offsets in pixels."""

from collections.abc import Mapping

import numpy as np

from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES, CHANNELS, HEAD
from tbd.utils.user_warnings import warn

_SHAPES = len(BLENDSHAPES)
_ANGLES = slice(_SHAPES, _SHAPES + 3)
_OFFSETS = slice(_SHAPES + 3, _SHAPES + 6)
_ABOVE_ONE = 1.5
"""Coefficients up to here are 0..1, drawn out a little by filters or exaggeration."""
_EXAGGERATED = 5.0
"""Coefficients above it are no exaggeration."""
_QUIET = 10.0
"""In percent a face that hardly moves, or in tenths one that moves."""
_PERCENT = 150.0
_FULL = 105.0
"""Percent are rarely more, so larger whole numbers are of 8 bits, 0..255."""
_TURNED = 1.2
"""Radians (69°): no face seen from the front turns farther, so larger numbers are degrees."""
_WIDE = 0.8
_FAR = 5.0
"""Distances between the eyes: a head that moves farther leaves its picture."""


def scaled(values: np.ndarray, declared: Mapping[str, str], path: str) -> np.ndarray:
    """Bring coefficients to 0..1 and angles to radians.

    Args:
        values: (R, 58) float64, as the file holds them.
        declared: Channel → unit (``percent``, ``deg``, ``rad``), where the file's columns state it.
        path: The file's path, for messages.

    Returns:
        (R, 58) float64 in the units of `tbd.face.channels.CHANNELS`.

    Raises:
        InputError: If coefficients fit neither 0..1 nor percent.
    """
    values = values.copy()
    values[:, :_SHAPES] *= _shape_factor(values[:, :_SHAPES], declared, path)
    values[:, _ANGLES] *= _angle_factor(values[:, _ANGLES], declared, path)
    far = np.abs(values[:, _OFFSETS]).max()
    if far > _FAR:
        warn(f"{path}: headX, headY and headZ reach {far:.4g}, which is no distance in spaces between the eyes; they are left out.")
        values[:, _OFFSETS] = 0
    return values


def _shape_factor(shapes: np.ndarray, declared: Mapping[str, str], path: str) -> float:
    if any(unit == "percent" for channel, unit in declared.items() if channel not in HEAD):
        return 0.01
    peaks = shapes.max(0)
    highest = float(peaks.max(initial=0))
    _note_negative(shapes, path)
    if highest <= _ABOVE_ONE:
        return 1.0
    moving = peaks[peaks > 1e-4]
    most = f"{CHANNELS[int(peaks.argmax())]} reaches {highest:.4g}"
    if _FULL < highest <= 255 and bool((np.nan_to_num(shapes) % 1 == 0).all()):
        warn(f"{path}: {most}, and all are whole numbers; its blendshapes are taken as 0..255 and divided by 255.")
        return 1 / 255
    if highest > _PERCENT:
        raise InputError(f"{path}: {most}; a blendshape runs from 0 to 1, or from 0 to 100 in percent.")
    if float(np.median(moving)) > 1.0 or (highest > _EXAGGERATED and (moving > _ABOVE_ONE).sum() > 1):
        doubt = "" if highest > _QUIET else " If they are 0..1, exaggerated, bring them below 1.5 first."
        warn(f"{path}: {most}; its blendshapes are taken as percent and divided by 100.{doubt}")
        return 0.01
    if highest > _EXAGGERATED:
        raise InputError(f"{path}: {most} while the others stay within 0..1; correct that column.")
    warn(f"{path}: {most}; its blendshapes are taken as 0..1, exaggerated. If they are percent, write (%) behind the columns' names.")
    return 1.0


def _note_negative(shapes: np.ndarray, path: str) -> None:
    lowest = shapes.min(0)
    column = int(lowest.argmin())
    if lowest[column] < -0.1 * max(1.0, float(shapes.max())):
        warn(f"{path}: {CHANNELS[column]} falls to {lowest[column]:.4g}; a blendshape runs from 0 up, and less is drawn as 0.")


def _angle_factor(angles: np.ndarray, declared: Mapping[str, str], path: str) -> float:
    given = {declared[c] for c in HEAD[:3] if c in declared}
    if given & {"deg", "rad"}:
        return float(np.pi / 180) if "deg" in given else 1.0
    widest = float(np.abs(angles).max())
    if widest > _TURNED:
        warn(f"{path}: the head's angles reach {widest:.4g}; they are taken as degrees.")
        return float(np.pi / 180)
    if widest > _WIDE:
        turn = f"{widest:.2f} radians ({np.degrees(widest):.0f}°)"
        warn(f"{path}: the head turns by {turn}; if the columns are degrees, write (deg) behind their names.")
    return 1.0
