"""Faces at rest: what a face looks like that expresses nothing, and how far people differ in it. Needs numpy alone.

One picture cannot distinguish low brows from lowered ones. But people differ in known ways and by known amounts, and muscles pull in
others: what a face has that people seldom have and that muscles often do is an expression.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import NUM_POINTS, remove_pose
from tbd.face.rig import Rig

AVERAGE = "average"
"""Names the average resting face as what coefficients are measured against."""
CLIP = "clip"
"""Names the clip's own resting frames."""

_SKIN = 468
"""Points before those of the irises."""
_NOISE = 0.03
"""Standard deviation of one point of a tracked face that none of the modes explains, in inter-ocular distances."""
_WARP, _WARP_REACH = 0.012, 0.2
"""Standard deviation and reach of smooth differences beyond the modes, such as how our muscles differ from real ones."""
_SAME_PERSON = 0.5
"""Two recordings of one person at rest differ by this part of what two people differ by (measured on tracked recordings)."""
_ROUNDS, _SWEEPS = 2, 100
_RIDGE = 0.5
_ODDS = {
    "mouthFunnel": 12.0, "mouthPucker": 12.0, "cheekPuff": 20.0, "mouthShrug": 8.0, "mouthRoll": 10.0, "mouthPress": 3.0,
    "noseSneer": 2.0, "mouthStretch": 8.0, "mouthDimple": 8.0, "jaw": 4.0, "mouthLeft": 4.0, "mouthRight": 4.0,
    "mouthUpperUp": 6.0, "mouthLowerDown": 8.0, "mouthFrown": 0.5, "mouthSmile": 0.1, "eyeWide": 2.0, "cheekSquint": 0.8,
    "brow": 0.6, "eyeSquint": 0.6,
}  # fmt: skip
"""How much must speak for a held expression, by the start of a channel's name (the longest that fits; 1 for others): in units of
log likelihood at coefficient 1. Noise and odds were set on recordings of half of the people, against MediaPipe's landmarker."""
_NEVER = ("eyeLook", "jawForward", "tongueOut", "mouthClose")
"""A gaze is no expression, the jaw's thrust and the tongue cannot be seen in the picture plane, and closed lips are at rest."""


@dataclass(frozen=True)
class NeutralFace:
    """A person at rest, as a tracker measures them.

    Args:
        face: (478, 3) in inter-ocular distances, as `FaceGeometry.canonical`.
        blendshapes: (52,) coefficients that the tracker's model estimates for it, zeros where it estimates none.
        source: What results call it, usually a file's name.
        appearance: (8,) what it looks like in its more expressive moments, as `FaceDetection.appearance` with zeros behind, if known.
            A face at rest looks like much, and what another one of the same person looks like is measured against it.
    """

    face: np.ndarray
    blendshapes: np.ndarray
    source: str
    appearance: np.ndarray | None = None


def sustained_expression(rest: np.ndarray, neutral: np.ndarray | None = None) -> np.ndarray:
    """Estimate what a face that stays as it is expresses: the most probable muscle activations given how people differ at rest.

    Minimises ``(d − B c)ᵀ S⁻¹ (d − B c) + ridge |c|² + 2 odds · c`` under 0 ≤ c ≤ 1, where d is how `rest` differs from the resting
    face and S the covariance of resting faces (generalised least squares).

    Args:
        rest: (478, 3) canonical, the face of a clip at its most restful.
        neutral: (478, 3) canonical, the same person at rest; by default the average face, with the whole variety of people.

    Returns:
        (52,) coefficients in 0..1.
    """
    # The modes' own frame: turned as the rigid points say, which expressions leave where they are.
    face = _rigidly_aligned(rest)
    mean = average_face() if neutral is None else _rigidly_aligned(neutral)
    precision = _precision(neutral is not None)
    relaxed = face
    for _ in range(_ROUNDS):
        basis = Rig(relaxed).basis.astype(np.float64)
        basis[[i for i, name in enumerate(BLENDSHAPES) if name.startswith(_NEVER)]] = 0
        weighted = basis[:, :_SKIN, :2].reshape(len(basis), -1) @ precision
        pull = weighted @ (face - mean)[:_SKIN, :2].ravel()
        held = _solve_bounded(weighted @ basis[:, :_SKIN, :2].reshape(len(basis), -1).T, pull - _odds())
        relaxed = face - np.tensordot(held, basis, 1)
    return held


def _solve_bounded(gram: np.ndarray, pull: np.ndarray) -> np.ndarray:
    """The c in 0..1 that minimises ``cᵀ G c / 2 − pull · c`` and the ridge, by coordinate descent."""
    c, residual = np.zeros(len(gram)), pull.copy()
    for _ in range(_SWEEPS):
        for k in np.flatnonzero(np.diag(gram) > 1e-9):
            new = np.clip(c[k] + (residual[k] - _RIDGE * c[k]) / (gram[k, k] + _RIDGE), 0, 1)
            residual -= (new - c[k]) * gram[k]
            c[k] = new
    return c


def _rigidly_aligned(face: np.ndarray) -> np.ndarray:
    """(478, 3) float64, the canonical face turned as its rigid points say."""
    return remove_pose(np.asarray(face) * [1, -1, 1])[0].astype(np.float64)


@cache
def average_face() -> np.ndarray:
    """Return the average of people at rest: (478, 3) float64, canonical (``tbd/assets/face/README.md``)."""
    return _asset()[0]


@cache
def _asset() -> tuple[np.ndarray, np.ndarray]:
    """The average face, and (M, 468, 2) the ways in which people differ, each one standard deviation long."""
    with (files("tbd") / "assets/face/resting_faces.npz").open("rb") as file, np.load(file, allow_pickle=False) as asset:
        return asset["mean"].astype(np.float64).reshape(NUM_POINTS, 3), asset["modes"].astype(np.float64)


@cache
def _precision(same_person: bool) -> np.ndarray:
    """(936, 936) inverse covariance of how a resting face differs from the average one, or from one's own."""
    mean, modes = _asset()
    modes = modes.reshape(len(modes), -1) * (_SAME_PERSON if same_person else 1)
    apart = ((mean[:_SKIN, None] - mean[None, :_SKIN]) ** 2).sum(-1)
    smooth = np.kron(_WARP**2 * np.exp(-apart / (2 * _WARP_REACH**2)), np.eye(2))
    return np.linalg.inv(modes.T @ modes + smooth + _NOISE**2 * np.eye(2 * _SKIN))


@cache
def _odds() -> np.ndarray:
    """(52,) from `_ODDS`."""
    starts = sorted(_ODDS, key=len)
    return np.array([([1.0] + [_ODDS[start] for start in starts if name.startswith(start)])[-1] for name in BLENDSHAPES])
