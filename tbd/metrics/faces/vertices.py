"""Errors of a face's vertices that animation papers report: of the lips (LVE) and of the upper face's dynamics (FDD).

Vertices are those of the mean face, moved by a motion: neither the person nor the head's pose is in them. Published numbers are on
other meshes (VOCASET's in metres, BIWI's in millimetres), and not comparable with these.
"""

from functools import cache

import numpy as np

from tbd.face import topology
from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import mean_face
from tbd.face.motion_landmarks import mean_face_rig
from tbd.metrics.base import Array, ClipMean, Unmeasurable, paired, tensor


@cache
def lip_vertices() -> tuple[int, ...]:
    """Return the mesh points of both lips."""
    rows = (topology.LIP_TOP, topology.LIP_BOTTOM, topology.MOUTH_CORNERS, *topology.UPPER_LIP_ROWS, *topology.LOWER_LIP_ROWS)
    return tuple(sorted({point for row in rows for point in row}))


@cache
def upper_vertices() -> tuple[int, ...]:
    """Return the mesh points of brows, forehead and eyes: all above the lower lids, the irises left out."""
    height = mean_face()[:, 1]
    lowest = min(height[point] for row in topology.LOWER_LID_ROWS for point in row)
    return tuple(int(point) for point in np.flatnonzero(height >= lowest) if point < topology.IRIS[0])


def displacements(motion: Array) -> np.ndarray:
    """Move the mean face's vertices by (T, 58): (T, 478, 3) float64 displacements in inter-ocular distances."""
    values = tensor(motion).cpu().numpy()[:, : len(BLENDSHAPES)].astype(np.float32)
    return mean_face_rig().displace(values).astype(np.float64)


def lip_vertex_errors(preds: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Find each frame's largest squared distance of a vertex.

    MeshTalk (Richard et al. 2021, arXiv 2104.08223) takes the largest distance; FaceFormer's and CodeTalker's programs, and torchmetrics'
    `lip_vertex_error` after them, do not take the root.

    Args:
        preds: (T, V, 3) vertices.
        target: (T, V, 3) true vertices.

    Returns:
        (T,) squared distances.
    """
    return np.square(preds - target).sum(-1).max(1)


def upper_dynamics(displaced: np.ndarray) -> float:
    """Average over vertices the deviation over time of the squared displacement from rest.

    So does CodeTalker's `cal_metric.py` (Xing et al. 2023, arXiv 2301.02379), and whoever took it over. torchmetrics'
    `upper_face_dynamics_deviation` is another number: of the length of the step from frame to frame.

    Args:
        displaced: (T, V, 3) displacements.

    Returns:
        The deviation.
    """
    return float(np.square(displaced).sum(-1).std(0).mean())


class MotionLipVertexError(ClipMean):
    """LVE: the mean over frames of the largest squared distance of a lip vertex, in 10⁻³ squared inter-ocular distances; lower is better.

    Example:
        >>> motion = np.zeros((50, 58))
        >>> metric = MotionLipVertexError()
        >>> metric.update(motion, motion)
        >>> float(metric.compute())
        0.0
    """

    reads = ("preds.motion", "target.motion")
    unit = "×10⁻³ inter-ocular²"
    higher_is_better = False
    plot_lower_bound = 0.0

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Compare one clip with its reference.

        Args:
            preds: (T, 58).
            target: (T, 58) recorded; the longer of the two counts up to the shorter one's length.

        Returns:
            ``value``, the error.
        """
        lips = list(lip_vertices())
        ours, theirs = (displacements(motion)[:, lips] for motion in paired(preds, target))
        return {"value": 1000 * float(lip_vertex_errors(ours, theirs).mean())}


class MotionUpperFaceDeviation(ClipMean):
    """FDD: how much less, or more, the upper face moves than the recorded one; 0 is best.

    The difference of `upper_dynamics`, recorded less generated, in 10⁻³ squared inter-ocular distances. Reported is its absolute value,
    clip by clip, so that clips of too much motion do not make up for those of too little; `means` also gives ``signed``, above 0 where the
    generated face moves less, whose mean CodeTalker prints.

    Example:
        >>> motion = np.zeros((50, 58))
        >>> metric = MotionUpperFaceDeviation()
        >>> metric.update(motion, motion)
        >>> float(metric.compute())
        0.0
    """

    reads = ("preds.motion", "target.motion")
    names = ("absolute", "signed")
    reported = "absolute"
    unit = "×10⁻³ inter-ocular²"
    higher_is_better = False
    plot_lower_bound = 0.0

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Compare one clip with its reference.

        Args:
            preds: (T, 58).
            target: (T, 58) recorded; the longer of the two counts up to the shorter one's length.

        Returns:
            ``absolute`` and ``signed``.

        Raises:
            Unmeasurable: If the clip has one frame alone.
        """
        both, upper = paired(preds, target), list(upper_vertices())
        if len(both[0]) < 2:
            raise Unmeasurable("One frame has no dynamics.")
        ours, theirs = (upper_dynamics(displacements(motion)[:, upper]) for motion in both)
        return {"absolute": 1000 * abs(theirs - ours), "signed": 1000 * (theirs - ours)}
