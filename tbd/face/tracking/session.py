"""`TrackingSession`: one clip being tracked, frame by frame."""

from contextlib import ExitStack
from types import TracebackType
from typing import Protocol

import numpy as np

from tbd.errors import InputError
from tbd.face.fit import ClipFit, head_motion_by_shot, resting_face
from tbd.face.mesh import FaceDetection, FaceModel
from tbd.face.motion import Motion
from tbd.face.neutral import NeutralFace
from tbd.face.tracking.choice import LARGEST, FaceChoice, check_choice
from tbd.face.tracking.detection_file import DetectionFile, DetectionRows
from tbd.face.tracking.follower import FaceFollower
from tbd.face.tracking.limits import require_size
from tbd.face.tracking.rotation import ImageLike, wrap_degrees
from tbd.face.tracking.shot_boundaries import Cut, ShotBoundaryDetector
from tbd.media.rates import FPS
from tbd.utils.tracks import runs

_AT_REST = 0.9
"""Quantile over a clip of a face at rest up to which what it looks like is nothing: it wavers with each syllable."""


class TrackerSteps(Protocol):
    """The steps of a `tbd.face.tracker.Tracker` that a session calls."""

    def open(self, video: bool) -> FaceModel:
        """Make a model for one clip."""

    def solve(self, detections: DetectionRows, neutral: NeutralFace | None = None) -> ClipFit:
        """Compute coefficients and poses.

        Args:
            detections: Mesh points of each frame.
            neutral: The person's face at rest, if it is known.

        Returns:
            What was fitted, frame by frame.
        """

    def reference(self, neutral: NeutralFace | None) -> str:
        """Name what the coefficients are measured against."""

    def remove_jitter(self, values: np.ndarray) -> np.ndarray:
        """Smooth (T, 58) values of a motion."""

    def metadata(self) -> dict[str, str]:
        """Return the metadata that name the tracker."""


class TrackingSession:
    """One clip being tracked, frame by frame, for a caller that has more to do with the frames than `Tracker.track`.

    Use it as a context manager; the meshes are kept on disk until it closes.

    Args:
        tracker: The tracker whose model follows the face.
        source: What messages call the video.
        neutral: The person at rest, see `Tracker.track`.
        face: Which one of several, see `Tracker.track`.
    """

    def __init__(
        self, tracker: TrackerSteps, source: str = "the video", neutral: NeutralFace | None = None, face: FaceChoice = LARGEST
    ) -> None:
        self.tracker, self.source, self.neutral, self._choice = tracker, source, neutral, check_choice(face)
        self._size: tuple[int, ...] = (0, 0)
        self._cuts = ShotBoundaryDetector()

    def __enter__(self) -> "TrackingSession":
        with ExitStack() as stack:
            self._detections = stack.enter_context(DetectionFile())
            self._follower = FaceFollower(stack.enter_context(self.tracker.open(video=True)), choice=self._choice)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, trace)

    @property
    def seen(self) -> list[bool]:
        """For each frame whether the face was found."""
        return self._detections.seen

    def add(self, frame: ImageLike) -> FaceDetection | None:
        """Find the face in the next frame, (H, W, 3) uint8 RGB or a `tbd.media.lazy_frame.LazyFrame`; None where it is lost."""
        self._size = frame.shape[1::-1]
        detection = self._follower.follow(frame)
        self._detections.append(detection)
        if detection is None:
            self._cuts.add(None, None)
        else:
            self._cuts.add(self._follower.pixels, detection.points, self._follower.corner)
        return detection

    @property
    def turn(self) -> int:
        """Quarter turns anticlockwise after which the video is upright; its points and its motion are those of the turned video."""
        return self._follower.turn or 0

    def cuts(self) -> list[Cut]:
        """Find where shots end.

        Returns:
            The cuts, in the order of their frames.

        Raises:
            InputError: If a shot shows another person than the one before.
        """
        cuts = self._cuts.finish()
        others = [cut for cut in cuts if cut.other_person]
        if others:
            more = f", the first of {len(others)} such cuts" if len(others) > 1 else ""
            raise InputError(
                f"Another person seems to be seen in {self.source} from {others[0].seconds:.2f} s on{more}; give a part of it that shows "
                "one person in one shot (`tbd track` takes --start and --end)."
            )
        return cuts

    def motion(self) -> Motion:
        """Return the performance; `Tracker.track` says which clips are refused."""
        detections = self._detections.read(self.source)
        require_size(detections, self.source)
        cuts = self.cuts()
        clip = self.tracker.solve(detections, self.neutral)
        head, rest = head_motion_by_shot(clip, [sum(self.seen[: cut.frame]) for cut in cuts])
        values = self._detections.interpolate(np.concatenate([clip.blendshapes, head], 1))
        about = {
            **self.tracker.metadata(),
            "faces_seen": self._follower.faces_seen,
            "frames_without_face": len(self.seen) - sum(self.seen),
            **({"lost": self._lost()} if not all(self.seen) else {}),
            "frame_size": list(self._size),
            "neutral": self.tracker.reference(self.neutral),
            "rest": rest,
            **({"turned": wrap_degrees(90 * self.turn)} if self.turn else {}),
            **({"cuts": [cut.seconds for cut in cuts]} if cuts else {}),
        }
        return Motion(self.tracker.remove_jitter(values), about)

    def _lost(self) -> list[list[float]]:
        """Start and end in seconds of each stretch without a face."""
        return [[first / FPS, last / FPS] for first, last in runs(~np.array(self.seen, bool))]

    def neutral_face(self) -> NeutralFace:
        """Return the person's resting face, where the clip shows them at rest; see `Tracker.neutral_face`."""
        detections = self._detections.read(self.source)
        require_size(detections, self.source)
        blendshapes = np.median(detections.blendshapes, 0).astype(np.float64)
        appearance = np.quantile(detections.appearance, _AT_REST, axis=0).astype(np.float64)
        return NeutralFace(resting_face(detections.points), blendshapes, self.source, appearance)

    def points(self) -> np.ndarray:
        """Return (T, 478, 3) float32 mesh points as `FaceGeometry.points`, interpolated where the face was lost."""
        points = np.array(self._detections.read(self.source).points)
        if all(self.seen):
            return points
        filled = self._detections.interpolate(points.reshape(len(points), -1)).astype(np.float32)
        return filled.reshape(-1, *points.shape[1:])
