"""`TalkingHeadPipeline`: think, draw, render; the way from a sentence and a voice to the frames of a video."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import yaml

from tbd import DEFAULT_SEED, MOTION_MODEL
from tbd.draw.export import save_loaded_model
from tbd.draw.guidance.base import Guidance
from tbd.draw.motion.idle import IdleMotion
from tbd.draw.motion.loading import load_motion_model
from tbd.draw.motion.sampler import MotionSampler
from tbd.draw.motion.streaming import MotionStream, StreamingOptions
from tbd.errors import InputError
from tbd.face.framing import FramedFace, Framing, frame_face
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.portrait import HEADROOM, crop_portrait, find_face
from tbd.face.render.renderer import SPEAKING, DrawFrame, MeshWarpRenderer, PreparedPicture, PreparedPortrait, Renderer
from tbd.face.tracker import FaceMeshTracker, Tracker
from tbd.face.tracking.choice import LARGEST, FaceChoice
from tbd.live.scheduler import LiveScheduler
from tbd.live.talking_head import TalkingHeadStream
from tbd.media.rates import SAMPLE_RATE
from tbd.think import MusclePlan, SituationPlanner
from tbd.think.planner import Planner
from tbd.think.voice import ProsodicVoiceReader, VoiceReader, VoiceReading
from tbd.think.voice.planning import EmotionSource, check_source, plan_observed
from tbd.utils import input_checks
from tbd.utils.atomic import atomic_output
from tbd.utils.class_path import Component, build, describe
from tbd.utils.hub import hub_folder
from tbd.utils.hub_upload import pipeline_card, upload_to_hub
from tbd.utils.options.user_components import attribute_errors_to, require_type

if TYPE_CHECKING:  # the mesh warp does without
    from tbd.draw.video.diffusion import VideoDiffusion


PIPELINE = "pipeline.yaml"
"""The file of a saved pipeline that names planner, tracker and renderer."""
_LIVE_CELLS = 30
"""Of `MeshWarpRenderer`, where somebody speaks: a sixth less time a frame."""
_MOTION, _VIDEO, _CARD = "motion_model", "video_model", "README.md"
_BASES: dict[str, type] = {"planner": Planner, "tracker": Tracker, "renderer": Renderer, "voice_reader": VoiceReader, "idle": IdleMotion}


class TalkingHead(NamedTuple):
    """What `TalkingHeadPipeline` returns.

    Args:
        plan: The emotions and muscles that were thought.
        face: The face of the portrait, cropped to the video's size.
        motion: T frames at 25 a second.
        frames: T frames (size, size, 3) uint8 RGB, each drawn when it is asked for.
    """

    plan: MusclePlan
    face: FaceGeometry
    motion: Motion
    frames: Iterator[np.ndarray]


class TalkingHeadPipeline:
    """Turns a portrait, a voice and a sentence about a feeling into a talking face. Every component can be replaced.

    Args:
        planner: Text → plan; `SituationPlanner` by default.
        motion_model: Plan and voice → motion; the packaged model by default.
        tracker: Picture → face geometry; `FaceMeshTracker` by default.
        renderer: Face geometry and motion → frames. By default the portrait is warped as `warp_renderer` does for the plan.
        video_model: Draws every frame anew, from plan and voice as well, instead of a renderer.
        voice_reader: Voice → how it is said; `ProsodicVoiceReader` by default.
        idle: Adds glances, shifts of the head and lopsidedness to what the motion model draws; `IdleMotion` by default.

    Example:
        >>> from tbd.media import read_audio, read_image
        >>> from tbd.utils.sample_inputs import PORTRAIT, VOICE
        >>> pipeline = TalkingHeadPipeline()
        >>> voice = read_audio(VOICE)[:16000]
        >>> plan = pipeline.think("quietly furious", voice)
        >>> motion = pipeline.draw(plan, voice, num_inference_steps=2)
        >>> face = pipeline.locate(read_image(PORTRAIT), size=64)
        >>> [frame.shape for frame in pipeline.render(face, motion, plan)] == [(64, 64, 3)] * 25
        True

        In one call:

        >>> result = pipeline(read_image(PORTRAIT), voice, "quietly furious", size=64, num_inference_steps=2)
        >>> result.plan == plan, next(result.frames).shape
        (True, (64, 64, 3))
    """

    def __init__(
        self,
        planner: Planner | None = None,
        motion_model: MotionSampler | None = None,
        tracker: Tracker | None = None,
        renderer: Renderer | None = None,
        video_model: "VideoDiffusion | None" = None,
        voice_reader: VoiceReader | None = None,
        idle: IdleMotion | None = None,
    ) -> None:
        self.planner = planner or SituationPlanner()
        self.motion_model = motion_model or load_motion_model()
        self.tracker = tracker or FaceMeshTracker()
        self.voice_reader = voice_reader or ProsodicVoiceReader()
        self.idle = idle or IdleMotion()
        self.renderer, self.video_model = renderer, video_model
        self.low_memory = False
        """Whether a video model draws more slowly, in less memory."""

    @classmethod
    def from_pretrained(
        cls,
        name: str | os.PathLike = MOTION_MODEL,
        planner: Planner | None = None,
        tracker: Tracker | None = None,
        renderer: Renderer | None = None,
        voice_reader: VoiceReader | None = None,
        idle: IdleMotion | None = None,
    ) -> "TalkingHeadPipeline":
        """Load a pipeline.

        Args:
            name: What `save_pretrained` wrote, as a folder or a hub repository; or a motion model, as a packaged name, a folder, a run's
                checkpoint or a hub repository, which gets the packaged components.
            planner: Instead of the saved one.
            tracker: Instead of the saved one.
            renderer: Instead of the saved one.
            voice_reader: Instead of the saved one.
            idle: Instead of the saved one.

        Returns:
            The pipeline.

        Raises:
            InputError: If there is no such pipeline or motion model, or a component of it cannot be built.

        Example:
            >>> TalkingHeadPipeline.from_pretrained("motion_base").motion_model.sampling.num_inference_steps
            10
        """
        folder = _pipeline_folder(name)
        if folder is None:
            return cls(planner, load_motion_model(name), tracker, renderer, voice_reader=voice_reader, idle=idle)
        saved = yaml.safe_load((folder / PIPELINE).read_text(encoding="utf-8"))
        parts: dict[str, Any] = {"planner": planner, "tracker": tracker, "renderer": renderer, "voice_reader": voice_reader, "idle": idle}
        for slot, base in _BASES.items():
            if parts[slot] is None and slot in saved:
                parts[slot] = build(Component.model_validate(saved[slot]), base, f"The {slot} of {folder / PIPELINE}")
        if (folder / _VIDEO).is_dir():
            from tbd.draw.video.loading import load_video_model

            parts[_VIDEO] = load_video_model(folder / _VIDEO)
        return cls(motion_model=load_motion_model(folder / _MOTION), **parts)

    def save_pretrained(self, folder: str | os.PathLike, name: str | None = None) -> None:
        """Write the pipeline to a folder that `from_pretrained` loads and that can be uploaded as a hub repository.

        The folder gets ``pipeline.yaml``, which names planner, tracker, renderer, voice reader and idle motion with their arguments, and
        the folders ``motion_model`` and, if there is one, ``video_model`` with weights in half precision, and a model card, ``README.md``,
        where there is none.

        Args:
            folder: Where to write; it is made if it is not there.
            name: What the card calls the pipeline: the hub repository that it is for; the folder by default.

        Raises:
            InputError: If a component does not keep its arguments, a model was built by Python code, or the folder cannot be written.
        """
        folder = Path(folder)
        parts = {slot: getattr(self, slot) for slot in _BASES}
        saved = {slot: describe(part, f"The {slot}").model_dump() for slot, part in parts.items() if part is not None}
        save_loaded_model(self.motion_model, folder / _MOTION)
        if self.video_model is not None:
            save_loaded_model(self.video_model, folder / _VIDEO)
        with atomic_output(folder / PIPELINE) as temporary:
            temporary.write_text(yaml.safe_dump(saved, sort_keys=False), encoding="utf-8")
        if not (folder / _CARD).exists():
            models = {slot: model for slot, model in ((_MOTION, self.motion_model), (_VIDEO, self.video_model)) if model is not None}
            classes = {slot: f"{type(model).__module__}.{type(model).__qualname__}" for slot, model in models.items()}
            listed = {slot: str(part["class_path"]) for slot, part in saved.items()}
            with atomic_output(folder / _CARD) as temporary:
                temporary.write_text(pipeline_card(name or folder.name, {**classes, **listed}), encoding="utf-8")

    def push_to_hub(
        self,
        repo_id: str,
        private: bool | None = None,
        token: str | None = None,
        revision: str | None = None,
        commit_message: str = "Upload a Think-Before-Draw pipeline",
    ) -> str:
        """Upload the pipeline, with a model card, to a hub repository that `from_pretrained` loads.

        Args:
            repo_id: ``owner/name``; the repository is made if it is not there. A card that is there already is replaced.
            private: Whether a new repository is private; None takes the owner's setting.
            token: The hub's access token; None takes the one of ``hf auth login``.
            revision: Branch; None takes the main one.
            commit_message: First line of the commit.

        Returns:
            Address of the commit.

        Raises:
            InputError: As for `save_pretrained`, or if the hub cannot be reached or refuses.
            TBDError: If the upload fails for another reason.
        """
        with tempfile.TemporaryDirectory(prefix="tbd-upload-") as folder:
            self.save_pretrained(folder, repo_id)
            return upload_to_hub(folder, repo_id, private, token, revision, commit_message)

    def __call__(
        self,
        portrait: np.ndarray,
        audio: np.ndarray,
        text: str = "",
        plan: MusclePlan | None = None,
        seed: int = DEFAULT_SEED,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
        size: int = 512,
        emotion_from: EmotionSource = "both",
    ) -> TalkingHead:
        """Think, draw and render.

        Args:
            portrait: (H, W, 3) uint8 RGB picture with a face.
            audio: (N,) float samples of a voice at 16 kHz.
            text: A sentence about a feeling; where it is empty the feeling is heard in the voice.
            plan: A plan instead of the sentence.
            seed: The same seed gives the same video; another one, another manner of moving beside the words.
            guidance: Combines the predictions of a denoising step of the motion model, instead of the model's own.
            num_inference_steps: Denoising steps, 1 to 1000, of the motion model and of a video model, instead of each model's own.
            size: Height and width of the frames in pixels, 64 to 2048.
            emotion_from: See `think`.

        Returns:
            Plan, face, motion, and the frames, which are drawn as they are asked for.

        Raises:
            InputError: If an argument cannot be used, if both a text and a plan are given, or if no face is found.
        """
        if text and plan is not None:
            raise InputError("Give a text or a plan, not both: a plan already says what is felt.")
        face = self.locate(portrait, size)
        thought = self.think(text, audio, portrait, emotion_from) if plan is None else plan
        motion = self.draw(thought, audio, seed, guidance, num_inference_steps)
        return TalkingHead(thought, face, motion, self.render(face, motion, thought, audio, seed, num_inference_steps))

    def think(self, text: str, audio: np.ndarray, portrait: np.ndarray | None = None, emotion_from: EmotionSource = "both") -> MusclePlan:
        """Think a sentence about a feeling, and how a voice sounds, into a plan.

        Args:
            text: The sentence; where it is empty the feeling is heard in the voice.
            audio: (N,) float samples at 16 kHz of the voice that the plan is for; the plan spans its duration.
            portrait: (H, W, 3) uint8 RGB, for a planner that looks at it.
            emotion_from: ``"text"`` alone, ``"voice"`` alone, or ``"both"``: the text decides what is felt, and the voice how strongly and
                when, as far as the text leaves it open.

        Returns:
            The plan; its reasoning says what was heard and how sure that is.

        Raises:
            InputError: If an argument cannot be used.
            TBDError: If a planner or a voice reader of the user's fails.
        """
        text, audio, source = input_checks.check_text(text), input_checks.check_audio(audio), check_source(emotion_from)

        def think(words: str, **shown: np.ndarray) -> MusclePlan:
            with attribute_errors_to(self.planner, "planner"):
                plan = self.planner.plan(words, duration=len(audio) / SAMPLE_RATE, **shown)
            require_type(plan, MusclePlan, self.planner, "planner")
            return plan

        return plan_observed(think, self.planner.observes, text, audio, portrait, self._hear, source)

    def _hear(self, audio: np.ndarray) -> VoiceReading:
        with attribute_errors_to(self.voice_reader, "voice reader"):
            reading = self.voice_reader.read(audio)
        require_type(reading, VoiceReading, self.voice_reader, "voice reader")
        return reading

    def locate(self, image: np.ndarray, size: int = 512, source: str = "the portrait", face: FaceChoice = LARGEST) -> FaceGeometry:
        """Find a face of a picture and crop the picture to head and shoulders.

        Args:
            image: (H, W, 3) uint8 RGB.
            size: Height and width of the crop in pixels, 64 to 2048.
            source: What messages call the picture.
            face: Which one of several: ``largest``, ``left``, ``right``, or its number from the left, from 1 on.

        Returns:
            The face in the cropped picture.

        Raises:
            InputError: If an argument cannot be used, or no face is found.
            TBDError: If a tracker of the user's fails.
        """
        size = input_checks.check_int(size, "The size", 64, 2048)
        headroom = None if self.video_model is None else self.video_model.denoiser.headroom
        return locate_face(self.tracker, input_checks.check_image(image), size, source, face, headroom or HEADROOM)

    def frame(self, image: np.ndarray, framing: Framing, source: str = "the portrait", face: FaceChoice = LARGEST) -> FramedFace:
        """Find a face of a picture, and cut out what a video shows of it: the whole picture, or another shape than a square.

        Args:
            image: (H, W, 3) uint8 RGB.
            framing: What is shown.
            source: What messages call the picture.
            face: As for `locate`.

        Returns:
            The picture, the face to `render`, and what puts rendered frames back into the picture.

        Raises:
            InputError: If an argument cannot be used, or no face is found.
            TBDError: If a tracker of the user's fails.

        Example:
            >>> from skimage.data import astronaut
            >>> pipeline = TalkingHeadPipeline()
            >>> framed = pipeline.frame(astronaut(), Framing("full", aspect=(9, 16), size=256))
            >>> [framed.complete(frame).shape for frame in pipeline.render(framed.face, Motion.zeros(1))]
            [(256, 144, 3)]
        """
        return frame_face(find_face(self.tracker, input_checks.check_image(image), source, face), framing)

    def draw(
        self,
        plan: MusclePlan,
        audio: np.ndarray,
        seed: int = DEFAULT_SEED,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
    ) -> Motion:
        """Sample the motion of a voice.

        Args:
            plan: The emotions and muscles.
            audio: (N,) float samples at 16 kHz.
            seed: The same seed gives the same motion; another one, another manner of moving beside the words.
            guidance: Combines the predictions of a denoising step, instead of the model's own.
            num_inference_steps: Denoising steps, 1 to 1000, instead of the model's own.

        Returns:
            ceil(N / 640) frames.

        Raises:
            InputError: If an argument cannot be used.
        """
        pieces = list(self.draw_windows(plan, audio, seed, guidance, num_inference_steps))
        return Motion(np.concatenate([piece.values for piece in pieces]), {"source": "MotionDiffusion", "seed": seed})

    def draw_windows(
        self,
        plan: MusclePlan,
        audio: np.ndarray,
        seed: int = DEFAULT_SEED,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
    ) -> Iterator[Motion]:
        """Sample the motion of a voice window by window.

        Args:
            plan: As for `draw`.
            audio: As for `draw`.
            seed: As for `draw`.
            guidance: As for `draw`.
            num_inference_steps: As for `draw`.

        Returns:
            Pieces that one after another are what `draw` returns.

        Raises:
            InputError: If an argument cannot be used.
        """
        audio, seed = input_checks.check_audio(audio), input_checks.check_int(seed, "The seed", 0, 2**63 - 1)
        if num_inference_steps is not None:
            input_checks.check_int(num_inference_steps, "The number of inference steps", 1, 1000)
        if not isinstance(plan, MusclePlan):
            raise InputError(f"The plan is of type {type(plan).__name__}; give a MusclePlan, as `think` does.")
        windows = self.motion_model.generate(audio, plan, seed, guidance, num_inference_steps)
        idle = self.idle.begin(seed)
        return (Motion(idle(window.values, plan), window.metadata) for window in windows)

    def render(
        self,
        face: FaceGeometry,
        motion: Motion,
        plan: MusclePlan | None = None,
        audio: np.ndarray | None = None,
        seed: int = DEFAULT_SEED,
        num_inference_steps: int | None = None,
    ) -> Iterator[np.ndarray]:
        """Draw a face in motion.

        Args:
            face: What `locate` found.
            motion: T frames.
            plan: Fits the default renderer to what is felt; a video model needs it.
            audio: (N,) float samples at 16 kHz; a video model needs them.
            seed: Of a video model.
            num_inference_steps: Denoising steps of a video model, 1 to 1000, instead of the model's own.

        Returns:
            An iterator of T frames (size, size, 3) uint8 RGB.

        Raises:
            InputError: If a video model lacks the plan or the voice.
        """
        return render_frames(self._renderer(plan, audio, seed, num_inference_steps), face, motion)

    def stream(
        self,
        audio_chunks: Iterable[Any],
        face: FaceGeometry | FramedFace,
        plan: MusclePlan,
        seed: int = DEFAULT_SEED,
        sample_rate: int = SAMPLE_RATE,
        guidance: Guidance | None = None,
        options: StreamingOptions | None = None,
        head_motion: float = 1.0,
        realtime: bool = False,
        prepared: DrawFrame | None = None,
        scheduler: LiveScheduler | None = None,
    ) -> TalkingHeadStream:
        """Draw a face that talks while somebody speaks.

        A frame follows its sound by 0.24 seconds and the time that it takes to draw. The plan can be changed on the way, from any
        thread, with the stream's `change`.

        Args:
            audio_chunks: Pieces of the voice as they come, of any length: (N,) or (N, C), floats in −1..1 or integers, or pairs of such
                a piece and its sample rate.
            face: What `locate` or `frame` found.
            plan: The emotions and muscles, as `think` or a planner without a recording gives them.
            seed: The same seed and the same sound give the same frames, without `realtime`.
            sample_rate: Samples a second of the pieces, 8000 to 192,000.
            guidance: Combines the predictions of a denoising step, instead of the model's own.
            options: Size of the hops, look-ahead, denoising steps.
            head_motion: Factor on the head's movements.
            realtime: Whether the sound comes as it is spoken: it is then read in a thread, and where the machine is too slow frames
                are left out. Otherwise sound is read when frames are asked for.
            prepared: What `prepare` made of the face, for several streams of one portrait.
            scheduler: In real time, draws several streams together, which costs less; None: this one by itself.

        Returns:
            An iterator of pieces, each a frame (size, size, 3) uint8 RGB and the sound that belongs to it. Close it, or use it in a
            ``with`` block, where it is not read to its end.

        Raises:
            InputError: If an argument cannot be used, or the pipeline draws with a video model, whose windows need the whole voice.

        Example:
            >>> from tbd.media import read_audio, read_image
            >>> from tbd.utils.sample_inputs import PORTRAIT, VOICE
            >>> pipeline = TalkingHeadPipeline()
            >>> face, voice = pipeline.locate(read_image(PORTRAIT), size=64), read_audio(VOICE)[:9600]
            >>> pieces = pipeline.stream(np.split(voice, 6), face, pipeline.planner.plan("quietly furious"))
            >>> [(frame.shape, len(audio)) for frame, audio in pieces] == [((64, 64, 3), 640)] * 15
            True
        """
        if not isinstance(plan, MusclePlan):
            raise InputError(f"The plan is of type {type(plan).__name__}; give a MusclePlan, as `think` does.")
        if self.video_model is not None:
            raise InputError("A video model draws windows of a whole recording; a stream needs a renderer, such as the mesh warp.")
        seed = input_checks.check_int(seed, "The seed", 0, 2**63 - 1)
        motion = MotionStream(self.motion_model, plan, seed, options, guidance, self.idle.begin(seed))
        own = relaxation if self.renderer is None else None
        draw = prepared or self.prepare(face)
        return TalkingHeadStream(audio_chunks, motion, draw, own, sample_rate, head_motion, realtime, scheduler=scheduler)

    def prepare(self, face: FaceGeometry | FramedFace) -> DrawFrame:
        """Prepare a portrait for `stream`, which takes a second.

        Args:
            face: What `locate` or `frame` found.

        Returns:
            Draws single frames of it, of a framed face the whole picture; any number of streams may share it.

        Raises:
            TBDError: If a renderer of the user's fails.
        """
        renderer = self.renderer or MeshWarpRenderer(**SPEAKING, cells=_LIVE_CELLS)
        with attribute_errors_to(renderer, "renderer"):
            if not isinstance(face, FramedFace):
                return renderer.prepare(face)
            part, complete = renderer.prepare(face.face), face.complete
        return PreparedPicture(part, complete) if isinstance(part, PreparedPortrait) else lambda values: complete(part(values))

    def _renderer(self, plan: MusclePlan | None, audio: np.ndarray | None, seed: int, num_inference_steps: int | None) -> Renderer:
        if self.renderer is not None:
            return self.renderer
        if self.video_model is None:
            return MeshWarpRenderer() if plan is None else warp_renderer(plan)
        if plan is None or audio is None:
            raise InputError("A video model draws from the plan and the voice as well; give both to `render`.")
        from tbd.draw.video.renderer import VideoRenderer

        audio, model = input_checks.check_audio(audio), self.video_model
        neutral = self.draw(MusclePlan(), audio, seed) if model.denoiser.reads_hint and model.hints.needs_neutral else None
        return VideoRenderer(model, plan, audio, seed, None, num_inference_steps, self.low_memory, neutral)


def _pipeline_folder(name: str | os.PathLike) -> Path | None:
    """The folder of a saved pipeline; None where the name is a motion model's, or nothing's."""
    if Path(name).exists():
        return Path(name) if (Path(name) / PIPELINE).is_file() else None
    if str(name).count("/") != 1:
        return None  # no name of a hub repository
    try:
        return hub_folder(str(name), "pipeline", lambda paths: _pipeline_files(paths) if PIPELINE in paths else [])
    except InputError:
        return None


def _pipeline_files(paths: Sequence[str]) -> list[str]:
    return [path for path in paths if path == PIPELINE or path.startswith((f"{_MOTION}/", f"{_VIDEO}/"))]


def locate_face(
    tracker: Tracker,
    image: np.ndarray,
    size: int = 512,
    source: str = "the portrait",
    face: FaceChoice = LARGEST,
    headroom: float = HEADROOM,
) -> FaceGeometry:
    """Find a face of a picture and crop the picture to head and shoulders.

    Args:
        tracker: Finds the face.
        image: (H, W, 3) uint8 RGB.
        size: Height and width of the crop in pixels.
        source: What messages call the picture.
        face: Which one of several; see `TalkingHeadPipeline.locate`.
        headroom: Side of the crop, in heights of the face.

    Returns:
        The face in the cropped picture.

    Raises:
        InputError: If no face is found.
        TBDError: If a tracker of the user's fails.
    """
    return crop_portrait(find_face(tracker, image, source, face), size, headroom)


def render_frames(renderer: Renderer, face: FaceGeometry, motion: Motion) -> Iterator[np.ndarray]:
    """Draw a face in motion; a renderer of the user's that fails is named.

    Args:
        renderer: Draws the frames.
        face: The portrait.
        motion: T frames.

    Yields:
        T frames (size, size, 3) uint8 RGB.

    Raises:
        TBDError: If a renderer of the user's fails.
    """
    with attribute_errors_to(renderer, "renderer"):
        yield from renderer.render(face, motion)


def warp_renderer(plan: MusclePlan, **options: Any) -> MeshWarpRenderer:
    """Build the mesh warp that fits a plan: a portrait's smile gives way as the plan asks, its lips start closed, its shut eyes open.

    Args:
        plan: The emotions and muscles.
        options: Further arguments of `MeshWarpRenderer`.

    Returns:
        The renderer.
    """
    return MeshWarpRenderer(neutralize=relaxation(plan), **SPEAKING, **options)


def relaxation(plan: MusclePlan) -> float:
    """Return how far a portrait's own smile gives way to a plan: not at all to happiness, almost wholly to anything else.

    Lips that rest parted over teeth cannot close for an m, and no muscle of a sad plan wipes off a smile.

    Args:
        plan: The emotions and muscles.

    Returns:
        0, the smile stays, to 0.85.

    Example:
        >>> relaxation(MusclePlan(emotions={"happy": 1.0}, intensity=1.0)), relaxation(MusclePlan(emotions={"sad": 1.0}, intensity=1.0))
        (0.0, 0.85)
    """
    return 0.85 * (1 - plan.emotions.get("happy", 0.0))
