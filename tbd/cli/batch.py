"""`tbd batch`: many videos from a table, with one start-up."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from tbd.cli.drawing.batch_jobs import COLUMNS, REQUIRED, Job, Status, read_jobs
from tbd.cli.options.command import Command
from tbd.cli.options.drawing import (
    SamplingOptions,
    add_drawing_options,
    add_renderer_options,
    check_renderer,
    drawing_values,
    renderer_values,
)
from tbd.cli.options.framing import add_framing_options, framing_values
from tbd.errors import InputError, TBDError, disk_error

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace
    from rich.console import Console

    from tbd.live.in_order import FrameRenderer

_OF_A_ROW = ("motion_output", "plan_output")
"""Drawing options that only a row can have."""
_FRAMING = ("frame", "aspect", "face")
_SAMPLING = tuple(field.name for field in fields(SamplingOptions) if field.name != "model")


def _options(parser: "ArgumentParser") -> None:
    optional = ", ".join(name for name in COLUMNS if name not in REQUIRED)
    parser.add_argument(
        "jobs", help=f"a CSV file with the columns {', '.join(REQUIRED)} and, where wanted, {optional}; files are found from its folder"
    )
    parser.add_argument("--restart", action="store_true", help="draw all rows again, also those that are done")
    add_renderer_options(parser)
    add_framing_options(parser)
    add_drawing_options(parser)


def _run(options: "Namespace") -> None:
    jobs = read_jobs(options.jobs)  # before anything heavy is imported
    for name in _OF_A_ROW:
        if options[name] is not None:
            raise InputError(f"--{name.replace('_', '-')} is one file for many videos; give a column {name} instead.")
    values = drawing_values(options)
    shared = {**{name: options[name] for name in (*_SAMPLING, *_FRAMING, "size", "emotion_from")}, "model": options.motion_model}
    renderer = renderer_values(options)
    check_renderer(**renderer)
    slots = {name: str(options.get(name)) for name in ("planner", "tracker", "guidance", "noise_scheduler", "voice_reader")}
    if options.checkpoint is not None or values["components"].renderer is not None:  # without, rows that are done stay done
        slots |= {name: str(options.get(name)) for name in ("renderer", "checkpoint", "low_memory")}

    def fingerprint(job: Job) -> str:
        return job.fingerprint({**shared, **slots})

    status = Status.beside(options.jobs)
    console = values["console"]
    todo = jobs if options.restart else [job for job in jobs if not status.is_done(job, fingerprint(job))]
    if len(todo) < len(jobs):
        console.print(f"{len(jobs) - len(todo)} of {len(jobs)} videos are there already; --restart draws them again.")
    if not todo:
        return
    from tbd.live.in_order import frame_renderer

    with frame_renderer() as frames:  # whose processes are started by the first video that is worth it
        failed = _draw_all(todo, _drawer(values["components"], shared, renderer, frames), fingerprint, status, console)
    if failed:
        raise TBDError(f"{failed} of {len(todo)} videos failed; {status.path} says why. Run the command again to try those alone.")


def _drawer(components: Any, shared: Mapping[str, Any], renderer: Mapping[str, Any], frames: "FrameRenderer") -> Callable[[Job], None]:
    """Load everything once; what is returned draws a job with it."""
    from rich.console import Console

    from tbd.cli.drawing.remembering_tracker import RememberingTracker
    from tbd.cli.generate import generate, load_checkpoint
    from tbd.draw.motion.loading import load_motion_model

    motion_model = load_motion_model(shared["model"])
    own = motion_model.guidance
    pipeline = components.pipeline(motion_model)
    pipeline.tracker = RememberingTracker(pipeline.tracker)
    if renderer["checkpoint"] is not None:
        pipeline.video_model = load_checkpoint(renderer["checkpoint"], components, renderer["compile"])
        unscaled = pipeline.video_model.guidance
        if not pipeline.video_model.denoiser.reads_hint:  # --guidance is the video model's
            motion_model.guidance = own
    quiet = Console(quiet=True)

    def draw(job: Job) -> None:
        values = {**shared, **job.values}
        if pipeline.video_model is not None:
            pipeline.video_model.guidance = unscaled  # the row before had scales of its own
        sampling = SamplingOptions(values["model"], **{name: values[name] for name in _SAMPLING})
        files: dict[str, Any] = {name: values.get(name) for name in ("portrait", "audio", "output", "plan", *_OF_A_ROW)}
        generate(
            **files,
            emotion=values.get("emotion", ""),
            sampling=sampling,
            size=values["size"],
            console=quiet,
            components=components,
            emotion_from=values["emotion_from"],
            pipeline=pipeline,
            frame_renderer=frames,
            **renderer,
            **framing_values(values),
        )

    return draw


def _draw_all(
    jobs: Sequence[Job], draw: Callable[[Job], None], fingerprint: Callable[[Job], str], status: Status, console: "Console"
) -> int:
    """Draw one after the other; a failure is noted, and the rest goes on. Returns the number of failures."""
    failed = 0
    for number, job in enumerate(jobs, 1):
        begun, before, error = time.monotonic(), fingerprint(job), job.error
        try:
            if not error:
                with console.status(f"{number} of {len(jobs)}: {job.output}"):
                    draw(job)
        except TBDError as problem:
            error = str(problem)
        except Exception as problem:
            error = str(disk_error(problem) or f"unexpected {type(problem).__name__}: {problem}")
        seconds = time.monotonic() - begun
        status.note(job, before, seconds, error)
        failed += bool(error)
        said = f"[red]row {job.row}[/]: {_plain(error)}" if error else f"[bold]{_plain(job.output)}[/]  {seconds:.1f} s"
        console.print(f"{number}/{len(jobs)}  {said}", highlight=False)
    return failed


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


COMMAND = Command("many videos from a table, with one start-up; it goes on where it was interrupted", _options, _run)
