"""From the meshes of a clip to its motion: head pose and blendshape coefficients. Needs numpy and scipy.

A face's shape and its expression look alike in one frame; over a clip, what stays is the person and what moves is the
performance. So what moves is measured against the clip's own resting face, which is estimated together with it, and what that
face expresses itself, held through the clip, is measured against people at rest (`tbd.face.neutral`): coefficients are absolute,
and as large as the movement is rather than as the mesh shows it (`tbd.face.gain_correction`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from tbd.face import topology
from tbd.face.channels import BLENDSHAPES
from tbd.face.gain_correction import correct_gain
from tbd.face.geometry import NUM_POINTS, VIEW_DISTANCE, euler_to_matrix, fit_similarity, matrix_to_euler, remove_pose, rigid_weights
from tbd.face.neutral import NeutralFace, sustained_expression
from tbd.face.rig import Rig
from tbd.face.rigging.mouth import inner_lip_gap

_CHUNK = 512
_SAMPLE = 1000
"""Frames that the neutral face is estimated from, evenly spaced over the clip."""
_ROUNDS = 8
"""Turns of coefficients and neutral face in the estimate of the latter."""
_TOUCH = 0.02
"""Lips that touch are tracked at most this far apart, in inter-ocular distances."""
_LIPS_WEIGHT = 3.0
"""Of the gap between the lips among the residuals: the jaw, the lips and the cheeks may share a movement this way or that, but lips
that touch in the picture must touch in the motion."""
_SWEEPS = 30
"""Sweeps of coordinate descent; the coefficients then change by less than 0.01."""


@dataclass(frozen=True)
class ClipFit:
    """Coefficients and poses of T frames.

    Args:
        blendshapes: (T, 52) in 0..1.
        rotations: (T, 3, 3) as `FaceGeometry.rotation`.
        scales: (T,) pixels per inter-ocular distance.
        origins: (T, 2) pixels as `FaceGeometry.origin`.
    """

    blendshapes: np.ndarray
    rotations: np.ndarray
    scales: np.ndarray
    origins: np.ndarray


def fit_clip(meshes: np.ndarray, neutral: NeutralFace | None = None, absolute: bool = True) -> ClipFit:
    """Fit the rig of a person's face at rest to a clip's meshes by bounded least squares.

    Args:
        meshes: (T, 478, 3) pixels as `FaceGeometry.points`; may be a memory map, since it is read in blocks.
        neutral: The person at rest; without one, what the clip holds throughout is measured against people at large.
        absolute: Whether coefficients are absolute; otherwise the clip's own resting face counts as 0, whatever it expresses, and
            `neutral` is not used.

    Returns:
        Coefficients and poses of all frames.
    """
    rest = resting_face(meshes)
    held: np.ndarray | None = None
    if absolute:
        held = sustained_expression(rest, None if neutral is None else neutral.face)
        solve = _Solver(rest, held, _shut_lips(meshes, rest))
    else:
        solve = _Solver(rest)
    parts = []
    for start in range(0, len(meshes), _CHUNK):
        moved, rotations, scales, origins = _without_pose(meshes[start : start + _CHUNK], rest)
        found = solve(moved - rest)
        parts.append((found if held is None else correct_gain(found, held, neutral is not None), rotations, scales, origins))
    return ClipFit(*(np.concatenate(column) for column in zip(*parts)))


def resting_face(meshes: np.ndarray) -> np.ndarray:
    """Return the (478, 3) `neutral_face` of a clip of any length, (T, 478, 3), from at most 1000 of its frames."""
    return neutral_face(meshes[np.linspace(0, len(meshes) - 1, min(len(meshes), _SAMPLE)).round().astype(int)])


def _shut_lips(meshes: np.ndarray, rest: np.ndarray) -> float:
    """The gap that a tracker measures between this person's lips when they touch, in inter-ocular distances."""
    moved = _without_pose(meshes[np.linspace(0, len(meshes) - 1, min(len(meshes), _SAMPLE)).round().astype(int)], rest)[0]
    return float(np.clip(np.quantile(inner_lip_gap(moved).mean(1), 0.05), 0, _TOUCH))


def neutral_face(meshes: np.ndarray) -> np.ndarray:
    """Estimate the face of a clip at rest.

    It starts as the median of the frames with closed lips and open eyes, then takes up what coefficients of at least 0
    that are pulled towards 0 leave over: brows that are low most of the time and rise at times are low at rest.

    Args:
        meshes: (T, 478, 3) pixels as `FaceGeometry.points`.

    Returns:
        (478, 3) in its canonical frame.
    """
    canonical = np.stack([remove_pose(points)[0] for points in meshes])
    gap = inner_lip_gap(canonical).mean(1)
    eyes = (canonical[:, topology.EYE_TOP] - canonical[:, topology.EYE_BOTTOM])[..., 1].mean(1)
    restful = (gap <= np.quantile(gap, 0.25)) & (eyes >= np.quantile(eyes, 0.4))
    neutral = np.median(canonical[restful if restful.any() else gap <= np.quantile(gap, 0.25)], 0)
    moved = _without_pose(meshes, neutral)[0]
    for _ in range(_ROUNDS):
        solve = _Solver(neutral)
        neutral = neutral + np.median(moved - neutral - solve.displace(solve(moved - neutral)), 0)
    return neutral


