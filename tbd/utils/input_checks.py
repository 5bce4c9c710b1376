"""Check what callers of the Python API pass before a network gets it: audio, images, text, numbers."""

from typing import Any

import numpy as np

from tbd.errors import InputError


def check_audio(audio: Any) -> np.ndarray:
    """Check audio samples.

    Args:
        audio: What was passed as audio.

    Returns:
        (N,) float32 samples at 16 kHz, contiguous.

    Raises:
        InputError: If it is anything else, such as several channels, integers, an empty array, or values far beyond -1..1.
    """
    expected = "give (N,) float samples at 16 kHz within -1..1, as tbd.media.read_audio does"
    array = audio if isinstance(audio, np.ndarray) else None
    if array is None or not np.issubdtype(array.dtype, np.floating) or array.ndim != 1:
        raise InputError(f"The audio is {_describe(audio)}; {expected}.")
    if not len(array):
        raise InputError(f"The audio is empty; {expected}.")
    if not np.isfinite(array).all():
        raise InputError(f"The audio holds values that are no numbers; {expected}.")
    if np.abs(array).max() > _MAX_LEVEL:
        raise InputError(f"The audio reaches {np.abs(array).max():.4g}; {expected}.")
    return np.ascontiguousarray(array, np.float32)


_MAX_LEVEL = 8.0
"""Resampling overshoots, and a float file may be somewhat loud; integers kept as floats are far beyond."""


def check_image(image: Any) -> np.ndarray:
    """Check an image.

    Args:
        image: What was passed as an image.

    Returns:
        (H, W, 3) uint8 RGB, contiguous.

    Raises:
        InputError: If it is anything else, such as a path, another library's image, grey, with alpha, floats, or empty.
    """
    if not (isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size):
        raise InputError(f"The picture is {_describe(image)}; give an (H, W, 3) uint8 RGB array, as tbd.media.read_image does.")
    return np.ascontiguousarray(image)


def check_text(text: Any) -> str:
    """Check a text to plan from.

    Args:
        text: What was passed as text.

    Returns:
        The text.

    Raises:
        InputError: If it is no string.
    """
    if not isinstance(text, str):
        raise InputError(f"The text is {_describe(text)}; give a sentence about a feeling, or an empty one.")
    return text


def check_int(value: Any, what: str, least: int, most: int) -> int:
    """Check a whole number.

    Args:
        value: What was passed as a number.
        what: Its name in the message.
        least: Minimum.
        most: Maximum.

    Returns:
        The number.

    Raises:
        InputError: If it is no whole number, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
        raise InputError(f"{what} is a whole number from {least} to {most}, not {value!r}.")
    return int(value)


def _describe(value: Any) -> str:
    """Describe a value: its class, and the shape and dtype of an array."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is None or dtype is None:
        return "None" if value is None else f"of type {type(value).__name__}"
    return f"{type(value).__name__} {tuple(shape)} of {dtype}"


def require_at_least(least: float, **numbers: float | None) -> None:
    """Require that options are not too small.

    Args:
        least: Smallest value.
        numbers: Name → value; None passes.

    Raises:
        InputError: If one is smaller.

    Example:
        >>> require_at_least(1, every=0)
        Traceback (most recent call last):
        tbd.errors.InputError: every is 0; from 1 on is right.
    """
    for name, value in numbers.items():
        if value is not None and not value >= least:
            raise InputError(f"{name} is {value:g}; from {least:g} on is right.")


def require_within(low: float, high: float, **numbers: float | None) -> None:
    """Require that options lie in a range, its ends included.

    Args:
        low: Smallest value.
        high: Greatest value.
        numbers: Name → value; None passes.

    Raises:
        InputError: If one does not.

    Example:
        >>> require_within(0, 1, muscles=7.0)
        Traceback (most recent call last):
        tbd.errors.InputError: muscles is 7; from 0 to 1 is right.
    """
    for name, value in numbers.items():
        if value is not None and not low <= value <= high:
            raise InputError(f"{name} is {value:g}; from {low:g} to {high:g} is right.")
