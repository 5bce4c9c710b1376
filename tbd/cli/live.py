"""`tbd live`: a portrait talks while somebody speaks."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tbd import DEFAULT_SEED, MOTION_MODEL
from tbd.cli.options.command import Command
from tbd.cli.options.components import add_slot
from tbd.cli.options.drawing import SamplingOptions, chosen_components
from tbd.cli.options.framing import add_framing_options, framing_values
from tbd.cli.options.planner import add_planner_options
from tbd.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace
    from rich.console import Console

    from tbd.face.framing import Frame, FramedFace
    from tbd.face.geometry import FaceGeometry
    from tbd.face.tracking.choice import FaceChoice
    from tbd.live.scheduler import LiveScheduler
    from tbd.live.sources import SoundSource
    from tbd.live.talking_head import TalkingHeadStream
    from tbd.pipeline import TalkingHeadPipeline
    from tbd.think.plan import MusclePlan

PAGE = "page"
"""The value of ``--output`` that serves a page, and of ``--audio`` that takes the page's microphone."""
DISPLAY = "display"
"""The value of ``--output`` that opens a window."""


def _options(parser: "ArgumentParser") -> None:
    parser.add_argument("--portrait", required=True, help="a photograph or painting with a face")
    parser.add_argument(
        "--audio", default=PAGE, help="page: the microphone of the page; microphone: this machine's; a recording; - raw 16-bit mono sound"
    )
    parser.add_argument("--output", help="page (where the page has the microphone), display, a video to write (.mp4), or - for MPEG-TS")
    parser.add_argument("--emotion", default="", help="a sentence about a feeling; on the page another may take over at any time")
    add_framing_options(parser)
    parser.add_argument("--plan", help="a plan from `tbd think --json`, perhaps edited, instead of --emotion")
    parser.add_argument("--sample-rate", type=int, default=16_000, help="samples a second of --audio -")
    parser.add_argument("--host", default="127.0.0.1", help="address of the page; by default this machine alone reaches it")
    parser.add_argument("--port", type=int, default=7862, help="port of the page; 0 for any that is free")
    parser.add_argument("--visitors", type=int, default=4, help="how many may talk on the page at the same time")
    add_planner_options(parser)
    add_slot(parser, "tracker", "finds the face", "mesh")
    add_slot(parser, "renderer", "draws the frames", "mesh")
    parser.add_argument("--motion-model", default=MOTION_MODEL, help="packaged name, folder, or hub repository of a motion model")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="another one, another manner of moving beside the words")
    parser.add_argument("--size", type=int, help="the frames' longer side in pixels (default: 384; of a whole picture its own, up to 768)")
    parser.add_argument("--head-motion", type=float, default=1.0, help="how much the head moves; 0 holds it still")


def _run(options: "Namespace") -> None:
    from tbd.cli.options.path_checks import check_live

    output = options.output or (PAGE if options.audio == PAGE else DISPLAY)
    files = {"audio": options.audio if options.audio not in (PAGE, "microphone", "-") else None}
    files |= {"output": output if output not in (PAGE, DISPLAY, "-") else None}
    check_live(options.portrait, plan=options.plan, **files)
    sampling = SamplingOptions(model=options.motion_model, seed=options.seed, head_motion=options.head_motion)
    live(
        options.portrait,
        options.audio,
        output,
        emotion=options.emotion,
        plan=options.plan,
        sampling=sampling,
        size=options.size,
        sample_rate=options.sample_rate,
        address=(options.host, options.port),
        visitors=options.visitors,
        components=chosen_components(options),
        **framing_values(options),
    )


