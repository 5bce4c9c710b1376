"""A mouth that is open in the portrait itself: where its lips end, the lips without what stands between them, and its own teeth."""

from dataclasses import dataclass

import numpy as np

from tbd.face.render.contour import Opening
from tbd.face.render.grid import sample
from tbd.face.render.mouth.dental_arch import DentalArch, RigidFrame
from tbd.face.render.mouth.lips import LipAperture
from tbd.face.render.mouth.palette import luminance
from tbd.utils.tracks import smoothstep

_BAND = 0.05
"""How far from the mesh's contours the lips' edges may lie, in inter-ocular distances."""
_SHADED, _PALEST = 0.5, 1.15
"""Teeth are freed of shadows down to this share of the light, and become no paler than this against their own mean colour."""
_USUAL = 0.022
"""How far they usually lie from it, likewise."""
_LAB = np.array([0.5, 1.0, 1.0], np.float32)
"""Weights of light and hue in the change from a lip to what it opens upon."""
_MIRRORED = 0.04
"""Inter-ocular distances of lip that are mirrored again and again into the opening."""
_LEAST_TOOTH = 0.02
"""Teeth that show less than this are not told from a lip's highlight."""
_PALER, _BRIGHTER = 0.035, 1.15
"""What is paler than lips by this much, or else brighter than their brightest parts by this factor, is a tooth."""
_DIM, _DARK = 0.5, 0.55
"""Nothing counts as a tooth that is darker than this, against the lips and against the teeth."""
_MARGIN = 1.5
"""Pixels beside the lips that show a mixture of both."""
_GAP = 0.03
"""Half the width of what is no tooth between teeth and belongs to their row nevertheless."""
_BESIDE = 0.02
"""Width of the passage from a portrait's own teeth to painted ones, likewise."""
_EVEN = 0.012
"""Standard deviation by which biting edges are smoothed along the row."""
_UNEVEN = 0.009
"""How far a biting edge stands above or below the arc that the row's edges lie on; farther ones are shadows or lips."""
_ARC = 0.08
"""How far that arc departs at most from a usual row's."""
_GOES_ON = 0.2
"""Over this distance beside a portrait's own teeth painted ones go on at their height and in their light, likewise."""
_VALLEY = 0.94
"""Where both rows show, the seam between them is darker than this against the teeth beside it."""


