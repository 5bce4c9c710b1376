"""A portrait and a voice to try tbd with."""

import os
import shutil
from pathlib import Path

import skimage
from PIL import Image

from tbd.utils.atomic import atomic_output, check_files

PORTRAIT = Path(skimage.__file__).parent / "data" / "astronaut.png"
"""Eileen Collins, by NASA, in the public domain; it comes with scikit-image."""
VOICE = Path(__file__).resolve().parents[1] / "assets" / "voice.wav"


def write_samples(folder: str | os.PathLike) -> tuple[Path, Path]:
    """Write the sample portrait and voice under the names that README's commands use.

    Args:
        folder: Where to; it is made if it is not there.

    Returns:
        ``me.jpg`` and ``hello.wav``.

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
