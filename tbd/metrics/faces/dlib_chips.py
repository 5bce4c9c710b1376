"""The arithmetic of dlib's `get_face_chip`, to the last bit, in numpy: fit, pyramid and interpolation."""

from dataclasses import dataclass

import numpy as np
import torch

from tbd.metrics.faces.face_points import similarity

FIVE = np.array(
    [
        (0.8595674595992, 0.2134981538014),
        (0.6460604764104, 0.2289674387677),
        (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242),
        (0.4901123135679, 0.6277975316475),
    ]
)
"""Where `get_face_chip_details` puts the subject's left eye (outer, inner corner), right eye (outer, inner) and the base of the nose in a
chip without padding."""
_DOWN = np.array([1.25, 0.75])
"""What dlib takes off a place, halved, in the next level of its pyramid. Its filter is centred otherwise; chips are theirs."""
_KERNEL = (1, 4, 6, 4, 1)


def extract_chip(frame: np.ndarray, five: np.ndarray, size: int, padding: float) -> np.ndarray:
    """Cut one upright face.

    The similarity is fitted from the template to the picture (least squares are not the same the other way round), and pixel c of the
    chip lies at c + ½ of the template, up to what dlib's whole numbers of a rectangle's width cost. Pictures more than twice as
    large are halved first. Black beyond the picture.

    Args:
        frame: (H, W, 3) uint8.
        five: (5, 2) pixels of the points of `FIVE`.
        size: Pixels of the chip's side.
        padding: Margin around the face as a fraction of its size.

    Returns:
        (size, size, 3) uint8.
    """
    turn, shift = (x.numpy() for x in similarity(torch.from_numpy((padding + FIVE) / (2 * padding + 1) * size), torch.from_numpy(five)))
    scale, angle = np.hypot(turn[0, 0], turn[1, 0]), np.arctan2(turn[1, 0], turn[0, 0])
    centre, half = turn @ (size / 2, size / 2) + shift, (size * scale - 1) / 2
    place = _Rectangle(centre - half, centre + half)
    rotation = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    halvings, smaller = 0, place.down()
    while smaller.area > size**2:
        halvings, smaller = halvings + 1, smaller.down()
    part, origin = _surroundings(frame, place, rotation, 2.0 ** (halvings + 1) + 2 * (2.0**halvings - 1))
    place = _Rectangle(place.low - origin, place.high - origin)
    for _ in range(halvings):
        part, place = halve(part), place.down()
    return _interpolate(part, place, rotation, size)


@dataclass(frozen=True)
class _Rectangle:
    """Corners in pixels; dlib counts both in."""

    low: np.ndarray
    high: np.ndarray

    def down(self) -> "_Rectangle":
        """Move to the next level of the pyramid."""
        return _Rectangle(self.low / 2 - _DOWN, self.high / 2 - _DOWN)

    @property
    def area(self) -> float:
        return float(np.prod(np.maximum(self.high - self.low + 1, 0)))

    @property
    def centre(self) -> np.ndarray:
        return (self.low + self.high) / 2


def _surroundings(frame: np.ndarray, place: _Rectangle, rotation: np.ndarray, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """The part of a frame that a rotated rectangle needs, and its first pixel: the pyramid begins there, so its grid depends on it."""
    corners = np.array([(x, y) for x in (place.low[0], place.high[0]) for y in (place.low[1], place.high[1])])
    corners = (corners - place.centre) @ rotation.T + place.centre
    last = np.array(frame.shape[1::-1]) - 1
    low = np.floor(np.maximum(corners.min(0) - margin, 0) + 0.5).astype(int)
    high = np.floor(np.minimum(corners.max(0) + margin, last) + 0.5).astype(int)
    return frame[low[1] : high[1] + 1, low[0] : high[0] + 1], low


def halve(picture: np.ndarray) -> np.ndarray:
    """Halve a picture as dlib's `pyramid_down<2>`: (H, W, 3) uint8 → ((H − 3) // 2, (W − 3) // 2, 3)."""
    values = picture.astype(np.int64)
    height, width = ((side - 3) // 2 for side in picture.shape[:2])
    if min(height, width) < 1:
        return np.zeros((0, 0, 3), np.uint8)
    rows = np.sum([weight * values[:, i : i + 2 * width - 1 : 2] for i, weight in enumerate(_KERNEL)], 0)
    down = np.sum([weight * rows[i : i + 2 * height - 1 : 2] for i, weight in enumerate(_KERNEL)], 0)
    return (down // 256).astype(np.uint8)


def _interpolate(picture: np.ndarray, place: _Rectangle, rotation: np.ndarray, size: int) -> np.ndarray:
    """Bilinear, cast to whole numbers downwards; black where one of the four neighbours is missing."""
    if min(picture.shape[:2]) < 2:
        return np.zeros((size, size, 3), np.uint8)
    steps = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1) / (size - 1)
    points = (place.low + steps * (place.high - place.low) - place.centre) @ rotation.T + place.centre
    first = np.floor(points).astype(int)
    inside = ((first >= 0) & (first + 1 < picture.shape[1::-1])).all(-1)
    x, y = (np.clip(first[..., i], 0, picture.shape[1 - i] - 2) for i in (0, 1))
    right, down = np.split(points - first, 2, -1)
    values = picture.astype(np.float64)
    upper = (1 - right) * values[y, x] + right * values[y, x + 1]
    lower = (1 - right) * values[y + 1, x] + right * values[y + 1, x + 1]
    return np.where(inside[..., None], np.floor((1 - down) * upper + down * lower), 0).astype(np.uint8)
