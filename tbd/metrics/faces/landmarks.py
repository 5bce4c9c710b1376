"""Distances of facial landmarks, of the mouth and of the whole face."""

import os
from typing import Any, Literal

from torch import Tensor

from tbd.metrics.base import Array, ClipMean, Unmeasurable, tensor
from tbd.metrics.faces.face_points import (
    MOUTH,
    align_to_template,
    eat_template,
    load_template,
    seen,
    steady,
    to_dlib68,
)

LandmarkForm = Literal["eat-px128", "inter-ocular"]


def landmark_distance(preds: Array, target: Array) -> Tensor:
    """Compute the mean distance of corresponding points once each set's own centroid is taken out (EAT's `test_lmd.py`).

    Args:
        preds: (..., N, 2) each.
        target: (..., N, 2) each.

    Returns:
        (...) float64 in the points' unit.

    Example:
        >>> import torch
        >>> square = torch.tensor([[0., 0.], [0., 2.], [2., 0.], [2., 2.]])
        >>> landmark_distance(square, 2 * square + 7)
        tensor(1.4142, dtype=torch.float64)
    """
    preds, target = tensor(preds), tensor(target)
    difference = (preds - preds.mean(-2, keepdim=True)) - (target - target.mean(-2, keepdim=True))
    return difference.norm(dim=-1).mean(-1)


class _LandmarkDistance(ClipMean):
    """Base class of the landmark distances; see `MouthLandmarkDistance`."""

    reads = ("preds.points", "target.points")
    higher_is_better = False
    _points = slice(0, 68)

    def __init__(
        self,
        form: LandmarkForm = "inter-ocular",
        template: str | os.PathLike | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.form = form
        self.template = eat_template() if template is None else load_template(template)
        self.unit = "px" if form == "eat-px128" else "% inter-ocular"

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """One clip's distance.

        Args:
            preds: (T, 478, 3) or (T, 68, 2) pixels each; frames in which either is NaN are left out, and those
            target: (T, 478, 3) or (T, 68, 2) pixels each; frames in which either is NaN are left out, and those
                beyond the shorter track.

        Returns:
            ``value``, the distance in `unit`.

        Raises:
            Unmeasurable: If no frame shows a face in both.
        """
        both = seen(preds, target)
        if not both.any():
            raise Unmeasurable("No frame shows a face both in the clip and in its reference.")
        ours, theirs = (to_dlib68(track[: len(both)])[both] for track in (preds, target))
        if self.form == "eat-px128":
            ours, theirs = (align_to_template(track, self.template) for track in (ours, theirs))
            return {"value": float(landmark_distance(ours[:, self._points], theirs[:, self._points]).mean())}
        ours, theirs = (steady(track) for track in (ours, theirs))
        return {"value": 100 * float(landmark_distance(ours[:, self._points], theirs[:, self._points]).mean())}


class MouthLandmarkDistance(_LandmarkDistance):
    """M-LMD: mean distance of the mouth's twenty points from those of the reference, frame by frame.

    Per frame the mean over points of ``‖(p − p̄) − (q − q̄)‖``, p̄ and q̄ the mouths' own centroids; then the mean over the
    clip's frames, then over clips. Lower is better, 0 is equality.

    Args:
        form: ``inter-ocular``: in percent of the distance of the outer eye corners, each face turned upright by its eyes
            first (`steady`); does not depend on the size of the picture. ``eat-px128``: pixels of EAT's aligned 128 crop
            (`align_to_template`), as its `test_lmd.py` measures, less its rounding of points to whole pixels.
        template: For ``eat-px128``: EAT's `base_68.npy`, as a file or by its registered name ``eat-template``; by default
            `eat_template`, whose scale is not theirs.

    Raises:
        WeightsNotFoundError: If the template was named by its registered name and is not on this machine.

    Example:
        >>> import torch
        >>> face = torch.rand(5, 68, 2, dtype=torch.float64)
        >>> metric = MouthLandmarkDistance()
        >>> metric.update(face, 300 * face + 20)  # another size and place is no other mouth
        >>> round(float(metric.compute()), 6)
        0.0
    """

    _points = MOUTH


class FaceLandmarkDistance(_LandmarkDistance):
    """F-LMD: as `MouthLandmarkDistance` over all 68 points, expression and shape together.

    Args:
        form: See `MouthLandmarkDistance`.
        template: See `MouthLandmarkDistance`.

    Example:
        >>> import torch
        >>> face = torch.rand(5, 68, 2, dtype=torch.float64)
        >>> metric = FaceLandmarkDistance()
        >>> metric.update(face, 300 * face + 20)
        >>> round(float(metric.compute()), 6)
        0.0
    """
