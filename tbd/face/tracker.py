"""Trackers: a picture → `FaceGeometry`, a video → `Motion`.

Two models see slightly different points, so results of two trackers are never mixed in one experiment: each result's
metadata names its tracker and version.
"""

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES
from tbd.face.fit import ClipFit, fit_clip, head_motion, resting_face, smooth
from tbd.face.geometry import NUM_POINTS, FaceGeometry, bony_roll, matrix_to_euler, remove_pose
from tbd.face.leveling import level, signed
from tbd.face.mesh import FaceDetection, FaceFollower, FaceModel, LandmarkerModel, MeshModel, bounds
from tbd.face.motion import Motion
from tbd.face.neutral import AVERAGE, CLIP, Neutral
from tbd.face.shots import Cut, CutFinder
from tbd.media.lazy_frame import LazyFrame

MIN_FACE = 48
"""Pixels: the least height or width of a face that shows enough to be drawn or followed."""
MAX_TURN = np.radians(45)
"""How far a portrait's head may be turned or tilted: beyond it, half of the face is not in the picture."""
MAX_TILT = np.radians(30)
"""How far a portrait's head may be tilted and still be drawn as it is; a picture tilted further is turned level."""
_MAX_OUTSIDE = 0.04
"""The part of the mesh that may lie outside the picture (a chin or an ear's edge)."""


class Tracker(ABC):
    """Finds a face and follows it.

    An implementation names itself, opens its model, and says how a clip's sights become coefficients and poses.
    """

    name: str
    """Names the tracker in results."""

    @abstractmethod
    def open(self, video: bool) -> FaceModel:
        """A fresh model for one picture or one clip, to be used as a context manager."""

    @abstractmethod
    def solve(self, detections: np.ndarray, neutral: Neutral | None = None) -> ClipFit:
        """Coefficients and poses of the frames in which the face was seen.

        Args:
            sights: (T, `_ROW`) float32, a row per frame as `_to_row` makes it; a memory map, to be read in blocks.
            neutral: the person at rest as this tracker sees them, `rest`.
        """

    def locate(self, image: np.ndarray, source: str = "the image") -> FaceGeometry:
        """The largest face of a still picture, upright.

        A picture that lies on its side or stands on its head is turned, and one whose face is tilted by more than 30° is
        levelled; the geometry's image is then the turned one, and its metadata holds the degrees under ``turned``.

        Args:
            image: (H, W, 3) uint8 RGB.
            source: what messages call the picture, usually its file name.

        Raises:
            InputError: there is no face, or it is cut by the border, turned more than 45°, or smaller than 48 pixels.
        """
        with self.open(video=False) as model:
            follower = FaceFollower(model)
            detection = follower.settle(image)
            if detection is None:
                raise InputError(f"No face was found in {source}; give a picture in which a whole human face is seen from the front.")
            image, turned = np.ascontiguousarray(np.rot90(image, follower.turn)), 90.0 * follower.turn
            roll = bony_roll(detection.points)
            if abs(roll) > MAX_TILT:
                straight = level(image, detection.points, roll)
                again = FaceFollower(model, turn=0).settle(straight)
                if again is not None:
                    image, detection, turned = straight, again, turned - float(np.degrees(roll))
        about = {**self._metadata(), **({"turned": signed(turned)} if turned else {})}
        geometry = FaceGeometry(
            image, detection.points, *remove_pose(detection.points, detection.rotation), max(follower.faces_seen, 1), about
        )
        _require_usable(geometry, source)
        return geometry

    def rest(self, frames: Iterable[np.ndarray | LazyFrame], source: str = "the neutral clip") -> Neutral:
        """A person at rest, from a clip or a picture in which they are.

        Args:
            frames: (H, W, 3) uint8 RGB at 25 a second; one for a picture.
            source: what messages and results call it.

        Raises:
            InputError: as `track`.
        """
        with Tracking(self, source) as tracking:
            for frame in frames:
                tracking.add(frame)
            return tracking.rest()

    def track(self, frames: Iterable[np.ndarray], source: str = "the video", neutral: Neutral | None = None) -> Motion:
        """The performance of the largest face of a video.

        Coefficients are absolute: an expression that the clip holds throughout is in them, as far as it can be told from the shape of
        the person's face; `neutral` tells. The metadata's ``neutral`` says what they were measured against.

        Frames are looked at one at a time and their meshes kept on disk, so memory does not grow with the video's length
        but for the motion itself. Frames without the face are interpolated and counted in the metadata, which also holds
        the resting pose that the motion's head channels are relative to, by how many degrees the video was ``turned`` where
        it lies or is upside down, and the seconds of ``cuts``, each shot being relative to its own resting pose.

        Args:
            frames: (H, W, 3) uint8 RGB at 25 a second, as `tbd.media.read_video` gives them.
            source: what messages call the video.
            neutral: the same person at rest, as `rest` of this tracker gives it; people at large by default.

        Raises:
            InputError: there are no frames, more than half show no face, it is smaller than 48 pixels, or another person's.
        """
        with Tracking(self, source, neutral) as tracking:
            for frame in frames:
                tracking.add(frame)
            return tracking.motion()

    def _reference(self, neutral: Neutral | None) -> str:
        """What the coefficients are measured against, for the metadata."""
        return AVERAGE if neutral is None else neutral.source

    def _finish(self, values: np.ndarray) -> np.ndarray:
        """(T, 58) with the tracker's jitter taken out."""
        return values

    def _metadata(self) -> dict[str, str]:
        return {"tracker": self.name, "tracker_version": f"mediapipe {version('mediapipe')}"}


