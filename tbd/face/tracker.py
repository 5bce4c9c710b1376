"""Trackers: a picture → `FaceGeometry`, a video → `Motion`.

Two models place points slightly differently, so results of two trackers are never mixed in one experiment: each result's
metadata names its tracker and version.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tbd.errors import InputError
from tbd.face.fit import ClipFit, fit_clip, smooth
from tbd.face.geometry import FaceGeometry, face_roll, remove_pose
from tbd.face.landmarker_eyes import SCALED, scale_eyes
from tbd.face.mesh import FaceModel, LandmarkerModel, MeshModel
from tbd.face.motion import Motion
from tbd.face.neutral import AVERAGE, CLIP, NeutralFace
from tbd.face.tracking.choice import LARGEST, FaceChoice
from tbd.face.tracking.detection_file import DetectionRows
from tbd.face.tracking.follower import FaceFollower
from tbd.face.tracking.limits import MAX_TILT, require_usable
from tbd.face.tracking.rotation import ImageLike, wrap_degrees
from tbd.face.tracking.session import TrackingSession
from tbd.face.tracking.straightening import straighten

RECIPE = "absolute-2"
"""Names what coefficients mean: absolute ones, and since the second version lids and gaze on ARKit's scale. Motions of another recipe are
others' motions to a prepared cache."""


class Tracker(ABC):
    """Finds a face and follows it.

    An implementation names itself, opens its model, and turns a clip's detections into coefficients and poses.
    """

    name: str
    """Names the tracker in results."""

    @abstractmethod
    def open(self, video: bool) -> FaceModel:
        """Make a model for one picture or one clip, to be used as a context manager.

        Args:
            video: Whether the model will see a video's frames one after the other, or single pictures.

        Returns:
            The model.
        """

    @abstractmethod
    def solve(self, detections: DetectionRows, neutral: NeutralFace | None = None) -> ClipFit:
        """Compute coefficients and poses of the frames in which the face was found.

        Args:
            detections: The model's output for these frames, on disk: to be read in blocks.
            neutral: The person at rest as this tracker measures them, `neutral_face`.

        Returns:
            Coefficients and poses, a row for each frame of `detections`.
        """

    def locate(self, image: np.ndarray, source: str = "the image", face: FaceChoice = LARGEST) -> FaceGeometry:
        """Find a face of a still picture and stand it upright.

        A picture that lies on its side or stands on its head is turned, and one whose face is tilted by more than 30° is
        levelled; the geometry's image is then the turned one, and its metadata holds the degrees under ``turned``.

        Args:
            image: (H, W, 3) uint8 RGB.
            source: What messages call the picture, usually its file name.
            face: Which one of several: ``largest``, ``left``, ``right``, or its number from the left, from 1 on.

        Returns:
            The face in the upright picture.

        Raises:
            InputError: If there is no face, or it is cut by the border, turned more than 45°, or smaller than 48 pixels.
        """
        with self.open(video=False) as model:
            follower = FaceFollower(model, choice=face)
            detection = follower.locate(image)
            if detection is None and follower.faces_seen:
                one = follower.faces_seen == 1
                raise InputError(f"{source} shows {'one face' if one else f'{follower.faces_seen} faces'}; there is no face number {face}.")
            if detection is None:
                raise InputError(f"No face was found in {source}; give a picture in which a whole human face is seen from the front.")
            quarters = follower.turn or 0
            image, turned = np.ascontiguousarray(np.rot90(image, quarters)), 90.0 * quarters
            roll = face_roll(detection.points)
            if abs(roll) > MAX_TILT:
                straight = straighten(image, detection.points, roll)
                again = FaceFollower(model, turn=0, choice=face).locate(straight)
                if again is not None:
                    image, detection, turned = straight, again, turned - float(np.degrees(roll))
                    follower.others = follower.others[:0]
        about = {**self.metadata(), **({"turned": wrap_degrees(turned)} if turned else {})}
        if len(follower.others):
            about["other_faces"] = np.round(follower.others).astype(int).tolist()
        geometry = FaceGeometry(
            image, detection.points, *remove_pose(detection.points, detection.rotation), max(follower.faces_seen, 1), about
        )
        require_usable(geometry, source)
        return geometry

    def geometry(self, image: np.ndarray, points: np.ndarray, source: str = "the image") -> FaceGeometry:
        """Make the geometry of a face whose mesh is known, as that of a frame of a video.

        Args:
            image: (H, W, 3) uint8 RGB, upright.
            points: (478, 3) pixels as `FaceGeometry.points`.
            source: What messages call the picture.

        Returns:
            The face.

        Raises:
            InputError: If it is cut by the border, turned more than 45°, or smaller than 48 pixels.
        """
        geometry = FaceGeometry(image, np.asarray(points, np.float32), *remove_pose(points), 1, self.metadata())
        require_usable(geometry, source)
        return geometry

    def neutral_face(self, frames: Iterable[ImageLike], source: str = "the neutral clip") -> NeutralFace:
        """Measure a person at rest, from a clip or a picture in which they are.

        Args:
            frames: (H, W, 3) uint8 RGB at 25 a second; one for a picture.
            source: What messages and results call it.

        Returns:
            The resting face, for `track`.

        Raises:
            InputError: As for `track`.
        """
        with TrackingSession(self, source) as tracking:
            for frame in frames:
                tracking.add(frame)
            return tracking.neutral_face()

    def track(
        self, frames: Iterable[ImageLike], source: str = "the video", neutral: NeutralFace | None = None, face: FaceChoice = LARGEST
    ) -> Motion:
        """Track the performance of one face of a video.

        Coefficients are absolute: an expression that the clip holds throughout is in them, as far as it can be distinguished from the
        shape of the person's face, for which `neutral` helps. The metadata's ``neutral`` says what they were measured against.

        Frames are read one at a time and their meshes kept on disk, so memory does not grow with the video's length
        but for the motion itself. Frames without the face are interpolated; the metadata counts them and holds under ``lost`` from
        when to when they last, the resting pose that the motion's head channels are relative to, by how many degrees the video was
        ``turned`` where it lies or is upside down, and the seconds of ``cuts``, each shot being relative to its own resting pose.

        Args:
            frames: (H, W, 3) uint8 RGB at 25 a second, as `tbd.media.read_video` gives them.
            source: What messages call the video.
            neutral: The same person at rest, as `neutral_face` of this tracker measures it; people at large by default.
            face: Which one of several, as for `locate`, in the first frame that shows any.

        Returns:
            The motion, one row for each frame.

        Raises:
            InputError: If there are no frames, more than half show no face, it is smaller than 48 pixels, or another person's.
        """
        with TrackingSession(self, source, neutral, face) as tracking:
            for frame in frames:
                tracking.add(frame)
            return tracking.motion()

    def reference(self, neutral: NeutralFace | None) -> str:
        """Name what the coefficients are measured against, for the metadata."""
        return AVERAGE if neutral is None else neutral.source

    def remove_jitter(self, values: np.ndarray) -> np.ndarray:
        """Smooth (T, 58) values of a motion as far as this tracker's output jitters; by default not at all."""
        return values

    def metadata(self) -> dict[str, str]:
        """Return the metadata that name this tracker and its version in a result."""
        return {"tracker": self.name, "tracker_version": f"mediapipe {version('mediapipe')}", "recipe": RECIPE}


