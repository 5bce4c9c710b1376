"""`tbd generate`: a portrait, a voice and a sentence become a video."""

import os
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from tbd import MOTION_MODEL
from tbd.cli.options.command import Command
from tbd.cli.options.drawing import (
    Components,
    SamplingOptions,
    add_drawing_options,
    add_renderer_options,
    check_renderer,
    drawing_values,
    renderer_values,
)
from tbd.cli.options.framing import add_framing_options, framing_values
from tbd.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace
    from rich.console import Console

    from tbd.draw.guidance.base import Guidance
    from tbd.draw.video.diffusion import VideoDiffusion
    from tbd.face.framing import Frame
    from tbd.face.tracking.choice import FaceChoice
    from tbd.live.in_order import FrameRenderer
    from tbd.live.portrait_ahead import PortraitAhead
    from tbd.pipeline import TalkingHeadPipeline


def _options(parser: "ArgumentParser") -> None:
    parser.add_argument("--portrait", required=True, help="a photograph or painting with a face, or a video whose speaker is dubbed")
    parser.add_argument("--audio", required=True, help="speech, in any format that FFmpeg reads")
    parser.add_argument("--emotion", default="", help="a sentence about a feeling; without one it is heard in the voice")
    parser.add_argument("--output", required=True, help="the video to write (.mp4)")
    parser.add_argument("--plan", help="a plan from `tbd think --json`, perhaps edited, instead of --emotion")
    add_renderer_options(parser)
    add_framing_options(parser)
    add_drawing_options(parser)


def _run(options: "Namespace") -> None:
    from tbd.utils.jobs.threads import share_cores

    if options.checkpoint is None:  # frames are drawn in processes of their own
        share_cores()
    from tbd.cli.options.path_checks import check_generation
    from tbd.speech.recognizer import recognize_ahead

    # before anything heavy is imported
    check_generation(options.portrait, options.audio, options.output, options.plan, options.motion_output, options.plan_output)
    framing, drawing = framing_values(options), drawing_values(options)
    if options.motion_model == MOTION_MODEL:  # whose encoder takes phones
        recognize_ahead(options.audio)
    own = {**renderer_values(options), **framing}
    with ExitStack() as stack:
        if (prepared := _prepare_ahead(options, framing, drawing["components"])) is not None:
            stack.enter_context(closing(prepared))
        generate(options.portrait, options.audio, options.output, options.emotion, options.plan, **drawing, **own, prepared=prepared)


def _prepare_ahead(options: "Namespace", framing: dict[str, Any], components: Components) -> "PortraitAhead | None":
    """Start to prepare the portrait, where the packaged tracker finds it and the mesh warp draws it."""
    if components.tracker is not None or components.renderer is not None or options.checkpoint is not None:
        return None
    from tbd.live.portrait_ahead import prepare_ahead

    return prepare_ahead(options.portrait, framing["face"], framing["frame"], framing["aspect"], options.size)


