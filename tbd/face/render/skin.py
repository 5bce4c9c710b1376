"""The appearance of a portrait's skin: where it is, how smooth it is, and which hue its shadows have."""

import numpy as np

from tbd.face.geometry import LEFT_CORNER, RIGHT_CORNER
from tbd.utils.tracks import smoothstep

_LUMA = np.array([0.299, 0.587, 0.114])
_UNEVEN = 0.15
"""Standard deviation of the log of light over the skin at which its own shades count as much as the usual ones."""
_PLAIN = [151, 108, 337, 69, 299, 50, 280, 205, 425, 117, 346]
"""Points in the middle of the forehead and the cheeks."""
_SKIN = [50, 280, 205, 425, 117, 346, 101, 330, 6, 5, 4, 151, 9, 118, 347, 187, 411, 199, 200, 207, 427, 195]
_SMOOTH, _LINED = 0.004, 0.014
"""Contrast (log light) of fine structure in the skin of a young and of a lined face."""


def skin_mask(image: np.ndarray, points: np.ndarray, scale: float) -> np.ndarray:
    """Tell skin from hair, beards, brows and glasses, which do not fold.

    The measure is the Mahalanobis distance to the colours that the cheeks, the nose and the forehead show.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (478, 2) pixels of the face at rest.
        scale: Pixels per inter-ocular distance.

    Returns:
        (H, W) float32 0..1, how much a pixel looks like this face's skin.
    """
    import cv2

    blurred = cv2.GaussianBlur(image, (0, 0), max(0.012 * scale, 0.5))
    lab = cv2.cvtColor(blurred, cv2.COLOR_RGB2LAB).astype(np.float32)
    x, y = np.clip(np.round(points[_SKIN]).astype(int), 0, np.array(image.shape[1::-1]) - 1).T
    samples = lab[y, x]
    middle = np.median(samples, 0)
    spread = np.cov(samples.T) + np.diag([500.0, 30.0, 30.0])
    off = lab - middle
    distance = np.sqrt(np.einsum("hwi,ij,hwj->hw", off, np.linalg.inv(spread), off))
    likeness = smoothstep((3.6 - distance) / 1.4).astype(np.float32)
    return cv2.GaussianBlur(likeness, (0, 0), max(0.012 * scale, 0.5))


def bare_skin(skin: np.ndarray, scale: float) -> np.ndarray:
    """Draw the edges of skin in, so that nothing that is painted on skin reaches hair, brows or rims.

    Args:
        skin: (H, W) 0..1, see `skin_mask`.
        scale: Pixels per inter-ocular distance.

    Returns:
        (H, W) float32 0..1, softer and never more than `skin`.
    """
    import cv2

    reach = max(int(0.03 * scale), 1)
    drawn_in = cv2.erode(skin, np.ones((2 * reach + 1,) * 2))
    return np.minimum(cv2.GaussianBlur(drawn_in, (0, 0), max(0.02 * scale, 0.5)), skin)


def skin_smoothness(image: np.ndarray, points: np.ndarray, scale: float) -> float:
    """Measure how smooth a face's skin is; folds on smooth skin are soft and shallow.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (478, 2) pixels of the face at rest.
        scale: Pixels per inter-ocular distance.

    Returns:
        0 (lined) .. 1 (young or painted smoothly), by the contrast of structure of the size of lines on the forehead and the
            cheeks (median over places).
    """
    import cv2

    light = np.log(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) + 8)
    lines = cv2.GaussianBlur(light, (0, 0), max(0.012 * scale, 0.5)) - cv2.GaussianBlur(light, (0, 0), max(0.04 * scale, 1.0))
    patches = [patch for at in points[_PLAIN] if (patch := _about(lines, at, 0.06 * scale)).size]
    contrast = float(np.median([patch.std() for patch in patches])) if patches else _SMOOTH
    return float(np.clip((_LINED - contrast) / (_LINED - _SMOOTH), 0, 1))


def _about(values: np.ndarray, at: np.ndarray, reach: float) -> np.ndarray:
    """The square of `values` about a pixel, as far as the picture goes."""
    (x, y), r = np.round(at).astype(int), max(int(reach), 1)
    return values[max(y - r, 0) : max(y + r + 1, 0), max(x - r, 0) : max(x + r + 1, 0)]


def shadow_tint(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Find exponents of light per colour with which a fold keeps to the hues that this skin has in its own shades.

    The skin's own shades decide, as far as the face is lit unevenly enough to show some; else skin is taken to redden as it
    darkens, since light that has gone through it is warm. A grey picture keeps grey folds.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (478, 2) pixels of the face at rest.

    Returns:
        (3,) float32 exponents for red, green and blue.
    """
    import cv2

    x, y = np.clip(np.round(points[_SKIN]).astype(int), 0, np.array(image.shape[1::-1]) - 1).T
    reach = float(np.linalg.norm(points[RIGHT_CORNER] - points[LEFT_CORNER]))
    colours = cv2.GaussianBlur(image, (0, 0), max(0.04 * reach, 0.5))[y, x].astype(np.float64) + 4
    light = np.log(colours @ _LUMA)
    varied, ratios = light - light.mean(), np.log(colours) - np.log(colours).mean(0)
    variance = float((varied**2).mean())
    own = np.clip((ratios * varied[:, None]).mean(0) / max(variance, 1e-9), 0.6, 1.5)
    middle = np.median(colours - 4, 0)
    warmth = np.clip((middle[0] - middle[2]) / max(middle.max(), 1) / 0.4, 0, 1)
    usual = 1 + warmth * np.array([-0.3, 0.1, 0.12])
    share = variance / (variance + _UNEVEN**2) if np.ptp(middle) > 2 else 0.0
    tint = share * own + (1 - share) * usual
    # Greenish or bluish shades are a second light's, not the skin's.
    tint[0] = min(tint[0], tint[1], tint[2])
    return (tint / (tint @ _LUMA)).astype(np.float32)