class Tracking:
    """One clip being followed, frame by frame, for a caller that has more to do with the frames than `Tracker.track`.

    Use it as a context manager; the meshes are kept on disk until it closes.

    Args:
        tracker: what follows.
        source: what messages call the video.
        neutral: the person at rest, see `Tracker.track`.
    """

    def __init__(self, tracker: Tracker, source: str = "the video", neutral: Neutral | None = None) -> None:
        self.tracker, self.source, self.neutral, self.seen = tracker, source, neutral, []
        self._size = (0, 0)
        self._cuts = CutFinder()

    def __enter__(self) -> "Tracking":
        with ExitStack() as stack:
            self._spool = stack.enter_context(tempfile.TemporaryFile())
            self._follower = FaceFollower(stack.enter_context(self.tracker.open(video=True)))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)

    def add(self, frame: np.ndarray | LazyFrame) -> FaceDetection | None:
        """Look at the next frame: (H, W, 3) uint8 RGB, or a `LazyFrame`. What is seen of the face, or None."""
        self._size = frame.shape[1::-1]
        detection = self._follower.follow(frame)
        self.seen.append(detection is not None)
        if detection is None:
            self._cuts.add(None, None)
        else:
            self._spool.write(_to_row(detection).tobytes())
            self._cuts.add(self._follower.pixels, detection.points, self._follower.corner)
        return detection

    @property
    def turn(self) -> int:
        """Quarter turns anticlockwise after which the video is upright; its points and its motion are those of the turned video."""
        return self._follower.turn or 0

    def cuts(self) -> list[Cut]:
        """Where shots end, as far as all frames are one person's.

        Raises:
            InputError: somebody else is seen.
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
        """The performance; see `Tracker.track`, which says what may be wrong with a clip."""
        detections = self._detections()
        _require_size(detections, self.source)
        cuts = self.cuts()
        clip = self.tracker.solve(detections, self.neutral)
        head, rest = shot_motion(clip, [sum(self.seen[: cut.frame]) for cut in cuts])
        values = _fill(np.concatenate([clip.blendshapes, head], 1), np.array(self.seen))
        about = {
            **self.tracker._metadata(),
            "faces_seen": self._follower.faces_seen,
            "frames_without_face": len(self.seen) - sum(self.seen),
            "frame_size": list(self._size),
            "neutral": self.tracker._reference(self.neutral),
            "rest": rest,
            **({"turned": signed(90 * self.turn)} if self.turn else {}),
            **({"cuts": [cut.seconds for cut in cuts]} if cuts else {}),
        }
        return Motion(self.tracker._finish(values), about)

    def rest(self) -> Neutral:
        """The person, where the clip shows them at rest; see `Tracker.rest`."""
        detections = self._detections()
        _require_size(detections, self.source)
        face = resting_face(detections[:, : 3 * NUM_POINTS].reshape(-1, NUM_POINTS, 3))
        return Neutral(face, np.median(detections[:, _BLENDSHAPES], 0).astype(np.float64), self.source)

    def points(self) -> np.ndarray:
        """(T, 478, 3) float32 mesh points as `FaceGeometry.points`, interpolated where the face was lost."""
        points = np.array(self._detections()[:, : 3 * NUM_POINTS])
        if not all(self.seen):
            points = _fill(points, np.array(self.seen)).astype(np.float32)
        return points.reshape(-1, NUM_POINTS, 3)

    def _detections(self) -> np.ndarray:
        return _read_rows(self._spool, np.array(self.seen, bool), self.source)


class FaceMeshTracker(Tracker):
    """MediaPipe's face mesh of the wheel; coefficients by bounded least squares against our own rig. No download.

    Args:
        absolute: otherwise the clip's own resting frames count as 0: for films that a renderer drew from a portrait, whose motion
            is known relative to that portrait.

    Example:
        >>> from skimage.data import astronaut
        >>> face = FaceMeshTracker().locate(astronaut())
        >>> face.points.shape, face.faces_seen, face.metadata["tracker"]
        ((478, 3), 1, 'face_mesh')
    """

    name = "face_mesh"

    def __init__(self, absolute: bool = True) -> None:
        self.absolute = absolute

    def open(self, video: bool) -> FaceModel:
        return MeshModel()

    def solve(self, detections: np.ndarray, neutral: Neutral | None = None) -> ClipFit:
        return fit_clip(detections[:, : 3 * NUM_POINTS].reshape(-1, NUM_POINTS, 3), neutral, self.absolute)

    def _reference(self, neutral: Neutral | None) -> str:
        return super()._reference(neutral) if self.absolute else CLIP

    def _finish(self, values: np.ndarray) -> np.ndarray:
        return smooth(values)


class FaceLandmarkerTracker(Tracker):
    """MediaPipe Tasks' face landmarker with its own blendshapes and pose.

    Its coefficients are absolute: an expression that a clip holds throughout is in them, and so is what its network takes for one in
    many a resting face (half-closed lids, mostly); with a neutral, what it reads there counts as 0. `tongueOut` is always 0.

    Args:
        model: ``face_landmarker.task``.

    Raises:
        InputError: the file is not there.
    """

    name = "face_landmarker"

    def __init__(self, model: str | os.PathLike = "~/.cache/tbd/face_landmarker.task") -> None:
        self.model = Path(model).expanduser()
        if not self.model.is_file():
            raise InputError(
                f"There is no face landmarker at {self.model}; download face_landmarker.task (3.7 MB, float16, from the Face Landmarker "
                "page of MediaPipe's documentation) and put it there or name its path, or use the face_mesh tracker, which needs no file."
            )

    def open(self, video: bool) -> FaceModel:
        return LandmarkerModel(self.model, video)

    def solve(self, detections: np.ndarray, neutral: Neutral | None = None) -> ClipFit:
        points = detections[:, : 3 * NUM_POINTS].reshape(-1, NUM_POINTS, 3)
        rotations = np.asarray(detections[:, _ROTATION], np.float64).reshape(-1, 3, 3)
        nearness = 1 / np.asarray(detections[:, _DISTANCE], np.float64)
        # Corner by corner the mesh's scale jitters; the landmarker's own distance is steadier, but in no unit of ours.
        poses = [remove_pose(p, r)[2:] for p, r in zip(points, rotations)]
        scales, origins = (np.array(column, np.float64) for column in zip(*poses))
        blendshapes = np.array(detections[:, _BLENDSHAPES])
        if neutral is not None:
            at_rest = np.clip(neutral.blendshapes, 0, 0.9)
            blendshapes = np.clip((blendshapes - at_rest) / (1 - at_rest), 0, 1)
        return ClipFit(blendshapes, rotations, np.median(scales / nearness) * nearness, origins)


def shot_motion(clip: ClipFit, starts: Sequence[int]) -> tuple[np.ndarray, dict[str, Any]]:
    """`head_motion` shot by shot: each is relative to its own resting pose, since a cut is no movement of the head.

    Args:
        clip: the poses of all shots.
        starts: rows at which a shot begins, without the first.

    Returns:
        (T, 6) head channels, and the resting pose of the first shot.
    """
    edges = [0, *starts, len(clip.scales)]
    shots = [slice(a, b) for a, b in pairwise(edges) if b > a]
    motions = [head_motion(replace(clip, rotations=clip.rotations[s], scales=clip.scales[s], origins=clip.origins[s])) for s in shots]
    return np.concatenate([head for head, _ in motions]), motions[0][1]


_ROTATION = slice(3 * NUM_POINTS, 3 * NUM_POINTS + 9)
_DISTANCE = _ROTATION.stop
_BLENDSHAPES = slice(_DISTANCE + 1, _DISTANCE + 1 + len(BLENDSHAPES))
_ROW = _BLENDSHAPES.stop


def _to_row(detection: FaceDetection) -> np.ndarray:
    """(_ROW,) float32: points, then what the model tells beyond them, zeros where it does not."""
    row = np.zeros(_ROW, np.float32)
    row[: 3 * NUM_POINTS] = detection.points.ravel()
    if detection.rotation is not None:
        row[_ROTATION], row[_DISTANCE], row[_BLENDSHAPES] = detection.rotation.ravel(), detection.distance, detection.blendshapes
    return row


def _read_rows(spool: BinaryIO, seen: np.ndarray, source: str) -> np.ndarray:
    """The spooled rows as a memory map."""
    if not len(seen):
        raise InputError(f"There are no frames in {source}; give a video of a face.")
    if seen.sum() * 2 < len(seen) or not seen.any():
        raise InputError(f"{(~seen).sum()} of the {len(seen)} frames of {source} show no face; give a video that shows one throughout.")
    spool.flush()
    return np.memmap(spool, np.float32, "r", shape=(int(seen.sum()), _ROW))


def _require_size(detections: np.ndarray, source: str) -> None:
    some = detections[:: max(len(detections) // 100, 1), : 3 * NUM_POINTS].reshape(-1, NUM_POINTS, 3)
    side = float(np.median([np.ptp(points[:, :2], 0).max() for points in some]))
    if side < MIN_FACE:
        raise InputError(f"The face in {source} is {side:.0f} pixels high; give one of at least {MIN_FACE} pixels.")


def _fill(values: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(number seen, C) → (T, C): frames without a face between their neighbours, at the ends like the nearest."""
    frames = np.arange(len(seen))
    return np.stack([np.interp(frames, frames[seen], channel) for channel in values.T], 1)


def _require_usable(geometry: FaceGeometry, source: str) -> None:
    """Raise InputError where a face cannot be drawn from: too small, cut by the border, or turned away."""
    left, top, right, bottom = bounds(geometry.points)
    height, width = geometry.image.shape[:2]
    side = max(right - left, bottom - top)
    if side < MIN_FACE:
        raise InputError(f"The face in {source} is {side:.0f} pixels high; give one of at least {MIN_FACE} pixels.")
    xy = geometry.points[:, :2]
    outside = ((xy < 0) | (xy >= [width, height])).any(1).mean()
    if outside > _MAX_OUTSIDE:
        raise InputError(f"The face in {source} is cut by the border ({outside:.0%} of it lies outside); show the whole face.")
    turn, roll = np.arccos(np.clip(geometry.rotation[2, 2], -1, 1)), abs(matrix_to_euler(geometry.rotation)[2])
    if max(turn, roll) > MAX_TURN:
        how = f"turned {np.degrees(turn):.0f}° away" if turn > MAX_TURN else f"tilted by {np.degrees(roll):.0f}°"
        raise InputError(f"The face in {source} is {how}; give one within {np.degrees(MAX_TURN):.0f}° of upright and frontal.")
