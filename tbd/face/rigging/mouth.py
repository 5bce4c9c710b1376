"""Jaw and lips of one face: opening, closing, pressing, rolling. Needs numpy alone."""

from collections.abc import Sequence

import numpy as np

from tbd.face import topology
from tbd.face.geometry import NUM_POINTS, mean_face
from tbd.face.rigging.muscles import Part
from tbd.face.rigging.skin import Shape, Skin
from tbd.utils.tracks import smoothstep

JAW_ANGLE = 0.43
"""Radians that the jaw swings about its condyles at jawOpen = 1: incisors about 45 mm apart."""
JAW_LENGTH = 0.95
"""The condyles' distance behind the chin (85 mm); the mesh is too flat towards the ears to tell."""
JAW_GLIDE = np.array([-0.02, 0.08])
"""(up, forwards): how far the condyles glide along the skull at jawOpen = 1."""
JAW = ("jawOpen", "jawForward", "jawLeft", "jawRight")
_JAW_SHIFTS = ((0, 0, 0.1), (0.1, 0, 0), (-0.1, 0, 0))
"""Of the last three at coefficient 1."""
LOWER_LIP_SHARE = 0.7
"""Of the way between parted lips the lower lip goes this share when they close."""
_ROLLED, _ROLLED_DRAWN = (0.55, 0.25), (0.75, 0.3)
"""Of a rolled lip's height its skin edge and its inner contour go so far towards the inner contour; and where it is drawn."""
PRESS_RAISES = 0.03
"""Lips press with the lower one: it rises so far, and takes the seam along (132 people, by MediaPipe's landmarker: 0.06 to 0.1)."""
SEAL = 0.025
"""How far lips that close over a smile press into each other, so that no tooth shows between them."""
WIDTH = 0.53
"""Width of a mouth that does not smile, in inter-ocular distances (0.55 on the mean face)."""
_LIPS_ALONE = 0.09
"""Inter-ocular distances by which lips rest parted over teeth that meet; what a portrait's mouth is open beyond is its jaw's."""
_TOP, _BOTTOM = list(topology.LIP_TOP[1:-1]), list(topology.LIP_BOTTOM[1:-1])
_LIPS: tuple[tuple[tuple[tuple[int, ...], ...], Part], ...] = ((topology.UPPER_LIP_ROWS, "upper"), (topology.LOWER_LIP_ROWS, "lower"))


