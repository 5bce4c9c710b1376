"""`tbd render`: a motion becomes a video of any portrait."""

import os
from contextlib import closing
from typing import TYPE_CHECKING

from tbd.cli.options.command import Command
from tbd.cli.options.components import add_slot
from tbd.cli.options.drawing import Components, chosen_components, names_video
from tbd.cli.options.framing import add_framing_options, framing_values
from tbd.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace
    from rich.console import Console

    from tbd.face.framing import Frame
    from tbd.face.motion import Motion
    from tbd.face.tracking.choice import FaceChoice
    from tbd.media import Sound


def _options(parser: "ArgumentParser") -> None:
    parser.add_argument(
        "--portrait", required=True, help="a photograph or painting with a face, or a video whose speaker is given the motion"
    )
    parser.add_argument("--motion", required=True, help="a motion: .npz, CSV of Live Link Face or others, JSON")
    parser.add_argument("--audio", help="sound for the video")
    parser.add_argument("--output", required=True, help="the video to write (.mp4)")
    parser.add_argument("--size", type=int, help="the video's longer side in pixels (default: 512; of a whole picture its own, up to 1920)")
    add_framing_options(parser)
    add_slot(parser, "renderer", "draws the frames", "mesh")
    add_slot(parser, "tracker", "finds the face", "mesh")


def _run(options: "Namespace") -> None:
    from tbd.cli.options.path_checks import check_render

    if names_video(options.renderer):
        raise InputError("--renderer video needs a plan and a voice, which `tbd generate` has; render with mesh, or a class of yours.")
    # before anything heavy is imported
    check_render(options.portrait, options.motion, options.output, options.audio)
    components = chosen_components(options)
    own = framing_values(options)
    render(options.portrait, options.motion, options.output, audio=options.audio, size=options.size, components=components, **own)


def render(
    portrait: str | os.PathLike,
    motion: str | os.PathLike,
    output: str | os.PathLike,
    audio: str | os.PathLike | None = None,
    size: int | None = None,
    console: "Console | None" = None,
    components: Components | None = None,
    frame: "Frame | None" = None,
    aspect: tuple[float, float] | None = None,
    face: "FaceChoice" = "largest",
) -> None:
    """Write a video of a portrait that moves as a motion says.

    The video lasts as long as the motion. Sound that is longer is cut and sound that is shorter is followed by silence; a note
    says so.

    Args:
        portrait: A picture with a face, or a video of somebody whose expression becomes the motion's; the head stays the video's.
        motion: The file of a motion.
        output: The mp4 to write.
        audio: Sound for the video, in any format that FFmpeg reads.
        size: The video's longer side in pixels, 64 to 2048; None for 512, or a whole picture's own up to 1920.
        console: Where to print.
        components: The tracker and the renderer, instead of the packaged ones.
        frame: As for `tbd.cli.generate.generate`, as `aspect` and `face` are.
        aspect: Width and height of the video.
        face: Which of several faces moves.

    Raises:
        InputError: If a file cannot be used, or the size is out of range.
    """
    from rich.console import Console

    from tbd.cli.drawing.console import describe_face, show_progress
    from tbd.cli.drawing.frames import warped_frames
    from tbd.cli.options.path_checks import check_render, check_size
    from tbd.face.motion import Motion
    from tbd.face.render.renderer import MeshWarpRenderer
    from tbd.face.tracker import FaceMeshTracker
    from tbd.media import VideoWriter, provenance, read_sound
    from tbd.media.rates import SAMPLE_RATE
    from tbd.subject import Still, open_subject

    console, components = console or Console(), components or Components()
    if size is not None:
        check_size(size)
    check_render(portrait, motion, output, audio)
    tracker, renderer = components.tracker or FaceMeshTracker(), components.renderer or MeshWarpRenderer()
    performance = Motion.load(motion)
    sound = read_sound(audio) if audio is not None else None
    if sound is not None:
        _compare_lengths(sound, performance, str(audio))
    subject = open_subject(
        tracker, portrait, performance.duration, size, frame, aspect, face, dubs=components.renderer is None,
        progress=lambda frames, total: show_progress(frames, total, console),
    )  # fmt: skip
    describe_face(subject.face, console, face)
    samples, rate = (None, SAMPLE_RATE) if sound is None else (sound.samples, sound.sample_rate)
    if isinstance(subject, Still) and components.renderer is None:
        frames = warped_frames(subject, performance)
    else:
        from tbd.pipeline import render_frames

        frames = subject.frames(performance, lambda face: render_frames(renderer, face, performance), neutralize=0.0)
    with VideoWriter(output, samples, rate, metadata=provenance()) as writer, closing(frames):
        for image in show_progress(frames, len(performance), console):
            writer.write(image)
    console.print(f"[bold]{output}[/]  {performance.duration:.1f} s, {image.shape[1]}×{image.shape[0]}", highlight=False)


def _compare_lengths(sound: "Sound", motion: "Motion", audio: str) -> None:
    """Issue a note where sound and motion end at different times, by more than a frame."""
    from tbd.media.rates import FPS
    from tbd.utils.user_warnings import warn

    longer = sound.duration - motion.duration
    if longer > 1 / FPS:
        warn(f"{audio} lasts {sound.duration:.2f} s and the motion {motion.duration:.2f} s; the last {longer:.2f} s of sound are left out.")
    elif longer < -1 / FPS:
        warn(f"{audio} lasts {sound.duration:.2f} s and the motion {motion.duration:.2f} s; the last {-longer:.2f} s are silent.")


COMMAND = Command("a motion becomes a video of any portrait", _options, _run)
