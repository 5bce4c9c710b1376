"""ICC profiles: the colours that a picture's numbers mean, as sRGB."""

import io
from pathlib import Path
from typing import Any

import numpy as np

from tbd.utils.notes import note

_SAME = 3
"""Levels by which a profile may differ from sRGB and be left aside: the many spellings of sRGB itself, whose conversion only rounds."""
_PROFILED = ("RGB", "L", "CMYK", "LAB")
"""PIL's modes that littleCMS converts."""


def to_srgb(image: Any, profile: bytes | None, path: Path) -> Any:
    """Convert a picture from the colours of its profile to sRGB.

    Args:
        image: A PIL image without transparency.
        profile: Of ICC; None or empty where the picture has none, which means sRGB.
        path: What notes call the picture.

    Returns:
        A PIL image of mode RGB. A profile that is broken or made for another kind of picture is ignored, with a note.
    """
    if not profile:
        return image.convert("RGB")
    from PIL import ImageCms

    image = image if image.mode in _PROFILED else image.convert("L" if image.mode == "1" else "RGB")
    try:
        transform = _transform(ImageCms.ImageCmsProfile(io.BytesIO(profile)), image.mode)
        if image.mode == "RGB" and _changes_nothing(transform):
            return image
        return ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        note(f"The colour profile of {path} cannot be used and is ignored; its colours may be off.")
        return image.convert("RGB")


def _transform(source: Any, mode: str) -> Any:
    from PIL import ImageCms

    intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB", intent, flags)


def _changes_nothing(transform: Any) -> bool:
    """Whether a transform of RGB is none, to a few levels, on a grid of colours."""
    from PIL import Image, ImageCms

    steps = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(27, 27, 3)
    shown = np.asarray(ImageCms.applyTransform(Image.fromarray(grid), transform))
    return np.abs(shown.astype(int) - grid).max() <= _SAME