def generate(
    portrait: str | os.PathLike,
    audio: str | os.PathLike,
    output: str | os.PathLike,
    emotion: str = "",
    plan: str | os.PathLike | None = None,
    sampling: SamplingOptions | None = None,
    size: int | None = None,
    motion_output: str | os.PathLike | None = None,
    plan_output: str | os.PathLike | None = None,
    renderer: str = "mesh",
    checkpoint: str | os.PathLike | None = None,
    console: "Console | None" = None,
    components: Components | None = None,
    emotion_from: str | None = None,
    low_memory: bool = False,
    compile: bool = False,
    pipeline: "TalkingHeadPipeline | None" = None,
    frame: "Frame | None" = None,
    aspect: tuple[float, float] | None = None,
    face: "FaceChoice" = "largest",
    prepared: "PortraitAhead | None" = None,
    frame_renderer: "FrameRenderer | None" = None,
) -> None:
    """Write a video of a portrait that speaks. Everything is read and checked, then thought and printed, then drawn.

    Args:
        portrait: A picture with a face, or a video of somebody who gets another mouth and another feeling.
        audio: Speech in any format that FFmpeg reads.
        output: The mp4 to write.
        emotion: A sentence about a feeling; without one it is heard in the voice.
        plan: The file of a plan, instead of the sentence.
        sampling: How the motion is sampled.
        size: The video's longer side in pixels, 64 to 2048; None for 512, or a whole picture's own up to 1920.
        motion_output: Where to write the motion as well.
        plan_output: Where to write the plan as well.
        renderer: ``mesh`` warps the portrait; ``video`` draws every frame anew with the model of `checkpoint`.
        checkpoint: A video model: ``hallo`` or ``emocast``, an exported folder, a run's checkpoint, or a hub repository.
        console: Where to print.
        components: What takes the place of packaged components; its renderer takes that of `renderer`.
        emotion_from: ``text``, ``voice`` or ``both``, which None stands for; see `tbd.pipeline.TalkingHeadPipeline.think`.
        low_memory: Whether a video model draws more slowly, in less memory.
        compile: Whether a video model is compiled before it draws.
        pipeline: A pipeline that is loaded already, perhaps with the video model of `checkpoint`; instead of one of `components` and the
            model of `sampling`.
        frame: ``portrait``, head and shoulders, or ``full``, the whole picture; None for portrait of a picture and full of a video.
        aspect: Width and height of the video, in any unit; None for a square, or the whole picture's own.
        face: Which of several faces speaks; see `tbd.pipeline.TalkingHeadPipeline.locate`.
        prepared: The portrait in this framing, where a process locates it as the packaged tracker does, and prepares it.
        frame_renderer: Draws what the mesh warp draws; None for processes that end with the video.

    Raises:
        InputError: If a file cannot be used, or an option is out of range.
    """
    from rich.console import Console

    from tbd.cli.drawing.console import describe_face, show_progress
    from tbd.cli.drawing.frames import SampledMotion, frames_of_plan, save_motion, wait_for_first
    from tbd.cli.options.path_checks import check_generation, check_size
    from tbd.draw.conditioning.audio_encoder import frames_of
    from tbd.draw.motion.idle import IdleMotion
    from tbd.draw.motion.loading import load_motion_model
    from tbd.media import VideoWriter, provenance, read_audio, read_sound
    from tbd.media.rates import FPS, SAMPLE_RATE
    from tbd.pipeline import relaxation
    from tbd.speech.recognizer import remembers
    from tbd.subject import Still, open_subject
    from tbd.think.plan import MusclePlan
    from tbd.think.viz.console import show, warn_of_notes
    from tbd.think.voice.planning import check_source
    from tbd.utils.user_warnings import warn

    console, sampling, components = console or Console(), sampling or SamplingOptions(), components or Components()
    if size is not None:
        check_size(size)
    check_generation(portrait, audio, output, plan, motion_output, plan_output)
    check_renderer(renderer, checkpoint, low_memory, compile)
    if plan is not None and emotion:
        raise InputError("Give --emotion or --plan, not both: a plan already says what is felt.")
    if plan is not None and emotion_from is not None:
        raise InputError("Give --emotion-from or --plan, not both: a plan already says what is felt.")
    if plan is not None and components.planner is not None:
        raise InputError("Give --planner or --plan, not both: a plan needs no planner.")
    source = check_source(emotion_from or "both")
    given = MusclePlan.load(plan) if plan is not None else None
    samples = read_audio(audio)
    total = frames_of(len(samples))
    if pipeline is None:
        motion_model = load_motion_model(sampling.model)
        own = motion_model.guidance
        pipeline = components.pipeline(motion_model)
    else:
        motion_model, own = pipeline.motion_model, pipeline.motion_model.guidance
    video = checkpoint if components.renderer is None else None
    only_square = video is not None
    shown: dict[str, Any] = {"only_square": only_square, "dubs": pipeline.renderer is None}
    shown["progress"] = lambda frames, total: show_progress(frames, total, console)
    shown["located"] = None if prepared is None else prepared.geometry
    asked = (pipeline.tracker, portrait, len(samples) / SAMPLE_RATE, size, frame, aspect, face)
    subject = open_subject(*asked, **shown)
    if video is not None:
        if pipeline.video_model is None:
            pipeline.video_model = load_checkpoint(video, components, compile)
        pipeline.video_model.guidance = sampling.guidance(components.guidance or pipeline.video_model.guidance)
        pipeline.low_memory = low_memory
        if not pipeline.video_model.denoiser.reads_plan:
            warn(f"The video model {checkpoint} reads portrait and voice alone: what is felt does not change what it draws.")
        if pipeline.video_model.denoiser.headroom is not None:  # which is known once its weights are there
            subject = open_subject(*asked, headroom=pipeline.video_model.denoiser.headroom, **shown)
        if not pipeline.video_model.denoiser.reads_hint:  # the motion is not drawn from, and the guidance is the video model's alone
            motion_model.guidance = own
    guidance = _guidance(sampling, pipeline)
    thought = given if given is not None else pipeline.think(emotion, samples, subject.picture, source)
    show(thought, console, notes=False)
    warn_of_notes(thought)
    if plan_output is not None:
        thought.save(plan_output)
    describe_face(subject.face, console, face)
    sound, about = read_sound(audio), provenance(thought.model_dump_json(exclude_defaults=True))
    with VideoWriter(output, sound.samples, sound.sample_rate, metadata=about) as writer:
        amount = sampling.idle_motion
        pipeline.idle = IdleMotion(glances=amount, asymmetry=amount, sway=amount, coarticulation=amount, blinks=amount)
        if remembers(pipeline.motion_model.audio_encoder.recognizer, samples):
            with console.status("listening"):
                pipeline.motion_model.audio_encoder.listen(samples)  # here, Ctrl-C ends it
        steps, seed = sampling.num_inference_steps, sampling.seed
        windows = pipeline.draw_windows(thought, samples, seed, guidance, steps)
        motion = SampledMotion(windows, sampling.head_motion, {"source": "MotionDiffusion", "seed": seed})
        warped = subject if isinstance(subject, Still) and pipeline.renderer is None and pipeline.video_model is None else None
        if warped is not None:
            frames = frames_of_plan(warped, thought, motion.frames(), total, prepared, frame_renderer)
        else:
            with console.status("drawing the motion"):
                whole = motion.whole()
            save_motion(motion, motion_output)  # before what may take hours
            frames = subject.frames(whole, lambda face: pipeline.render(face, whole, thought, samples, seed, steps), relaxation(thought))
        with closing(frames):
            for image in show_progress(wait_for_first(frames, console, "drawing the motion"), total, console):
                writer.write(image)
        if warped is not None:
            save_motion(motion, motion_output)
    console.print(f"[bold]{output}[/]  {total / FPS:.1f} s, {image.shape[1]}×{image.shape[0]}", highlight=False)


def load_checkpoint(checkpoint: str | os.PathLike, components: Components, compile: bool = False) -> "VideoDiffusion":
    """Load the video model of ``--checkpoint``.

    Args:
        checkpoint: See `generate`.
        components: Its noise scheduler takes the place of the model's own.
        compile: Whether it is compiled.

    Returns:
        The model, with its own guidance.

    Raises:
        InputError: If there is no such model.
    """
    from tbd.draw.video.loading import load_video_model

    model = load_video_model(checkpoint)
    if components.noise_scheduler is not None:
        model.noise_scheduler = components.noise_scheduler(model.noise_scheduler)
    if compile:
        model.compile_parts()
    return model


def _guidance(sampling: SamplingOptions, pipeline: "TalkingHeadPipeline") -> "Guidance":
    """The motion model's guidance with the given scales, which are the video model's where that does not read the motion."""
    own = pipeline.motion_model.guidance
    return own if pipeline.video_model is not None and not pipeline.video_model.denoiser.reads_hint else sampling.guidance(own)


COMMAND = Command("a portrait, a voice and a sentence become a video", _options, _run)
