"""Masks of the regions of a portrait that each group of motion channels moves."""

from collections.abc import Sequence

import numpy as np

from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import FaceGeometry
from tbd.face.rig import Rig

_SPREAD = 0.14
"""Standard deviation, in inter-ocular distances, with which a point of the mesh stands for the skin around it."""


def movement_masks(face: FaceGeometry, groups: Sequence[Sequence[str]], height: int, width: int) -> np.ndarray:
    """Compute how far each group of motion channels can move each place of a picture.

    Args:
        face: The portrait.
        groups: G groups of names from `tbd.face.channels.CHANNELS`. A group with a channel of the head moves everything.
        height: Rows of the masks, which cover the whole picture.
        width: Columns of the masks.

    Returns:
        (G, height, width) float32 0..1, 1 where a group moves the face most.

    Example:
        >>> from tbd.face.geometry import mean_face, remove_pose
        >>> pixels = mean_face() * [60, -60, 60] + [64, 64, 0]
        >>> face = FaceGeometry(np.zeros((128, 128, 3), np.uint8), pixels.astype(np.float32), *remove_pose(pixels))
        >>> jaw, brow = movement_masks(face, [["jawOpen"], ["browInnerUp"]], 16, 16)
        >>> int(jaw.max(1).argmax()) > int(brow.max(1).argmax())
        True
    """
    reach = np.linalg.norm(Rig(face.canonical).basis, axis=-1)  # (52, 478)
    pixels_high, pixels_wide = face.image.shape[:2]
    y = (np.arange(height) + 0.5) * pixels_high / height
    x = (np.arange(width) + 0.5) * pixels_wide / width
    sigma = max(_SPREAD * face.scale, pixels_high / height, pixels_wide / width)
    near_y = np.exp(-(((y[:, None] - face.points[:, 1]) / sigma) ** 2) / 2)  # (height, 478)
    near_x = np.exp(-(((x[:, None] - face.points[:, 0]) / sigma) ** 2) / 2)  # (width, 478)
    masks = np.ones((len(groups), height, width), np.float32)
    for mask, channels in zip(masks, groups):
        if set(channels) <= set(BLENDSHAPES):
            moved = reach[[BLENDSHAPES.index(name) for name in channels]].max(0)  # (478,)
            mask[:] = (near_y[:, None] * near_x[None] * (moved / moved.max())).max(-1)
            mask /= mask.max()
    return masks
