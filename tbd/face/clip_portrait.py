"""A video as a portrait: somebody who is filmed and gets another mouth and another feeling."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import numpy as np

from tbd.errors import InputError
from tbd.face.framing import Framing
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.portrait import cut_window
from tbd.face.render.dubbing import FaceDubber
from tbd.face.tracker import Tracker
from tbd.face.tracking.choice import LARGEST, FaceChoice
from tbd.face.tracking.session import TrackingSession
from tbd.media.rates import FPS
from tbd.media.video import VideoFrames

_SMOOTHED = 5
"""Frames over which the mesh's jitter is taken out."""
_APART = np.radians(7)
"""How far a head must turn from the first portrait for another one to be worth it."""
_LIKE = 30.0
"""What a radian of turn beside the wanted one counts against rest."""
_LONGEST = 60.0
"""Seconds of a video that is repeated because the voice lasts longer: its frames are then kept in memory, as JPEG."""


@dataclass(frozen=True)
class ClipPortrait:
    """A video, and where its face is.

    Args:
        video: The video, read anew for each pass.
        points: (T, 478, 3) float32 mesh points of each frame, as `FaceGeometry.points`.
        seen: (T,) whether the face was found.
        turn: Quarter turns anticlockwise after which the frames are upright.
        faces: The faces of the frames that serve as portraits, each in its whole frame; the first is the one most at rest.
    """

    video: VideoFrames
    points: np.ndarray
    seen: np.ndarray
    turn: int
    faces: tuple[FaceGeometry, ...]

    @classmethod
    def track(
        cls, tracker: Tracker, video: VideoFrames, source: str, face: FaceChoice = LARGEST, progress: Callable[[Iterable], Iterable] = iter
    ) -> "ClipPortrait":
        """Follow a face through a video.

        Args:
            tracker: Finds and follows it.
            video: The video.
            source: What messages call it.
            face: Which one of several, in the first frame that shows any.
            progress: Wraps the frames, to show how far it is.

        Returns:
            The video with its face.

        Raises:
            InputError: If the face is not seen in half of the frames, is too small or turned away throughout, or another person follows.
        """
        with TrackingSession(tracker, source, face=face) as tracking:
            for frame in progress(video):
                tracking.add(frame)
            motion, points, seen, turn = tracking.motion(), tracking.points(), np.array(tracking.seen, bool), tracking.turn
        wanted = _portraits(motion, seen)
        pictures = {i: np.ascontiguousarray(np.rot90(frame, turn)) for i, frame in enumerate(islice(video, max(wanted) + 1)) if i in wanted}
        faces = [tracker.geometry(pictures[wanted[0]], points[wanted[0]], source)]
        for i in wanted[1:]:
            with suppress(InputError):  # turned too far to be a portrait
                faces.append(tracker.geometry(pictures[i], points[i], source))
        return cls(video, _smooth(points), seen, turn, tuple(faces))

    @property
    def face(self) -> FaceGeometry:
        """The face of the frame that is most at rest."""
        return self.faces[0]

    def frames(self, motion: Motion, framing: Framing, neutralize: float = 0.5) -> Iterator[np.ndarray]:
        """Draw the video with another expression. Where the motion lasts longer, the video goes back and forth.

        Args:
            motion: T frames; the head's motion is not read.
            framing: What of the video is shown.
            neutralize: How far the portrait's own expression gives way.

        Yields:
            T frames (H, W, 3) uint8 RGB.
        """
        window = framing.window(self.face)
        rows, columns = framing.shape(window[3], window[2])
        zoom = columns / window[2]
        cut = [cut_window(face.image, window, (columns, rows))[0] for face in self.faces]
        dubber = FaceDubber([face.cropped(*window[:2], picture, zoom) for face, picture in zip(self.faces, cut)], neutralize)
        for (index, frame), values in zip(self._back_and_forth(len(motion)), motion.clamped().values):
            shown, _ = cut_window(frame, window, (columns, rows))
            points = (self.points[index] - [window[0], window[1], 0]) * zoom
            yield dubber.draw(shown, points, values) if self.seen[index] else shown

    def _back_and_forth(self, length: int) -> Iterator[tuple[int, np.ndarray]]:
        """`length` frames with their numbers: the video's, then backwards, then forwards again."""
        count = len(self.points)
        if length > count > _LONGEST * FPS:
            seconds = f"The voice lasts {length / FPS:.0f} s and the video {count / FPS:.0f} s"
            raise InputError(f"{seconds}; give a voice that is no longer, or a video of at most {_LONGEST:.0f} s, which is repeated.")
        kept: list[bytes] = []
        for i, frame in zip(range(min(length, count)), self.video):
            frame = np.ascontiguousarray(np.rot90(frame, self.turn))
            if length > count:
                kept.append(_packed(frame))
            yield i, frame
        for n in range(count, length):
            place = n % max(2 * count - 2, 1)
            i = place if place < count else 2 * count - 2 - place
            yield i, _unpacked(kept[i])


def _portraits(motion: Motion, seen: np.ndarray) -> list[int]:
    """Numbers of up to three frames: the face most at rest, and where the head turns far also one turned to each side."""
    unrest = motion.blendshapes.sum(1) + 6 * motion["jawOpen"] + 4 * (motion["eyeBlinkLeft"] + motion["eyeBlinkRight"]) + 1e3 * ~seen
    yaw = motion["headYaw"]
    left, right = np.percentile(yaw[seen], (8, 92))
    chosen = [int(np.argmin(unrest + 4 * np.abs(motion.head[:, :3] - np.median(motion.head[seen, :3], 0)).sum(1)))]
    for side in (left, right):
        if abs(side - yaw[chosen[0]]) > _APART:
            chosen.append(int(np.argmin(unrest + _LIKE * np.abs(yaw - side))))
    return chosen


def _smooth(points: np.ndarray) -> np.ndarray:
    """The same points without a tracker's jitter, by Savitzky–Golay parabolas without delay."""
    from scipy.signal import savgol_filter

    if len(points) < _SMOOTHED:
        return points
    smoothed: np.ndarray = savgol_filter(points, _SMOOTHED, 2, axis=0, mode="nearest").astype(np.float32)
    return smoothed


def _packed(frame: np.ndarray) -> bytes:
    import cv2

    return cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 96])[1].tobytes()


def _unpacked(data: bytes) -> np.ndarray:
    import cv2

    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))
