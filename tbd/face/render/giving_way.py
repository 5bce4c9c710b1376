"""How strongly muscles pull that pull one piece of skin together: each alone is drawn as it is asked, and what is in excess is given up.

A face has so much skin between nose and lip, and its corners of the mouth go so far below its middle, whatever pulls on them. Needs numpy
alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tbd.face import topology
from tbd.face.channels import BLENDSHAPES
from tbd.utils.tracks import smoothstep

_PHILTRUM = {"Right": (97, 37), "Left": (326, 267)}
"""The skin under each half of the nose, and of the upper lip's edge."""
_SHORTEST = 0.55
"""Of the height of the skin between them so much is left when the lip is raised: what is pressed together further would fold."""
_RAISE = ("mouthUpperUp", "mouthShrugUpper", "noseSneer", "mouthFunnel")
"""Movements that raise the upper lip, and give way together."""
_CORNERS = {"Right": 61, "Left": 291}
_SEAM = (13, 14)
_DROOP = 0.11
"""Inter-ocular distances (10 mm) by which the corners of a mouth go below the middle of its lips at most: frown and shrugs together."""
_BEND = ("mouthFrown", "mouthShrugLower", "mouthShrugUpper")
"""Movements that bend the mouth into an arch, and give way together."""
_EASY = 0.6
"""Up to this share of what the skin may do, it does as it is asked."""
SMILE = [BLENDSHAPES.index(f"mouthSmile{side}") for side in topology.SIDES]
"""The smile of either half, as it lies in the coefficients."""
_SMILE_SLIGHT, _SMILE_HALF, _SMILE_FULL = 1.0, 1.3, 1.15
"""By these factors smiles are drawn larger: slight ones of up to `_SLIGHT` as they come, since speech is full of them and the landmarker
read 0.14 of film as 0.19; clear ones, which were drawn too faint to be named, the most by half; full ones less, as they meet resistance."""
_STRESSED = [BLENDSHAPES.index(name) for name in ("browInnerUp", *(f"{name}{side}" for name in ("browDown", "browOuterUp", "noseSneer")
                                                               for side in topology.SIDES))]  # fmt: skip
_STRESS, _SLIGHT, _HALF, _STRESS_END = 0.5, 0.1, 0.5, 0.4
"""Brows and nose are drawn larger by the first share where they pull by half, by the last less at full strength, and up to the second by
`_SLIGHT_STRESS`. MediaPipe's landmarker reads an inner brow of 0.73 to 0.86 in the median frame of actors who are surprised or afraid; of
drawn ones (eight portraits) it read a quarter, a half, three quarters and the whole as 0.12, 0.27, 0.46 and 0.59."""
_SLIGHT_STRESS = np.where([BLENDSHAPES[at].endswith(("InnerUp", "OuterUpLeft", "OuterUpRight")) for at in _STRESSED], 0.7, 0.0)
"""By this share slight ones are drawn larger: brows that rise are. Of eight filmed people who move them, inner brows go up by 0.012
inter-ocular distances for each 0.1 that is read (as the mesh is tracked); drawn as they came, they went up by 0.006, and nothing was
read."""
_LIDS_UNDER_BROWS = 0.6
"""A brow that is lower than at rest weighs on the lid: of its widening, so much is lost at full strength. One that is raised while it is
drawn together, as in fear, weighs on nothing."""
_INNER_BROW = BLENDSHAPES.index("browInnerUp")
_GATHERED = 0.9
"""Of a brow's pull downwards, so much gives way to what raises the whole brow: in fear it gathers brows that rise. Three afraid people are
read with an inner brow of 0.75, an outer one of 0.48 and none that is lowered (medians of 24 frames); drawn ones, whose pulls cancelled
each other, with 0.14 and 0.08."""
_CHEEKS = 0.55
"""Share by which a nose that wrinkles raises the cheeks: it pulls the skin below the eyes up (FACS, AU9), which its own mode lacks."""
_ROUND = ("mouthPucker", "mouthFunnel")
_WIDEN = {"mouthSmile": 0.85, "mouthStretch": 0.4, "mouthFrown": 0.6}
"""What draws the lips wide or flat, and how much of their rounding it takes at full strength. Lips that smile or frown round their vowels
little: MediaPipe's landmarker reads a pucker of 0.05 at the 95th percentile of 163 frames of film with a full smile, 0.06 of 24 with a
frown, and 0.91 of speech. Models of motion round them as in plain speech, which drew smiles as snarls."""
_RAISED_BY_SMILE = 0.4
"""A smile raises the whole upper lip: of what is asked to raise it beside, so much is in the smile already."""
_WIDENING = np.zeros((len(_WIDEN), len(BLENDSHAPES)), np.float32)
for _row, (_name, _share) in enumerate(_WIDEN.items()):
    for _side in topology.SIDES:
        _WIDENING[_row, BLENDSHAPES.index(f"{_name}{_side}")] = _share / 2


@dataclass(frozen=True)
class _Limit:
    """One piece of skin.

    Args:
        share: (K,) float32, how far each mode uses up what the skin can do.
        giving: The modes that give way.
    """

    share: np.ndarray
    giving: list[int]


