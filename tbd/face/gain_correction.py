"""How much of a movement a face mesh shows. Needs numpy alone.

MediaPipe's mesh model has seen many faces and few grimaces: it draws every face nearer to the usual one than it is. Of a brow lowered by a
known amount the mesh shows half. Coefficients are given back what was lost, channel by channel.
"""

import numpy as np

from tbd.face.channels import BLENDSHAPES

_SEEN = {"browDown": 0.46, "browInnerUp": 0.46, "browOuterUp": 0.44, "mouthSmile": 0.67, "mouthFrown": 0.45, "eyeSquint": 0.65,
         "eyeBlink": 0.5, "eyeLook": 0.67}  # fmt: skip
"""The part of a coefficient that comes back from the mesh, by the start of a channel's name; 1 for others. Brows and mouth: as
`benchmarks.closed_loop` has it ("gain"), which pictures of three speakers of GRID, measured against their own picture at rest,
confirm (browDown 0.46, browOuterUp 0.43, mouthSmile 0.65, mouthFrown 0.36; browInnerUp 0.32). Lids: how far an acting person's go from the
same person's neutral clip, since drawn ones hardly move in the mesh. Blinks and gaze: drawn on six portraits, two frames shut are read as
0.52 to 0.78 at their peak, filmed ones as 0.3 to 0.7, 0.5 at the median; eyes that look aside by a half as 0.31 to 0.45."""
_DOUBT = {"mouthFrown": 0.05, "eyeBlink": 0.05}
"""What the mesh shows of a movement on faces that do not make it, likewise: of 25 filmed clips, those that are neutral or happy show 0.05
to 0.085 of a frown, sad and disgusted ones 0.14 to 0.17. Lids at rest: up to 0.05 in drawn portraits."""
_SHAPE = ("browDown", "eyeSquint", "eyeBlink")
"""Channels in which people at rest differ as much as expressions do: against people at large they stay as they are, lest everybody with
low brows look angry."""


def correct_gain(found: np.ndarray, held: np.ndarray, own_neutral: bool) -> np.ndarray:
    """Enlarge coefficients as a mesh shows them to what the face does.

    Args:
        found: (T, 52) coefficients as the mesh shows them.
        held: (52,) the part of it that is held through the clip.
        own_neutral: Whether the person's own face at rest is known, so that `held` is no guess from the shape of the face.

    Returns:
        (T, 52) coefficients in 0..1.
    """
    doubt = _of_channels(_DOUBT, 0.0)
    gain = 1 / (_of_channels(_SEEN, 1.0) - doubt)
    unsure = np.array([name.startswith(_SHAPE) for name in BLENDSHAPES]) & (not own_neutral)
    return np.clip(held * np.where(unsure, 1.0, gain) + (found - held - doubt) * gain, 0, 1)


def _of_channels(values: dict[str, float], otherwise: float) -> np.ndarray:
    """(52,) a table by the start of channels' names, for each channel."""
    return np.array([next((value for start, value in values.items() if name.startswith(start)), otherwise) for name in BLENDSHAPES])