def live(
    portrait: str | os.PathLike,
    audio: str = PAGE,
    output: str = PAGE,
    emotion: str = "",
    plan: str | os.PathLike | None = None,
    sampling: SamplingOptions | None = None,
    size: int | None = None,
    sample_rate: int = 16_000,
    address: tuple[str, int] = ("127.0.0.1", 7862),
    visitors: int = 4,
    frame: "Frame | None" = None,
    aspect: tuple[float, float] | None = None,
    face: "FaceChoice" = "largest",
    components: Any = None,
    console: "Console | None" = None,
) -> None:
    """Let a portrait talk while somebody speaks, until the sound ends or Ctrl-C is pressed.

    Args:
        portrait: A picture with a face.
        audio: ``page``, ``microphone``, ``-`` or a recording.
        output: ``page``, ``display``, ``-`` or a video to write.
        emotion: A sentence about a feeling.
        plan: The file of a plan, instead of the sentence.
        sampling: The motion model, the seed, and how much the head moves.
        size: The frames' longer side in pixels, 64 to 2048; None for 384, or a whole picture's own up to 768.
        sample_rate: Samples a second of the sound of a pipe.
        address: Host and port of the page.
        visitors: How many may talk on the page at the same time.
        frame: ``portrait``, head and shoulders, or ``full``, the whole picture; None for portrait.
        aspect: Width and height of the frames, in any unit; None for a square, or the whole picture's own.
        face: Which of several faces speaks; see `tbd.pipeline.TalkingHeadPipeline.locate`.
        components: What takes the place of packaged components.
        console: Where to print; standard error by default, since standard output may be the video.

    Raises:
        InputError: If a file, an option, a microphone or a port cannot be used.
    """
    from rich.console import Console

    from tbd.cli.drawing.console import describe_face
    from tbd.cli.options.drawing import Components
    from tbd.cli.options.path_checks import check_size
    from tbd.draw.motion.loading import load_motion_model
    from tbd.face.portrait import find_face
    from tbd.live.scheduler import LiveScheduler
    from tbd.media import read_image
    from tbd.subject import Still, live_framing
    from tbd.think.plan import MusclePlan

    console, sampling, components = console or Console(stderr=True), sampling or SamplingOptions(), components or Components()
    if size is not None:
        check_size(size)
    if (audio == PAGE) != (output == PAGE):
        raise InputError("The page has the microphone and shows the face: give neither --audio nor --output, or both another value.")
    if plan is not None and emotion:
        raise InputError("Give --emotion or --plan, not both: a plan already says what is felt.")
    if not 1 <= visitors <= 64:
        raise InputError(f"--visitors is a whole number from 1 to 64, not {visitors}.")
    given = MusclePlan.load(plan) if plan is not None else None
    source = None if audio == PAGE else _open_source(audio, sample_rate)
    try:
        picture = read_image(portrait)
        pipeline = components.pipeline(load_motion_model(sampling.model))
        subject = Still.cut(find_face(pipeline.tracker, picture, str(portrait), face), live_framing(picture, frame, aspect, size))
        describe_face(subject.face, console, face)
        start = given if given is not None else pipeline.planner.plan(emotion)
        with LiveScheduler() as scheduler:
            open_stream = _opener(pipeline, subject.framed or subject.face, sampling, scheduler)
            if source is None:
                _serve(open_stream, lambda text: pipeline.planner.plan(text) if text else start, address, visitors, console)
            else:
                with open_stream(source, start, source.sample_rate) as stream:
                    _play(stream, output, start, console)
    finally:
        if source is not None:
            source.close()


def _open_source(audio: str, sample_rate: int) -> "SoundSource":
    from tbd.live.sources import open_source

    return open_source(audio, sample_rate, sys.stdin.buffer)


def _opener(
    pipeline: "TalkingHeadPipeline", face: "FaceGeometry | FramedFace", sampling: SamplingOptions, scheduler: "LiveScheduler"
) -> "Callable[..., TalkingHeadStream]":
    prepared = pipeline.prepare(face)
    scheduler.processes.load(prepared)  # they start while the page is opened
    shared: dict[str, Any] = {"head_motion": sampling.head_motion, "prepared": prepared, "scheduler": scheduler}

    def open_stream(chunks: Any, plan: "MusclePlan", sample_rate: int) -> "TalkingHeadStream":
        return pipeline.stream(chunks, face, plan, sampling.seed, sample_rate, realtime=True, **shared)

    return open_stream


def _serve(
    open_stream: "Callable[..., TalkingHeadStream]", think: "Callable[[str], MusclePlan]", address: tuple[str, int], visitors: int,
    console: "Console",
) -> None:  # fmt: skip
    import asyncio

    from tbd.live.server import LiveServer

    async def serve() -> None:
        async with LiveServer(open_stream, think, *address, most=visitors).listening() as url:
            console.print(f"[bold]{url}[/]  open it, press start and speak; Ctrl-C ends", highlight=False)
            await asyncio.Event().wait()

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        console.print("ended")


def _play(stream: "TalkingHeadStream", output: str, plan: "MusclePlan", console: "Console") -> None:
    from tbd.live.display import Display
    from tbd.media import provenance
    from tbd.media.rates import FPS
    from tbd.media.stream_writer import StreamWriter

    sink: Any
    if output == DISPLAY:
        sink = Display(stream.sample_rate)
    else:
        sink = StreamWriter(output, stream.sample_rate, provenance(plan.model_dump_json(exclude_defaults=True)))
    frames = 0
    try:
        with sink:
            for frame, sound in stream:
                sink.write(frame, sound)
                frames += 1
    except KeyboardInterrupt:
        pass
    if not frames:
        raise InputError("No sound came, so nothing was drawn.")
    console.print(f"[bold]{output}[/]  {frames / FPS:.1f} s", highlight=False)


COMMAND = Command("a portrait talks while somebody speaks: a microphone, a recording or a pipe in, a face out", _options, _run)
