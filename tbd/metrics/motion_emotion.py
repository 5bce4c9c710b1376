"""Emotion of a motion, as a linear classifier trained on the recorded clips sees it."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from tbd.errors import InputError
from tbd.metrics.base import Array, ClipMetric, tensor
from tbd.think.emotions import EMOTIONS

_FEWEST = 3
"""Recorded clips of an emotion that it takes to learn it, the classified clip's own not counted."""


def motion_summary(motion: Array) -> np.ndarray:
    """Summarise a motion, (T, 58), by mean and standard deviation over time of every channel, (116,)."""
    values = tensor(motion)
    return torch.cat([values.mean(0), values.std(0, correction=0)]).cpu().numpy()


def classify_left_out(known: np.ndarray, labels: np.ndarray, generated: np.ndarray, shrinkage: float = 0.5) -> np.ndarray:
    """Classify each clip by linear discriminant analysis, trained on all known clips but that one.

    Args:
        known: (N, D) features of recorded clips.
        labels: (N,) their labels.
        generated: (N, D) features of the same clips as generated (or `known` itself, for the ceiling).
        shrinkage: Shrinkage of the pooled covariance towards its diagonal (Friedman 1989), 0..1, since there are few clips.

    Returns:
        (N,) labels; all classes are taken to be equally likely.
    """
    scale = known.std(0) + 1e-3
    known, generated = known / scale, generated / scale
    found = np.empty(len(known), labels.dtype)
    for i in range(len(known)):
        others = np.arange(len(known)) != i
        classes = [c for c in np.unique(labels) if (labels[others] == c).sum() >= _FEWEST]
        means = np.stack([known[others & (labels == c)].mean(0) for c in classes])
        centred = np.concatenate([known[others & (labels == c)] - means[k] for k, c in enumerate(classes)])
        covariance = centred.T @ centred / max(len(centred) - len(classes), 1)
        covariance = (1 - shrinkage) * covariance + shrinkage * np.diag(np.diag(covariance)) + 1e-3 * np.eye(len(covariance))
        weights = np.linalg.solve(covariance, means.T)  # (D, C)
        scores = generated[i] @ weights - 0.5 * (means.T * weights).sum(0)
        found[i] = classes[int(scores.argmax())]
    return found


class MotionEmotionAccuracy(ClipMetric):
    """Share of generated clips whose emotion is that of their label, by `classify_left_out` on `motion_summary`.

    The classifier is trained on recorded motion alone, and never on the clip that it classifies. It sees gaze, head, blinks and the
    face's mean pose, so an emotion counts that the muscles do not carry. Chance is an eighth; `ceiling` is the accuracy on the
    recorded clips, which is far from 1 where plans mix emotions or move muscles that fit none. Higher is better. It keeps a row for each
    clip, so it is for one process.

    Args:
        kwargs: Options of `torchmetrics.Metric`.

    Example:
        >>> metric = MotionEmotionAccuracy()
        >>> rng = np.random.default_rng(0)
        >>> for i in range(12):
        ...     recorded = rng.normal(i % 2, 0.1, (30, 58))  # two emotions
        ...     metric.update(1 - recorded, recorded, i % 2)  # each generated as the other
        >>> float(metric.compute()), float(metric.ceiling())
        (0.0, 1.0)
    """

    reads = ("preds.motion", "target.motion", "target.emotion")
    unit = ""
    higher_is_better = True
    plot_lower_bound, plot_upper_bound = 0.0, 1.0
    drawn: list[Tensor]
    recorded: list[Tensor]
    labels: list[Tensor]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("drawn", "recorded", "labels"):
            self.add_state(name, [], "cat")

    def update(self, preds: Array, target: Array, emotion: int) -> None:
        """Add one clip.

        Args:
            preds: (T, 58) generated.
            target: (T, 58) recorded.
            emotion: The label, an index into `EMOTIONS`.
        """
        self.drawn.append(torch.from_numpy(motion_summary(preds))[None])
        self.recorded.append(torch.from_numpy(motion_summary(target))[None])
        self.labels.append(torch.tensor([int(emotion)]))

    def compute(self) -> Tensor:
        """Compute the accuracy on the generated clips, () float64."""
        return self._accuracy(self.drawn)

    def ceiling(self) -> Tensor:
        """Compute the accuracy on the recorded clips, () float64."""
        return self._accuracy(self.recorded)

    def _accuracy(self, generated: list[Tensor]) -> Tensor:
        labels = torch.cat(list(self.labels)).numpy() if len(self.labels) else np.zeros(0, int)
        counts = np.bincount(labels, minlength=len(EMOTIONS))
        if (counts > _FEWEST).sum() < 2:
            raise InputError(f"A classifier of emotions needs {_FEWEST + 1} clips of each emotion or more, and two emotions at least.")
        known, own = (torch.cat(list(rows)).numpy() for rows in (self.recorded, generated))
        return torch.tensor(float((classify_left_out(known, labels, own) == labels).mean()), dtype=torch.float64)
