"""Who speaks in a video of `tbd generate`: a face in a picture, or somebody who is filmed."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from tbd.errors import InputError
from tbd.face.clip_portrait import ClipPortrait
from tbd.face.framing import SQUARE, Frame, FramedFace, Framing
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.tracking.choice import FaceChoice
from tbd.media import VideoFrames, read_still_or_video, read_video
from tbd.media.rates import FPS
from tbd.think.plan import MusclePlan
from tbd.utils.options.user_components import attribute_errors_to

if TYPE_CHECKING:
    from rich.console import Console

    from tbd.pipeline import TalkingHeadPipeline


class Subject(ABC):
    """Who speaks."""

    face: FaceGeometry
    """The face, about which notes are made."""
    picture: np.ndarray
    """(H, W, 3) uint8 RGB, for planners that look at it."""

    @abstractmethod
    def frames(
        self, pipeline: "TalkingHeadPipeline", motion: Motion, plan: MusclePlan, audio: np.ndarray, seed: int, steps: int | None
    ) -> Iterator[np.ndarray]:
        """Draw the video's frames.

        Args:
            pipeline: Renders.
            motion: T frames.
            plan: What is felt.
            audio: (N,) float samples at 16 kHz.
            seed: Of a video model.
            steps: Denoising steps of a video model.

        Yields:
            T frames (H, W, 3) uint8 RGB.
        """


class Still(Subject):
    """A face in a picture.

    Args:
        picture: (H, W, 3) uint8 RGB.
        face: The face in the part that moves.
        framed: The whole of what is shown; None where it is the part that moves.
    """

    def __init__(self, picture: np.ndarray, face: FaceGeometry, framed: FramedFace | None = None) -> None:
        self.picture, self.face, self._framed = picture, face, framed

    @override
    def frames(
        self, pipeline: "TalkingHeadPipeline", motion: Motion, plan: MusclePlan, audio: np.ndarray, seed: int, steps: int | None
    ) -> Iterator[np.ndarray]:
        for frame in pipeline.render(self.face, motion, plan, audio, seed, steps):
            yield frame if self._framed is None else self._framed.complete(frame)


class Filmed(Subject):
    """Somebody who is filmed.

    Args:
        clip: The video and its face.
        framing: What of it is shown.
    """

    def __init__(self, clip: ClipPortrait, framing: Framing) -> None:
        self.picture, self.face, self._clip, self._framing = clip.face.image, clip.face, clip, framing

    @override
    def frames(
        self, pipeline: "TalkingHeadPipeline", motion: Motion, plan: MusclePlan, audio: np.ndarray, seed: int, steps: int | None
    ) -> Iterator[np.ndarray]:
        from tbd.pipeline import relaxation

        # the mesh warp alone lays a face into a video
        yield from self._clip.frames(motion, self._framing, relaxation(plan))


def open_subject(
    pipeline: "TalkingHeadPipeline",
    portrait: str | os.PathLike,
    seconds: float,
    size: int | None,
    frame: Frame | None,
    aspect: tuple[float, float] | None,
    face: FaceChoice,
    only_square: bool,
    console: "Console",
) -> Subject:
    """Find who speaks in a picture or a video.

    Args:
        pipeline: Its tracker finds the face.
        portrait: The file.
        seconds: How long the voice lasts: no more of a video is read.
        size: Pixels of the video's longer side.
        frame: What is shown; None for ``portrait`` of a picture and ``full`` of a video.
        aspect: Width and height.
        face: Which one of several.
        only_square: Whether a renderer draws that knows the square of head and shoulders alone.
        console: Where the progress of tracking is shown.

    Returns:
        Who speaks.

    Raises:
        InputError: If the file cannot be used, shows no such face, or the renderer cannot draw it like this.
    """
    found = read_still_or_video(portrait)
    if not isinstance(found, VideoFrames):
        (picture,) = found
        framing = Framing(frame or "portrait", aspect, size)
        if framing.is_square_portrait:
            return Still(picture, pipeline.locate(picture, size or SQUARE, str(portrait), face))
        if only_square:
            raise InputError("--renderer video draws the square of head and shoulders alone; leave --frame and --aspect out.")
        framed = pipeline.frame(picture, framing, str(portrait), face)
        return Still(picture, framed.face, framed)
    if only_square or pipeline.renderer is not None:
        raise InputError(f"{portrait} is a video, whose speaker the mesh warp alone can dub; leave --renderer out, or give a picture.")
    from tbd.cli.drawing.console import show_progress

    video = read_video(portrait, 0.0, min(seconds, found.duration) if found.duration else seconds)
    with attribute_errors_to(pipeline.tracker, "tracker"):
        clip = ClipPortrait.track(
            pipeline.tracker, video, str(portrait), face, lambda frames: show_progress(frames, round(video.duration * FPS), console)
        )
    return Filmed(clip, Framing(frame or "full", aspect, size))
