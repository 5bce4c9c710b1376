"""Think, draw, render: the way from a sentence to a video, and what the command line does with files."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from diffusers import SchedulerMixin
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tbd import MOTION_MODEL
from tbd.cli.path_checks import check_generation, check_render, check_track
from tbd.draw.export import load_motion_model
from tbd.draw.guidance.base import SCALES, Guidance
from tbd.draw.guidance.progressive import ProgressiveGuidance
from tbd.draw.motion.diffusion import MotionDiffusion
from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.neutral import AVERAGE
from tbd.face.occlusion import is_mouth_occluded
from tbd.face.portrait import crop_portrait
from tbd.face.render.renderer import MeshWarpRenderer, Renderer
from tbd.face.tracker import FaceLandmarkerTracker, FaceMeshTracker, Tracker
from tbd.media import Sound, VideoWriter, provenance, read_audio, read_image, read_sound, read_video
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.think import KnowledgePlanner, MusclePlan
from tbd.think.planner import Planner
from tbd.think.viz.console import show, warn
from tbd.utils import input_checks
from tbd.utils.notes import note
from tbd.utils.sample_inputs import PORTRAIT, VOICE
from tbd.utils.user_components import answerable, require_kind

ASSETS = Path(__file__).resolve().parent / "assets"
T = TypeVar("T")


class TalkingHeadPipeline:
    """A portrait, a voice and a sentence become a talking face. Every part can be swapped.

    Args:
        planner: text → plan.
        model: plan and audio → motion.
        tracker: picture → mesh.
        renderer: mesh and motion → frames.

    Example:
        >>> pipeline = TalkingHeadPipeline()  # doctest: +SKIP
        >>> audio = read_audio("hello.wav")  # doctest: +SKIP
        >>> plan = pipeline.think("quietly furious", audio)  # doctest: +SKIP
        >>> motion = pipeline.draw(plan, audio)  # doctest: +SKIP
        >>> frames = pipeline.render(pipeline.locate(read_image("me.jpg")), motion)  # doctest: +SKIP
    """

    def __init__(
        self,
        planner: Planner | None = None,
        model: MotionDiffusion | None = None,
        tracker: Tracker | None = None,
        renderer: Renderer | None = None,
    ) -> None:
        self.planner = planner or KnowledgePlanner()
        self.model = model or load_motion_model()
        self.tracker = tracker or FaceMeshTracker()
        self.renderer = renderer or MeshWarpRenderer()

    def think(self, text: str, audio: np.ndarray) -> MusclePlan:
        """A plan for a recording of (N,) samples at 16 kHz."""
        text, audio = input_checks.sentence(text), input_checks.samples(audio)
        with answerable(self.planner, "planner"):
            plan = self.planner.plan(text, duration=len(audio) / SAMPLE_RATE)
        require_kind(plan, MusclePlan, self.planner, "planner")
        return plan

    def locate(self, image: np.ndarray, size: int = 512, source: str = "the portrait") -> FaceGeometry:
        """The largest face of an (H, W, 3) uint8 picture, cropped to head and shoulders of `size` × `size` pixels."""
        size = input_checks.whole(size, "The size", 64, 2048)
        return crop_portrait(_located(self.tracker, input_checks.picture(image), source), size)

    def draw(
        self,
        plan: MusclePlan,
        audio: np.ndarray,
        seed: int = 0,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
    ) -> Motion:
        """The motion of a recording of (N,) samples at 16 kHz: ceil(N / 640) frames."""
        audio, seed = input_checks.samples(audio), input_checks.whole(seed, "The seed", 0, 2**63 - 1)
        if num_inference_steps is not None:
            input_checks.whole(num_inference_steps, "The number of inference steps", 1, 1000)
        if not isinstance(plan, MusclePlan):
            raise InputError(f"The plan is of type {type(plan).__name__}; give a MusclePlan, as `think` does.")
        pieces = list(self.model.generate(audio, plan, seed, guidance, num_inference_steps))
        return Motion(np.concatenate([piece.values for piece in pieces]), {"source": "MotionDiffusion", "seed": seed})

    def render(self, face: FaceGeometry, motion: Motion) -> Iterator[np.ndarray]:
        """(size, size, 3) uint8 RGB frames, one by one."""
        return _rendered(self.renderer, face, motion)


def _located(tracker: Tracker, image: np.ndarray, source: str) -> FaceGeometry:
    with answerable(tracker, "tracker"):
        face = tracker.locate(image, source)
    require_kind(face, FaceGeometry, tracker, "tracker")
    return face


def _rendered(renderer: Renderer, face: FaceGeometry, motion: Motion) -> Iterator[np.ndarray]:
    with answerable(renderer, "renderer"):
        yield from renderer.render(face, motion)


@dataclass(frozen=True)
class SamplingOptions:
    """How a motion is drawn: the options that `tbd generate` and `tbd demo` share.

    Args:
        model: packaged name, folder, or hub repository of a motion model.
        seed: the same seed gives the same motion.
        num_inference_steps: denoising steps; None is the model's own number.
        emotion_scale: strength of the global emotion, 1 as trained; None is the model's own, as for the other two.
        muscle_scale: strength of the local muscles.
        audio_scale: strength of the articulation.
        head_motion: factor on the head's movements; 0 holds it still.

    Raises:
        InputError: a number is out of range.
    """

    model: str = MOTION_MODEL
    seed: int = 0
    num_inference_steps: int | None = None
    emotion_scale: float | None = None
    muscle_scale: float | None = None
    audio_scale: float | None = None
    head_motion: float = 1.0

    def __post_init__(self) -> None:
        for name in (*SCALES, "head_motion"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 5:
                raise InputError(f"--{name.replace('_', '-')} is a factor from 0 to 5, not {value:g}; 1 is as trained.")
        if self.num_inference_steps is not None and not 1 <= self.num_inference_steps <= 1000:
            raise InputError(f"--num-inference-steps is a number from 1 to 1000, not {self.num_inference_steps}.")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"--seed is a whole number from 0 to {2**63 - 1}, not {self.seed}.")

    def draw(self, pipeline: TalkingHeadPipeline, plan: MusclePlan, audio: np.ndarray) -> Motion:
        motion = pipeline.draw(plan, audio, self.seed, self.guidance(pipeline.model.guidance), self.num_inference_steps)
        motion.head[:] *= self.head_motion
        return motion

    def guidance(self, own: Guidance) -> Guidance:
        """The model's own with the scales that are given."""
        scales = {name: scale for name in SCALES if (scale := getattr(self, name)) is not None}
        if scales and not isinstance(own, ProgressiveGuidance):
            options = ", ".join(f"--{name.replace('_', '-')}" for name in scales)
            raise InputError(f"This model draws with {type(own).__name__}, which knows no {options}; leave that out.")
        return own.scaled(**scales) if scales else own


