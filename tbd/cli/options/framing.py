"""The options of `tbd generate` that say what of a picture a video shows, and which face speaks."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace

FRAMES = ("portrait", "full")
"""Values of ``--frame``."""


def add_framing_options(parser: "ArgumentParser") -> None:
    """Add ``--frame``, ``--aspect`` and ``--face``."""
    parser.add_argument(
        "--frame",
        choices=FRAMES,
        help="portrait: head and shoulders; full: the head moves within the whole picture (default: portrait, and full for a video)",
    )
    parser.add_argument("--aspect", help="width:height of the video, such as 9:16 (default: 1:1, or the whole picture's own)")
    parser.add_argument("--face", default="largest", help="which of several faces speaks: largest, left, right, or a number from the left")


def framing_values(options: "Namespace | dict[str, Any]") -> dict[str, Any]:
    """Turn parsed options into arguments of `tbd.cli.generate.generate`.

    Args:
        options: Those of `add_framing_options`.

    Returns:
        Argument → value.

    Raises:
        InputError: If the shape or the face cannot be read.
    """
    from tbd.face.framing import parse_aspect
    from tbd.face.tracking.choice import check_choice

    aspect = None if options["aspect"] is None else parse_aspect(options["aspect"])
    return {"frame": options["frame"], "aspect": aspect, "face": check_choice(options["face"])}
