"""The resting face of a person, which is taken off a motion before its expressions are coded."""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import median_filter, uniform_filter1d

from tbd.face.channels import BLENDSHAPES, INDEX
from tbd.think.coding.cleaning import find_blinks, value_by_prefix

_RESTING = {"eyeLook": 0.5, "eyeSquint": 0.5, "eyeBlink": 0.45, "browDown": 0.3, "browInnerUp": 0.25, "browOuterUp": 0.25,
            "cheekSquint": 0.2, "jawOpen": 0.05, "mouthSmile": 0.1, "mouthFrown": 0.15}  # fmt: skip
"""How much of a channel a resting face may show, by the start of its name, 0.12 for others: MediaPipe's landmarker reads half closed
lids, and eyes that look down, in many people at rest."""
_CALM = 30
"""Percentile of a clip's speed below which its frames count as calm."""
_OF_PERSON = 0.25
"""Quantile over a person's clips that is their rest: they act in most clips of a corpus of acted emotions, and are at rest in some."""
_LEAST = 8
"""Frames that an estimate takes."""


def calm_frames(values: np.ndarray, visible: np.ndarray | None = None) -> np.ndarray:
    """Find the frames in which a face moves least.

    Args:
        values: (T, 58) motion at 25 frames a second.
        visible: (T,) bool, where the face is seen; everywhere if not given.

    Returns:
        (T,) bool: the slowest three in ten, without blinks and frames that are not seen; all that are seen where too few are left.
    """
    seen = np.ones(len(values), bool) if visible is None else visible
    shapes = np.asarray(values[:, : len(BLENDSHAPES)], np.float64)
    lids = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
    usable = seen & ~find_blinks(shapes[:, lids].min(1))
    still = [i for i, name in enumerate(BLENDSHAPES) if not name.startswith(("eyeBlink", "eyeLook"))]
    smooth = uniform_filter1d(shapes[:, still], min(5, len(shapes)), axis=0, mode="nearest")
    speed = uniform_filter1d(np.linalg.norm(np.gradient(smooth, axis=0), axis=1) if len(smooth) > 1 else np.zeros(1), 5, mode="nearest")
    if usable.sum() < _LEAST:
        return seen if seen.any() else np.ones(len(values), bool)
    calm = usable & (speed <= np.percentile(speed[usable], _CALM))
    return calm if calm.sum() >= _LEAST else usable


def calm_face(values: np.ndarray, visible: np.ndarray | None = None) -> np.ndarray:
    """Compute what a clip's calm frames show, identity and what is expressed throughout alike.

    Args:
        values: (T, 58) motion at 25 frames a second.
        visible: (T,) bool, where the face is seen; everywhere if not given.

    Returns:
        (52,) median over `calm_frames`.
    """
    shapes = np.asarray(values[:, : len(BLENDSHAPES)], np.float64)
    shapes = median_filter(shapes, (min(9, len(shapes)), 1), mode="nearest")
    return np.median(shapes[calm_frames(values, visible)], axis=0)


def resting_face(values: np.ndarray) -> np.ndarray:
    """Estimate a person's own resting face and pose from one clip: what is always there, as far as identity explains it.

    A smile that is held from end to end stays an expression, since people at rest do not differ by as much.

    Args:
        values: (T, 58) motion as tracked, at 25 frames a second.

    Returns:
        (58,) for `tbd.think.coding.cleaning.clean` and `tbd.think.coding.coder.plan_from_motion`.
    """
    shapes = np.asarray(values[:, : len(BLENDSHAPES)], np.float64)
    # Expressions come and go, a person's features stay: what is least over time, blinks and glances smoothed away.
    least = np.percentile(median_filter(shapes, (min(9, len(shapes)), 1), mode="nearest"), 10, axis=0)
    return np.concatenate([np.minimum(least, _caps()), np.median(values[:, len(BLENDSHAPES) :], 0)])


def resting_face_of_person(calm_faces: Sequence[np.ndarray], neutral: bool = False) -> np.ndarray:
    """Estimate a person's resting face from several clips: features stay from clip to clip, expressions change.

    Args:
        calm_faces: (52,) of each clip, see `calm_face`.
        neutral: Whether the clips are known to show the person at rest, by their labels.

    Returns:
        (52,) coefficients.
    """
    faces = np.stack(list(calm_faces))
    if neutral:
        return np.median(faces, axis=0)
    return np.minimum(np.quantile(faces, _OF_PERSON, axis=0), _caps())


def _caps() -> np.ndarray:
    return np.array([value_by_prefix(_RESTING, name, 0.12) for name in BLENDSHAPES])
