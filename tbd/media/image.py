"""Reading pictures: any format that PIL and libheif read, upright, in sRGB."""

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.media.colour import to_srgb
from tbd.media.container import existing
from tbd.media.refusals import what_it_is
from tbd.utils.notes import note

_BEHIND_ALPHA = 127
"""The grey put behind transparent pictures."""
_MANY = 0.01
"""The part of a picture that may be transparent without a note."""


def read_image(path: str | os.PathLike) -> np.ndarray:
    """Read a picture as it is meant to be seen.

    It is turned upright (EXIF), brought from its ICC profile to sRGB, and laid over grey where it is transparent; of an
    animation or of several pages the first picture is taken.

    Args:
        path: A file in any format that PIL or libheif (HEIC) reads, whatever its name ends in; 8 or 16 bits, grey, palette, RGB,
            RGBA or CMYK.

    Returns:
        (H, W, 3) uint8 sRGB.

    Raises:
        InputError: If the file is missing, a folder, empty, broken off, or no picture (a video, a text, a camera's raw file).
    """
    from PIL import Image

    path = existing(path, "picture")
    refusal = what_it_is(path)
    if refusal is not None:
        raise InputError(f"{path} is {refusal}.")
    _know_heic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return _read(path)
    except Image.UnidentifiedImageError as error:
        if path.read_bytes()[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            return _read_tiff(path)
        kind = "a video; give a still picture, or track it with `tbd track`" if _is_video(path) else "no picture; give a PNG, JPEG or such"
        raise InputError(f"{path} is {kind}.") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{path} has too many pixels to read; give a picture below 179 megapixels.") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise InputError(f"{path} cannot be read to its end as a picture: it is damaged or broken off; give a whole file.") from error


def _know_heic() -> None:
    """Make PIL read HEIC and HEIF, which phones write."""
    from pillow_heif import register_heif_opener

    register_heif_opener()


def _read(path: Path) -> np.ndarray:
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        if image.format == "TIFF" and image.tag_v2.get(_PLANES) == 2 and max(image.tag_v2.get(_BITS, (8,))) > 8:
            return _read_tiff(path)  # PIL takes the planes for each other
        image.load()
        count = getattr(image, "n_frames", 1)
        if count > 1 and image.format in ("GIF", "WEBP", "TIFF", "PNG", "AVIF"):
            note(f"{path} holds {count} pictures; the first one is taken.")
        profile = image.info.get("icc_profile")
        if image.format == "HEIF":
            _restore_orientation(image, path)
        return _to_rgb(ImageOps.exif_transpose(image), profile, path)


_ORIENTATION, _BITS, _PLANES = 0x0112, 258, 284
"""Tags of EXIF and TIFF."""


def _restore_orientation(image: Any, path: Path) -> None:
    """Let EXIF turn a HEIC that no other word in the file turns.

    Phones write both EXIF's tag and a property of the container, which libheif applies; some programs write the tag alone.
    """
    with open(path, "rb") as file:
        properties = file.read(1 << 18).partition(b"mdat")[0]
    orientation = image.info.get("original_orientation")
    if orientation and b"irot" not in properties and b"imir" not in properties:
        image.getexif()[_ORIENTATION] = orientation


def _is_video(path: Path) -> bool:
    import av

    try:
        with av.open(str(path)) as container:
            # FFmpeg takes a file for a one-picture "pipe" by its name's ending alone.
            return not container.format.name.endswith("pipe") and next(container.decode(video=0), None) is not None
    except (av.FFmpegError, OSError, IndexError):
        return False


def _to_rgb(image: Any, profile: bytes | None, path: Path) -> np.ndarray:
    """A PIL image of any mode → (H, W, 3) uint8."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        grey = Image.fromarray(_levels_to_rgb(np.asarray(image), path)[..., 0])
        return np.array(to_srgb(grey, profile, path))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return _over_grey(np.asarray(to_srgb(rgba.convert("RGB"), profile, path)), np.asarray(rgba)[..., 3:], path)
    return np.array(to_srgb(image, profile, path))


def _over_grey(rgb: np.ndarray, opacity: np.ndarray, path: Path) -> np.ndarray:
    """(H, W, 3) uint8 over grey, where (H, W, 1) uint8 opacity leaves room."""
    if (opacity < 128).mean() > _MANY:
        note(f"{path} is transparent in {(opacity < 128).mean():.0%} of its pixels; grey stands there.")
    alpha = opacity.astype(np.float32) / 255
    return np.rint(rgb * alpha + _BEHIND_ALPHA * (1 - alpha)).astype(np.uint8)


def _levels_to_rgb(levels: np.ndarray, path: Path) -> np.ndarray:
    """(H, W) or (H, W, C) numbers of more than 8 bits → (H, W, 3) uint8, white being `_top`."""
    levels = levels[..., None] if levels.ndim == 2 else levels
    highest, top = levels.max(initial=0), _top(levels)
    if top not in (1.0, 255.0, 65535.0):
        note(f"The brightest number in {path} is {highest:g}; it is read as of {top:g}.")
    grey = np.clip(np.nan_to_num(levels.astype(np.float32)) / top, 0, 1)
    return np.rint(255 * (grey[..., :3] if grey.shape[2] >= 3 else grey[..., :1].repeat(3, 2))).astype(np.uint8)


def _top(levels: np.ndarray) -> float:
    """What white is: 1 or 255 of floats, else the brightest; of integers what 8, 10, 12 or 16 bits hold."""
    highest = float(np.nan_to_num(levels.max(initial=0)))
    steps = (1.0, 255.0, highest) if levels.dtype.kind == "f" else (255.0, 1023.0, 4095.0, 65535.0, highest)
    return next(step for step in steps if highest <= step)


def _read_tiff(path: Path) -> np.ndarray:
    """Read the TIFFs that PIL does not know (16-bit colour)."""
    import tifffile
    from PIL import Image, ImageOps

    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages[0]
            levels, profile = page.asarray(), page.tags.get("InterColorProfile")
            levels = np.moveaxis(levels, 0, -1) if page.axes == "SYX" else levels
            turn = page.tags.get("Orientation")
    except Exception as error:  # tifffile raises whatever its parser trips over
        raise InputError(f"{path} cannot be read as a TIFF picture: it is damaged, or of a rare kind; save it as PNG.") from error
    if levels.ndim not in (2, 3):
        raise InputError(f"{path} is a TIFF of shape {levels.shape}, not a picture.")
    image = Image.fromarray(_levels_to_rgb(levels, path))
    image.getexif()[_ORIENTATION] = int(turn.value) if turn else 1
    return np.array(to_srgb(ImageOps.exif_transpose(image), profile and profile.value, path))
