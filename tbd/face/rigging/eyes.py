"""Lids and eyeballs of one face: blinking, squinting, widening, and gaze. Needs numpy alone."""

import numpy as np

from tbd.face import topology
from tbd.face.geometry import NUM_POINTS, mean_face
from tbd.face.rigging.skin import Shape

EYEBALL_RADIUS = 0.135
"""12 mm in inter-ocular distances."""
GAZE = {"Out": (0.5, 0.0), "In": (-0.5, 0.0), "Up": (0.0, 0.42), "Down": (0.0, -0.48)}
"""(outwards, up): radians that the eyeball turns at coefficient 1."""
SHUT = 0.055
"""Openings of an eye, over its width, below which it is closed: of 186 faces of the shared portraits and of stills those have it whose
eyes are closed, and one that is too blurred to tell."""
LID_UPPER_SHARE = 0.86
"""Of a blink the upper lid travels this share, the lower lid the rest."""
_SHUT_AT = (0.0, 0.12, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
_SHUT_SAG = (0.05, -0.16, -0.07, 0.2, 0.48, 0.65, 0.72, 0.7, 0.6)
"""Where the lids of a drawn face meet, from the corner at the nose to the one at the temple: below the line between the corners, in what
the open eye's lower lid hangs below it. Medians of 186 shut eyes of film (93 blinks) beside the same eyes open."""
_SAGS = (0.06, 0.15)
"""That sag of the lower lid in widths of the eye, at least and at most; 0.105 at the median."""
_TEMPLE = ((33, 1.0), (130, 0.8), (226, 0.35))
"""Mesh points about the corner at the temple, on the subject's right, and their shares of its way down."""
LID_FOLLOWS = {"Down": (-0.5, -0.12), "Up": (0.2, 0.06)}
"""How the lids (upper, lower) go with the gaze, in openings of this eye."""
LID_SQUINT = (-0.14, 0.36)
"""How the lids (upper, lower) go with a squint, in openings of this eye."""
LID_FOLLOWS_DRAWN = {"Down": (-0.75, -0.1), "Up": (0.45, 0.05)}
LID_SQUINT_DRAWN = (-0.24, 0.3)
"""The same where a face is drawn: of 50 filmed people the upper lid goes twice as far as the iris, downwards and upwards, and a squint
lowers it as well; see `tbd.face.rigging.muscles.DRAWN_PULLS`."""
LID_WIDE = (0.058, -0.01)
"""eyeWide in inter-ocular distances where the eye is widest; the other lid movements are shares of its opening."""
WHITE_OVER_IRIS, LID_WIDE_DRAWN = 0.024, (0.038, 0.056)
"""Where a face is drawn, the upper lid rises until so much white shows over the iris, at least and at most by the others. Of two actors of
MEAD who are afraid and surprised, eyes are open by 0.116 to 0.134 (0.14 at most), of actors who are not by 0.09 to 0.1, and white is seen
all round the iris; by 0.058 on every face, eyes that are wide at rest became grotesque."""


def eye_shapes(canonical: np.ndarray, drawn: bool = False) -> tuple[list[Shape], dict[topology.Side, dict[str, float]]]:
    """Build the blendshapes of the lids (orbicularis oculi, levator palpebrae) and of the eyeballs, whose six muscles are two angles.

    Args:
        canonical: (478, 3) the face's points in its canonical frame.
        drawn: As for `tbd.face.rig.Rig`.

    Returns:
        The shapes, and for each side how far each channel but the blink closes the eye at coefficient 1, in openings of the eye.
    """
    shapes: list[Shape] = []
    closing: dict[topology.Side, dict[str, float]] = {}
    for side in topology.SIDES:
        top, bottom = topology.on_side(topology.EYE_TOP[1:-1], side), topology.on_side(topology.EYE_BOTTOM[1:-1], side)
        gap = np.zeros((len(top), 3))
        gap[:, 1:] = (canonical[list(top)] - canonical[list(bottom)])[:, 1:]
        widest = max(gap[:, 1].max(), 0.02)
        meet = _closed_line(canonical, side, drawn)
        blink = _move_lids(side, gap * (meet - 1)[:, None], gap * meet[:, None])
        if drawn:
            blink += _lower_temple(canonical, side)
        shapes.append((f"eyeBlink{side}", blink))
        shares = {"eyeSquint": LID_SQUINT_DRAWN if drawn else LID_SQUINT}
        rise = _rise(canonical, side) if drawn else LID_WIDE[0]
        shares["eyeWide"] = (rise / widest, LID_WIDE[1] / widest)
        shares |= {f"eyeLook{way}": share for way, share in (LID_FOLLOWS_DRAWN if drawn else LID_FOLLOWS).items()}
        shapes += [(f"{name}{side}", _move_lids(side, upper * gap, lower * gap)) for name, (upper, lower) in shares.items()]
        closing[side] = {f"{name}{side}": low - up for name, (up, low) in shares.items()}
        shapes += [(f"eyeLook{way}{side}", _turn_eyeball(side, *angles)) for way, angles in GAZE.items()]
    return shapes, closing


def eye_openness(canonical: np.ndarray, side: topology.Side) -> float:
    """Measure how far the lids of one eye are apart.

    Args:
        canonical: (478, 3) the face's points in its canonical frame.
        side: The subject's own.

    Returns:
        The opening over the width of the eye: 0.31 on the mean face, less than `SHUT` where the eye is closed.
    """
    top, bottom = (canonical[list(topology.on_side(ids, side))] for ids in (topology.EYE_TOP, topology.EYE_BOTTOM))
    return float((top[3:6, 1] - bottom[3:6, 1]).mean() / max(float(np.linalg.norm(top[0] - top[-1])), 1e-6))


def open_shut_eyes(canonical: np.ndarray) -> np.ndarray | None:
    """Open the eyes of a face that is at rest with its eyes closed.

    Args:
        canonical: (478, 3) the face's points in its canonical frame.

    Returns:
        (478, 3) displacement to eyes as open as the mean face's; None where the eyes are not both closed.
    """
    if max(eye_openness(canonical, side) for side in topology.SIDES) > SHUT:
        return None
    opened = np.zeros((NUM_POINTS, 3))
    for side in topology.SIDES:
        top, bottom, iris = (list(topology.on_side(ids, side)) for ids in (topology.EYE_TOP, topology.EYE_BOTTOM, topology.IRIS))
        mean = mean_face()
        width = np.linalg.norm(canonical[top[0]] - canonical[top[-1]]) / np.linalg.norm(mean[top[0]] - mean[top[-1]])
        gap = np.maximum((mean[top] - mean[bottom])[1:-1, 1] * width - (canonical[top] - canonical[bottom])[1:-1, 1], 0)
        upper, lower = np.zeros((2, len(gap), 3))
        upper[:, 1], lower[:, 1] = LID_UPPER_SHARE * gap, (LID_UPPER_SHARE - 1) * gap
        opened += _move_lids(side, upper, lower)
        middle = (canonical[top] + canonical[bottom])[4] / 2 + (upper + lower)[3] / 2
        opened[iris, 1] = middle[1] + 0.08 * gap.max() - canonical[iris[0], 1]
        opened[iris, 0] = middle[0] - canonical[iris[0], 0]
    return opened


def _rise(canonical: np.ndarray, side: topology.Side) -> float:
    """Inter-ocular distances by which the upper lid of a drawn eye rises at eyeWide 1."""
    lid, iris = (canonical[list(topology.on_side(ids, side)), 1] for ids in (topology.EYE_TOP[3:6], topology.IRIS))
    return float(np.clip(iris.max() + WHITE_OVER_IRIS - lid.mean(), *LID_WIDE_DRAWN))


def _closed_line(canonical: np.ndarray, side: topology.Side, drawn: bool = False) -> np.ndarray:
    """(7,) where closed lids meet, in openings above the lower lid: on one smooth arc between the corners of the eye."""
    top, bottom = (canonical[list(topology.on_side(ids, side))] for ids in (topology.EYE_TOP, topology.EYE_BOTTOM))
    start, end = bottom[0], bottom[-1]
    along = (bottom[1:-1, 0] - start[0]) / (end[0] - start[0])
    line = start[1] + along * (end[1] - start[1])
    opening = np.maximum(top[1:-1, 1] - bottom[1:-1, 1], 1e-3)
    if drawn:
        arc = line - _sag(canonical, side) * np.interp(1 - along, _SHUT_AT, _SHUT_SAG)
        return np.clip((arc - bottom[1:-1, 1]) / opening, -0.4, 0.5)
    least = bottom[1:-1, 1] + (1 - LID_UPPER_SHARE) * opening
    sag = np.clip(line - least, 0, None).max()
    arc = line - sag * np.clip(4 * along * (1 - along), 0, 1)
    return np.clip((arc - bottom[1:-1, 1]) / opening, 1 - LID_UPPER_SHARE, 0.5)


def _sag(canonical: np.ndarray, side: topology.Side) -> float:
    """How far the lower lid hangs below the line between the corners of its eye."""
    bottom = canonical[list(topology.on_side(topology.EYE_BOTTOM, side)), :2]
    along = (bottom[:, 0] - bottom[0, 0]) / (bottom[-1, 0] - bottom[0, 0])
    below = float((bottom[0, 1] + along * (bottom[-1, 1] - bottom[0, 1]) - bottom[:, 1]).max())
    return float(np.clip(below / np.linalg.norm(bottom[-1] - bottom[0]), *_SAGS) * np.linalg.norm(bottom[-1] - bottom[0]))


def _lower_temple(canonical: np.ndarray, side: topology.Side) -> np.ndarray:
    """(478, 3) displacement of an eye's corner at the temple, and of the skin beside it, when the eye shuts."""
    moved = np.zeros((NUM_POINTS, 3))
    drop = _sag(canonical, side) * _SHUT_SAG[-1]
    for point, share in _TEMPLE:
        moved[list(topology.on_side((point,), side)), 1] = -share * drop
    return moved


def _turn_eyeball(side: topology.Side, out: float, up: float) -> np.ndarray:
    """(478, 3) displacement of the iris on an eyeball that turns by two angles in radians."""
    outwards = topology.outwards(side)
    turn = np.zeros((NUM_POINTS, 3))
    iris = list(topology.on_side(topology.IRIS, side))
    turn[iris] = EYEBALL_RADIUS * np.array([outwards * np.sin(out), np.sin(up), np.cos(out) * np.cos(up) - 1])
    return turn


def _move_lids(side: topology.Side, upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """(478, 3) from the (7, 3) travel of each lid's edge; the rows of skin beside it follow less and less."""
    moved = np.zeros((NUM_POINTS, 3))
    moved[list(topology.on_side(topology.EYE_TOP[1:-1], side))] = upper
    moved[list(topology.on_side(topology.EYE_BOTTOM[1:-1], side))] = lower
    for rows, edge, follows in ((topology.UPPER_LID_ROWS, upper, (0.5, 0.1)), (topology.LOWER_LID_ROWS, lower, (0.7, 0.3))):
        for row, follow in zip(rows, follows):
            moved[list(topology.on_side(row, side))] = follow * edge
    return moved
