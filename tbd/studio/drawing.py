"""Motion, preview and video of a session, with progress."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tbd import MOTION_MODEL
from tbd.errors import InputError
from tbd.face.clip_portrait import ClipPortrait
from tbd.face.framing import Framing
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.portrait import HEADROOM
from tbd.face.render.renderer import DrawFrame, MeshWarpRenderer
from tbd.media import VideoWriter, provenance
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.pipeline import TalkingHeadPipeline, relaxation, warp_renderer
from tbd.studio.export import write_downloads
from tbd.studio.inputs import named
from tbd.studio.limits import PREVIEW_SIZE
from tbd.studio.session import Portrait, Result, Session, Voice
from tbd.studio.settings import Settings, command_line
from tbd.subject import Filmed, Still, follow
from tbd.think.plan import MusclePlan
from tbd.utils.jobs.ahead import ahead

_SHOW_EVERY = 0.3
"""Seconds between frames that are shown while more are drawn."""


@dataclass(frozen=True)
class Progress:
    """How far a drawing is.

    Args:
        stage: What is being drawn.
        done: Frames that are drawn.
        total: Frames that there will be; 0 while that is not known.
        frame: (H, W, 3) uint8 RGB, the newest frame; None for none.
        result: What was drawn, when it is complete.
    """

    stage: Literal["tracking", "motion", "preview", "video"]
    done: int = 0
    total: int = 0
    frame: np.ndarray | None = None
    result: Result | None = None


class Stopped(Exception):
    """The tab was closed, or its user pressed Stop."""


class Drawer:
    """Draws what sessions ask for, with one pipeline.

    Args:
        pipeline: Thinks, tracks, draws and renders.
        model: The name by which `tbd generate` finds its motion model.
    """

    def __init__(self, pipeline: TalkingHeadPipeline, model: str = MOTION_MODEL) -> None:
        self.pipeline, self.model = pipeline, model

    @property
    def scales(self) -> dict[str, float]:
        """The scales of the model's own guidance."""
        return dict(self.pipeline.motion_model.guidance.scales())

    def crop(self, portrait: Portrait, size: int = PREVIEW_SIZE) -> FaceGeometry:
        """Crop a portrait to head and shoulders, as closely as the pipeline's video model wants it, if there is one.

        Args:
            portrait: Who is drawn.
            size: Height and width in pixels.

        Returns:
            The face in the crop.
        """
        return self.still(portrait, Framing(size=size)).face

    def still(self, portrait: Portrait, framing: Framing) -> Still:
        """Cut out what a video shows of a portrait.

        Args:
            portrait: Who is drawn.
            framing: What is shown.

        Returns:
            The face that moves, and the picture around it.

        Raises:
            InputError: If a video model draws, and more is shown than the square of head and shoulders.
        """
        model = self.pipeline.video_model
        if model is not None and not framing.is_square_portrait:
            raise InputError("The video model draws the square of head and shoulders alone; show those.")
        return Still.cut(portrait.face, framing, (None if model is None else model.denoiser.headroom) or HEADROOM)

    def warp(self, plan: MusclePlan) -> MeshWarpRenderer | None:
        """Return the mesh warp that draws a plan; None where something else draws."""
        renderer = self.pipeline.renderer or warp_renderer(plan)
        return renderer if self.pipeline.video_model is None and isinstance(renderer, MeshWarpRenderer) else None

    def prepare(self, session: Session, portrait: Portrait, plan: MusclePlan, framing: Framing) -> DrawFrame | None:
        """Prepare a portrait for a plan, once for all drawings that muscles alone tell apart.

        Args:
            session: Remembers what was prepared.
            portrait: Who is drawn.
            plan: What is felt.
            framing: What is shown.

        Returns:
            Draws a frame of the part that moves; None where another renderer than the mesh warp draws.
        """
        renderer = self.warp(plan)
        if renderer is None:
            return None
        key = (portrait, framing, *sorted(vars(renderer).items()))
        return session.prepared_once(framing.size, key, lambda: renderer.prepare(self.still(portrait, framing).face))

    def draw(self, session: Session, settings: Settings, full: bool) -> Iterator[Progress]:
        """Draw the session's plan: a preview, and then the full video if it is wanted.

        Args:
            session: Gives portrait, voice and plan; gets the preview and the result.
            settings: How to draw.
            full: Whether the full video is wanted as well.

        Yields:
            Progress; every stage's last has its result.

        Raises:
            InputError: If portrait, voice or plan are missing.
            Stopped: If the session's `stopped` was set meanwhile.
        """
        portrait, voice = session.require_portrait(), session.require_voice()
        plan = session.require_timeline().plan
        job = _Job(self, session, portrait, voice, plan, settings)
        job.check()
        if portrait.clip is not None and not job.knows_clip():
            yield Progress("tracking")
        yield Progress("motion")
        yield from job.preview()
        if full:
            yield from job.video()


