"""What the published networks are given of a portrait besides its latents: whose face it is, where it lies, where the audio acts."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tbd.face.geometry import FaceGeometry
from tbd.metrics.faces.crops import CUTTERS
from tbd.metrics.faces.identity import FaceEmbedder

_OUTLINE = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""Points of MediaPipe's mesh on the face's outline (``FACEMESH_FACE_OVAL``)."""
_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 146, 91, 181, 84, 17, 314, 405, 321, 375)
"""Points on the lips' outer edge."""
_MASK_SIDE = 64
"""Side of the masks before they are fitted to the latents' levels."""


@dataclass(frozen=True)
class FaceMasks:
    """Where in a picture the face lies, and where the audio acts.

    Args:
        box: Left, top, right, bottom of the face in whole pixels.
        places: (3, 64, 64) uint8: what surrounds the face, the face without the lips, the lips, each with soft edges.
    """

    box: tuple[int, int, int, int]
    places: np.ndarray

    def at(self, size: tuple[int, int]) -> np.ndarray:
        """Fit the places to a level of the latents.

        Args:
            size: Its height and width.

        Returns:
            (3, h, w) float32 0..1.
        """
        fitted = [np.asarray(Image.fromarray(place).resize(size[::-1], Image.Resampling.BILINEAR)) for place in self.places]
        return np.stack(fitted).astype(np.float32) / 255


def face_masks(points: np.ndarray, height: int, width: int, face_expand: float = 1.2, lip_expand: float = 2.0) -> FaceMasks:
    """Find the masks that Hallo's preprocessing makes of a face's mesh.

    Args:
        points: (478, 2) or (478, 3) pixels of MediaPipe's mesh.
        height: The picture's.
        width: The picture's.
        face_expand: How much larger the face's box is than the outline's.
        lip_expand: How much larger the lips' box is than the lips'.

    Returns:
        The masks.
    """
    boxes = [
        _expanded(points[list(where), :2].astype(np.float64), height, width, ratio)
        for where, ratio in ((_OUTLINE, face_expand), (_LIPS, lip_expand))
    ]
    face, lips = (_blurred(box, height, width, kernel) for box, kernel in zip(boxes, (51, 31)))
    around = ((1.0 - face / 255.0) * 255).astype(np.uint8)
    return FaceMasks(boxes[0], np.stack([around, cv2.subtract(face, lips), lips]))


def _expanded(points: np.ndarray, height: int, width: int, ratio: float) -> tuple[int, int, int, int]:
    """A box of points, enlarged about its middle and moved into the picture."""
    (left, top), (right, bottom) = np.round(points.min(0)), np.round(points.max(0))
    sides = []
    for low, high, limit in ((left, right, width), (top, bottom, height)):
        middle, half = (low + high) // 2, (high - low) * ratio // 2
        low, high = middle - half, middle + half
        if low < 0:
            low, high = 0, high - low
        if high > limit:
            low, high = low - (high - limit), limit
        sides.append((round(low), round(high)))
    (x0, x1), (y0, y1) = sides
    return x0, y0, x1, y1


def _blurred(box: tuple[int, int, int, int], height: int, width: int, kernel: int) -> np.ndarray:
    """(64, 64) uint8 of a box with soft edges, from 0 to 255."""
    mask = np.zeros((height, width), np.uint8)
    mask[max(box[1], 0) : box[3], max(box[0], 0) : box[2]] = 255
    small = cv2.GaussianBlur(cv2.resize(mask, (_MASK_SIDE, _MASK_SIDE)), (kernel, kernel), 0)
    return cv2.normalize(small, None, 0, 255, cv2.NORM_MINMAX)  # type: ignore[call-overload]  # None makes a new array


def read_face(face: FaceGeometry, embedder: FaceEmbedder | None, embedding: int, sizes: list[tuple[int, int]]) -> Mapping[str, Tensor]:
    """Read what the networks are given of a portrait.

    Args:
        face: The face in the picture that is drawn.
        embedder: Says whose face it is; without one it is nobody's, as where the published programs find no face.
        embedding: Width of an embedding.
        sizes: (height, width) of the latents at each level.

    Returns:
        ``face_embedding`` (1, E), ``face_mask`` (1, 3, H, W), and ``audio_masks.0`` … (1, 3, h·w) of each level.
    """
    height, width = face.image.shape[:2]
    masks = face_masks(face.points, height, width)
    located = torch.zeros(1, 3, height, width)
    left, top, right, bottom = masks.box
    located[:, :, max(top, 0) : bottom, max(left, 0) : right] = 1
    found = {"face_mask": located, "face_embedding": torch.zeros(1, embedding)}
    if embedder is not None:
        image = torch.from_numpy(np.ascontiguousarray(face.image.transpose(2, 0, 1)))[None]
        crops = CUTTERS[embedder.crops](image, face.points[None])
        found["face_embedding"] = embedder.embed(crops).detach().cpu().float()
    for level, size in enumerate(sizes):
        found[f"audio_masks.{level}"] = torch.from_numpy(masks.at(size)).flatten(1)[None]
    return found