class FaceMeshTracker(Tracker):
    """MediaPipe's face mesh of the wheel; coefficients by bounded least squares against our own rig. No download.

    Args:
        absolute: Whether coefficients are absolute; otherwise the clip's own resting frames count as 0, for videos that a renderer
            drew from a portrait, whose motion is known relative to that portrait.

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
        """Make the face mesh, for pictures and videos alike."""
        return MeshModel()

    def solve(self, detections: DetectionRows, neutral: NeutralFace | None = None) -> ClipFit:
        """Fit the rig to the meshes.

        Args:
            detections: The mesh's points.
            neutral: The person at rest, `neutral_face`.

        Returns:
            Coefficients and poses, a row for each frame of `detections`.
        """
        return fit_clip(detections.points, neutral, self.absolute)

    def reference(self, neutral: NeutralFace | None) -> str:
        """Name what the coefficients are measured against, for the metadata."""
        return super().reference(neutral) if self.absolute else CLIP

    def remove_jitter(self, values: np.ndarray) -> np.ndarray:
        """Smooth (T, 58) values of a motion; see `tbd.face.fit.smooth`."""
        return smooth(values)


class FaceLandmarkerTracker(Tracker):
    """MediaPipe Tasks' face landmarker with its own blendshapes and pose.

    Its coefficients are absolute: an expression that a clip holds throughout is in them, and so is what its network takes for one in
    many resting faces; with a neutral face, what it measures there counts as 0. `tongueOut` is always 0. Lids and gaze, of which it
    reads six tenths, are put on ARKit's scale and measured against the clip's own rest (`tbd.face.landmarker_eyes`).

    Args:
        model: Path of ``face_landmarker.task``.

    Raises:
        InputError: If the file does not exist.
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
        """Make the landmarker, which follows a video or locates a face in single pictures."""
        return LandmarkerModel(self.model, video)

    def solve(self, detections: DetectionRows, neutral: NeutralFace | None = None) -> ClipFit:
        """Take over the landmarker's coefficients and poses.

        Args:
            detections: The landmarker's output.
            neutral: The person at rest, `neutral_face`; what the landmarker measures there counts as 0.

        Returns:
            Coefficients and poses, a row for each frame of `detections`.
        """
        points, rotations, nearness = detections.points, detections.rotations, 1 / detections.distances
        # Corner by corner the mesh's scale jitters; the landmarker's own distance is steadier, but in no unit of ours.
        poses = [remove_pose(p, r)[2:] for p, r in zip(points, rotations)]
        scales, origins = (np.array(column, np.float64) for column in zip(*poses))
        blendshapes = scale_eyes(detections.blendshapes, None if neutral is None else neutral.blendshapes)
        if neutral is not None:
            at_rest = np.where(SCALED, 0, np.clip(neutral.blendshapes, 0, 0.9))
            blendshapes = np.clip((blendshapes - at_rest) / (1 - at_rest), 0, 1)
        return ClipFit(blendshapes, rotations, np.median(scales / nearness) * nearness, origins)


def default_tracker(landmarker: str | os.PathLike | None = None) -> Tracker:
    """Make the tracker that commands take where none is named.

    Args:
        landmarker: A ``face_landmarker.task`` file.

    Returns:
        MediaPipe's landmarker where its file is given, the mesh tracker where not.

    Raises:
        InputError: If the file cannot be used.
    """
    return FaceMeshTracker() if landmarker is None else FaceLandmarkerTracker(landmarker)