@dataclass(frozen=True)
class Components:
    """What `tbd generate` puts in the place of the packaged parts; None keeps those.

    Args:
        planner: Text → plan.
        tracker: Picture → mesh.
        renderer: Mesh and motion → frames.
        guidance: How the predictions of one denoising step are combined, instead of the motion model's own.
        noise_scheduler: From the motion model's own noise scheduler to the one that draws.
    """

    planner: Planner | None = None
    tracker: Tracker | None = None
    renderer: Renderer | None = None
    guidance: Guidance | None = None
    noise_scheduler: Callable[[SchedulerMixin], SchedulerMixin] | None = None

    def pipeline(self, model: MotionDiffusion) -> TalkingHeadPipeline:
        """A pipeline of these and a motion model.

        Args:
            model: Its guidance and noise scheduler are replaced where these have their own.

        Returns:
            The pipeline, with the packaged parts where there are no others.
        """
        model.guidance = self.guidance or model.guidance
        if self.noise_scheduler is not None:
            model.noise_scheduler = self.noise_scheduler(model.noise_scheduler)
        return TalkingHeadPipeline(self.planner, model, self.tracker, self.renderer)


def generate(
    portrait: str | os.PathLike,
    audio: str | os.PathLike,
    output: str | os.PathLike,
    emotion: str = "",
    plan: str | os.PathLike | None = None,
    drawing: SamplingOptions | None = None,
    size: int = 512,
    motion_output: str | os.PathLike | None = None,
    plan_output: str | os.PathLike | None = None,
    renderer: str = "mesh",
    checkpoint: str | os.PathLike | None = None,
    console: Console | None = None,
    components: Components | None = None,
) -> None:
    """`tbd generate`: files in, video out. Everything is read and checked, then thought and printed, then drawn.

    Args:
        portrait: a picture with a face.
        audio: speech in any format that FFmpeg reads.
        output: the mp4 to write.
        emotion: a sentence about a feeling.
        plan: a plan's file instead of the sentence.
        drawing: how to draw.
        size: height and width of the video.
        motion_output: also write the motion here.
        plan_output: also write the plan here.
        renderer: ``mesh`` warps the portrait; ``video`` draws every frame anew with the model of `checkpoint`.
        checkpoint: a video model: an exported folder, a run's checkpoint, or a hub repository.
        console: where to print.
        components: what takes the place of packaged parts; a renderer among them takes that of `renderer`.

    Raises:
        InputError: a file cannot be used, or an option is out of range.
    """
    console, drawing, components = console or Console(), drawing or SamplingOptions(), components or Components()
    _require_size(size)
    check_generation(portrait, audio, output, plan, motion_output, plan_output)
    if (renderer == "video") != (checkpoint is not None):
        raise InputError("--renderer video and --checkpoint, the video model that draws, go together.")
    if plan is not None and emotion:
        raise InputError("Give --emotion or --plan, not both: a plan already says what is felt.")
    if plan is not None and components.planner is not None:
        raise InputError("Give --planner or --plan, not both: a plan needs no planner.")
    read = MusclePlan.load(plan) if plan is not None else None
    sound, picture = read_audio(audio), read_image(portrait)
    pipeline = components.pipeline(load_motion_model(drawing.model))
    drawing.guidance(pipeline.model.guidance)  # refuses scales that it does not know
    face = pipeline.locate(picture, size, str(portrait))
    video_model = _video_model(checkpoint)
    thought = read if read is not None else pipeline.think(emotion, sound)
    show(thought, console, notes=False)
    warn(thought)
    if plan_output is not None:
        thought.save(plan_output)
    if components.renderer is None:
        pipeline.renderer = _renderer(thought, sound, video_model, drawing)
    _tell_of_faces(face, console)
    about = provenance(thought.model_dump_json(exclude_defaults=True))
    heard = read_sound(audio)
    with VideoWriter(output, heard.samples, heard.sample_rate, metadata=about) as writer:
        with console.status("drawing the motion"):
            motion = drawing.draw(pipeline, thought, sound)
        if motion_output is not None:
            motion.save(motion_output)
        for frame in _watched(pipeline.render(face, motion), len(motion), console):
            writer.write(frame)
    console.print(f"[bold]{output}[/]  {motion.duration:.1f} s, {size}×{size}", highlight=False)


