"""Read images of any format that PIL and libheif decode, upright and in sRGB."""

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.media.container import require_file
from tbd.media.icc import to_srgb
from tbd.media.integrity.unsupported_images import describe_unsupported
from tbd.utils.user_warnings import warn

_BACKGROUND = 127
"""Grey level that is put behind transparent images."""
_MAX_TRANSPARENT = 0.01
"""Share of an image that may be transparent without a warning."""


class NotAPictureError(InputError):
    """A file is no picture of any kind, but perhaps a video."""


def read_image(path: str | os.PathLike) -> np.ndarray:
    """Read an image as it is meant to be seen.

    It is rotated as its EXIF tag says, converted from its ICC profile to sRGB, and composed over grey where it is transparent.
    Of animations and of several pages the first image is taken.

    Args:
        path: File of any format that PIL or libheif (HEIC) decodes, whatever its suffix; 8 or 16 bits, grey, palette, RGB, RGBA
            or CMYK.

    Returns:
        (H, W, 3) uint8 sRGB.

    Raises:
        InputError: If the file is missing, a folder, empty, truncated, or of a kind that is not read (a camera's raw file).
        NotAPictureError: If it is none, but a video or a text.

    Example:
        >>> read_image("portrait.heic").shape  # doctest: +SKIP
        (3024, 4032, 3)
    """
    from PIL import Image

    path = require_file(path, "picture")
    refusal = describe_unsupported(path)
    if refusal is not None:
        raise InputError(f"{path} is {refusal}.")
    _register_heic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return _read(path)
    except Image.UnidentifiedImageError as error:
        if path.read_bytes()[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            return _read_tiff(path)
        kind = "a video; give a still picture, or track it with `tbd track`" if _is_video(path) else "no picture; give a PNG, JPEG or such"
        raise NotAPictureError(f"{path} is {kind}.") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{path} has too many pixels to read; give a picture below 179 megapixels.") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise InputError(f"{path} cannot be read to its end as a picture: it is damaged or broken off; give a whole file.") from error


def _register_heic() -> None:
    """Let PIL read HEIC and HEIF, which phones write."""
    from pillow_heif import register_heif_opener

    register_heif_opener()


def _read(path: Path) -> np.ndarray:
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        tags = getattr(image, "tag_v2", {})
        if image.format == "TIFF" and tags.get(_PLANES) == 2 and max(tags.get(_BITS, (8,))) > 8:
            return _read_tiff(path)  # PIL mixes the planes up
        image.load()
        count = getattr(image, "n_frames", 1)
        if count > 1 and image.format in ("GIF", "WEBP", "TIFF", "PNG", "AVIF"):
            warn(f"{path} holds {count} pictures; the first one is taken.")
        profile = image.info.get("icc_profile")
        if image.format == "HEIF":
            _restore_orientation(image, path)
        return _to_rgb(ImageOps.exif_transpose(image), profile, path)


_ORIENTATION, _BITS, _PLANES = 0x0112, 258, 284
"""Tags of EXIF and TIFF."""


def _restore_orientation(image: Any, path: Path) -> None:
    """Restore the EXIF orientation of a HEIC file that states none elsewhere.

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
    """Compose (H, W, 3) uint8 over grey by (H, W, 1) uint8 opacity."""
    if (opacity < 128).mean() > _MAX_TRANSPARENT:
        warn(f"{path} is transparent in {(opacity < 128).mean():.0%} of its pixels; grey stands there.")
    alpha = opacity.astype(np.float32) / 255
    return np.rint(rgb * alpha + _BACKGROUND * (1 - alpha)).astype(np.uint8)


def _levels_to_rgb(levels: np.ndarray, path: Path) -> np.ndarray:
    """(H, W) or (H, W, C) of more than 8 bits → (H, W, 3) uint8; `_white_level` becomes white."""
    levels = levels[..., None] if levels.ndim == 2 else levels
    highest, top = levels.max(initial=0), _white_level(levels)
    if top not in (1.0, 255.0, 65535.0):
        warn(f"The brightest number in {path} is {highest:g}; it is read as of {top:g}.")
    grey = np.clip(np.nan_to_num(levels.astype(np.float32)) / top, 0, 1)
    return np.rint(255 * (grey[..., :3] if grey.shape[2] >= 3 else grey[..., :1].repeat(3, 2))).astype(np.uint8)


def _white_level(levels: np.ndarray) -> float:
    """Level of white: 1 or 255 for floats, else the maximum; for integers the maximum of 8, 10, 12 or 16 bits."""
    highest = float(np.nan_to_num(levels.max(initial=0)))
    steps = (1.0, 255.0, highest) if levels.dtype.kind == "f" else (255.0, 1023.0, 4095.0, 65535.0, highest)
    return next(step for step in steps if highest <= step)


def _read_tiff(path: Path) -> np.ndarray:
    """Read the TIFFs that PIL does not know (16-bit color)."""
    import tifffile
    from PIL import Image, ImageOps

    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages[0]
            assert isinstance(page, tifffile.TiffPage)  # the first page is always read whole
            levels, profile = page.asarray(), page.tags.valueof("InterColorProfile")
            levels = np.moveaxis(levels, 0, -1) if page.axes == "SYX" else levels
            orientation = page.tags.valueof("Orientation", 1)
    except Exception as error:  # tifffile raises whatever its parser trips over
        raise InputError(f"{path} cannot be read as a TIFF picture: it is damaged, or of a rare kind; save it as PNG.") from error
    if levels.ndim not in (2, 3):
        raise InputError(f"{path} is a TIFF of shape {levels.shape}, not a picture.")
    image = Image.fromarray(_levels_to_rgb(levels, path))
    image.getexif()[_ORIENTATION] = int(orientation)
    return np.array(to_srgb(ImageOps.exif_transpose(image), profile, path))
