"""`NeuralMeshRenderer`: the mesh warp, its mouth finished by a network."""

import os

import numpy as np
import torch
from torch import Tensor

from tbd.draw.checkpoint import read_state
from tbd.draw.mouth.network import MouthUNet
from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry
from tbd.face.render.mouth.crop import OPEN, MouthCrop, lip_gap, mouth_mask
from tbd.face.render.renderer import MeshWarpRenderer, PreparedPortrait
from tbd.face.render.warp import PortraitWarper

_PREFIX = "network."
_FADES = 0.02
"""Beyond `OPEN`, over so many distances between the eyes, the network takes over from what is painted."""


class NeuralMeshRenderer(MeshWarpRenderer):
    """Warps the portrait and lets a network finish the inside of the mouth.

    Identity, geometry and sharpness are the warp's; the network, trained by `tbd.draw.mouth.refiner.MouthRefiner`, knows how video shows
    teeth and tongue. No weights ship with tbd.

    Args:
        weights: A checkpoint of such a run, or a .safetensors file with its network alone.
        strength: 0..1, how much of what the network makes is shown.
        neutralize: As for `MeshWarpRenderer`, like all that follow.
        shading: Likewise.
        workers: Likewise.
        close_lips: Likewise.
        open_eyes: Likewise.

    Raises:
        InputError: If the weights cannot be read or are another network's, or an option is out of its range.
    """

    def __init__(
        self,
        weights: str | os.PathLike,
        strength: float = 1.0,
        neutralize: float = 0.0,
        shading: float = 1.0,
        workers: int = 2,
        close_lips: float = 0.0,
        open_eyes: float = 0.0,
    ) -> None:
        super().__init__(neutralize, shading, workers, close_lips, open_eyes)
        if not 0 <= strength <= 1:
            raise InputError(f"strength must lie between 0 and 1, not {strength}.")
        self.strength = strength
        self.network = load_network(weights).eval().requires_grad_(False)

    def prepare(self, face: FaceGeometry) -> PreparedPortrait:
        """Prepare a portrait once for all its frames; see `MeshWarpRenderer.prepare`.

        Args:
            face: The portrait.

        Returns:
            Draws a frame, in any order and from several threads.
        """
        picture = face.without_margin()
        return PreparedPortrait(face, _FinishedWarper(self._warper(picture), picture, self.network, self.strength))


class _FinishedWarper:
    """A portrait's warper whose frames have their mouths finished."""

    def __init__(self, warper: PortraitWarper, face: FaceGeometry, network: MouthUNet, strength: float) -> None:
        self._warper, self._face, self._network, self._strength = warper, face, network, strength
        self._reference = _picture(MouthCrop.of(face.points, face.scale).cut(face.image))

    def draw(self, values: np.ndarray, neutralize: float | None = None) -> np.ndarray:
        """Draw one frame; see `PortraitWarper.draw`."""
        frame = self._warper.draw(values, neutralize)
        points = self._warper.mesh(values, neutralize)
        takes_over = float(np.clip((lip_gap(points, self._face.scale) - OPEN) / _FADES, 0, 1))
        if takes_over > 0 and self._strength > 0:
            crop = MouthCrop.of(points, self._face.scale)
            mask = mouth_mask(points, crop, frame.shape)
            given = torch.cat([_picture(crop.cut(frame)), torch.from_numpy(mask)[None, None], self._reference], 1)
            with torch.inference_mode():
                finished = self._network(given)[0].permute(1, 2, 0)
            crop.paste(frame, (finished.clamp(-1, 1).numpy() + 1) * 127.5, mask * (takes_over * self._strength))
        return frame


def load_network(weights: str | os.PathLike) -> MouthUNet:
    """Load the network of a run of `MouthRefiner`.

    Args:
        weights: A checkpoint, or a .safetensors file with the network alone.

    Returns:
        The network, of the width and depth that its weights have.

    Raises:
        InputError: If the file cannot be read or holds another network.
    """
    try:
        found = read_state(weights)
    except InputError as error:
        raise InputError(f"No weights of a mouth's network can be read from {weights}. {error}") from error
    run = {name.removeprefix(_PREFIX): tensor for name, tensor in found.items() if name.startswith(_PREFIX)}
    state = run or found
    try:
        width, levels = len(state["proj_in.weight"]), len({name.split(".")[1] for name in state if name.startswith("down.")})
        network = MouthUNet(width, levels)
        network.load_state_dict(state)
    except (KeyError, RuntimeError):
        raise InputError(
            f"{weights} holds other weights than those of a mouth's network, which `tbd fit` of a MouthRefiner writes."
        ) from None
    return network


def _picture(crop: np.ndarray) -> Tensor:
    """(1, 3, 128, 128), −1..1."""
    return torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 127.5 - 1
