"""The motion space: 52 ARKit blendshapes and a head pose, 25 times a second. Needs numpy alone.

ARKit's coefficients (Apple, *ARFaceAnchor.BlendShapeLocation*) are the space that MediaPipe's face landmarker, Live Link
Face, Unreal, Blender and Audio2Face speak. "Left" and "right" are the subject's own.
"""

import csv
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from tbd.errors import InputError
from tbd.files import atomic_output

FPS = 25
SAMPLE_RATE = 16_000
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS

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
_FORMAT = "tbd-motion-1"


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
        """Write ``.npz`` (exact, with metadata) or ``.csv`` (a header of channel names, one row a frame)."""
        suffix = Path(path).suffix.lower()
        if suffix not in (".npz", ".csv"):
            raise InputError(f"Cannot write a motion to {path}: use a name ending in .npz or .csv.")
        with atomic_output(path) as temporary:
            if suffix == ".npz":
                np.savez_compressed(
                    temporary, values=self.values, channels=np.array(CHANNELS), fps=FPS, format=_FORMAT, metadata=json.dumps(self.metadata)
                )
            else:
                with open(temporary, "w", newline="") as file:
                    writer = csv.writer(file)
                    writer.writerow(("time", *CHANNELS))
                    writer.writerows([f"{i / FPS:.2f}", *(f"{v:.7g}" for v in row)] for i, row in enumerate(self.values))

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Motion":
        """Read what `save` wrote. Columns are found by name, so a table from elsewhere may order them freely.

        Raises:
            InputError: the file is missing, is no motion, lacks a channel, holds no frames, or holds NaN.
        """
        path = Path(path)
        if not path.is_file():
            raise InputError(f"There is no motion file {path}.")
        try:
            columns, values, metadata = (_read_csv if path.suffix.lower() == ".csv" else _read_npz)(path)
        except (OSError, KeyError, ValueError, TypeError, EOFError, BadZipFile) as error:
            raise InputError(f"{path} is not a motion file (.npz or .csv as `tbd track` writes them): {error}") from error
        missing = [c for c in CHANNELS if c not in columns]
        if missing:
            raise InputError(f"{path} lacks {len(missing)} motion channels, the first is {missing[0]}.")
        if not len(values):
            raise InputError(f"{path} holds no frames.")
        try:
            return cls(values[:, [columns.index(c) for c in CHANNELS]], metadata)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error


def _read_csv(path: Path) -> tuple[list[str], np.ndarray, dict[str, Any]]:
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    if not rows:
        raise ValueError("it is empty")
    return rows[0], np.array(rows[1:], np.float32).reshape(len(rows) - 1, len(rows[0])), {}


_PARSING = threading.Lock()
"""NumPy reads headers with `ast.literal_eval`, which fails at random in several threads at once before Python 3.11.8 (gh-106905)."""


def _read_npz(path: Path) -> tuple[list[str], np.ndarray, dict[str, Any]]:
    with _PARSING, np.load(path, allow_pickle=False) as archive:
        if int(archive["fps"]) != FPS:
            raise ValueError(f"it holds {int(archive['fps'])} frames a second; a motion has {FPS}")
        return [str(c) for c in archive["channels"]], archive["values"], json.loads(str(archive["metadata"]))
