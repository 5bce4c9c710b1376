"""The lips' edges: an opening that is round towards its corners and covers each pixel by the area that shows."""

import numpy as np

from tbd.face.render.contour import Aperture, Opening

_CORNER = 0.75
"""From here to the corners (in halves of the width) a gap closes as an ellipse does: the mesh has a single point there."""
_SMOOTH = 0.06
"""Standard deviation (in halves of the width) by which the mesh's corners are smoothed away."""


class LipAperture(Aperture):
    """The opening between the lips.

    Args:
        top: As for `Aperture`.
        bottom: As for `Aperture`.
        pixels: As for `Aperture`.
    """

    def _shape(self, top: np.ndarray, bottom: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from scipy.ndimage import gaussian_filter1d

        middle, gap = (top + bottom) / 2, bottom - top
        ellipse = np.sqrt(np.clip(1 - share**2, 0, 1)).astype(np.float32)
        relative = np.interp(np.clip(share, -_CORNER, _CORNER), share, gap / np.maximum(ellipse, 0.1))
        sigma = _SMOOTH / (share[1] - share[0])
        gap = ellipse * gaussian_filter1d(relative, sigma, mode="nearest").astype(np.float32)
        middle = gaussian_filter1d(middle, sigma, mode="nearest")
        return middle - gap / 2, middle + gap / 2


def lip_coverage(opening: Opening, sigma: float) -> np.ndarray:
    """Compute how much of each pixel lies between the lips, as blurred as the picture is; nothing where they touch.

    Args:
        opening: The opening.
        sigma: Standard deviation of the blur, in pixels.

    Returns:
        (h, w) float32 0..1.
    """
    import cv2

    half = np.float32(0.5)
    inside = np.clip(np.minimum(opening.above, half) + np.minimum(opening.below, half), 0, 1)
    inside *= np.clip(np.float32(opening.half + 0.5) - np.abs(opening.along), 0, 1)
    return cv2.GaussianBlur(inside, (0, 0), sigma) if inside.any() else inside
