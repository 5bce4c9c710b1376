"""The person before the background: a matte, a background without the person, and a foreground that recomposes exactly."""

from dataclasses import dataclass

import numpy as np

from tbd.face.mediapipe_log import suppress_mediapipe_logs
from tbd.face.render.grid import sample

_DETAIL = 18.0
"""Grey levels: stronger contrasts in the background are objects, whose mirror images would show."""


_LINED = 0.5
"""Coherence from which on a background counts as drawn in lines."""
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
    background = _behind(image, alpha, inpaint_background(image, alpha, scale), scale)
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
        from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

        with SelfieSegmentation(model_selection=0) as model:
            coarse = np.array(model.process(image).segmentation_mask, np.float32)
    guide = image.astype(np.float32) / 255
    fine = np.clip((cv2.ximgproc.guidedFilter(guide, coarse, max(int(scale * _EDGE), 2), 2e-3) - 0.15) / 0.7, 0, 1)
    # Where the background is as varied as the person, the filter follows its lines far out: hair does not reach there.
    outside = cv2.distanceTransform((coarse < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    return (fine * np.clip(2 - outside / max(_EDGE * scale, 2), 0, 1)).astype(np.float32)


def _behind(image: np.ndarray, alpha: np.ndarray, painted: np.ndarray, scale: float) -> np.ndarray:
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
    leeway = _LEEWAY + 255 * np.clip(outside - 0.5, 0, 1) ** 2
    darkest, lightest = np.maximum(darkest, painted - leeway), np.minimum(lightest, painted + leeway)
    share = np.clip((0.35 - alpha) / 0.3, 0, 1)[..., None]
    mixed = np.round(share * np.clip(through, darkest, lightest) + (1 - share) * painted)
    beside = np.round(np.clip(image, painted - leeway, painted + leeway))
    return np.where((alpha > 0)[..., None], mixed, np.where(outside < 1.5, beside, image)).astype(np.uint8)


def _lines(image: np.ndarray, visible: np.ndarray, scale: float) -> tuple[float, float]:
    """The direction that most lines of the background about a person have, and how many have it.

    Args:
        image: (H, W, 3) float32.
        visible: (H, W) float32, 1 where the background shows.
        scale: Pixels per inter-ocular distance.

    Returns:
        Radians from the picture's rows, within ±π/2, and 0 (no direction) .. 1 (all): the structure tensor's coherence.
    """
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    inside = cv2.erode(visible, np.ones((3, 3)), iterations=3)
    near = cv2.GaussianBlur(1 - visible, (0, 0), 0.3 * scale) * inside
    x, y = (cv2.Sobel(grey, cv2.CV_32F, across, down) * inside for across, down in ((1, 0), (0, 1)))
    xx, yy, xy = ((near * product).sum() for product in (x * x, y * y, x * y))
    coherence = np.hypot(xx - yy, 2 * xy) / max(float(xx + yy), 1e-6)
    across = 0.5 * np.arctan2(2 * xy, xx - yy)  # the gradient's direction; lines run at right angles to it
    return float((across + np.pi) % np.pi - np.pi / 2), float(coherence)


def _extend_lines(image: np.ndarray, visible: np.ndarray, angle: float) -> np.ndarray:
    """(H, W, 3) float32: what is hidden, continued along straight lines of one direction from where they come out, on both ends."""
    import cv2

    height, width = visible.shape
    side = int(np.ceil(np.hypot(height, width)))
    turn: np.ndarray = np.array(cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), np.degrees(angle), 1.0))
    turn[:, 2] += [(side - width) / 2, (side - height) / 2]
    level = cv2.warpAffine(image, turn, (side, side), flags=cv2.INTER_LINEAR)
    known = cv2.warpAffine(visible, turn, (side, side), flags=cv2.INTER_LINEAR) > 0.99
    rows, places = np.arange(side)[:, None], np.arange(side)[None]
    left = np.maximum.accumulate(np.where(known, places, -1), 1)
    right = np.minimum.accumulate(np.where(known, places, side)[:, ::-1], 1)[:, ::-1]
    weights = [(ends >= 0) * (ends < side) / (np.abs(places - ends) + 1.0) for ends in (left, right)]
    total = weights[0] + weights[1]
    ends = [level[rows, np.clip(end, 0, side - 1)] for end in (left, right)]
    mixed = (weights[0][..., None] * ends[0] + weights[1][..., None] * ends[1]) / np.maximum(total, 1e-9)[..., None]
    found = np.dstack([mixed, total > 0]).astype(np.float32)
    back = cv2.warpAffine(found, turn, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.where(back[..., 3:] > 0.99, back[..., :3], np.nan)


def inpaint_background(image: np.ndarray, alpha: np.ndarray, scale: float) -> np.ndarray:
    """Continue the background behind the person.

    Its slow colour comes from a pyramid of the visible background, its detail from the background mirrored at the edge; where the
    background is drawn in lines of one direction (blinds, shelves, curtains), they run on straight.

    Args:
        image: (H, W, 3) uint8 RGB.
        alpha: (H, W) float32 0..1, the person.
        scale: Pixels per inter-ocular distance.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    import cv2

    grown = cv2.dilate(alpha, np.ones((3, 3)), iterations=max(int(scale * 0.05), 2))
    hidden = (grown > 0.02).astype(np.uint8)
    visible = (1 - hidden).astype(np.float32)
    picture = image.astype(np.float32)
    slow = pull_push_fill(picture, visible)
    distance, labels = cv2.distanceTransformWithLabels(hidden, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    ys, xs = np.nonzero(hidden == 0)
    nearest = np.zeros((labels.max() + 1, 2), np.float32)
    nearest[labels[ys, xs]] = np.stack([xs, ys], 1)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    mirror = 2 * nearest[labels] - np.dstack([x, y])
    mass = cv2.GaussianBlur(visible, (0, 0), 0.1 * scale)[..., None] + 1e-3
    detail = picture - cv2.GaussianBlur(picture * visible[..., None], (0, 0), 0.1 * scale) / mass
    # A texture is as strong everywhere; what stands out of its surroundings is an object.
    texture = np.median(np.abs(detail[visible > 0])) if visible.any() else 0.0
    detail = np.clip(detail, -max(_DETAIL, texture), max(_DETAIL, texture)) * visible[..., None]
    detail = sample(detail, mirror, cv2.BORDER_CONSTANT)
    detail *= np.exp(-((distance / (0.35 * scale)) ** 2))[..., None]
    filled = np.clip(slow + detail, 0, 255)
    angle, coherence = _lines(picture, visible, scale)
    straight = np.clip((coherence - _LINED) / 0.3, 0, 1)
    if straight > 0:
        along = _extend_lines(picture, visible, angle)
        filled = np.where(np.isnan(along), filled, filled + straight * (np.nan_to_num(along) - filled))
    return np.where(hidden[..., None] > 0, np.round(filled), image).astype(np.uint8)


def pull_push_fill(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Fill unknown pixels smoothly: ever coarser averages of the known ones show through.

    Args:
        image: (H, W, 3) float32.
        known: (H, W) float32, 0..1, how far a pixel is to be kept.

    Returns:
        (H, W, 3) float32.
    """
    import cv2

    height, width = known.shape
    if min(height, width) <= 2:
        mean = (image * known[..., None]).sum((0, 1)) / max(float(known.sum()), 1e-6)
        return np.broadcast_to(mean, image.shape).astype(np.float32)
    small = ((width + 1) // 2, (height + 1) // 2)
    mass = cv2.resize(known, small, interpolation=cv2.INTER_AREA)
    mean = cv2.resize(image * known[..., None], small, interpolation=cv2.INTER_AREA) / np.maximum(mass, 1e-6)[..., None]
    below = pull_push_fill(mean, np.minimum(mass * 4, 1))
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
    """(H, W, 4) uint8 that `composite` brings back to the picture exactly: it uses the same arithmetic."""
    import cv2

    opacity = np.ceil(alpha * 255).astype(np.uint8)
    clear = cv2.cvtColor(cv2.bitwise_not(opacity), cv2.COLOR_GRAY2RGB)
    behind = cv2.multiply(background, clear, scale=1 / 255)
    return np.dstack([cv2.subtract(image, behind), opacity])
