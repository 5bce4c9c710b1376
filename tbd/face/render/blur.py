"""How blurred a portrait is: what is painted into it must be neither sharper nor softer than its own pixels."""

import numpy as np

_FINE, _COARSER, _COARSE = 1.0, 2.0, 0.03
"""Standard deviations of further blurs: pixels, pixels, and inter-ocular distances."""
_EDGES = 99.0
"""Percentile of the gradients from which on they count as edges: lids, nostrils, lips."""
SHARP = 1.3
"""Pixels; edges of a sharp portrait are about as wide, whatever draws on it."""


def edge_width(image: np.ndarray, points: np.ndarray, scale: float) -> float:
    """Estimate the blur of a face's sharpest edges.

    An edge that is blurred by σ and then further by σ₁ or σ₂ has slopes of ratio r² = (σ² + σ₂²) / (σ² + σ₁²), whatever its
    contrast (Zhuo & Sim 2011, Defocus map estimation from a single image, Pattern Recognition 44).

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (N, 2) pixels (x, y) of the face mesh.
        scale: Pixels per inter-ocular distance.

    Returns:
        σ in pixels, the median over the strongest edges; at least 0.
    """
    import cv2

    height, width = image.shape[:2]
    left, top = np.clip(np.floor(points.min(0)).astype(int), 0, [width - 2, height - 2])
    right, bottom = np.clip(np.ceil(points.max(0)).astype(int), [left + 2, top + 2], [width, height])
    grey = cv2.cvtColor(np.ascontiguousarray(image[top:bottom, left:right]), cv2.COLOR_RGB2GRAY).astype(np.float32)
    coarse = max(_COARSE * scale, 2 * _FINE)
    first = _slope(grey, _FINE)
    strongest = (first >= np.percentile(first, _EDGES)) & (first > 0)
    if not strongest.any():
        return 0.0
    widths = []
    # Beside lines (wrinkles, lashes) a wide blur leaves so little that a soft face looks sharp; a narrow one hardly tells wide edges apart.
    for coarse in (_COARSER, max(_COARSE * scale, 2 * _FINE)):
        ratio = np.median(first[strongest] / np.maximum(_slope(grey, coarse)[strongest], 1e-6)) ** 2
        widths.append((coarse**2 - ratio * _FINE**2) / max(ratio - 1, 1e-3))
    return float(np.sqrt(np.clip(max(widths), 0, (0.1 * scale) ** 2)))


def excess_blur(image: np.ndarray, points: np.ndarray, scale: float) -> float:
    """Estimate by how much a portrait is softer than a sharp one.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (N, 2) pixels (x, y) of the face mesh.
        scale: Pixels per inter-ocular distance.

    Returns:
        Standard deviation of the blur in pixels; 0 for a portrait that is sharp.
    """
    return float(np.sqrt(max(edge_width(image, points, scale) ** 2 - SHARP**2, 0)))


def _slope(grey: np.ndarray, sigma: float) -> np.ndarray:
    """(H, W) magnitude of the gradient after a blur."""
    import cv2

    blurred = cv2.GaussianBlur(grey, (0, 0), sigma)
    return np.hypot(cv2.Sobel(blurred, cv2.CV_32F, 1, 0), cv2.Sobel(blurred, cv2.CV_32F, 0, 1))
