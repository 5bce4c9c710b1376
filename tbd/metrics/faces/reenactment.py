"""Distances that reenactment papers report, on ARKit's coefficients and the mesh instead of a 3DMM's: AED, APD, AKD and E-FID.

Published numbers are in the coefficients of Deep3DFaceReconstruction or another 3DMM, and not comparable with these. The formulas are
those of published programs: AED and APD are mean absolute differences (so OTAvatar's authors say of theirs, theEricMa/OTAvatar#27),
AKD is First Order Motion Model's, E-FID is described by EMO's paper alone.
"""

from typing import Any

import torch
from torch import Tensor

from tbd.face.channels import BLENDSHAPES, HEAD, INDEX
from tbd.metrics.base import Array, ClipMean, ClipMetric, Unmeasurable, paired, tensor
from tbd.metrics.faces.face_points import inter_ocular, seen, to_dlib68
from tbd.metrics.gaussian import GaussianSums


class ExpressionDistance(ClipMean):
    """AED: the mean over frames and the 52 blendshapes of the absolute difference, in percent of a full movement; lower is better.

    Average *expression* distance, as of a 3DMM's 64 coefficients of expression. First Order Motion Model (Siarohin et al. 2019) calls
    AED the distance of two embeddings of identity, which is `tbd.metrics.IdentitySimilarity` here.

    Example:
        >>> import numpy as np
        >>> motion = np.full((50, 58), 0.25)
        >>> metric = ExpressionDistance()
        >>> metric.update(motion, motion + 0.1)
        >>> round(float(metric.compute()), 6)
        10.0
    """

    reads = ("preds.motion", "target.motion")
    unit = "%"
    higher_is_better = False
    plot_lower_bound = 0.0

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Compare one clip with its reference.

        Args:
            preds: (T, 58).
            target: (T, 58) recorded; the longer of the two counts up to the shorter one's length.

        Returns:
            ``value``, the distance in percent.
        """
        ours, theirs = paired(preds, target)
        return {"value": 100 * float((ours - theirs)[:, : len(BLENDSHAPES)].abs().mean())}


class PoseDistance(ClipMean):
    """APD: the mean over frames and pitch, yaw and roll of the absolute difference, in degrees; lower is better.

    Published numbers are of the three angles in radians or, in some programs, of angles and place together. It says something of a method
    that is given the head's pose alone; another pose is not a wrong one.

    Example:
        >>> import numpy as np
        >>> motion = np.zeros((50, 58))
        >>> turned = motion.copy()
        >>> turned[:, INDEX["headYaw"]] = np.radians(6)
        >>> metric = PoseDistance()
        >>> metric.update(turned, motion)
        >>> round(float(metric.compute()), 6)
        2.0
    """

    reads = ("preds.motion", "target.motion")
    unit = "degrees"
    higher_is_better = False
    plot_lower_bound = 0.0

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Compare one clip with its reference.

        Args:
            preds: (T, 58).
            target: (T, 58) recorded; the longer of the two counts up to the shorter one's length.

        Returns:
            ``value``, the distance in degrees.
        """
        ours, theirs = paired(preds, target)
        turned = (ours - theirs)[:, [INDEX[name] for name in HEAD[:3]]]
        return {"value": float(torch.rad2deg(turned).abs().mean())}


class KeypointDistance(ClipMean):
    """AKD: the mean distance of the 68 points, in percent of the recorded face's inter-ocular distance; lower is better.

    Nothing is aligned: place, size and turn of the head count, as in the published measure. That one (First Order Motion Model's
    ``cmp_kp.py``) is in pixels of 256² and averages the absolute difference of x and of y instead of the distance: `means` gives it,
    per coordinate and in percent, as ``absolute``.

    Example:
        >>> import numpy as np
        >>> points = np.random.default_rng(0).random((10, 68, 2))
        >>> points[:, 36], points[:, 45] = (0, 0), (2, 0)
        >>> metric = KeypointDistance()
        >>> metric.update(points + [0.3, 0.4], points)
        >>> round(float(metric.compute()), 6)
        25.0
    """

    reads = ("preds.points", "target.points")
    names = ("distance", "absolute")
    reported = "distance"
    unit = "% inter-ocular"
    higher_is_better = False
    plot_lower_bound = 0.0

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Compare one clip with its reference.

        Args:
            preds: (T, 478, 3) or (T, 68, 2) pixels.
            target: (T, 478, 3) or (T, 68, 2) pixels of a picture of the same size.

        Returns:
            ``distance`` and ``absolute`` in percent.

        Raises:
            Unmeasurable: If no frame shows a face in both.
        """
        both = seen(preds, target)
        if not both.any():
            raise Unmeasurable("No frame shows a face both in the clip and in its reference.")
        ours, theirs = (to_dlib68(track[: len(both)])[both] for track in (preds, target))
        off, scale = ours - theirs, inter_ocular(theirs)
        found = {"distance": off.norm(dim=-1).mean(1), "absolute": off.abs().mean((1, 2))}
        return {name: 100 * float((values / scale).mean()) for name, values in found.items()}


class ExpressionFID(ClipMetric):
    """E-FID: the Fréchet distance between Gaussians fitted to the 52 blendshapes of all frames of both sets, × 1000; lower is better.

    EMO (Tian et al. 2024, arXiv 2402.17485) has it on the expression coefficients of a 3DMM, and published no program; EchoMimic's, by
    the same description, neither (antgroup/echomimic#177). Unlike `FrechetMotionDistance` it sees neither the head nor how fast a face
    moves. The unit is that of squared blendshapes, in thousandths.

    Args:
        kwargs: Options of `torchmetrics.Metric`.

    Example:
        >>> import numpy as np
        >>> motion = np.random.default_rng(0).random((300, 58))
        >>> metric = ExpressionFID()
        >>> metric.update(motion, motion + 0.1)
        >>> round(float(metric.compute()))  # 1000 · 52 channels · 0.1²
        520
    """

    reads = ("preds.motion", "target.motion")
    unit = "×10⁻³"
    higher_is_better = False
    plot_lower_bound = 0.0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.preds, self.target = (GaussianSums(self, name, len(BLENDSHAPES)) for name in ("preds", "target"))

    def update(self, preds: Array | None, target: Array | None) -> None:
        """Add a clip.

        Args:
            preds: (T, 58) under test; None adds to the other set alone.
            target: (T, 58) recorded, of any length; None adds to the other set alone.
        """
        for sums, motion in ((self.preds, preds), (self.target, target)):
            if motion is not None:
                sums.add(tensor(motion)[:, : len(BLENDSHAPES)])

    def compute(self) -> Tensor:
        """Compute the distance.

        Returns:
            () float64.

        Raises:
            InputError: If fewer than two frames in either set.
        """
        return 1000 * self.preds.distance(self.target)