def jaw_displacement(canonical: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Displace points that the jaw carries as one piece: a hinge that glides.

    Args:
        canonical: (478, 3) the face's points in its canonical frame.
        points: (N, 3) canonical places on the jaw.

    Returns:
        (4, N, 3) displacements in inter-ocular distances, of each channel of `JAW` at coefficient 1.
    """
    hinge = canonical[[234, 93, 454, 323]].mean(0)
    hinge[2] = canonical[152, 2] - JAW_LENGTH
    arm = points - hinge
    c, s = np.cos(JAW_ANGLE), np.sin(JAW_ANGLE)
    swing = np.stack([np.zeros(len(points)), c * arm[:, 1] - s * arm[:, 2], s * arm[:, 1] + c * arm[:, 2]], 1)
    swing[:, 1:] += JAW_GLIDE - arm[:, 1:]
    return np.stack([swing, *(np.broadcast_to(np.array(shift), swing.shape) for shift in _JAW_SHIFTS)])


def jaw_shapes(skin: Skin) -> list[Shape]:
    """Build the blendshapes of the jaw."""
    weight = (skin.jaw * skin.mobility)[:, None]
    return list(zip(JAW, jaw_displacement(skin.canonical, skin.canonical) * weight))


def lip_shapes(skin: Skin, drawn: bool = False) -> list[Shape]:
    """Build the blendshapes of orbicularis oris: lips thin against each other (press) or turn inwards over the teeth (roll).

    Args:
        skin: The face.
        drawn: As for `tbd.face.rig.Rig`.

    Returns:
        The shapes.
    """
    corners = skin.canonical[list(topology.MOUTH_CORNERS)]
    half = np.abs(corners[1, 0] - corners[0, 0]) / 2 + 1e-6
    across = (skin.canonical[:, 0] - corners[:, 0].mean()) / half
    leftness = smoothstep((across + 0.6) / 1.2)[:, None]
    upper, lower = (_thin(skin, rows, part, *(_ROLLED_DRAWN if drawn else _ROLLED)) for rows, part in _LIPS)
    pressed = _thin(skin, *_LIPS[0], 0.42, 0.12) + _thin(skin, *_LIPS[1], 0.42, 0.12)
    pressed[:, 2] -= 0.02 * skin.falloff(topology.LIP_TOP, 0.2)
    if drawn:
        lip = topology.LOWER_LIP_ROWS[0][1:-1]
        pressed += skin.drag(lip, np.tile([0.0, PRESS_RAISES, 0.0], (len(lip), 1)), 0.25, "lower")
    return [
        ("mouthRollUpper", upper),
        ("mouthRollLower", lower),
        ("mouthPressLeft", pressed * leftness),
        ("mouthPressRight", pressed * (1 - leftness)),
    ]


def _thin(skin: Skin, rows: Sequence[Sequence[int]], part: Part, outer: float, inner: float) -> np.ndarray:
    """(478, 3): the lip's skin edge comes `outer` of the lip's height towards its inner contour, which goes `inner` on."""
    height = skin.canonical[list(rows[-1])] - skin.canonical[list(rows[0])]
    height[:, 0] = 0
    moved = skin.drag(rows[0][1:-1], outer * height[1:-1], 0.16, part)
    for place, row in enumerate(rows):
        share = outer + (inner - outer) * place / (len(rows) - 1)
        moved[list(row[1:-1])] = share * height[1:-1]
    return moved


def close_lips(skin: Skin, opening: np.ndarray) -> np.ndarray:
    """Bring lips together that a movement has parted.

    Args:
        skin: The face.
        opening: (478, 3) the movement's displacement.

    Returns:
        (478, 3) displacement that takes back what `opening` parts the inner contours by.
    """
    return _bring_together(skin, opening[_TOP] - opening[_BOTTOM])


def close_resting_mouth(skin: Skin, jaw: np.ndarray) -> np.ndarray:
    """Close a mouth that is open in the portrait itself: a dropped jaw rises first, then the lips meet.

    Args:
        skin: The face.
        jaw: (478, 3) displacement of jawOpen at 1.

    Returns:
        (478, 3) displacement.
    """
    gap = skin.canonical[_TOP] - skin.canonical[_BOTTOM]
    gap[gap[:, 1] < 0] = 0
    dropped = resting_jaw_drop(skin.canonical, jaw)
    gap -= dropped * (jaw[_TOP] - jaw[_BOTTOM])
    lips = _bring_together(skin, gap * (1 + SEAL / max(gap[:, 1].max(), SEAL)))
    return lips + dropped * (_even_out(skin) - jaw)


def resting_jaw_drop(canonical: np.ndarray, jaw: np.ndarray) -> float:
    """Estimate how far the jaw hangs in the portrait itself.

    Args:
        canonical: (478, 3) the face's points in its canonical frame.
        jaw: (478, 3) displacement of jawOpen at 1.

    Returns:
        0..1, as a share of `jaw`.
    """
    gap = (canonical[_TOP] - canonical[_BOTTOM])[:, 1]
    widest = int(gap.argmax())
    opening = (jaw[_TOP] - jaw[_BOTTOM])[widest, 1]
    return float(np.clip((gap[widest] - _LIPS_ALONE) / max(opening, 1e-6), 0, 1))


def _even_out(skin: Skin) -> np.ndarray:
    """(478, 3) that gives a gaping mouth back its width and spaces the points of both lips along it as on the mean face.

    The lower lip of a gaping mouth hangs like a U; laid straight, its steep sides need room.
    """
    right, left = topology.MOUTH_CORNERS
    start, end = skin.canonical[[right, left], 0]
    wider = max(WIDTH - (end - start), 0) / 2
    rest = mean_face()[:, 0].astype(np.float64)
    share = (rest - rest[right]) / (rest[left] - rest[right])
    target = start - wider + share * (end - start + 2 * wider)
    moved = np.zeros((NUM_POINTS, 3))
    for rows, part in _LIPS:
        inner = list(rows[-1])
        aside = np.zeros((len(inner), 3))
        aside[:, 0] = target[inner] - skin.canonical[inner, 0]
        moved += skin.drag(rows[0], aside, 0.3, part)
        for row in rows:
            moved[list(row)] = aside
    return moved


def _bring_together(skin: Skin, gap: np.ndarray) -> np.ndarray:
    """(478, 3) that takes the (9, 3) `gap` between the inner contours; each lip moves whole, the skin follows."""
    gap = gap * [0, 1, 1]
    travels = (-(1 - LOWER_LIP_SHARE) * gap, LOWER_LIP_SHARE * gap)
    moved = np.zeros((NUM_POINTS, 3))
    for (rows, part), travel in zip(_LIPS, travels):
        moved += skin.drag(rows[0][1:-1], travel, 0.3, part)
    for (rows, _), travel in zip(_LIPS, travels):
        for row in rows:
            moved[list(row[1:-1])] = travel
    return moved


def inner_lip_gap(points: np.ndarray) -> np.ndarray:
    """Measure the opening between the inner contours of the lips, corners left out.

    Args:
        points: (..., 478, 3) mesh points, y up.

    Returns:
        (..., 9) in the unit of the points, negative where the contours cross; of pixels (y down) the sign is turned.
    """
    return points[..., _TOP, 1] - points[..., _BOTTOM, 1]


def uncross_lips(points: np.ndarray) -> np.ndarray:
    """Bring inner contours of the lips that have crossed to their middle.

    Args:
        points: (..., 478, 3) canonical points.

    Returns:
        A copy in which lips meet and never cross.
    """
    crossed = np.minimum(inner_lip_gap(points), 0)
    points = points.copy()
    points[..., _TOP, 1] -= crossed / 2
    points[..., _BOTTOM, 1] += crossed / 2
    return points