def _video_model(checkpoint: str | os.PathLike | None) -> Any:
    if checkpoint is None:
        return None
    from tbd.draw.video.renderer import load_video_model

    return load_video_model(checkpoint)


def _renderer(plan: MusclePlan, sound: np.ndarray, model: Any, drawing: SamplingOptions) -> Renderer:
    if model is None:
        return warp_renderer(plan)
    from tbd.draw.video.renderer import VideoRenderer

    return VideoRenderer(model, plan, sound, drawing.seed, drawing.guidance(model.guidance))


def warp_renderer(plan: MusclePlan, **options: Any) -> MeshWarpRenderer:
    """The renderer of a plan: the portrait's own smile gives way as far as the plan asks, and its lips start closed.

    Args:
        plan: what is felt.
        options: further ones of `MeshWarpRenderer`.

    Returns:
        The renderer.
    """
    return MeshWarpRenderer(neutralize=relaxation(plan), close_lips=1.0, **options)


def relaxation(plan: MusclePlan) -> float:
    """How far a portrait's own smile gives way to a plan: not at all to happiness, almost wholly to anything else.

    Lips that rest parted over teeth cannot close for an m, and no muscle of a sad plan wipes off a smile.

    Example:
        >>> relaxation(MusclePlan(emotions={"happy": 1.0}, intensity=1.0)), relaxation(MusclePlan(emotions={"sad": 1.0}, intensity=1.0))
        (0.0, 0.85)
    """
    return 0.85 * (1 - plan.emotions.get("happy", 0.0))


def demo(output: str | os.PathLike, emotion: str, **options) -> None:
    """`tbd demo`: `generate` with the sample portrait and voice; `options` as there."""
    generate(PORTRAIT, VOICE, output, emotion, **options)


def track(
    video: str | os.PathLike,
    output: str | os.PathLike,
    landmarker: str | None = None,
    console: Console | None = None,
    tracker: Tracker | None = None,
    start: float = 0.0,
    end: float | None = None,
    neutral: str | os.PathLike | None = None,
) -> None:
    """`tbd track`: a video's performance as motion, by the mesh tracker, or by the landmarker where its file is given.

    Args:
        video: The recording.
        output: The motion to write.
        landmarker: A ``face_landmarker.task`` file.
        console: Where to print.
        tracker: What follows the face, instead of these two.
        start: Seconds of the video at which the motion begins.
        end: Seconds at which it ends; the video's own end where not given.
        neutral: A picture or video of the same person at rest. Without it the mesh tracker measures against people at large, and
            a note says so.

    Raises:
        InputError: If a file cannot be used, or more than one person is seen one after the other.
    """
    console = console or Console()
    check_track(video, output, landmarker, neutral)
    tracker = tracker or (FaceMeshTracker() if landmarker is None else FaceLandmarkerTracker(landmarker))
    if not (0 <= start < np.inf and (end is None or end > start)):
        raise InputError(f"--start {start:g} and --end {end} name no part of {video}; they are seconds, the first one the smaller.")
    frames = read_video(video, start, end)
    if 0 < frames.info.duration <= start:
        raise InputError(f"--start {start:g} lies beyond the end of {video}, which lasts {frames.info.duration:.2f} s.")
    with answerable(tracker, "tracker"):
        at_rest = None if neutral is None else tracker.neutral_face(_still_or_video(neutral), str(neutral))
        motion = tracker.track(_watched(frames, round(frames.duration * 25), console), str(video), at_rest)
    motion.save(output)
    for remark in _notes(motion, str(video)):
        note(remark)
    if isinstance(tracker, FaceMeshTracker) and motion.metadata.get("neutral") == AVERAGE:
        note(_AGAINST_AVERAGE)
    console.print(f"[bold]{output}[/]  {len(motion)} frames, {motion.metadata.get('tracker')}", highlight=False)


