"""Convert images from their ICC profile to sRGB."""

import io
from pathlib import Path
from typing import Any

import numpy as np

from tbd.utils.user_warnings import warn

_MAX_DIFFERENCE = 3
"""Levels by which a profile may differ from sRGB and be ignored: the many spellings of sRGB itself, whose conversion only rounds."""
_MODES = ("RGB", "L", "CMYK", "LAB")
"""PIL modes that littleCMS converts."""


def to_srgb(image: Any, profile: bytes | None, path: Path) -> Any:
    """Convert an image from its ICC profile to sRGB.

    Args:
        image: PIL image without transparency.
        profile: ICC profile; None or empty where the image has none, which means sRGB.
        path: Name of the image in warnings.

    Returns:
        PIL image of mode RGB. A profile that is broken or made for another mode is ignored, with a warning.
    """
    if not profile:
        return image.convert("RGB")
    from PIL import ImageCms

    image = image if image.mode in _MODES else image.convert("L" if image.mode == "1" else "RGB")
    try:
        transform = _transform(ImageCms.ImageCmsProfile(io.BytesIO(profile)), image.mode)
        if image.mode == "RGB" and _is_identity(transform):
            return image
        return ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        warn(f"The colour profile of {path} cannot be used and is ignored; its colours may be off.")
        return image.convert("RGB")


def _transform(source: Any, mode: str) -> Any:
    from PIL import ImageCms

    intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB", intent, flags)


def _is_identity(transform: Any) -> bool:
    """Whether a transform of RGB changes a grid of colors by a few levels at most."""
    from PIL import Image, ImageCms

    steps = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(27, 27, 3)
    shown = np.asarray(ImageCms.applyTransform(Image.fromarray(grid), transform))
    return np.abs(shown.astype(int) - grid).max() <= _MAX_DIFFERENCE
