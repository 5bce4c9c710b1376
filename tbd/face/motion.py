"""The motion space: 52 ARKit blendshapes and a head pose, 25 times a second. Needs numpy alone.

ARKit's coefficients (Apple, *ARFaceAnchor.BlendShapeLocation*) are the space that MediaPipe's face landmarker, Live Link
Face, Unreal, Blender and Audio2Face speak. "Left" and "right" are the subject's own.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.media.rates import FPS

BLENDSHAPES = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""ARKit's 52 coefficients in alphabetical order, each 0 (rest) .. 1 (as far as a face goes)."""

HEAD = ("headPitch", "headYaw", "headRoll", "headX", "headY", "headZ")
"""Rotations in radians, then translations in inter-ocular distances; x to the subject's left (the image's right), y up, z
towards the viewer. Rotations are about the head's own axes, translations along the camera's. Rotations are right-handed,
applied as ``Rz(roll) @ Ry(yaw) @ Rx(pitch)``: positive pitch looks down, positive yaw turns to the subject's left,
positive roll tilts the crown to the subject's right. All are relative to the face's own resting pose, so zeros leave a
portrait as it is."""

CHANNELS = BLENDSHAPES + HEAD
INDEX: Mapping[str, int] = {name: i for i, name in enumerate(CHANNELS)}


@dataclass(frozen=True)
class Motion:
    """A performance: what every blendshape and the head do, frame by frame.

    Args:
        values: (T, 58) float32, the columns named by `CHANNELS`, at 25 frames a second. Blendshapes lie in 0..1.
        metadata: plain values that say where the motion comes from (``{"tracker": "face_mesh", ...}``).

    Raises:
        InputError: the array has another shape, or holds NaN or infinity.

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
        """A face at rest for `frames` frames."""
        return cls(np.zeros((frames, len(CHANNELS)), np.float32), metadata)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, channel: str) -> np.ndarray:
        """The (T,) view of one channel."""
        return self.values[:, self._column(channel)]

    def __setitem__(self, channel: str, value: float | np.ndarray) -> None:
        self.values[:, self._column(channel)] = value

    @staticmethod
    def _column(channel: str) -> int:
        if channel not in INDEX:
            raise KeyError(f"{channel!r} is no motion channel; see tbd.face.motion.CHANNELS.")
        return INDEX[channel]

    @property
    def duration(self) -> float:
        """Seconds."""
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
        """The same motion with its blendshapes brought into 0..1."""
        values = self.values.copy()
        np.clip(values[:, : len(BLENDSHAPES)], 0, 1, out=values[:, : len(BLENDSHAPES)])
        return Motion(values, dict(self.metadata))

    def save(self, path: str | os.PathLike) -> None:
        """Write ``.npz`` (exact, with metadata), ``.csv`` (Live Link Face's layout) or ``.tsv`` (all channels as text).

        Args:
            path: Where to; see `tbd.face.motion_io.write_motion`.

        Raises:
            InputError: The name has another ending, or the file cannot be written.
        """
        from tbd.face.motion_io import write_motion

        write_motion(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Motion":
        """Read what `save` wrote, or what another program did: see `tbd.face.motion_io.read_motion`.

        Args:
            path: A ``.npz``, CSV in any dialect, JSON, or NumPy array.

        Returns:
            The motion at 25 frames a second; notes say what was guessed, scaled, resampled or left out.

        Raises:
            InputError: The file is missing or is no motion.
        """
        from tbd.face.motion_io import read_motion

        return read_motion(path)
