"""The person before the background: a matte, a background without the person, and a foreground that recomposes exactly."""

from dataclasses import dataclass

import numpy as np

_DETAIL = 18.0
"""Grey levels: stronger contrasts in the background are objects, whose mirror images would show."""


@dataclass(frozen=True)
class Layers:
    """A picture in two layers: ``picture = foreground + (1 - alpha) · background``.

    Args:
        foreground: (H, W, 4) uint8, the person's colours times alpha, then alpha (0..255).
        background: (H, W, 3) uint8, the scene with the person painted out.
        separable: whether a person was told from the background; where not, alpha is 1 everywhere.
    """

    foreground: np.ndarray
    background: np.ndarray
    separable: bool


def separate(image: np.ndarray, face: np.ndarray, scale: float) -> Layers:
    """Split a portrait into person and background.

    Args:
        image: (H, W, 3) uint8 RGB.
        face: (N, 2) pixels, the outline of the face, which is part of the person whatever the segmentation says.
        scale: pixels per inter-ocular distance.
    """
    import cv2

    outline = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(outline, [np.round(face).astype(np.int32)], 255)
    alpha = _person(image, scale)
    if alpha[outline > 0].mean() < 0.5 or (alpha < 0.5).mean() < 0.02:
        solid = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
        return Layers(solid, image.copy(), False)
    alpha = np.maximum(alpha, cv2.GaussianBlur(outline, (0, 0), scale * 0.03).astype(np.float32) / 255)
    alpha[alpha < 0.03], alpha[alpha > 0.97] = 0, 1
    alpha[_islands(alpha < 0.5, scale)] = 1
    background = paint_out(image, alpha, scale)
    alpha = _least_alpha(image, background, alpha)
    return Layers(_foreground(image, background, alpha), background, True)


def recompose(foreground: np.ndarray, background: np.ndarray) -> np.ndarray:
    """(H, W, 4) and (H, W, 3) uint8 → (H, W, 3) uint8, the person over the background."""
    import cv2

    clear = cv2.cvtColor(cv2.bitwise_not(foreground[..., 3]), cv2.COLOR_GRAY2RGB)
    return cv2.add(cv2.cvtColor(foreground, cv2.COLOR_RGBA2RGB), cv2.multiply(background, clear, scale=1 / 255))


def _person(image: np.ndarray, scale: float) -> np.ndarray:
    """(H, W) float32 0..1: MediaPipe's selfie segmentation, its edge drawn along the picture's own."""
    import cv2

    from tbd.face.mesh import quiet

    with quiet():
        from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

        with SelfieSegmentation(model_selection=0) as model:
            coarse = np.array(model.process(image).segmentation_mask, np.float32)
    guide = image.astype(np.float32) / 255
    radius = max(int(scale * 0.12), 2)
    fine = cv2.ximgproc.guidedFilter(guide, coarse, radius, 2e-4)
    return np.clip((fine - 0.15) / 0.7, 0, 1).astype(np.float32)


def paint_out(image: np.ndarray, alpha: np.ndarray, scale: float) -> np.ndarray:
    """(H, W, 3) uint8: the background continued behind the person.

    Its slow colour comes from a pyramid of the visible background, its detail from the background mirrored at the edge.
    """
    import cv2

    grown = cv2.dilate(alpha, np.ones((3, 3)), iterations=max(int(scale * 0.08), 2))
    hidden = (grown > 0.02).astype(np.uint8)
    visible = (1 - hidden).astype(np.float32)
    picture = image.astype(np.float32)
    slow = fill(picture, visible)
    distance, labels = cv2.distanceTransformWithLabels(hidden, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    ys, xs = np.nonzero(hidden == 0)
    nearest = np.zeros((labels.max() + 1, 2), np.float32)
    nearest[labels[ys, xs]] = np.stack([xs, ys], 1)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    mirror = 2 * nearest[labels] - np.dstack([x, y])
    mass = cv2.GaussianBlur(visible, (0, 0), 0.1 * scale)[..., None] + 1e-3
    detail = picture - cv2.GaussianBlur(picture * visible[..., None], (0, 0), 0.1 * scale) / mass
    detail = np.clip(detail, -_DETAIL, _DETAIL) * visible[..., None]
    detail = cv2.remap(detail, mirror, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    detail *= np.exp(-((distance / (0.35 * scale)) ** 2))[..., None]
    filled = np.clip(slow + detail, 0, 255)
    return np.where(hidden[..., None] > 0, np.round(filled), image).astype(np.uint8)


def fill(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 with its unknown pixels filled smoothly: ever coarser averages of the known ones show through.

    Args:
        known: (H, W) float32, 0..1, how far a pixel is to be kept.
    """
    import cv2

    height, width = known.shape
    if min(height, width) <= 2:
        mean = (image * known[..., None]).sum((0, 1)) / max(float(known.sum()), 1e-6)
        return np.broadcast_to(mean, image.shape).astype(np.float32)
    small = ((width + 1) // 2, (height + 1) // 2)
    mass = cv2.resize(known, small, interpolation=cv2.INTER_AREA)
    mean = cv2.resize(image * known[..., None], small, interpolation=cv2.INTER_AREA) / np.maximum(mass, 1e-6)[..., None]
    below = fill(mean, np.minimum(mass * 4, 1))
    weight = known[..., None]
    return image * weight + (1 - weight) * cv2.resize(below, (width, height), interpolation=cv2.INTER_LINEAR)


def _islands(background: np.ndarray, scale: float) -> np.ndarray:
    """(H, W) bool: specks of background inside the person, smaller than an eye."""
    import cv2

    _, labels, stats, _ = cv2.connectedComponentsWithStats(background.astype(np.uint8))
    small = stats[:, cv2.CC_STAT_AREA] < (0.35 * scale) ** 2
    small[0] = False
    return small[labels]


def _least_alpha(image: np.ndarray, background: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The matte raised, where it must be, until every colour is a mixture of the background and a real colour (0..255)."""
    i, b = image.astype(np.float32), background.astype(np.float32)
    darker, brighter = (b - i) / np.maximum(b, 1), (i - b) / np.maximum(255 - b, 1)
    return np.maximum(alpha, np.clip(np.maximum(darker, brighter).max(-1), 0, 1))


def _foreground(image: np.ndarray, background: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """(H, W, 4) uint8 that `recompose` brings back to the picture exactly: it uses the same arithmetic."""
    import cv2

    opacity = np.ceil(alpha * 255).astype(np.uint8)
    clear = cv2.cvtColor(cv2.bitwise_not(opacity), cv2.COLOR_GRAY2RGB)
    behind = cv2.multiply(background, clear, scale=1 / 255)
    return np.dstack([cv2.subtract(image, behind), opacity])