def _without_pose(meshes: np.ndarray, neutral: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(T, 478, 3) pixels → (T, 478, 3) in the head's frame of `neutral`, with rotations, scales and origins."""
    camera = meshes * np.array([1, -1, 1])
    scales, rotations, shifts = (
        np.array(column) for column in zip(*(fit_similarity(neutral, frame, rigid_weights(), 5) for frame in camera))
    )
    return (camera - shifts[:, None]) @ rotations / scales[:, None, None], rotations, scales, shifts[:, :2] * [1, -1]


class _Solver:
    """(T, 478, 3) displacements from one resting face → (T, 52) coefficients in 0..1.

    With c what is found beyond `held`, it minimises ``|W (B c − d)|² + Σ λ c² + Σ μ |c|`` under 0 ≤ held + c ≤ 1 by coordinate
    descent over all frames at once: with 52 unknowns and one Gram matrix for the clip, a frame costs microseconds. μ > 0 keeps
    what does not move exactly where it is.

    Args:
        rest: (478, 3) the face that displacements start from.
        held: (52,) what it expresses; nothing by default.
        shut: The gap between lips that touch. With it, the lips part in the motion as they do in the picture, whatever parts
            them, and coefficients are those that `Rig.activations` turns into what was found.
    """

    def __init__(self, rest: np.ndarray, held: np.ndarray | None = None, shut: float | None = None) -> None:
        self._rest, self._shut = rest, shut
        self._held = np.zeros(len(BLENDSHAPES)) if held is None else held
        neutral = rest - np.tensordot(self._held, Rig(rest).basis, 1) if self._held.any() else rest
        self._basis = Rig(neutral).basis.reshape(len(BLENDSHAPES), -1).astype(np.float64)
        self._basis[BLENDSHAPES.index("tongueOut")] = 0  # the mesh has no tongue
        self._weighted = self._basis * _point_weights().reshape(-1) ** 2
        self._gram = self._weighted @ self._basis.T
        self._gaps = inner_lip_gap(self._basis.reshape(-1, NUM_POINTS, 3)) * (0.0 if shut is None else _LIPS_WEIGHT)
        self._gram += self._gaps @ self._gaps.T

    def displace(self, coefficients: np.ndarray) -> np.ndarray:
        """(T, 52) coefficients → (T, 478, 3) displacements."""
        return (coefficients @ self._basis).reshape(-1, NUM_POINTS, 3)

    def __call__(self, displacement: np.ndarray) -> np.ndarray:
        ridge, sparse = _penalties()
        curvature = np.diag(self._gram) + ridge
        coefficients = np.zeros((len(displacement), len(BLENDSHAPES)))
        residual = displacement.reshape(len(displacement), -1) @ self._weighted.T + self._lips(displacement)
        low, high = -self._held, 1 - self._held
        for _ in range(_SWEEPS):
            for k in range(len(BLENDSHAPES)):
                old = coefficients[:, k]
                pull = residual[:, k] + self._gram[k, k] * old
                pull -= np.clip(pull, -sparse[k] / 2, sparse[k] / 2)
                new = np.clip(pull / curvature[k], low[k], high[k])
                residual -= (new - old)[:, None] * self._gram[k]
                coefficients[:, k] = new
        found = self._held + coefficients
        return found if self._shut is None else _eased(found)

    def _lips(self, displacement: np.ndarray) -> np.ndarray:
        """(T, 52) pull of the gap between the lips."""
        if self._shut is None:
            return np.zeros((len(displacement), len(BLENDSHAPES)))
        parted = np.maximum(inner_lip_gap(self._rest + displacement) - self._shut, 0) * _LIPS_WEIGHT
        return (parted - self._held @ self._gaps) @ self._gaps.T


def _eased(found: np.ndarray) -> np.ndarray:
    """(T, 52) weights of the basis → the coefficients that `Rig.activations` makes them of: a jaw falls easily at first."""
    found = found.copy()
    for name in ("jawOpen", "mouthClose"):
        channel = found[:, BLENDSHAPES.index(name)]
        channel[:] = (1.3 - np.sqrt(1.69 - 1.2 * channel)) / 0.6
    return found


def _both_sides(*rings: Sequence[int] | Sequence[Sequence[int]]) -> list[int]:
    """The points of rings listed for one side, and their mirror images."""
    points = [int(i) for ring in rings for i in np.ravel(ring)]
    return points + list(topology.mirrored(points))


_CHIN = [152, 148, 176, 149, 150, 175, 199, 200, 171, 140, 208, 201, 32, 18, 194]
_BROW = [55, 65, 52, 53, 46, 107, 66, 105, 63, 70]
_CORNER = [61, 76, 62, 78, 57, 186, 43]
_WEIGHTS: tuple[tuple[list[int], float, float], ...] = (
    (list(topology.FACE_OVAL), 0.9, 0.1),
    (_both_sides(_CHIN), 0.7, 0.1),
    (_both_sides(topology.UPPER_LIP_ROWS, topology.LOWER_LIP_ROWS), 0.75, 0.5),
    (_both_sides(_CORNER), 0.5, 0.1),
    (_both_sides(_BROW), 1.8, 0.1),
    (_both_sides(topology.EYE_TOP, topology.EYE_BOTTOM), 3.0, 0.0),
    (_both_sides(topology.IRIS), 2.0, 0.0),
)
"""Points, their weight in the picture plane and in depth; later rows win, all others weigh 0.5 and 0.1. Where a few steady
points show a movement (lids, brows, irises) they weigh more; the mesh model's depth is mostly its guess from a mean face."""

_RIDGE = 0.02
_SPARSE = 0.2
_PENALTIES = {
    "jawOpen": 0.1, "mouthLowerDown": 0.3, "mouthUpperUp": 0.3,  # what opens a mouth, before what may look like it
    "mouthFrown": 0.6, "mouthSmile": 0.6, "mouthStretch": 0.6, "browDown": 2.0, "browInnerUp": 0.3, "eye": 0.4,
    "eyeSquint": 1.0, "noseSneer": 0.5, "mouthPress": 0.5, "jawForward": 0.5, "jawLeft": 0.5, "jawRight": 0.5,
    "mouthFunnel": 1.5, "mouthRoll": 1.5, "mouthShrug": 3.0, "mouthDimple": 3.0, "mouthClose": 20.0,
}  # fmt: skip
"""How unlikely a channel is, in multiples of `_RIDGE`, by the start of its name (the longest that fits). Weights and
penalties were set on two real clips against MediaPipe's landmarker, which is a model of its own and no ground truth."""


@cache
def _point_weights() -> np.ndarray:
    """(478, 3) weights of the residuals."""
    weights = np.tile([0.5, 0.5, 0.1], (NUM_POINTS, 1))
    for points, plane, depth in _WEIGHTS:
        weights[points] = plane, plane, depth
    return weights


@cache
def _penalties() -> tuple[np.ndarray, np.ndarray]:
    """(52,) quadratic and (52,) linear penalty of each coefficient."""
    starts = sorted(_PENALTIES, key=len)
    factors = [([1.0] + [_PENALTIES[start] for start in starts if name.startswith(start)])[-1] for name in BLENDSHAPES]
    ridge = _RIDGE * np.array(factors)
    return ridge, 2 * _SPARSE * ridge


def head_motion(clip: ClipFit) -> tuple[np.ndarray, dict[str, Any]]:
    """Express a clip's poses relative to its resting pose, their median.

    Args:
        clip: The poses of T frames.

    Returns:
        (T, 6) head channels as `tbd.face.channels.HEAD`, and the resting pose as plain values.
    """
    angles = np.median(matrix_to_euler(clip.rotations), 0)
    scale, origin = float(np.median(clip.scales)), np.median(clip.origins, 0)
    turns = matrix_to_euler(euler_to_matrix(angles).T @ clip.rotations)
    shifts = (clip.origins - origin) * [1, -1] / scale
    nearer = VIEW_DISTANCE * (1 - scale / clip.scales)
    rest = {"pitch_yaw_roll": angles.tolist(), "pixels_per_inter_ocular": scale, "origin": origin.tolist()}
    return np.concatenate([turns, shifts, nearer[:, None]], 1), rest


def head_motion_by_shot(clip: ClipFit, starts: Sequence[int]) -> tuple[np.ndarray, dict[str, Any]]:
    """Compute `head_motion` shot by shot: each is relative to its own resting pose, since a cut is no movement of the head.

    Args:
        clip: The poses of all shots.
        starts: Rows of `clip` at which a shot begins, without the first.

    Returns:
        (T, 6) head channels, and the resting pose of the first shot.
    """
    edges = [0, *starts, len(clip.scales)]
    shots = [slice(a, b) for a, b in pairwise(edges) if b > a]
    motions = [head_motion(replace(clip, rotations=clip.rotations[s], scales=clip.scales[s], origins=clip.origins[s])) for s in shots]
    return np.concatenate([head for head, _ in motions]), motions[0][1]


def smooth(values: np.ndarray) -> np.ndarray:
    """Remove a tracker's jitter from (T, 58) values of a motion without delay, by Savitzky–Golay parabolas.

    Over 5 frames for the face, which keeps a blink or the closing of a "p" (4 to 6 frames); over 9 for the head.
    """
    from scipy.signal import savgol_filter

    face, head = np.split(values, [len(BLENDSHAPES)], 1)
    face, head = (savgol_filter(part, window, 2, axis=0, mode="nearest") for part, window in ((face, 5), (head, 9)))
    return np.concatenate([np.clip(face, 0, 1), head], 1)
