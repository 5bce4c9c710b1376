"""The coarse portrait in motion: the video model's conditioning for each frame."""

from collections.abc import Iterator

import numpy as np

from tbd.face.channels import HEAD, INDEX
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.render.renderer import MeshWarpRenderer

_ARTICULATION = (
    *("jawForward", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper", "mouthShrugLower"),
    *("mouthShrugUpper", "mouthStretchLeft", "mouthStretchRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight", "tongueOut"),
)
"""Channels that speech moves."""
COARSE = 4
"""A coarse frame keeps a quarter of the detail along each side: where things are, not how they look."""


def render_coarse(face: FaceGeometry, motion: Motion) -> Iterator[np.ndarray]:
    """Render the mesh-warped portrait without creases, and without detail.

    Args:
        face: The portrait.
        motion: T frames, relative to the portrait.

    Yields:
        (H, W, 3) uint8 RGB of the portrait's size, one for each frame of the motion.
    """
    for frame in MeshWarpRenderer(shading=0.0).render(face, motion):
        yield upsample(downsample(frame), frame.shape[1], frame.shape[0])


def lips_and_head(motion: Motion) -> Motion:
    """Leave of a motion the channels that speech moves, and the head's pose: what a plan of muscles does not decide.

    Args:
        motion: T frames.

    Returns:
        The motion with all other channels at rest.
    """
    kept = [INDEX[name] for name in (*_ARTICULATION, *HEAD)]
    values = np.zeros_like(motion.values)
    values[:, kept] = motion.values[:, kept]
    return Motion(values, motion.metadata)


def downsample(frame: np.ndarray) -> np.ndarray:
    """Reduce an (H, W, 3) uint8 RGB frame to (H/4, W/4, 3) by averages."""
    from PIL import Image

    height, width = (max(side // COARSE, 1) for side in frame.shape[:2])
    return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BOX))


def upsample(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    """Enlarge a frame by bicubic interpolation.

    Args:
        frame: (h, w, 3) uint8 RGB, as `downsample` returns it.
        width: Columns of the result.
        height: Rows of the result.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    from PIL import Image

    return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BICUBIC))
