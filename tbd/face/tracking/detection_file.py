"""`DetectionFile`: what a model found in every frame of a clip, kept on disk, so that memory does not grow with the clip."""

import tempfile
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import NUM_POINTS
from tbd.face.mesh import FaceDetection

_POINTS = 3 * NUM_POINTS
_DISTANCE = _POINTS + 9
_BLENDSHAPES = slice(_DISTANCE + 1, _DISTANCE + 1 + len(BLENDSHAPES))
_APPEARANCE = slice(_BLENDSHAPES.stop, _BLENDSHAPES.stop + 8)
_ROW = _APPEARANCE.stop


@dataclass(frozen=True)
class DetectionRows:
    """The detections of the frames in which the face was found.

    Args:
        rows: (T, 1504) float32, a row for each frame; a memory map, to be read in blocks. Zeros where a model estimates points alone.
    """

    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def points(self) -> np.ndarray:
        """(T, 478, 3) float32 pixels as `FaceGeometry.points`."""
        return self.rows[:, :_POINTS].reshape(-1, NUM_POINTS, 3)

    @property
    def rotations(self) -> np.ndarray:
        """(T, 3, 3) float64 as `FaceGeometry.rotation`."""
        return np.asarray(self.rows[:, _POINTS:_DISTANCE], np.float64).reshape(-1, 3, 3)

    @property
    def distances(self) -> np.ndarray:
        """(T,) float64 distance from the camera, in the model's own unit."""
        return np.asarray(self.rows[:, _DISTANCE], np.float64)

    @property
    def blendshapes(self) -> np.ndarray:
        """(T, 52) float32 in 0..1, a copy in memory."""
        return np.array(self.rows[:, _BLENDSHAPES])

    @property
    def appearance(self) -> np.ndarray:
        """(T, 8) float32 in 0..1, a copy in memory, as `FaceDetection.appearance` with zeros behind."""
        return np.array(self.rows[:, _APPEARANCE])


class DetectionFile:
    """Collects the detections of a clip in a temporary file. Use it as a context manager.

    Attributes:
        seen: For each frame whether the face was found.
    """

    def __init__(self) -> None:
        self.seen: list[bool] = []
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - `__exit__` closes it

    def __enter__(self) -> "DetectionFile":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def append(self, detection: FaceDetection | None) -> None:
        """Add the next frame; None where the face was not found."""
        self.seen.append(detection is not None)
        if detection is not None:
            self._file.write(_to_row(detection).tobytes())

    def read(self, source: str) -> DetectionRows:
        """Map the detections into memory.

        Args:
            source: What messages call the video.

        Returns:
            One row for each frame in which the face was found.

        Raises:
            InputError: If there are no frames, or more than half of them show no face.
        """
        found, frames = sum(self.seen), len(self.seen)
        if not frames:
            raise InputError(f"There are no frames in {source}; give a video of a face.")
        if found * 2 < frames or not found:
            raise InputError(f"{frames - found} of the {frames} frames of {source} show no face; give a video that shows one throughout.")
        self._file.flush()
        return DetectionRows(np.memmap(self._file, np.float32, "r", shape=(found, _ROW)))

    def interpolate(self, values: np.ndarray) -> np.ndarray:
        """Fill in the frames without a face between their neighbours; those at the ends become like the nearest.

        Args:
            values: (frames with a face, C).

        Returns:
            (T, C) float64, a row for every frame.
        """
        seen = np.array(self.seen)
        frames = np.arange(len(seen))
        return np.stack([np.interp(frames, frames[seen], channel) for channel in values.T], 1)


def _to_row(detection: FaceDetection) -> np.ndarray:
    """(1504,) float32: points, then what the model estimates beyond them, zeros where it does not."""
    row = np.zeros(_ROW, np.float32)
    row[:_POINTS] = detection.points.ravel()
    if detection.rotation is not None:
        row[_POINTS:_DISTANCE] = detection.rotation.ravel()
    if detection.distance is not None:
        row[_DISTANCE] = detection.distance
    if detection.blendshapes is not None:
        row[_BLENDSHAPES] = detection.blendshapes
    if detection.appearance is not None:
        row[_APPEARANCE][: len(detection.appearance)] = detection.appearance
    return row