@dataclass
class _Job:
    """One drawing: what it is made of, as it was when it began."""

    drawer: Drawer
    session: Session
    portrait: Portrait
    voice: Voice
    plan: MusclePlan
    settings: Settings

    @property
    def pipeline(self) -> TalkingHeadPipeline:
        """What draws."""
        return self.drawer.pipeline

    @property
    def _key(self) -> tuple:
        """Of what the motion depends on."""
        return self.plan.model_dump_json(), replace(self.settings, size=512), self.voice

    def preview(self) -> Iterator[Progress]:
        """Draw the motion where it is not known, and a small video."""
        before, known = self.session.preview, self._known()
        if before is not None and known is before.motion and before.portrait is self.portrait:
            yield Progress("preview", len(before.motion), len(before.motion), result=before)
            return
        for progress in self._write_video("preview", PREVIEW_SIZE):
            if progress.result is not None:
                self.session.preview = progress.result
                self.session.forget(before)
            yield progress

    def video(self) -> Iterator[Progress]:
        """Draw the video at its full size, with everything to download."""
        before = self.session.result
        for progress in self._write_video("video", self.settings.size):
            if progress.result is not None:
                self.session.result = progress.result
                self.session.forget(before)
            yield progress

    def _known(self) -> Motion | None:
        known = self.session.motion
        return known[1] if known is not None and known[0] == self._key else None

    def _drawn(self) -> Motion:
        """The motion, once all of `_sample` was asked for."""
        motion = self._known()
        assert motion is not None
        return motion

    def _sample(self) -> Iterator[np.ndarray]:
        """(58,) a frame, window by window as it is sampled, so that the first frames need not wait for the last window."""
        known = self._known()
        if known is not None:
            yield from known.clamped().values
            return
        guidance, pieces = self.settings.guidance(self.pipeline.motion_model.guidance), []
        for piece in self.pipeline.draw_windows(self.plan, self.voice.samples, self.settings.seed, guidance):
            piece.head[:] *= self.settings.head_motion
            pieces.append(piece.values)
            yield from piece.clamped().values
        whole = Motion(np.concatenate(pieces), {"source": "MotionDiffusion", "seed": self.settings.seed})
        self.session.motion = (self._key, whole)

    @property
    def _filmed(self) -> bool:
        return self.portrait.clip is not None

    def _write_video(self, stage: Literal["preview", "video"], size: int) -> Iterator[Progress]:
        path = self.session.new_file(f"{stage}.mp4")
        sound, about = self.voice.sound, provenance(self.plan.model_dump_json(exclude_defaults=True))
        total, shown = -(-len(self.voice.samples) * FPS // SAMPLE_RATE), 0.0
        with VideoWriter(path, sound.samples, sound.sample_rate, metadata=about) as writer:
            for frame in self._frames(self.settings.framing(size)):
                writer.write(frame)
                self.check()
                if time.monotonic() - shown > _SHOW_EVERY:
                    shown = time.monotonic()
                    yield Progress(stage, writer.frames, total, frame)
        motion = self._drawn()
        files, of_model = (self.portrait.name, self.voice.name), (self.drawer.scales, self.drawer.model)
        command = command_line(*files, self.settings, *of_model, self.portrait.choice, self._filmed)
        downloads = {"video.mp4": path}
        if stage == "video":
            downloads |= write_downloads(self.session, self.plan, motion, self.voice)
        shape = frame.shape[0], frame.shape[1]
        result = Result(path, self.portrait, self.plan, self.settings, motion, self.voice, shape, command, downloads)
        yield Progress(stage, total, total, result=result)

    def _frames(self, framing: Framing) -> Iterator[np.ndarray]:
        """A mesh warp is prepared while the first window is sampled, unless it is already; another renderer gets the whole motion."""
        if self._filmed:
            clip = self._clip()
            deque(self._sample(), maxlen=0)
            yield from Filmed(clip, framing).frames(self._drawn(), _no_picture, relaxation(self.plan))
            return
        still, warp = self.drawer.still(self.portrait, framing), self.drawer.warp(self.plan)
        if warp is not None:
            with closing(ahead(self._sample())) as values:
                prepared = self.drawer.prepare(self.session, self.portrait, self.plan, framing)
                for frame in warp.render_values(still.face, values, prepared):
                    yield still.complete(frame)
            return
        deque(self._sample(), maxlen=0)
        drawn = self._drawn(), self.plan, self.voice.samples, self.settings.seed
        yield from still.frames(self._drawn(), lambda face: self.pipeline.render(face, *drawn), 0.0)

    def _clip_key(self) -> tuple:
        return self.portrait, len(self.voice.samples)

    def knows_clip(self) -> bool:
        """Whether the face has been followed through the video already, as far as this voice lasts."""
        return self.session.filmed is not None and self.session.filmed[0] == self._clip_key()

    def _clip(self) -> ClipPortrait:
        """The video with its face, which is followed once for each length of a voice."""
        if not self.knows_clip():
            if self.pipeline.video_model is not None or self.pipeline.renderer is not None:
                raise InputError("The mesh warp alone lays a face into a video; give a picture.")
            portrait, seconds = self.portrait, len(self.voice.samples) / SAMPLE_RATE
            assert portrait.clip is not None
            with named(portrait.clip, portrait.name):
                clip = follow(self.pipeline.tracker, portrait.clip, seconds, portrait.choice, self._stoppable)
            self.session.filmed = self._clip_key(), clip
        assert self.session.filmed is not None
        return self.session.filmed[1]

    def _stoppable(self, frames: Iterable[np.ndarray], total: int) -> Iterator[np.ndarray]:
        for frame in frames:
            self.check()
            yield frame

    def check(self) -> None:
        """Raise `Stopped` if the session's user has gone or pressed Stop."""
        if self.session.stopped.is_set():
            raise Stopped


def _no_picture(face: FaceGeometry) -> Iterator[np.ndarray]:
    """Of what renders a picture, where somebody is filmed."""
    return iter(())
