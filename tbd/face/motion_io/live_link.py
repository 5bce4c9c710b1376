"""Live Link Face, Epic's app for iPhones: its CSV layout, and its conventions.

Columns: ``Timecode`` (HH:MM:SS:FF.mmm, frames of 1/60 s with thousandths of a frame), ``BlendShapeCount`` (61), ARKit's 52
coefficients in the order of Unreal's ``EARFaceBlendShape``, then yaw, pitch and roll of head, left and right eye.

Angles are radians: in public recordings an eye turns 0.60 for a full eyeLookIn or eyeLookOut and 0.55 for a full
eyeLookDown (7839 rows of two recordings, straight line, r > 0.99), a possible 34° and not a possible 108° of half turns.
The head's signs: yaw as ours, to the subject's left; roll as ours, crown to the subject's right; pitch positive *up*, ours
down. In a public stream of the app (180 frames) the eyes turn against the head as they do when looking at the phone (gain
0.90 in yaw, r² 0.91, one frame behind the head), and programs that send MediaPipe's head pose in the app's place negate
pitch alone. The eyes' signs are others: yaw to the subject's right, pitch down.
"""

import numpy as np

from tbd.face.channels import INDEX
from tbd.face.motion_io import column_names, timestamps
from tbd.media.rates import FPS

SHAPES = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft", "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight", "eyeWideRight",
    "jawForward", "jawRight", "jawLeft", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRight", "mouthLeft",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft",
    "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""ARKit's blendshapes in the app's order."""
HEAD = ("headYaw", "headPitch", "headRoll")
"""The head's angles in the app's order."""
_EYES = tuple(f"{side}Eye{angle}" for side in ("Left", "Right") for angle in ("Yaw", "Pitch", "Roll"))
COLUMNS = ("Timecode", "BlendShapeCount", *(f"{c[0].upper()}{c[1:]}" for c in (*SHAPES, *HEAD)), *_EYES)
"""The header: 63 columns."""
ABSENT = ("headX", "headY", "headZ")
"""Motion channels that the layout has no column for."""
_EYE_YAW, _EYE_PITCH = 0.60, 0.55
"""Radians of a full eyeLookIn or eyeLookOut, and of a full eyeLookDown or eyeLookUp."""


def is_layout(columns: list[str]) -> bool:
    """Tell whether columns are the app's: no other program counts blendshapes or writes the eyes' angles so."""
    found = {column_names.plain(c) for c in columns}
    return "blendshapecount" in found or {"lefteyeyaw", "righteyepitch"} <= found


def from_live_link(values: np.ndarray) -> np.ndarray:
    """Convert (T, 58) values between the app's head angles and ours, in either direction; returns a copy."""
    values = values.copy()
    values[:, INDEX["headPitch"]] *= -1
    return values


def rows(values: np.ndarray) -> list[list[str]]:
    """Format a motion in the app's layout, header first.

    Args:
        values: (T, 58) float, columns as `tbd.face.channels.CHANNELS`, at 25 frames a second.

    Returns:
        T + 1 rows of 63 cells. A row is a frame of ours; its time code says when it is, as with phones that record less
        than 60 frames a second.
    """
    turned = from_live_link(values)
    order = [INDEX[c] for c in (*SHAPES, *HEAD)]
    numbers = np.concatenate([turned[:, order], _eyes(values)], 1) + 0.0  # no wrap_degrees zeros
    cells = [[f"{value:.10f}" for value in row] for row in numbers]
    return [list(COLUMNS), *([timecode(i), str(len(COLUMNS) - 2), *row] for i, row in enumerate(cells))]


def timecode(frame: int) -> str:
    """Format the time code of a frame.

    Args:
        frame: Its index, at 25 frames a second.

    Returns:
        ``HH:MM:SS:FF.fff``, FF at 60 a second.

    Example:
        >>> timecode(0), timecode(1), timecode(26), timecode(25 * 3661)
        ('00:00:00:00.000', '00:00:00:02.400', '00:00:01:02.400', '01:01:01:00.000')
    """
    seconds, inner = divmod(frame, FPS)
    minutes, hours = seconds // 60 % 60, seconds // 3600 % 24
    return f"{hours:02}:{minutes:02}:{seconds % 60:02}:{inner * timestamps.LIVE_LINK_RATE / FPS:06.3f}"


def _eyes(values: np.ndarray) -> np.ndarray:
    """(T, 6) angles of the eyes in radians, from the eyeLook channels."""
    motion = {name: values[:, index] for name, index in INDEX.items()}
    columns = []
    for side, sign in (("Left", 1), ("Right", -1)):
        yaw = sign * _EYE_YAW * (motion[f"eyeLookIn{side}"] - motion[f"eyeLookOut{side}"])
        pitch = _EYE_PITCH * (motion[f"eyeLookDown{side}"] - motion[f"eyeLookUp{side}"])
        columns += [yaw, pitch, np.zeros(len(values))]
    return np.stack(columns, 1)