def find_lip_edges(
    image: np.ndarray, aperture: LipAperture, top: np.ndarray, bottom: np.ndarray, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Find where the lips really end, which a mesh knows to a few pixels: at the strongest change of colour near its contours.

    Args:
        image: (h, w, 3) uint8 RGB, the aperture's window of the portrait.
        aperture: The opening between the lips.
        top: (N, 2) pixels of the picture, the mesh's upper contour from corner to corner.
        bottom: (N, 2) pixels, the lower contour.
        scale: Pixels per inter-ocular distance.

    Returns:
        (N, 2) shifts in pixels of the upper and of the lower contour.
    """
    import cv2
    from scipy.ndimage import gaussian_filter1d

    axis = (bottom[-1] - bottom[0]) / max(float(np.linalg.norm(bottom[-1] - bottom[0])), 1e-6)
    down = np.array([-axis[1], axis[0]])
    lab = cv2.cvtColor(cv2.GaussianBlur(image, (0, 0), max(0.006 * scale, 0.7)), cv2.COLOR_RGB2LAB).astype(np.float32) * _LAB
    # The picture seen from a contour: columns from corner to corner, rows across it.
    start, end = (top[0] + bottom[0]) / 2, (top[-1] + bottom[-1]) / 2
    half = np.linalg.norm(end - start) / 2
    along = np.arange(-half, half + 1)
    across = np.arange(-_BAND * scale - 1, _BAND * scale + 2)
    gap = np.interp(along, (bottom - (start + end) / 2) @ axis, (bottom - top) @ down)
    shifts = []
    for contour, way in ((top, -1.0), (bottom, 1.0)):
        height = np.interp(along, (contour - (start + end) / 2) @ axis, (contour - (start + end) / 2) @ down)
        places = (start + end) / 2 + along[None, :, None] * axis + (height + across[:, None])[..., None] * down
        seen = sample(lab, (places - [aperture.pixels[1].start, aperture.pixels[0].start]).astype(np.float32), cv2.BORDER_REPLICATE)
        change = np.linalg.norm(seen[2:] - seen[:-2], axis=-1)
        change = gaussian_filter1d(change, max(0.03 * scale, 1.0), axis=1)
        shift = across[1:-1]
        # Half the gap belongs to the other lip.
        prior = np.exp(-0.5 * (shift / (_USUAL * scale)) ** 2)[:, None] * (way * shift[:, None] > -0.45 * gap)
        weight = (change * prior) ** 6 + 1e-9
        edge = (weight * shift[:, None]).sum(0) / weight.sum(0)
        edge = gaussian_filter1d(edge, 0.02 * scale) * np.sqrt(np.clip(1 - (along / half) ** 2, 0, 1))
        shifts.append(np.interp((contour - (start + end) / 2) @ axis, along, edge)[:, None] * down)
    return shifts[0], shifts[1]


def mirror_lips(image: np.ndarray, opening: Opening, scale: float, edge: float) -> tuple[np.ndarray, np.ndarray]:
    """Continue each lip over the opening, so that nothing of what stands there goes along with a lip.

    Args:
        image: (h, w, 3) uint8 RGB, the window of the portrait.
        opening: The opening at rest.
        scale: Pixels per inter-ocular distance.
        edge: Pixels about the contours in which lips and the inside mix.

    Returns:
        (h, w, 3) uint8, the window as the upper lip would have it, and as the lower lip would.
    """
    import cv2

    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    down = np.array([-_gradient(opening.along, 0), _gradient(opening.along, 1)], np.float32)
    ends = np.clip((np.float32(opening.half + edge) - np.abs(opening.along)) / edge, 0, 1)
    cap = np.float32(max(_MIRRORED * scale, 2.0))
    out = []
    for near, far, way in ((opening.above, opening.below, -1), (opening.below, opening.above, 1)):
        beyond = near + np.float32(edge)
        depth = np.maximum(beyond, 0)
        folded = cap - np.abs(depth % (2 * cap) - cap)
        places = np.stack([x + way * (depth + folded) * down[0], y + way * (depth + folded) * down[1]], -1)
        mirrored = sample(image, places, cv2.BORDER_REPLICATE).astype(np.float32)
        # Deep inside, a lip many times repeated would show its pattern.
        smooth = cv2.GaussianBlur(mirrored, (0, 0), float(cap))
        mirrored += np.clip(depth / cap - 1, 0, 1)[..., None] * (smooth - mirrored)
        share = np.clip(beyond / edge, 0, 1) * np.clip((far + np.float32(2 * edge)) / edge, 0, 1) * ends
        out.append((image + share[..., None] * (mirrored - image) + 0.5).clip(0, 255).astype(np.uint8))
    return out[0], out[1]


def _gradient(field: np.ndarray, axis: int) -> float:
    """The slope of a linear field along rows (0) or columns (1)."""
    return float(np.diff(field, axis=axis).mean())


@dataclass(frozen=True)
class OwnTeeth:
    """The upper teeth that a portrait shows, on a picture of their row (R rows, C columns).

    Args:
        colour: (R, C, 3) float32 RGB, freed of the shadow of the lips.
        share: (R, C) float32 0..1, how much of it is to be seen instead of painted teeth.
        alpha: (R, C) float32 0..1, what is tooth or gum, and not what lies below the biting edges.
        edge: (C,) heights of the biting edges over the incisors' of a usual row, in inter-ocular distances.
        over: (C,) how much higher the row stands than a usual one, along it and, fading, beside these teeth, likewise.
        beside: (C,) 1 at these teeth, falling to 0 beside them.
        raised: Median of how much higher they stand than a usual row's, where they show.
        tooth: (3,) the teeth's colour.
    """

    colour: np.ndarray
    share: np.ndarray
    alpha: np.ndarray
    edge: np.ndarray
    over: np.ndarray
    beside: np.ndarray
    raised: float
    tooth: np.ndarray


def find_teeth(
    image: np.ndarray, opening: Opening, arch: DentalArch, skull: RigidFrame, corner: tuple[int, int], lips: np.ndarray, shade: np.ndarray
) -> OwnTeeth | None:
    """Find the upper teeth that a portrait shows.

    Args:
        image: (h, w, 3) uint8 RGB, the window of the portrait.
        opening: The opening at rest over the window.
        arch: The upper row.
        skull: Where the skull lies in the portrait.
        corner: Pixel (x, y) of the picture at the window's upper left corner.
        lips: (N, 3) colours of the lips.
        shade: (h, w, 3) float32, what share of the light reaches each pixel between the lips.

    Returns:
        The teeth; None where none show.
    """
    import cv2

    inwards = np.minimum(np.minimum(opening.above, opening.below), np.float32(opening.half) - np.abs(opening.along))
    inwards = inwards - np.minimum(np.float32(_MARGIN), 0.25 * inwards.max())
    known = tooth_likeness(image, inwards > 0, lips)
    if known is None:
        return None
    likeness, tooth = known
    places: np.ndarray = arch.project(skull) - np.array(corner, np.float32)
    lit = np.minimum(image / np.maximum(shade, _SHADED), np.maximum(image, _PALEST * tooth)).astype(np.float32)
    seen = sample(np.dstack([lit, likeness, inwards]), places, cv2.BORDER_REPLICATE)
    visible = (seen[..., 4] > 0) & arch.faces(skull)[None]
    first, last = _runs(seen[..., 3], seen[..., :3], visible, arch)
    found = _closed(last > first, arch)
    if found.sum() < 0.1 * arch.resolution:
        return None
    rows, usual = np.arange(arch.shape[0])[:, None], (arch.places[1][0, 0] - arch.edges()[0]) * arch.resolution
    ends: np.ndarray = np.where(visible.any(0), arch.shape[0] - 1 - visible[::-1].argmax(0), 0)
    # A tooth that reaches down to the lip goes on behind it, and above what the upper lip leaves free as it is seen last.
    pixel = arch.resolution / float(np.linalg.norm(skull.axes[:, 1]))
    bare, reaching = last > first, last >= ends - 0.75 * pixel
    edges = _even(np.where(reaching, np.maximum(ends + _MARGIN * pixel, usual), last), bare, arch)
    shown = np.where(visible.any(0), visible.argmax(0), 0) + 1
    low = np.where(bare, np.minimum(last, ends), 0)
    columns, certain = np.arange(arch.shape[1]), np.flatnonzero(bare)
    low = np.interp(columns, certain, low[certain])
    source = np.clip(rows, np.minimum(np.interp(columns, certain, shown[certain]), low), low)
    places = np.stack(np.broadcast_arrays(columns[None], source), -1).astype(np.float32)
    colour = sample(np.ascontiguousarray(seen[..., :3]), places, cv2.BORDER_REPLICATE)
    share = cv2.GaussianBlur(found.astype(np.float32)[None], (0, 0), max(_BESIDE * arch.resolution, 0.5)) * found
    usual_edge = arch.edges()[0]
    over = arch.places[1][0, 0] - edges / arch.resolution - usual_edge
    free = bare & ~reaching
    known_edges = free.sum() > 0.3 * bare.sum()
    raised = float(np.median(over[free])) if known_edges else min(float(np.median(over[bare])), 0.0)
    along = arch.places[0][0]
    arc = _arc(along, over, free) if known_edges else np.full_like(over, np.median(over[bare]))
    over = np.clip(over, arc - _UNEVEN, arc + _UNEVEN)
    height = over + usual_edge
    alpha = np.clip((arch.places[1] - height) * arch.resolution + 0.5, 0, 1).astype(np.float32)
    columns = np.flatnonzero(found)
    distance = np.maximum(np.maximum(along[columns[0]] - along, along - along[columns[-1]]), 0)
    beside = smoothstep(1 - distance / _GOES_ON)
    goes_on = np.where(found, over, arc[np.clip(np.arange(len(arc)), columns[0], columns[-1])]) * beside
    return OwnTeeth(colour, np.broadcast_to(share, alpha.shape), alpha, height, goes_on, beside, raised, tooth)


def _arc(along: np.ndarray, over: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(C,) the arc that most of the biting edges `over` a usual row lie on, where they are `known`."""
    terms = np.stack([np.ones_like(along), along, along**2], 1)
    weight = known.astype(np.float64)
    for _ in range(8):
        weighted = terms * weight[:, None]
        bend = np.diag([1e-6, 1e-2, 1e-2]) * weight.sum()  # a few teeth tell the height and little of the slope
        fit = terms @ np.linalg.solve(terms.T @ weighted + bend, weighted.T @ over)
        weight = known / (1 + ((over - fit) / _UNEVEN) ** 2)
    middle = float(np.median(over[known]))
    return np.clip(fit, middle - _ARC, middle + _ARC)


def tooth_likeness(image: np.ndarray, inside: np.ndarray, lips: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Tell teeth from lips, tongue and the dark: they are paler, and in a grey picture brighter.

    Args:
        image: (h, w, 3) uint8 RGB.
        inside: (h, w) bool, pixels between the lips.
        lips: (N, 3) colours of the lips.

    Returns:
        (h, w) float32 0..1 how much each pixel looks like a tooth, and (3,) the colour of the teeth; None where none show.
    """
    if inside.sum() < 12:
        return None
    pale, light = _paleness(image), luminance(image.astype(np.float32))
    both = (pale * light)[inside]
    best = inside & (pale * light >= np.percentile(both, 75))
    white, bright = float(np.median(pale[best])), float(np.median(light[best]))
    lip_pale, lip_light = np.median(_paleness(lips)), np.median(luminance(lips.astype(np.float32)))
    tooth = image[best].mean(0)
    if white - lip_pale > _PALER and bright > _DIM * lip_light:
        like = np.minimum((pale - lip_pale) / (white - lip_pale), light / bright + (0.5 - _DARK))
    elif bright > _BRIGHTER * np.percentile(luminance(lips.astype(np.float32)), 85):
        like = (light - lip_light) / (bright - lip_light)
    else:
        return None
    return np.clip((like - 0.5) / 0.2 + 0.5, 0, 1).astype(np.float32), tooth


def _paleness(colour: np.ndarray) -> np.ndarray:
    """(...) 0 for a pure colour to 1 for grey."""
    return np.asarray((colour.min(-1) + np.float32(4)) / (colour.max(-1) + np.float32(4)))


def _runs(likeness: np.ndarray, colour: np.ndarray, visible: np.ndarray, arch: DentalArch) -> tuple[np.ndarray, np.ndarray]:
    """(C,) first and last row of the upper teeth in each column of a row's picture; equal where there are none."""
    from scipy.ndimage import gaussian_filter, median_filter

    rows = np.arange(likeness.shape[0])[:, None]
    tooth = visible & (likeness > 0.5)
    first = np.where(tooth.any(0), tooth.argmax(0), 0)
    ends = ~tooth & (rows > first)
    last = np.where(ends.any(0), ends.argmax(0), likeness.shape[0]) - 1
    light = gaussian_filter(luminance(colour), (0.5, 0.02 * arch.resolution))
    least = _LEAST_TOOTH * arch.resolution
    for column in np.flatnonzero(last - first > least):
        last[column] = _seam(light[:, column], first[column], last[column])
    last = np.where(last - first > least, last, first)
    smooth = median_filter(last, max(int(0.02 * arch.resolution) | 1, 3))
    return first, np.where(last > first, np.maximum(smooth, first), first)


def _even(last: np.ndarray, known: np.ndarray, arch: DentalArch) -> np.ndarray:
    """(C,) float rows of the biting edges, smooth along the row and carried over gaps."""
    from scipy.ndimage import gaussian_filter1d

    columns = np.arange(len(last))
    return gaussian_filter1d(np.interp(columns, columns[known], last[known]), max(_EVEN * arch.resolution, 0.6))


def _closed(found: np.ndarray, arch: DentalArch) -> np.ndarray:
    """(C,) bool: one stretch of columns, with its gaps, about the midline."""
    from scipy.ndimage import binary_closing, binary_opening, label

    width = np.ones(2 * max(int(_GAP * arch.resolution), 1) + 1, bool)
    closed = binary_opening(binary_closing(np.pad(found, len(width)), width), width)[len(width) : -len(width)]
    parts, count = label(closed)
    return parts == 1 + int(np.argmax([(parts == i + 1).sum() for i in range(count)])) if count else closed


def _seam(light: np.ndarray, first: int, last: int) -> int:
    """The row at which upper teeth end in a column of teeth: at a dark seam in its lower part, or at its end."""
    low = first + int(0.45 * (last - first))
    at = low + int(light[low : last + 1].argmin())
    if at >= last - 1:
        return last
    beside = min(light[first:at].max(initial=0), light[at + 1 : last + 1].max(initial=0))
    return at if light[at] < _VALLEY * beside else last
