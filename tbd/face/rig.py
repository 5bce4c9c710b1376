"""`Rig`: blendshape coefficients → displacement of the mesh, as pulls of named muscles. Needs numpy alone.

Everything is measured on the face at hand, in its canonical frame (inter-ocular distances; x to the subject's left, y up,
z forwards), so lids close by this face's own opening and lips part where this face's lips meet.
"""

import numpy as np

from tbd.face import topology
from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import NUM_POINTS
from tbd.face.rigging.eyes import eye_shapes
from tbd.face.rigging.mouth import LOWER_LIP_SHARE, WIDTH, close_lips, close_resting_mouth, jaw_shapes, lip_shapes, uncross_lips
from tbd.face.rigging.muscles import DRAWN_PULLS, MUSCLE_PULLS
from tbd.face.rigging.skin import Shape, Skin

EXTRA_MODES = ("restingLips",)
"""What `Rig.modes` holds beyond the 52 blendshapes: closing a mouth that the portrait holds open."""
_AT = {name: i for i, name in enumerate(BLENDSHAPES)}
_FOLD = 0.6
"""Of the room between brow and lid, lowering takes at most this: the rest is skin pressed together."""
_EXTRA = 1.5
"""A smile also bends the lips that its corners draw on: to look undone it must be undone a little further."""
_HELD = 0.7
"""Of what a jaw takes the corners of the mouth down, a full smile holds so much: 15 filmed people who open their mouths without a smile
lower them by 0.046 inter-ocular distances; four who open theirs by 0.08 to 0.25 with one raise them by 0.056, by 0.063 with it alone."""
_LEVEL = -0.012
"""How far the corners of a mouth that does not smile lie above the seam of its lips, in inter-ocular distances: the median of 39 filmed
people at rest (half of them between −0.018 and −0.003); 11 with a slight smile have 0.006."""


class Rig:
    """The muscles of one face.

    Args:
        canonical: (478, 3) this face's points in its canonical frame, `FaceGeometry.canonical`.
        drawn: Whether the face is drawn, and not solved for: see `tbd.face.rigging.muscles.DRAWN_PULLS`.

    Attributes:
        canonical: (478, 3) float64, as given.
        basis: (52, 478, 3) float32 displacement of each blendshape at coefficient 1, in ARKit's order.
        modes: (53, 478, 3) float32, the basis and then `EXTRA_MODES`. ``displace`` is linear in `activations`, which is not
            linear in the coefficients: two lid movements together close an eye no further than shut.

    Raises:
        ValueError: If `canonical` has another shape.

    Example:
        >>> import numpy as np
        >>> rig = Rig(np.random.default_rng(0).normal(size=(478, 3)))
        >>> rig.displace(np.zeros((7, 52))).shape
        (7, 478, 3)
    """

    def __init__(self, canonical: np.ndarray, drawn: bool = False) -> None:
        self.canonical = np.asarray(canonical, np.float64)
        if self.canonical.shape != (NUM_POINTS, 3):
            raise ValueError(f"a face has shape ({NUM_POINTS}, 3), not {self.canonical.shape}")
        skin = Skin(self.canonical)
        eyes, self._lid_closing = eye_shapes(self.canonical, drawn)
        found: list[Shape] = [shape for pull in (*MUSCLE_PULLS, *(DRAWN_PULLS if drawn else ())) for shape in skin.contract(pull)]
        shapes = np.zeros((len(BLENDSHAPES), NUM_POINTS, 3))
        for channel, displacement in [*found, *jaw_shapes(skin), *eyes, *lip_shapes(skin, drawn)]:
            shapes[_AT[channel]] += displacement
        for side in topology.SIDES:
            shapes[_AT[f"browDown{side}"]] *= self._brow_room(shapes[_AT[f"browDown{side}"]], side)
        jaw = shapes[_AT["jawOpen"]]
        shapes[_AT["mouthClose"]] += close_lips(skin, jaw)
        self.modes: np.ndarray = np.concatenate([shapes, close_resting_mouth(skin, jaw)[None]]).astype(np.float32)
        self.basis: np.ndarray = self.modes[: len(BLENDSHAPES)]

    def activations(self, blendshapes: np.ndarray) -> np.ndarray:
        """Turn coefficients into weights of `modes`.

        A blink closes what the gaze, a squint or a widening leaves open, so that eyeBlink = 1 is shut with any of them;
        mouthClose undoes at most the jaw's opening, and closes a mouth that the portrait holds open, as lips pressed or
        rolled together do.

        Args:
            blendshapes: (..., 52) coefficients in 0..1.

        Returns:
            (..., 53) float32 weights.
        """
        b = np.asarray(blendshapes, np.float32)
        out = np.concatenate([b, np.zeros_like(b[..., :1])], -1)
        for side in topology.SIDES:
            closing = self._lid_closing[side]
            closed = sum(share * b[..., _AT[channel]] for channel, share in closing.items())
            out[..., _AT[f"eyeBlink{side}"]] *= 1 - np.minimum(closed, 1)
        # A jaw falls easily at first and meets resistance at the end.
        out[..., _AT["jawOpen"]] *= 1.3 - 0.3 * b[..., _AT["jawOpen"]]
        jaw, close = out[..., _AT["jawOpen"]], b[..., _AT["mouthClose"]]
        out[..., _AT["mouthClose"]] = np.minimum(close * (1.3 - 0.3 * close), jaw)
        press = 0.5 * (b[..., _AT["mouthPressLeft"]] + b[..., _AT["mouthPressRight"]])
        roll = 0.5 * (b[..., _AT["mouthRollLower"]] + b[..., _AT["mouthRollUpper"]])
        shut = np.clip(close * (1.3 - 0.3 * close) / np.maximum(jaw, 0.15), 0, 1)
        out[..., -1] = 1 - (1 - shut) * (1 - np.clip(3 * press, 0, 1)) * (1 - np.clip(3 * roll, 0, 1))
        return out

    def displace(self, blendshapes: np.ndarray) -> np.ndarray:
        """Move the mesh; lips meet and never cross.

        Args:
            blendshapes: (..., 52) coefficients in 0..1.

        Returns:
            (..., 478, 3) float32 displacement in the canonical frame, in inter-ocular distances.
        """
        weights = self.activations(blendshapes)
        moved = np.tensordot(weights, self.modes, 1)
        return uncross_lips(moved + self.canonical.astype(np.float32)) - self.canonical.astype(np.float32)

    def _brow_room(self, lowering: np.ndarray, side: topology.Side) -> float:
        """0..1, how much of a brow's lowering this face has room for before the brow would fold over the lid."""
        brow, lid = list(topology.on_side((53, 52, 65), side)), list(topology.on_side((160, 159, 158), side))
        room = self.canonical[brow, 1].mean() - self.canonical[lid, 1].mean()
        return float(np.clip(_FOLD * room / max(-lowering[brow, 1].mean(), 1e-6), 0.2, 1))


