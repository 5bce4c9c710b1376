"""Who speaks in a video: a face in a picture, or somebody who is filmed."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator

import numpy as np
from typing_extensions import override

from tbd.errors import InputError
from tbd.face.clip_portrait import ClipPortrait
from tbd.face.framing import Frame, FramedFace, Framing, cut_face
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.portrait import HEADROOM, find_face
from tbd.face.tracker import Tracker
from tbd.face.tracking.choice import FaceChoice
from tbd.media import VideoFrames, read_still_or_video, read_video
from tbd.media.rates import FPS
from tbd.utils.options.user_components import attribute_errors_to

RenderFace = Callable[[FaceGeometry], Iterator[np.ndarray]]
"""Face → frames (H, W, 3) uint8 RGB of its picture, in the motion that is drawn."""
Progress = Callable[[Iterable[np.ndarray], int], Iterable[np.ndarray]]
"""Frames, and about how many there are → the same frames."""


LIVE = 384
"""Pixels of the longer side of live head and shoulders where no size is given; of a whole picture twice as many, or its own."""


class Subject(ABC):
    """Who speaks."""

    face: FaceGeometry
    """The face, about which notes are made."""
    picture: np.ndarray
    """(H, W, 3) uint8 RGB, for planners that look at it."""

    @abstractmethod
    def frames(self, motion: Motion, render: RenderFace, neutralize: float) -> Generator[np.ndarray, None, None]:
        """Draw the video's frames.

        Args:
            motion: T frames.
            render: Draws a face in this motion.
            neutralize: How far the expression of somebody who is filmed gives way; a renderer of pictures knows by itself.

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
        self.picture, self.face, self.framed = picture, face, framed

    @classmethod
    def cut(cls, face: FaceGeometry, framing: Framing, headroom: float = HEADROOM) -> "Still":
        """Cut what a video shows out of a picture.

        Args:
            face: The face in the whole picture.
            framing: What is shown.
            headroom: Side of the square of head and shoulders, in heights of the face.

        Returns:
            Who speaks.
        """
        return cls(face.image, *cut_face(face, framing, headroom))

    def complete(self, frame: np.ndarray) -> np.ndarray:
        """Put a frame of the part that moves back into what is shown.

        Args:
            frame: (h, w, 3) uint8 RGB.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        return frame if self.framed is None else self.framed.complete(frame)

    @override
    def frames(self, motion: Motion, render: RenderFace, neutralize: float) -> Generator[np.ndarray, None, None]:
        for frame in render(self.face):
            yield self.complete(frame)


class Filmed(Subject):
    """Somebody who is filmed, and dubbed: the mesh warp alone lays a face into a video.

    Args:
        clip: The video and its face.
        framing: What of it is shown.
    """

    def __init__(self, clip: ClipPortrait, framing: Framing) -> None:
        self.picture, self.face, self._clip, self._framing = clip.face.image, clip.face, clip, framing

    @override
    def frames(self, motion: Motion, render: RenderFace, neutralize: float) -> Generator[np.ndarray, None, None]:
        yield from self._clip.frames(motion, self._framing, neutralize)


def open_subject(
    tracker: Tracker,
    portrait: str | os.PathLike,
    seconds: float,
    size: int | None,
    frame: Frame | None,
    aspect: tuple[float, float] | None,
    face: FaceChoice,
    headroom: float = HEADROOM,
    only_square: bool = False,
    dubs: bool = True,
    progress: Progress = lambda frames, total: frames,
    located: FaceGeometry | None = None,
) -> Subject:
    """Find who speaks in a picture or a video.

    Args:
        tracker: Finds the face.
        portrait: The file.
        seconds: How long is spoken: no more of a video is read.
        size: Pixels of the video's longer side.
        frame: What is shown; None for ``portrait`` of a picture and ``full`` of a video.
        aspect: Width and height.
        face: Which one of several.
        headroom: Side of the square of head and shoulders, in heights of the face.
        only_square: Whether a renderer draws that knows that square alone.
        dubs: Whether the mesh warp draws, which alone lays a face into a video.
        progress: Shows how far the tracking of a video is.
        located: The face of a picture, where `tracker` has located it before.

    Returns:
        Who speaks.

    Raises:
        InputError: If the file cannot be used, shows no such face, or the renderer cannot draw it like this.
    """
    found = None if located is not None else read_still_or_video(portrait)
    if not isinstance(found, VideoFrames):
        framing = Framing(frame or "portrait", aspect, size)
        if only_square and not framing.is_square_portrait:
            raise InputError("--renderer video draws the square of head and shoulders alone; leave --frame and --aspect out.")
        if located is None:
            (picture,) = found or ()
            located = find_face(tracker, picture, str(portrait), face)
        return Still.cut(located, framing, headroom)
    if only_square or not dubs:
        raise InputError(f"{portrait} is a video, whose speaker the mesh warp alone can dub; leave --renderer out, or give a picture.")
    return Filmed(follow(tracker, portrait, seconds, face, progress), Framing(frame or "full", aspect, size))


def follow(
    tracker: Tracker, portrait: str | os.PathLike, seconds: float, face: FaceChoice, progress: Progress = lambda frames, total: frames
) -> ClipPortrait:
    """Follow who is filmed, as long as is spoken.

    Args:
        tracker: Follows the face.
        portrait: The video.
        seconds: How long is spoken.
        face: Which one of several.
        progress: Shows how far it is.

    Returns:
        The video with its face.

    Raises:
        InputError: If the video cannot be used, or shows no such face.
    """
    whole = read_video(portrait)
    video = read_video(portrait, 0.0, min(seconds, whole.duration) if whole.duration else seconds)
    with attribute_errors_to(tracker, "tracker"):
        return ClipPortrait.track(tracker, video, str(portrait), face, lambda frames: progress(frames, round(video.duration * FPS)))


def live_framing(picture: np.ndarray, frame: Frame | None, aspect: tuple[float, float] | None, size: int | None) -> Framing:
    """Choose what live frames show of a picture.

    Args:
        picture: (H, W, 3) uint8 RGB.
        frame: What is shown; None for ``portrait``.
        aspect: Width and height.
        size: Pixels of the longer side; None for `LIVE`, or a whole picture's own up to twice that.

    Returns:
        The framing.
    """
    usual = min(2 * LIVE, max(picture.shape[:2])) if frame == "full" else LIVE
    return Framing(frame or "portrait", aspect, size or usual)
