"""A square about the mouth that turns and grows with the head, in and out of a frame."""

from dataclasses import dataclass

import numpy as np

from tbd.face import topology
from tbd.face.geometry import LEFT_CORNER, RIGHT_CORNER
from tbd.face.render.contour import Opening
from tbd.face.render.mouth.lips import LipAperture, lip_coverage

SIZE = 128
"""Height and width of a crop in pixels."""
WIDTH = 1.0
"""How much of a face it shows, in distances between the outer corners of the eyes, of which a mouth is 0.55 wide."""
_LIPS = list(topology.LIP_TOP + topology.LIP_BOTTOM)
_EDGE = 0.6
"""Standard deviation (pixels of the frame) by which the edge of the opening between the lips is blurred."""
_MARGIN = 6
"""Pixels beside the lips that their soft edge may reach."""
OPEN = 0.03
"""Distance between the lips, in distances between the eyes' outer corners, from which on there is an inside to be seen."""


@dataclass(frozen=True)
class MouthCrop:
    """The square of one frame.

    Args:
        matrix: (2, 3) that maps pixels (x, y) of the frame to pixels of the crop.
    """

    matrix: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, scale: float) -> "MouthCrop":
        """Lay the square about a mouth.

        Args:
            points: (478, 2 or more) pixels of the mesh.
            scale: Pixels between the outer corners of the eyes of a face that looks ahead.

        Returns:
            The square.
        """
        points = np.asarray(points, np.float64)[:, :2]
        across = points[LEFT_CORNER] - points[RIGHT_CORNER]
        across /= max(float(np.linalg.norm(across)), 1e-6)
        zoom = SIZE / (WIDTH * scale)
        turn = zoom * np.array([across, [-across[1], across[0]]])
        middle = points[_LIPS].mean(0)
        return cls(np.column_stack([turn, SIZE / 2 - 0.5 - turn @ middle]))

    def locate(self, points: np.ndarray) -> np.ndarray:
        """Find points of the frame in the square.

        Args:
            points: (N, 2 or more) pixels of the frame.

        Returns:
            (N, 2) float64 pixels of the crop.
        """
        located: np.ndarray = np.asarray(points, np.float64)[:, :2] @ self.matrix[:, :2].T + self.matrix[:, 2]
        return located

    def cut(self, image: np.ndarray) -> np.ndarray:
        """Cut the square out of a frame.

        Args:
            image: (H, W) or (H, W, C), uint8 or float32.

        Returns:
            (128, 128) or (128, 128, C) of its dtype.
        """
        import cv2

        zoom = float(np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))
        if zoom < 0.8:  # a large face: what lies between its pixels must not alias
            image = cv2.GaussianBlur(image, (0, 0), 0.4 / zoom)
        return cv2.warpAffine(image, self.matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def paste(self, frame: np.ndarray, crop: np.ndarray, share: np.ndarray) -> None:
        """Lay a square back over its frame, in place.

        Args:
            frame: (H, W, 3) uint8 RGB.
            crop: (128, 128, 3) float32 RGB 0..255.
            share: (128, 128) float32 0..1, how much of it shows.
        """
        import cv2

        inverse = np.array(cv2.invertAffineTransform(self.matrix), np.float64)
        corners = np.array([[0, 0], [SIZE, 0], [0, SIZE], [SIZE, SIZE]]) @ inverse[:, :2].T + inverse[:, 2]
        height, width = frame.shape[:2]
        left, top = np.clip(np.floor(corners.min(0)).astype(int), 0, [width, height])
        right, bottom = np.clip(np.ceil(corners.max(0)).astype(int), 0, [width, height])
        if right <= left or bottom <= top:
            return
        inverse[:, 2] -= np.array([left, top])
        size = int(right - left), int(bottom - top)
        whole = cv2.warpAffine(np.dstack([crop, share]).astype(np.float32), inverse, size, flags=cv2.INTER_LINEAR)
        part = frame[top:bottom, left:right]
        base = part.astype(np.float32)
        base += whole[..., 3:] * (whole[..., :3] - base)
        part[...] = np.clip(base + 0.5, 0, 255)


def lip_gap(points: np.ndarray, scale: float) -> float:
    """Measure how far the lips are apart.

    Args:
        points: (478, 2 or more) pixels of the mesh.
        scale: Pixels between the outer corners of the eyes.

    Returns:
        The widest gap, in these distances.
    """
    top, bottom = (np.asarray(points, np.float64)[list(row), :2] for row in (topology.LIP_TOP, topology.LIP_BOTTOM))
    axis = top[-1] - top[0]
    down = np.array([-axis[1], axis[0]]) / max(float(np.linalg.norm(axis)), 1e-6)
    return float(((bottom - top) @ down).max() / scale)


def lip_opening(points: np.ndarray, shape: tuple[int, ...]) -> tuple[tuple[slice, slice], Opening] | None:
    """Find the part of a frame about its lips, and the opening between them.

    Args:
        points: (478, 2 or more) pixels of the mesh.
        shape: (height, width, …) of the frame.

    Returns:
        (rows, columns) of the part, and the opening over it; None where hardly anything of the lips is in the frame.
    """
    points = np.asarray(points, np.float64)[:, :2]
    low, high = np.floor(points[_LIPS].min(0)).astype(int) - _MARGIN, np.ceil(points[_LIPS].max(0)).astype(int) + _MARGIN + 1
    columns, rows = (slice(max(low[axis], 0), min(high[axis], shape[1 - axis])) for axis in (0, 1))
    if min(columns.stop - columns.start, rows.stop - rows.start) < _MARGIN:
        return None
    aperture = LipAperture(topology.LIP_TOP, topology.LIP_BOTTOM, (rows, columns))
    return (rows, columns), aperture.open(points[aperture.top], points[aperture.bottom])


def inside_share(opening: Opening) -> np.ndarray:
    """(h, w) float32 0..1 how much of each pixel of a frame lies between the lips."""
    return lip_coverage(opening, _EDGE)


def mouth_mask(points: np.ndarray, crop: MouthCrop, shape: tuple[int, ...]) -> np.ndarray:
    """Tell which pixels of a crop lie between the lips.

    Args:
        points: (478, 2 or more) pixels of the mesh.
        crop: The square.
        shape: (height, width, …) of the frame.

    Returns:
        (128, 128) float32 0..1.
    """
    mask = np.zeros(shape[:2], np.float32)
    found = lip_opening(points, shape)
    if found is not None:
        part, opening = found
        mask[part] = inside_share(opening)
    return crop.cut(mask)
