"""Turning a tilted portrait level: the picture around the face is turned, and what lies outside it is filled in softly."""

import numpy as np

_REACH = 3.0
"""How much of the picture stays around the face, to each side, in sides of the face's box: more than a portrait's square shows."""
_LEAST = 4
"""Pixels: the smallest side of the pyramid that fills."""


def straighten(image: np.ndarray, points: np.ndarray, roll: float) -> np.ndarray:
    """Cut out the surroundings of a face and turn them so that the face stands upright.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (N, 2) or (N, 3) pixels of the face's mesh.
        roll: Radians that the face is turned anticlockwise, `face_roll`.

    Returns:
        (H', W', 3) uint8 RGB, large enough to hold all that was turned; its corners continue the picture's edge, ever softer.
    """
    import cv2

    low, high = points[:, :2].min(0), points[:, :2].max(0)
    reach = _REACH * (high - low).max()
    height, width = image.shape[:2]
    left, top = np.maximum(((low + high) / 2 - reach).astype(int), 0)
    right, bottom = np.minimum(((low + high) / 2 + reach).astype(int) + 1, [width, height])
    part = image[top:bottom, left:right]
    height, width = part.shape[:2]
    matrix: np.ndarray = np.array(cv2.getRotationMatrix2D((width / 2, height / 2), -np.degrees(roll), 1.0))
    size = np.ceil(np.abs(matrix[:, :2]) @ [width, height]).astype(int)
    matrix[:, 2] += (size - [width, height]) / 2
    known = cv2.warpAffine(np.ones((height, width), np.float32), matrix, tuple(map(int, size)), flags=cv2.INTER_LINEAR)
    turned = cv2.warpAffine(part, matrix, tuple(map(int, size)), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    known = cv2.erode(known, np.ones((3, 3)))  # the picture's own last line is mixed with what is outside
    return fill_outside(turned, known)


def fill_outside(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Continue the known parts of a picture over the unknown ones, softer with the distance (push-pull, Gortler et al. 1996).

    Args:
        image: (H, W, 3) uint8 RGB.
        known: (H, W) float32, 1 where the picture is known, 0 where not.

    Returns:
        (H, W, 3) uint8 RGB, the picture itself where it is known.
    """
    filled = _push_pull(image.astype(np.float32) * known[..., None], known)
    mixed = image * known[..., None] + filled * (1 - known[..., None])
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def _push_pull(sums: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(H, W, 3) colours weighted by (H, W) `weights` → (H, W, 3) colours everywhere, from coarser levels where the weight is 0."""
    import cv2

    means = sums / np.maximum(weights, 1e-6)[..., None]
    if min(weights.shape) <= _LEAST or weights.min() >= 1:
        average = sums.sum((0, 1)) / max(float(weights.sum()), 1e-6)
        return np.where(weights[..., None] > 0, means, average).astype(np.float32)
    coarse = _push_pull(cv2.pyrDown(sums), cv2.pyrDown(weights))
    wide = cv2.pyrUp(coarse, dstsize=weights.shape[::-1])
    part = np.minimum(weights, 1)[..., None]
    return means * part + wide * (1 - part)
