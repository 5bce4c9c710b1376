"""Frames of what a user gives as a face at rest: a picture or a video."""

import os
from collections.abc import Iterable

import numpy as np

from tbd.errors import InputError
from tbd.media.image import NotAPictureError, read_image
from tbd.media.video import read_video


def read_still_or_video(path: str | os.PathLike) -> Iterable[np.ndarray]:
    """Read the frames of a video, or a picture as the only one.

    Args:
        path: The file.

    Returns:
        (H, W, 3) uint8 RGB frames, in order.

    Raises:
        InputError: If the file is neither.
    """
    try:
        return [read_image(path)]
    except NotAPictureError:
        try:
            return read_video(path)
        except InputError:
            raise InputError(f"{path} is neither a picture nor a video that can be read; give one with a face.") from None
