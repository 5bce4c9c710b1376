"""`ShownExpression`: what a portrait's face does for the coefficients of a frame, in its own modes."""

import numpy as np

from tbd.face import topology
from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import NUM_POINTS, FaceGeometry
from tbd.face.render.giving_way import SMILE, GivingWay, respond
from tbd.face.render.head import limit_to_outline
from tbd.face.rig import Rig, held_corners, resting_smile, smile_relaxation
from tbd.face.rigging.eyes import open_shut_eyes
from tbd.face.rigging.mouth import JAW, resting_jaw_drop

_TOO_SOFT = 0.03
"""Inter-ocular distances of blur beyond which nobody can tell whether eyes are shut."""
_OVERLAP = 0.006, 0.01
"""How far a closed upper lid reaches down and a lower one up under it, so that it hides its wet rim; in inter-ocular distances."""
_CONTRARY = np.zeros((len(BLENDSHAPES), 4), np.float32)
"""Movements that a smile gives way to, in groups of those that go together, with how much of it full strength ends."""
for _group, _names in enumerate(
    (
        {"mouthFrownLeft": 0.25, "mouthFrownRight": 0.25, "mouthPucker": 0.8, "mouthFunnel": 0.6},
        {"mouthPressLeft": 0.5, "mouthPressRight": 0.5, "mouthRollLower": 0.3, "mouthRollUpper": 0.3},
        {"mouthStretchLeft": 0.35, "mouthStretchRight": 0.35, "noseSneerLeft": 0.4, "noseSneerRight": 0.4},
        {"browDownLeft": 0.35, "browDownRight": 0.35, "browInnerUp": 0.5, "eyeWideLeft": 0.15, "eyeWideRight": 0.15},
    )
):
    for _name, _share in _names.items():
        _CONTRARY[BLENDSHAPES.index(_name), _group] = _share
_LIP_GAINS = {"mouthUpperUp": 1.4, "mouthLowerDown": 1.3, "mouthFunnel": 1.45}
"""Movements of the lips that a warped picture shows less of than a face does: by these factors they are drawn larger."""
_LOWER_FACE = ("mouth", "jaw", "cheek", "tongue", "noseSneer")
"""Beginnings of the names of what a mask lies over."""
_JAW = [BLENDSHAPES.index(name) for name in JAW]
_WORN = 0.45
"""A portrait that smiles already has corners that can rise less: of a full smile so much is in it."""


class ShownExpression:
    """The movements of one portrait, and how far each goes in a frame.

    Args:
        face: The portrait.
        neutralize: As for `MeshWarpRenderer`.
        close_lips: As for `MeshWarpRenderer`.
        open_eyes: As for `MeshWarpRenderer`.
        blur: Pixels (standard deviation) by which the portrait is softer than a sharp one.
    """

    def __init__(self, face: FaceGeometry, neutralize: float, close_lips: float, open_eyes: float, blur: float) -> None:
        self.rest = face.canonical.astype(np.float64)
        """(478, 3) the mesh as it is in the portrait, in the head's frame."""
        self.neutralize, self._close_lips = np.float32(neutralize), np.float32(close_lips)
        opened = open_shut_eyes(face.canonical) if open_eyes > 0 and blur < _TOO_SOFT * face.scale else None
        self.opened = None if opened is None else opened * open_eyes
        """(478, 3) what opens eyes that the portrait shuts; None where they are open, or where nobody can tell."""
        # Lids blink, squint and follow the gaze by the opening that they have once they are open.
        self.rig = Rig(face.canonical if self.opened is None else face.canonical + self.opened, drawn=True)
        # a smile that is drawn also straightens the lips; letting one go must not bend them
        plain = Rig(self.rig.canonical)
        self.smiling = np.float32(min(resting_smile(plain), 1))
        """0..1, how much of a full smile the portrait has."""
        modes = [
            self.rig.modes,
            smile_relaxation(plain)[None],
            np.zeros((1, NUM_POINTS, 3)) if self.opened is None else self.opened[None],
            held_corners(self.rig)[None],
        ]
        self.modes = np.concatenate(modes).astype(np.float32)
        """(56, 478, 3) displacements of the mesh at full weight."""
        for side in topology.SIDES if self.opened is None else ():  # lids that are shut in the portrait meet where they lie
            blink = self.modes[BLENDSHAPES.index(f"eyeBlink{side}")]
            for lid, overlap in ((topology.EYE_TOP, -_OVERLAP[0]), (topology.EYE_BOTTOM, _OVERLAP[1])):
                blink[list(topology.on_side(lid[1:-1], side)), 1] += overlap
        for name, gain in _LIP_GAINS.items():
            for channel in (name, f"{name}Left", f"{name}Right"):
                if channel in BLENDSHAPES:
                    self.modes[BLENDSHAPES.index(channel)] *= gain
        self.modes = limit_to_outline(self.modes, face)
        self.held: list[int] = []
        """The blendshapes that nothing is seen of."""
        self._give_way = GivingWay(self.modes, self.rest)
        self._jaw_drop = resting_jaw_drop(self.rest, self.rig.basis[_JAW[0]])

    def hold(self, eyes: bool = False, mouth: bool = False) -> None:
        """Let parts of the face not move that the portrait does not show, and what covers them neither.

        Args:
            eyes: Behind tinted glasses.
            mouth: Behind a mask, a scarf or a hand.
        """
        parts = ("eye",) * eyes + _LOWER_FACE * mouth
        self.held = [i for i, name in enumerate(BLENDSHAPES) if parts and name.startswith(parts)]
        self.modes[self.held] = 0
        if mouth:
            self.modes[len(BLENDSHAPES) : -2], self.modes[-1] = 0, 0  # all that follow but eyes that are opened

    def weights(self, blendshapes: np.ndarray, neutralize: np.float32 | None = None) -> np.ndarray:
        """Compute the weights of the rig's modes (the last closes parted lips), and of those that follow.

        These are the smile let go, shut eyes that are open, and corners of the mouth that a smile holds. The resting smile gives way as
        far as `neutralize` says, and to movements that no smiling face makes; parted lips close as far as it does, or as `close_lips` says.

        Args:
            blendshapes: (52,) coefficients of a frame.
            neutralize: 0..1, instead of the portrait's own in this frame.

        Returns:
            (56,) float32.
        """
        neutralize = self.neutralize if neutralize is None else neutralize
        weights = self._give_way(self.rig.activations(respond(blendshapes)))
        contrary = 1 - np.prod(1 - np.clip(blendshapes @ _CONTRARY, 0, 1))
        yields = neutralize + (1 - neutralize) * contrary
        weights[-1] += (1 - weights[-1]) * max(yields, self._close_lips)
        held = weights[_JAW[0]] * blendshapes[SMILE].mean()
        weights[SMILE] *= 1 - _WORN * self.smiling * (1 - yields)
        return np.append(weights, np.array([yields, 1, held], np.float32))

    def jaw_weights(self, weights: np.ndarray) -> np.ndarray:
        """Compute how far the jaw is opened and shifted from where the teeth meet.

        Args:
            weights: (56,) as `weights` returns them.

        Returns:
            (4,).
        """
        jaw = weights[_JAW].astype(np.float64)
        jaw[0] += self._jaw_drop * (1 - weights[len(BLENDSHAPES)])  # what it hangs in the portrait, closing resting lips takes back
        return jaw

    def shape(self, weights: np.ndarray) -> np.ndarray:
        """Compute the mesh without its pose: (478, 3) in the head's frame, from (56,) weights."""
        mesh: np.ndarray = self.rest + np.tensordot(weights, self.modes, 1)
        return mesh
