"""The person before the background: a matte, a background without the person, and a foreground that recomposes exactly."""

from dataclasses import dataclass

import numpy as np

from tbd.face.light_mediapipe import load_mediapipe
from tbd.face.mediapipe_log import suppress_mediapipe_logs
from tbd.face.render.layers.backdrop import find_strands, inpaint_background, pull_push_fill
from tbd.face.render.layers.surroundings import Surroundings

_SEAM = 0.06
"""Inter-ocular distances about the matte within which the background is freed of what belongs to the person."""
_LEEWAY = 3.0
"""Levels by which the background there may differ from what is painted."""
_EDGE = 0.06
"""Inter-ocular distances about the segmentation's edge that are searched for the person's own."""


@dataclass(frozen=True)
class Layers:
    """A picture in two layers: ``picture = foreground + (1 - alpha) · background``.

    Args:
        foreground: (H, W, 4) uint8, the person's colours times alpha, then alpha (0..255).
        background: (H, W, 3) uint8, the scene with the person painted out.
        separable: Whether a person was found before the background; where not, alpha is 1 everywhere.
    """

    foreground: np.ndarray
    background: np.ndarray
    separable: bool


def split_layers(image: np.ndarray, face: np.ndarray, scale: float) -> Layers:
    """Split a portrait into person and background.

    Args:
        image: (H, W, 3) uint8 RGB.
        face: (N, 2) pixels (x, y), the outline of the face, which is part of the person whatever the segmentation says.
        scale: Pixels per inter-ocular distance.

    Returns:
        The layers, which `composite` puts together to the very picture.
    """
    import cv2

    outline = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(outline, [np.round(face).astype(np.int32)], (255,))
    alpha = _person(image, scale)
    if alpha[outline > 0].mean() < 0.5 or (alpha < 0.5).mean() < 0.02:
        solid = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
        return Layers(solid, image.copy(), False)
    alpha = np.maximum(alpha, cv2.GaussianBlur(outline, (0, 0), scale * 0.03).astype(np.float32) / 255)
    alpha[alpha < 0.03], alpha[alpha > 0.97] = 0, 1
    alpha[_islands(alpha < 0.5, scale)] = 1
    strands = find_strands(image, alpha, scale)
    background = _behind(image, alpha, inpaint_background(image, np.maximum(alpha, strands), scale), scale, strands)
    alpha = _least_alpha(image, background, alpha)
    return Layers(_foreground(image, background, alpha), background, True)


def composite(foreground: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Lay the person over the background.

    Args:
        foreground: (H, W, 4) uint8, `Layers.foreground`, moved or not.
        background: (H, W, 3) uint8 RGB.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    import cv2

    clear = cv2.cvtColor(cv2.bitwise_not(foreground[..., 3]), cv2.COLOR_GRAY2RGB)
    return cv2.add(cv2.cvtColor(foreground, cv2.COLOR_RGBA2RGB), cv2.multiply(background, clear, scale=1 / 255))


def _person(image: np.ndarray, scale: float) -> np.ndarray:
    """(H, W) float32 0..1: MediaPipe's selfie segmentation, its edge drawn along the picture's own."""
    import cv2

    with suppress_mediapipe_logs():
        load_mediapipe()
        from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

        with SelfieSegmentation(model_selection=0) as model:
            coarse = np.array(model.process(image).segmentation_mask, np.float32)
    guide = image.astype(np.float32) / 255
    fine = np.clip((cv2.ximgproc.guidedFilter(guide, coarse, max(int(scale * _EDGE), 2), 2e-3) - 0.15) / 0.7, 0, 1)
    # Where the background is as varied as the person, the filter follows its lines far out: hair does not reach there.
    outside = cv2.distanceTransform((coarse < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    return (fine * np.clip(2 - outside / max(_EDGE * scale, 2), 0, 1)).astype(np.float32)


def _behind(image: np.ndarray, alpha: np.ndarray, painted: np.ndarray, scale: float, strands: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: the background as it is where it shows, what is seen through the person's edge, and what is painted behind.

    What shows through an edge belongs to the background, which stands still: it must not ride on the head. It is taken for
    background as far as the background close by has such colours.
    """
    import cv2

    person = pull_push_fill(image.astype(np.float32), (alpha > 0.9).astype(np.float32))
    clear = np.maximum(1 - alpha, 0.3)[..., None]
    through = (image - (1 - clear) * person) / clear
    seen = cv2.erode((alpha == 0).astype(np.uint8), np.ones((3, 3)), iterations=max(int(0.03 * scale), 1))[..., None] > 0
    around = np.ones((2 * max(int(0.15 * scale), 2) + 1,) * 2)
    darkest = np.minimum(cv2.erode(np.where(seen, image, 255).astype(np.uint8), around), painted)
    lightest = np.maximum(cv2.dilate(np.where(seen, image, 0).astype(np.uint8), around), painted)
    # A seam of hair that the matte leaves out would stand in the background when the head has gone: what is close to the person
    # may differ little from what is painted there, and what differs more goes with the person.
    outside = cv2.distanceTransform((alpha == 0).astype(np.uint8), cv2.DIST_L2, 5)[..., None] / (_SEAM * scale)
    outside = np.where(strands[..., None] > 0, np.minimum(outside, 0.1), outside)
    leeway = _LEEWAY + 255 * np.clip(outside - 0.5, 0, 1) ** 2
    darkest, lightest = np.maximum(darkest, painted - leeway), np.minimum(lightest, painted + leeway)
    share = np.clip((0.35 - alpha) / 0.3, 0, 1)[..., None]
    mixed = np.round(share * np.clip(through, darkest, lightest) + (1 - share) * painted)
    beside = np.round(np.clip(image, painted - leeway, painted + leeway))
    differs = (alpha == 0) & (outside[..., 0] < 1.5) & (beside != image).any(-1)
    # Beside a shelf or a dark window what differs is mostly more of the same, and stays where it is.
    own = np.maximum(Surroundings(alpha, scale, differs & (strands == 0)).own_colour(image), strands)[..., None]
    return np.where((alpha > 0)[..., None], mixed, np.round(image + own * (beside - image))).astype(np.uint8)


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
    """(H, W, 4) uint8 that `composite` brings back to the picture exactly: it uses the same arithmetic."""
    import cv2

    opacity = np.ceil(alpha * 255).astype(np.uint8)
    clear = cv2.cvtColor(cv2.bitwise_not(opacity), cv2.COLOR_GRAY2RGB)
    behind = cv2.multiply(background, clear, scale=1 / 255)
    return np.dstack([cv2.subtract(image, behind), opacity])