_AGAINST_AVERAGE = (
    "what this face shows throughout was told from its shape by comparing it with people at large, and may be weaker or stronger than it "
    "was; --neutral FILE, a picture or video of the same person at rest, makes it exact."
)


def _still_or_video(path: str | os.PathLike) -> Iterable[np.ndarray]:
    """The frames of a video, or a picture as the only one.

    Raises:
        InputError: it is neither.
    """
    try:
        return [read_image(path)]
    except InputError as no_picture:
        try:
            return read_video(path)
        except InputError:
            if "is no picture" not in str(no_picture):
                raise no_picture from None
            raise InputError(f"{path} is neither a picture nor a video that can be read; give one with a face.") from None


def render(
    portrait: str | os.PathLike,
    motion: str | os.PathLike,
    output: str | os.PathLike,
    audio: str | os.PathLike | None = None,
    size: int = 512,
    console: Console | None = None,
    components: Components | None = None,
) -> None:
    """`tbd render`: a motion on a portrait; with sound where `audio` is given, by `components`' tracker and renderer.

    The video lasts as long as the motion. Sound that is longer is cut and sound that is shorter is followed by silence; a note
    says so.
    """
    console, components = console or Console(), components or Components()
    _require_size(size)
    check_render(portrait, motion, output, audio)
    tracker, renderer = components.tracker or FaceMeshTracker(), components.renderer or MeshWarpRenderer()
    performance = Motion.load(motion)
    sound = read_sound(audio) if audio is not None else None
    if sound is not None:
        _compare_lengths(sound, performance, audio)
    face = crop_portrait(_located(tracker, read_image(portrait), str(portrait)), size)
    _tell_of_faces(face, console)
    samples, rate = (None, SAMPLE_RATE) if sound is None else (sound.samples, sound.sample_rate)
    with VideoWriter(output, samples, rate, metadata=provenance()) as writer:
        for frame in _watched(_rendered(renderer, face, performance), len(performance), console):
            writer.write(frame)
    console.print(f"[bold]{output}[/]  {performance.duration:.1f} s, {size}×{size}", highlight=False)


def _compare_lengths(sound: Sound, motion: Motion, audio: str | os.PathLike) -> None:
    """Issue a note where sound and motion end at different times, by more than a frame."""
    longer = sound.duration - motion.duration
    if longer > 1 / FPS:
        note(f"{audio} lasts {sound.duration:.2f} s and the motion {motion.duration:.2f} s; the last {longer:.2f} s of sound are left out.")
    elif longer < -1 / FPS:
        note(f"{audio} lasts {sound.duration:.2f} s and the motion {motion.duration:.2f} s; the last {-longer:.2f} s are silent.")


def _watched(items: Iterable[T], total: int, console: Console) -> Iterator[T]:
    """The same items, with a progress bar that goes away when they end."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("frames", total=total)
        for item in items:
            yield item
            progress.advance(task)


def _tell_of_faces(face: FaceGeometry, console: Console) -> None:
    if face.faces_seen > 1:
        console.print(f"The picture shows {face.faces_seen} faces; the largest speaks.")
    if is_mouth_occluded(face):
        note("the portrait's mouth seems covered (a mask, a scarf, a hand?); lips are drawn where it should be.")
    if "turned" in face.metadata:
        note(f"the picture was turned by {abs(face.metadata['turned'])}°, so that the face stands upright.")


def _notes(motion: Motion, video: str) -> Iterator[str]:
    """What was done to a video on the way to its motion."""
    if "turned" in motion.metadata:
        yield f"{video} was turned by {abs(motion.metadata['turned'])}°, so that the face stands upright."
    if "cuts" in motion.metadata:
        seconds = ", ".join(f"{second:.2f}" for second in motion.metadata["cuts"])
        yield f"{video} cuts at {seconds} s; the head's motion in each shot is relative to the shot's own resting pose."


def _require_size(size: int) -> None:
    if not 64 <= size <= 2048:
        raise InputError(f"--size is a number of pixels from 64 to 2048, not {size}.")
