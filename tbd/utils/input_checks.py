"""What callers of the Python API give, checked before a network sees it: samples, pictures, sentences, numbers."""

from typing import Any

import numpy as np

from tbd.errors import InputError


def samples(audio: Any) -> np.ndarray:
    """Check a recording.

    Args:
        audio: What was given as one.

    Returns:
        (N,) float32 samples at 16 kHz, within -1..1.

    Raises:
        InputError: It is something else: several channels, integers, nothing, values beyond.
    """
    right = "give (N,) float samples at 16 kHz within -1..1, as tbd.media.read_audio does"
    array = audio if isinstance(audio, np.ndarray) else None
    if array is None or not np.issubdtype(array.dtype, np.floating) or array.ndim != 1:
        raise InputError(f"The audio is {_kind(audio)}; {right}.")
    if not len(array):
        raise InputError(f"The audio is empty; {right}.")
    if not np.isfinite(array).all():
        raise InputError(f"The audio holds values that are no numbers; {right}.")
    if np.abs(array).max() > _LOUDEST:
        raise InputError(f"The audio reaches {np.abs(array).max():.4g}; {right}.")
    return np.ascontiguousarray(array, np.float32)


_LOUDEST = 8.0
"""Resampling overshoots, and a float file may be somewhat loud; integers kept as floats are far beyond."""


def picture(image: Any) -> np.ndarray:
    """Check a picture.

    Args:
        image: What was given as one.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        InputError: It is something else: a path, another library's picture, grey, with alpha, floats, nothing.
    """
    if not (isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size):
        raise InputError(f"The picture is {_kind(image)}; give an (H, W, 3) uint8 RGB array, as tbd.media.read_image does.")
    return np.ascontiguousarray(image)


def sentence(text: Any) -> str:
    """Check a sentence about a feeling; InputError where it is no text."""
    if not isinstance(text, str):
        raise InputError(f"The text is {_kind(text)}; give a sentence about a feeling, or an empty one.")
    return text


def whole(value: Any, what: str, least: int, most: int) -> int:
    """Check a whole number.

    Args:
        value: What was given.
        what: How the message calls it.
        least: The smallest that is right.
        most: The largest.

    Returns:
        The number.

    Raises:
        InputError: It is another kind of thing, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
        raise InputError(f"{what} is a whole number from {least} to {most}, not {value!r}.")
    return int(value)


def _kind(value: Any) -> str:
    """What a thing is, in few words: class, and shape and type of numbers where it has them."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is None or dtype is None:
        return "None" if value is None else f"of type {type(value).__name__}"
    return f"{type(value).__name__} {tuple(shape)} of {dtype}"
