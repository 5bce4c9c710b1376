"""The background behind a person: what it looks like where nobody has seen it, and what of the person still stands before it."""

import numpy as np

from tbd.face.render.grid import sample
from tbd.face.render.layers.surroundings import Surroundings

_DETAIL, _TEXTURED = 18.0, 2.0
"""The strongest detail that is mirrored behind the person: grey levels, and times the median of the background's own. Stronger contrasts
are objects, whose mirror images would show as shards about the head."""
_FINE = 0.04
"""Inter-ocular distances (standard deviation): what is coarser is no detail."""
_ONWARDS = (0.15, 0.55)
"""Inter-ocular distances behind the person's edge up to which edges of the background go on wholly, and at all."""
_MARCHED = 64.0
"""Pixels per inter-ocular distance at most at which they do: what goes on there is soft, and time goes with the square of it."""
_LINED = 0.5
"""Coherence from which on a background counts as drawn in lines."""
_STRAND = 0.07
"""Inter-ocular distances that a strand of hair is at most wide."""
_STRANDS_REACH, _LOOSE = 0.35, 0.1
"""Inter-ocular distances from the matte as far as strands hang together with the person, and stand by themselves."""
_FAINT, _BUSY = 4.0, 1.3
"""Contrast of a strand with what lies beside it: grey levels, and times what a hundredth of the background farther away shows."""
_LIKEWISE = 0.7
"""Of its contrast, that the background shows farther out at the same side: letters, spines of books."""
_STRONG = 8.0
"""Grey levels of contrast from which on a colour is told from a shade of a wall."""


def find_strands(image: np.ndarray, alpha: np.ndarray, scale: float) -> np.ndarray:
    """Find strands of hair (and rims) that the matte has left to the background: thin, beside the person, unlike the background.

    Left there, they stand still as an outline of where the head was once it has moved.

    Args:
        image: (H, W, 3) uint8 RGB.
        alpha: (H, W) float32 0..1, the person.
        scale: Pixels per inter-ocular distance.

    Returns:
        (H, W) float32, 1 on strands and 0 elsewhere.
    """
    import cv2

    width = 2 * max(int(0.5 * _STRAND * scale), 1) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    person = (alpha > 0.5).astype(np.uint8)
    soft = cv2.GaussianBlur(image, (0, 0), 0.7)
    thin = np.maximum(*(cv2.morphologyEx(soft, way, kernel).max(-1) for way in (cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT)))
    away = cv2.distanceTransform(1 - (alpha > 0).astype(np.uint8), cv2.DIST_L2, 5) / scale
    far = thin[away > _STRANDS_REACH]
    if not far.size:
        return np.zeros_like(alpha)
    unlike = (thin > max(_FAINT, _BUSY * float(np.percentile(far, 99)))) & (alpha == 0)
    # what goes on farther than strands do is an object: a horizon, the frame of a window
    _, parts = cv2.connectedComponents(unlike.astype(np.uint8))
    unlike &= ~np.isin(parts, np.unique(parts[unlike & (away >= _STRANDS_REACH)]))
    joined = cv2.dilate((unlike | (alpha > 0)).astype(np.uint8), np.ones((3, 3)))
    _, labels = cv2.connectedComponents(joined)
    together = np.isin(labels, np.unique(labels[person > 0]))
    strands = unlike & (together | (away < _LOOSE))
    if strands.any() and person.any():
        count, parts = cv2.connectedComponents(strands.astype(np.uint8))
        about = Surroundings(alpha, scale, strands)
        common = about.most_behind(thin) > _LIKEWISE * thin[strands]
        common |= (about.own_colour(image)[strands] == 0) & (thin[strands] > _STRONG)
        of = parts[strands]
        strands &= (np.bincount(of[common], minlength=count) <= 0.5 * np.bincount(of, minlength=count))[parts]
    # what lies right beside a strand is a mixture of both
    return (cv2.dilate(strands.astype(np.uint8), np.ones((5, 5))) * (alpha == 0)).astype(np.float32)


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

    Behind the person's edge the background goes on as Telea's fast marching does it (2004, An image inpainting technique based on the fast
    marching method), farther in as the slow colour of a pyramid of what is visible; its detail is the background's, mirrored at the edge.
    Where the background is drawn in lines of one direction (blinds, shelves, curtains), they run on straight.

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
    mass = cv2.GaussianBlur(visible, (0, 0), _FINE * scale)[..., None] + 1e-3
    detail = picture - cv2.GaussianBlur(picture * visible[..., None], (0, 0), _FINE * scale) / mass
    # A texture is as strong everywhere; what stands out of its surroundings is an object.
    texture = np.median(np.abs(detail[visible > 0])) if visible.any() else 0.0
    strongest = max(min(_DETAIL, _TEXTURED * texture), texture)
    # Edges that run into the person (a shelf, a building) go on for a while: smoothed away they would be mist about a head that turns.
    near = _march(image, hidden, min(_MARCHED / scale, 1)).astype(np.float32)
    slow += np.clip((_ONWARDS[1] - distance / scale) / (_ONWARDS[1] - _ONWARDS[0]), 0, 1)[..., None] * (near - slow)
    detail = np.clip(detail, -strongest, strongest) * visible[..., None]
    detail = sample(detail, mirror, cv2.BORDER_CONSTANT)
    detail *= np.exp(-((distance / (0.35 * scale)) ** 2))[..., None]
    filled = np.clip(slow + detail, 0, 255)
    angle, coherence = _lines(picture, visible, scale)
    straight = np.clip((coherence - _LINED) / 0.3, 0, 1)
    if straight > 0:
        along = _extend_lines(picture, visible, angle)
        filled = np.where(np.isnan(along), filled, filled + straight * (np.nan_to_num(along) - filled))
    return np.where(hidden[..., None] > 0, np.round(filled), image).astype(np.uint8)


def _march(image: np.ndarray, hidden: np.ndarray, factor: float) -> np.ndarray:
    """(H, W, 3) uint8: what is hidden by Telea's method, computed at a size that is smaller by a factor."""
    import cv2

    size = tuple(max(round(side * factor), 1) for side in image.shape[1::-1])
    # a pixel that is hidden in part is hidden: its colour is the person's as well
    small = (cv2.resize(hidden.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
    marched = cv2.inpaint(cv2.resize(image, size, interpolation=cv2.INTER_AREA), small, 3, cv2.INPAINT_TELEA)
    return cv2.resize(marched, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)


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
