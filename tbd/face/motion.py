"""`Motion`: 52 ARKit blendshapes and a head pose, 25 times a second. Needs numpy alone."""

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES, CHANNELS, INDEX
from tbd.face.motion_io import read_motion, write_motion
from tbd.media.rates import FPS


@dataclass(frozen=True)
class Motion:
    """A performance: the values of all blendshapes and of the head's pose, frame by frame.

    Args:
        values: (T, 58) float32 at 25 frames a second, columns as `tbd.face.channels.CHANNELS`: 52 blendshapes in 0..1, then
            pitch, yaw, roll in radians and x, y, z in inter-ocular distances.
        metadata: Plain values (JSON's types) that say where the motion comes from, such as ``{"tracker": "face_mesh"}``.

    Raises:
        InputError: If the array has another shape, or holds NaN or infinity.

    Example:
        >>> motion = Motion.zeros(50)
        >>> motion["jawOpen"] = 0.5
        >>> motion.values.shape, motion.duration, float(motion["jawOpen"].max())
        ((50, 58), 2.0, 0.5)
    """

    values: np.ndarray
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float32)
        if values.ndim != 2 or values.shape[1] != len(CHANNELS):
            raise InputError(f"A motion has shape (frames, {len(CHANNELS)}); this one has {values.shape}.")
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            frame, channel = bad[0]
            raise InputError(f"The motion holds {len(bad)} values that are not numbers, the first at frame {frame}, {CHANNELS[channel]}.")
        object.__setattr__(self, "values", values)

    @classmethod
    def zeros(cls, frames: int, **metadata: Any) -> "Motion":
        """Make the motion of a face at rest.

        Args:
            frames: Its length in frames.
            **metadata: Goes into `metadata`.

        Returns:
            The motion, 0 in all channels.
        """
        return cls(np.zeros((frames, len(CHANNELS)), np.float32), metadata)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, channel: str) -> np.ndarray:
        """(T,) view of one channel."""
        return self.values[:, self._column(channel)]

    def __setitem__(self, channel: str, value: float | np.ndarray) -> None:
        self.values[:, self._column(channel)] = value

    @staticmethod
    def _column(channel: str) -> int:
        if channel not in INDEX:
            raise KeyError(f"{channel!r} is no motion channel; see tbd.face.channels.CHANNELS.")
        return INDEX[channel]

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self) / FPS

    @property
    def blendshapes(self) -> np.ndarray:
        """(T, 52) view of the ARKit coefficients."""
        return self.values[:, : len(BLENDSHAPES)]

    @property
    def head(self) -> np.ndarray:
        """(T, 6) view: pitch, yaw, roll in radians, then x, y, z in inter-ocular distances."""
        return self.values[:, len(BLENDSHAPES) :]

    def clamped(self) -> "Motion":
        """Return a copy with its blendshapes clipped to 0..1; the head stays as it is."""
        values = self.values.copy()
        np.clip(values[:, : len(BLENDSHAPES)], 0, 1, out=values[:, : len(BLENDSHAPES)])
        return Motion(values, dict(self.metadata))

    def relative_to(self, frame: int) -> "Motion":
        """Express the performance as movements away from one of its frames, for a portrait that shows that frame.

        Args:
            frame: Index of the frame that becomes rest.

        Returns:
            A copy that is 0 at `frame`, its blendshapes clipped to 0..1.
        """
        return Motion(self.values - self.values[frame], dict(self.metadata)).clamped()

    def most_neutral_frame(self) -> int:
        """Return the index of the frame nearest to a resting face seen from the front, which serves best as a portrait.

        Returns:
            Index of the frame with the least sum of coefficients and angles.

        Example:
            >>> motion = Motion.zeros(3)
            >>> motion["jawOpen"] = np.array([0.5, 0.1, 0.8])
            >>> motion.most_neutral_frame()
            1
        """
        return int((self.blendshapes.sum(1) + 4 * np.abs(self.head[:, :3]).sum(1)).argmin())

    def save(self, path: str | os.PathLike) -> None:
        """Write ``.npz`` (exact, with metadata), ``.csv`` (Live Link Face's layout) or ``.tsv`` (all channels as text).

        Args:
            path: Destination; see `tbd.face.motion_io.write_motion`.

        Raises:
            InputError: If the name has another ending, or the file cannot be written.
        """
        write_motion(path, self.values, self.metadata)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Motion":
        """Read what `save` or another program wrote; see `tbd.face.motion_io.read_motion`.

        Args:
            path: A ``.npz``, CSV in any dialect, JSON, or NumPy array.

        Returns:
            The motion at 25 frames a second; notes say what was guessed, scaled, resampled or left out.

        Raises:
            InputError: If the file is missing or is no motion.
        """
        values, metadata = read_motion(path)
        try:
            return cls(values, metadata)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