class GivingWay:
    """Limits what several movements of one portrait do together.

    Args:
        modes: (K, 478, 3) displacement of each mode at 1, those of the blendshapes first.
        rest: (478, 3) the face's points in its canonical frame.
    """

    def __init__(self, modes: np.ndarray, rest: np.ndarray) -> None:
        self._limits = [_Limit(*pair) for pair in (*_philtrum(modes, rest), *_arch(modes))]

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """Weigh the modes anew.

        Args:
            weights: (K or fewer,) as the motion asks.

        Returns:
            The same with what is in excess given up. What raises both halves of a lip gives way as the tighter one asks.
        """
        yielding = np.ones_like(weights)
        for limit in self._limits:
            yielding[limit.giving] = np.minimum(yielding[limit.giving], limit_share(weights, limit.share, limit.giving))
        return weights * yielding


def respond(blendshapes: np.ndarray) -> np.ndarray:
    """Compute how strongly muscles show, each by its own strength and its opponents'.

    Args:
        blendshapes: (52,) coefficients in 0..1.

    Returns:
        (52,) a copy for `tbd.face.rig.Rig.activations`.
    """
    shown = emphasize(blendshapes)
    for side in topology.SIDES:
        names = ("eyeWide", "browDown", "browOuterUp", "mouthSmile", "mouthUpperUp", "noseSneer", "cheekSquint")
        wide, down, up, smile, raised, nose, cheek = (BLENDSHAPES.index(f"{name}{side}") for name in names)
        shown[down] *= 1 - _GATHERED * min(blendshapes[_INNER_BROW], blendshapes[up])
        shown[wide] *= 1 - _LIDS_UNDER_BROWS * max(blendshapes[down] - blendshapes[_INNER_BROW], 0)
        shown[cheek] += (1 - shown[cheek]) * _CHEEKS * blendshapes[nose]
        shown[raised] *= 1 - _RAISED_BY_SMILE * blendshapes[smile]
    shown[SMILE] *= _smile_gain(blendshapes[SMILE])
    shown[[BLENDSHAPES.index(name) for name in _ROUND]] *= np.prod(1 - _WIDENING @ blendshapes)
    return shown


def _smile_gain(smiles: np.ndarray) -> np.ndarray:
    """By how much smiles, 0..1, are drawn larger."""
    clear, full = smoothstep((smiles - _SLIGHT) / (_HALF - _SLIGHT)), smoothstep((smiles - _HALF) / (1 - _HALF))
    gain: np.ndarray = _SMILE_SLIGHT + (_SMILE_HALF - _SMILE_SLIGHT) * clear + (_SMILE_FULL - _SMILE_HALF) * full
    return gain


def emphasize(blendshapes: np.ndarray) -> np.ndarray:
    """Draw brows and nose of a clear expression larger, since a warp shows less of them than skin that folds.

    Args:
        blendshapes: (52,) coefficients in 0..1.

    Returns:
        (52,) a copy; brows that come down by a little, and a nose, are as they were.

    Example:
        >>> asked = np.zeros(52, np.float32)
        >>> asked[_STRESSED[:4]] = 0.1, 0.5, 0.8, 1.0
        >>> emphasize(asked)[_STRESSED[:4]].round(2).tolist()
        [0.17000000178813934, 0.75, 0.9900000095367432, 1.100000023841858]
    """
    shown = blendshapes.copy()
    asked = blendshapes[_STRESSED]
    clear, full = smoothstep((asked - _SLIGHT) / (_HALF - _SLIGHT)), smoothstep((asked - _HALF) / (1 - _HALF))
    gain = 1 + _SLIGHT_STRESS + (_STRESS - _SLIGHT_STRESS) * clear - _STRESS_END * full
    shown[_STRESSED] = asked * gain
    return shown


def limit_share(weights: np.ndarray, share: np.ndarray, giving: Sequence[int]) -> float:
    """Compute what is left of movements that give way.

    Args:
        weights: (N,) of the modes.
        share: (N or more,) how far each uses up what the skin can do; negative where it makes room.
        giving: The modes that give way.

    Returns:
        0..1.
    """
    total = float(weights @ share[: len(weights)])
    given = float(weights[giving] @ np.maximum(share[giving], 0))
    if total <= _EASY or given <= 0:
        return 1.0
    allowed = _EASY + (1 - _EASY) * np.tanh((total - _EASY) / (1 - _EASY))
    return float(np.clip(1 - (total - allowed) / given, 0, 1))


def _channels(names: Iterable[str], side: str) -> list[int]:
    return [BLENDSHAPES.index(channel) for name in names for channel in (name, name + side) if channel in BLENDSHAPES]


def _philtrum(modes: np.ndarray, rest: np.ndarray) -> Iterable[tuple[np.ndarray, list[int]]]:
    for side, (nose, lip) in _PHILTRUM.items():
        room = (1 - _SHORTEST) * max(float(rest[nose, 1] - rest[lip, 1]), 0.05)
        yield (modes[:, lip, 1] - modes[:, nose, 1]) / np.float32(room), _channels(_RAISE, side)


def _arch(modes: np.ndarray) -> Iterable[tuple[np.ndarray, list[int]]]:
    for side, corner in _CORNERS.items():
        yield (modes[:, _SEAM, 1].mean(1) - modes[:, corner, 1]) / np.float32(_DROOP), _channels(_BEND, side)
