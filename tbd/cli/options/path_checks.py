"""What each drawing command reads and writes, checked before anything heavy is imported."""

import os

from tbd.errors import InputError
from tbd.face.motion_io import SUFFIXES
from tbd.utils.file_checks import check_files

_VIDEOS = (".mp4", ".mov")


def check_generation(
    portrait: str | os.PathLike,
    audio: str | os.PathLike,
    output: str | os.PathLike,
    plan: str | os.PathLike | None = None,
    motion_output: str | os.PathLike | None = None,
    plan_output: str | os.PathLike | None = None,
) -> None:
    """Check every file of `tbd generate` before anything is loaded.

    Args:
        portrait: The picture to read.
        audio: The voice to read.
        output: The video to write.
        plan: The plan to read, if any.
        motion_output: The motion to write, if any.
        plan_output: The plan to write, if any.

    Raises:
        InputError: If a file cannot be read or written, or one would be overwritten.
    """
    check_files(
        {"--portrait": portrait, "--audio": audio, "--plan": plan},
        {"--output": output, "--motion-output": motion_output, "--plan-output": plan_output},
        {"--output": _VIDEOS, "--motion-output": SUFFIXES, "--plan-output": (".json",)},
    )


def check_live(
    portrait: str | os.PathLike,
    audio: str | os.PathLike | None = None,
    output: str | os.PathLike | None = None,
    plan: str | os.PathLike | None = None,
) -> None:
    """Check every file of `tbd live` before anything is loaded.

    Args:
        portrait: The picture to read.
        audio: The recording to read, if any.
        output: The video to write, if any.
        plan: The plan to read, if any.

    Raises:
        InputError: If a file cannot be read or written, or one would be overwritten.
    """
    check_files({"--portrait": portrait, "--audio": audio, "--plan": plan}, {"--output": output}, {"--output": _VIDEOS})


def check_track(
    video: str | os.PathLike,
    output: str | os.PathLike,
    landmarker: str | os.PathLike | None = None,
    neutral: str | os.PathLike | None = None,
) -> None:
    """Check every file of `tbd track` before anything is loaded.

    Args:
        video: The video to read.
        output: The motion to write.
        landmarker: The landmarker's file to read, if any.
        neutral: The picture or video of the person at rest to read, if any.

    Raises:
        InputError: If a file cannot be read or written, or one would be overwritten.
    """
    check_files({"the video": video, "--landmarker": landmarker, "--neutral": neutral}, {"--output": output}, {"--output": SUFFIXES})


def check_render(
    portrait: str | os.PathLike, motion: str | os.PathLike, output: str | os.PathLike, audio: str | os.PathLike | None = None
) -> None:
    """Check every file of `tbd render` before anything is loaded.

    Args:
        portrait: The picture to read.
        motion: The motion to read.
        output: The video to write.
        audio: The sound to read, if any.

    Raises:
        InputError: If a file cannot be read or written, or one would be overwritten.
    """
    check_files({"--portrait": portrait, "--motion": motion, "--audio": audio}, {"--output": output}, {"--output": _VIDEOS})


def check_size(size: int) -> None:
    """Check the size of a video.

    Args:
        size: Height and width in pixels.

    Raises:
        InputError: If it is not within 64 to 2048.
    """
    if not 64 <= size <= 2048:
        raise InputError(f"--size is a number of pixels from 64 to 2048, not {size}.")
