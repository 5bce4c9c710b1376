"""The lines that a face has already, and the movements that deepen them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tbd.face import topology
from tbd.face.channels import BLENDSHAPES


@dataclass(frozen=True)
class LinedRegion:
    """A region of the skin whose own lines deepen together.

    Args:
        around: Mesh points of the subject's left half about which it lies.
        reach: Inter-ocular distances from them at which it ends, softly.
        run: How its lines run: "across" the face, "down" it, or "any" way.
        by: The blendshapes that deepen them, without Left and Right where they have sides, and how much.
    """

    around: tuple[int, ...]
    reach: float
    run: Literal["across", "down", "any"]
    by: dict[str, float]


REGIONS = (
    LinedRegion((9, 151, 337, 299), 0.13, "across", {"browInnerUp": 1.0}),
    LinedRegion((333, 298, 299, 334), 0.12, "across", {"browOuterUp": 1.0}),
    LinedRegion((8, 9, 285), 0.08, "down", {"browDown": 1.2}),
    LinedRegion((6, 168, 351), 0.07, "across", {"noseSneer": 1.2, "browDown": 0.4}),
    LinedRegion((446, 342, 353, 265, 340), 0.09, "any", {"cheekSquint": 0.8, "mouthSmile": 0.5, "eyeSquint": 0.5}),
    LinedRegion((450, 449, 448), 0.05, "any", {"cheekSquint": 0.7, "eyeSquint": 0.5}),
    LinedRegion((423, 426, 436), 0.09, "any", {"mouthSmile": 0.7, "noseSneer": 0.8}),
    LinedRegion((422, 424), 0.06, "any", {"mouthFrown": 0.7}),
)
_DEEPEST = 0.16
"""Log light of a line beyond which it is the edge of something else."""
_FINE, _WIDE, _LENGTH = 0.008, 0.035, 0.04
"""Standard deviations of the blurs, in inter-ocular distances, between which lines lie, and along which they run on."""


def line_maps(image: np.ndarray, skin: np.ndarray, points: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Find the lines of each region and the blendshapes that deepen them.

    Args:
        image: (H, W, 3) uint8 RGB.
        skin: (H, W) 0..1, how much a pixel looks like bare skin.
        points: (478, 2) pixels of the face at rest.
        scale: Pixels per inter-ocular distance.

    Returns:
        Maps (K, H, W) float32 of log light and mix (52, K) float32, as `crease_maps` returns them.
    """
    import cv2

    light = np.log(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) + 8)
    lines = {run: _lines(light, scale, run) * skin for run in ("across", "down", "any")}
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    maps, mix = [], []
    for region in REGIONS:
        for side in topology.SIDES:
            at = points[list(region.around if side == "Left" else topology.mirrored(region.around))]
            distance = np.sqrt(np.min([(x - px) ** 2 + (y - py) ** 2 for px, py in at.astype(np.float32)], 0))
            maps.append(lines[region.run] * np.exp(-((distance / np.float32(region.reach * scale)) ** 2)))
            row = np.zeros(len(BLENDSHAPES), np.float32)
            for name, share in region.by.items():
                row[BLENDSHAPES.index(name if name in BLENDSHAPES else name + side)] = share
            mix.append(row)
    return np.array(maps, np.float32), np.array(mix).T


def _lines(light: np.ndarray, scale: float, run: str) -> np.ndarray:
    """(H, W) what stands out of its surroundings as lines of one direction do."""
    import cv2

    length = {"across": (_LENGTH, 0.0), "down": (0.0, _LENGTH), "any": (0.0, 0.0)}[run]
    found = cv2.GaussianBlur(
        light, (0, 0), sigmaX=max(np.hypot(_FINE, length[0]) * scale, 0.5), sigmaY=max(np.hypot(_FINE, length[1]) * scale, 0.5)
    )
    around = cv2.GaussianBlur(
        light, (0, 0), sigmaX=max(np.hypot(_WIDE, length[0]) * scale, 1), sigmaY=max(np.hypot(_WIDE, length[1]) * scale, 1)
    )
    depth = found - around
    # Furrows deepen more than the ridges between them rise.
    return _DEEPEST * np.tanh(np.where(depth < 0, depth, 0.5 * depth) / _DEEPEST)