def smile_relaxation(rig: Rig) -> np.ndarray:
    """Take the smile out of a portrait's resting expression.

    Corners at rest lie about level with the seam of the lips; what they are lifted above it is undone along the pull of
    this face's own zygomatic muscles.

    Args:
        rig: The face.

    Returns:
        (478, 3) float32 displacement in inter-ocular distances.
    """
    relaxed = -resting_smile(rig) * _smile(rig)
    right, left = topology.MOUTH_CORNERS
    narrowed = relaxed[right, 0] - relaxed[left, 0]
    spare = rig.canonical[left, 0] - rig.canonical[right, 0] - WIDTH
    relaxed[:, 0] *= np.clip(spare / max(narrowed, 1e-6), 0, 1)  # a mouth that is not wide does not purse
    return relaxed.astype(np.float32)


def resting_smile(rig: Rig) -> float:
    """Measure how strongly a portrait smiles at rest: 0 not at all, 1 as mouthSmile = 1 would make a resting face smile, 1.4 at most."""
    smile, height = _smile(rig)[:, 1], rig.canonical[:, 1]
    corners, seam = list(topology.MOUTH_CORNERS), [13, 14]
    where_lips_meet = [LOWER_LIP_SHARE, 1 - LOWER_LIP_SHARE]
    lift = height[corners].mean() - height[seam] @ where_lips_meet
    gain = smile[corners].mean() - smile[seam] @ where_lips_meet
    return float(np.clip(_EXTRA * (lift - _LEVEL) / max(gain, 1e-3), 0, 1.4))


def held_corners(rig: Rig) -> np.ndarray:
    """Raise the corners of a smiling mouth that a dropping jaw takes down.

    In film, corners of open smiles rise as far as the lip's middle or little less: zygomatic muscles hold them. What is raised is what a
    smile raises beyond the middle of the lip, so lips become straight and do not rise as a whole.

    Args:
        rig: The face.

    Returns:
        (478, 3) float32 displacement in inter-ocular distances, which gives back `_HELD` of what a full opening of the jaw takes.
    """
    smile, jaw = _smile(rig)[:, 1], rig.basis[_AT["jawOpen"]][:, 1]
    corners = list(topology.MOUTH_CORNERS)
    middle, most = float(smile[13]), float(smile[corners].mean())
    held = np.zeros_like(rig.canonical, np.float32)
    share = np.clip((smile - middle) / max(most - middle, 1e-3), 0, 1)
    held[:, 1] = -_HELD * jaw[corners].mean() * share
    return held


def _smile(rig: Rig) -> np.ndarray:
    """(478, 3) displacement of both sides' smile at coefficient 1."""
    return rig.basis[[_AT["mouthSmileLeft"], _AT["mouthSmileRight"]]].sum(0)
