"""Provide a portrait and a recording to try tbd with."""

import os
import shutil
from pathlib import Path

import skimage
from PIL import Image

from tbd.utils.atomic import atomic_output
from tbd.utils.file_checks import check_files

PORTRAIT = Path(skimage.__file__).parent / "data" / "astronaut.png"
"""Portrait of Eileen Collins by NASA, in the public domain; scikit-image ships it."""
VOICE = Path(__file__).resolve().parents[1] / "assets" / "voice.wav"
"""A spoken sentence."""


def write_samples(folder: str | os.PathLike) -> tuple[Path, Path]:
    """Write the sample portrait and recording under the names that README's commands use.

    Args:
        folder: Folder to write to; created if it does not exist.

    Returns:
        Paths of ``me.jpg`` and ``hello.wav``.

    Raises:
        InputError: If they cannot be written there.
    """
    portrait, voice = Path(folder) / "me.jpg", Path(folder) / "hello.wav"
    check_files({}, {"me.jpg": portrait, "hello.wav": voice})
    with atomic_output(portrait) as temporary:
        Image.open(PORTRAIT).convert("RGB").save(temporary, quality=95)
    with atomic_output(voice) as temporary:
        shutil.copyfile(VOICE, temporary)
    return portrait, voice
