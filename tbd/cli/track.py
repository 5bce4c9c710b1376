"""`tbd track`: a real performance becomes a motion."""

import math
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tbd.cli.options.command import Command
from tbd.cli.options.components import add_slot, chosen, made
from tbd.cli.options.drawing import MOTION_FORMATS
from tbd.cli.options.tracking import names_tracker
from tbd.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace
    from rich.console import Console

    from tbd.face.motion import Motion
    from tbd.face.tracker import Tracker


def _options(parser: "ArgumentParser") -> None:
    parser.add_argument("video", help="a video with a face")
    parser.add_argument("--output", required=True, help=f"the motion to write ({MOTION_FORMATS})")
    add_slot(parser, "tracker", "finds and follows the face", "mesh")
    parser.add_argument("--start", type=float, default=0.0, help="seconds of the video at which to begin")
    parser.add_argument("--end", type=float, help="seconds of the video at which to stop")
    parser.add_argument("--landmarker", help="a face_landmarker.task file: track with MediaPipe's landmarker instead of the mesh")
    parser.add_argument("--neutral", help="a picture or video of the same person at rest, to tell what the face holds from its shape")


def _run(options: "Namespace") -> None:
    from tbd.cli.options.path_checks import check_track

    is_named = names_tracker(options)
    # before anything heavy is imported
    check_track(options.video, options.output, options.landmarker, options.neutral)
    tracker = made(chosen(options.tracker, "tracker", "mesh"), "tracker") if is_named else None
    part = {"start": options.start, "end": options.end}
    track(options.video, options.output, landmarker=options.landmarker, tracker=tracker, neutral=options.neutral, **part)


def track(
    video: str | os.PathLike,
    output: str | os.PathLike,
    landmarker: str | None = None,
    console: "Console | None" = None,
    tracker: "Tracker | None" = None,
    start: float = 0.0,
    end: float | None = None,
    neutral: str | os.PathLike | None = None,
) -> None:
    """Write the performance in a video as a motion.

    Args:
        video: The recording.
        output: The motion to write.
        landmarker: A ``face_landmarker.task`` file; MediaPipe's landmarker then tracks instead of the mesh tracker.
        console: Where to print.
        tracker: What tracks, instead of these two.
        start: Seconds of the video at which the motion begins.
        end: Seconds at which it ends; the video's own end where not given.
        neutral: A picture or video of the same person at rest. Without it the mesh tracker measures against people at large, and
            a note says so.

    Raises:
        InputError: If a file cannot be used, or more than one person is seen one after the other.
    """
    from rich.console import Console

    from tbd.cli.drawing.console import show_progress
    from tbd.cli.options.path_checks import check_track
    from tbd.face.neutral import AVERAGE
    from tbd.face.tracker import FaceMeshTracker, default_tracker
    from tbd.media import read_still_or_video, read_video
    from tbd.media.rates import FPS
    from tbd.utils.options.user_components import attribute_errors_to
    from tbd.utils.user_warnings import warn

    console = console or Console()
    check_track(video, output, landmarker, neutral)
    tracker = tracker or default_tracker(landmarker)
    if not (0 <= start < math.inf and (end is None or end > start)):
        raise InputError(f"--start {start:g} and --end {end} name no part of {video}; they are seconds, the first one the smaller.")
    frames = read_video(video, start, end)
    if 0 < frames.info.duration <= start:
        raise InputError(f"--start {start:g} lies beyond the end of {video}, which lasts {frames.info.duration:.2f} s.")
    with attribute_errors_to(tracker, "tracker"):
        at_rest = None if neutral is None else tracker.neutral_face(read_still_or_video(neutral), str(neutral))
        motion = tracker.track(show_progress(frames, round(frames.duration * FPS), console), str(video), at_rest)
    motion.save(output)
    for remark in _remarks(motion, str(video)):
        warn(remark)
    if isinstance(getattr(tracker, "base", tracker), FaceMeshTracker) and motion.metadata.get("neutral") == AVERAGE:
        warn(_AGAINST_AVERAGE)
    console.print(f"[bold]{output}[/]  {len(motion)} frames, {motion.metadata.get('tracker')}", highlight=False)


_AGAINST_AVERAGE = (
    "what this face shows throughout was estimated from its shape by comparing it with people at large, and may be weaker or stronger than "
    "it was; --neutral FILE, a picture or video of the same person at rest, makes it exact."
)


def _remarks(motion: "Motion", video: str) -> Iterator[str]:
    """What was done to a video on the way to its motion."""
    if "turned" in motion.metadata:
        yield f"{video} was turned by {abs(motion.metadata['turned'])}°, so that the face stands upright."
    if "cuts" in motion.metadata:
        seconds = ", ".join(f"{second:.2f}" for second in motion.metadata["cuts"])
        yield f"{video} cuts at {seconds} s; the head's motion in each shot is relative to the shot's own resting pose."


COMMAND = Command("a real performance becomes a motion", _options, _run)
