"""Quality of pictures without a reference, by the metrics of the package pyiqa."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from tbd.errors import InputError
from tbd.metrics.base import Array, ClipMean, FrozenModule, Unmeasurable, full_precision, tensor, to_uint8
from tbd.metrics.inputs import require_finite_output
from tbd.metrics.sampling import sample_frames
from tbd.metrics.theval import LIPS
from tbd.utils.input_checks import require_at_least
from tbd.weights import WeightsNotFoundError

_ADVICE = "pip install 'tbd[quality]'"
_PADDING = 10
"""Pixels around the mouth, as THEval cuts it."""
_TOGETHER = 64
"""Mouths that THEval's program looks at together, black at the right and below where they are smaller than the largest of them."""


class NoReferenceQuality(ClipMean):
    """Quality of frames as a no-reference metric of pyiqa sees it: NIQE, MUSIQ, TOPIQ and others; the mean over frames, then clips.

    The metric is part of the number's name, and says which way is good (`better` of a protocol's entry): ``niqe`` (Mittal et al. 2013) is
    lower for natural pictures, THEval's three are higher: ``topiq_iaa`` (global aesthetic), ``musiq`` with ``region="mouth"``, and
    ``topiq_nr-face``. Which pictures they see is as in THEval's program, the black beside smaller mouths of one batch included. pyiqa
    brings its weights by itself where it may use the network; without them the column is absent.

    Args:
        name: Name of the metric in pyiqa.
        region: All of a frame, or the mouth with ten pixels around it.
        frames_per_clip: Number of frames, spread evenly; None for all.
        make: Makes the metric of a name: a module that scores (1, 3, H, W) floats in 0..1; pyiqa's `create_metric` where not given.
        kwargs: Options of `torchmetrics.Metric`.

    Raises:
        WeightsNotFoundError: If pyiqa, or the metric's weights, are not on this machine.
        InputError: If pyiqa has no such metric.

    Example:
        >>> class Brightness(torch.nn.Module):
        ...     def forward(self, picture):
        ...         return picture.mean()
        >>> metric = NoReferenceQuality("brightness", make=lambda name: Brightness())
        >>> metric.update(torch.full((5, 3, 32, 32), 0.5))
        >>> round(float(metric.compute()), 2)
        0.5
    """

    reads: tuple[str, ...] = ("preds.frames",)
    unit = ""
    higher_is_better = None

    def __init__(
        self,
        name: str = "niqe",
        region: Literal["frame", "mouth"] = "frame",
        frames_per_clip: int | None = None,
        make: Callable[[str], nn.Module] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_at_least(1, frames_per_clip=frames_per_clip)
        self.name, self.region, self.frames_per_clip = name, region, frames_per_clip
        self._network = FrozenModule((make or _pyiqa)(name))
        if region == "mouth":
            self.reads = ("preds.frames", "preds.points")

    def measure(self, frames: Array, points: Array | None = None) -> dict[str, float]:
        """Measure one clip.

        Args:
            frames: (T, 3, H, W) uint8, or float in 0..1.
            points: (T, 478, 3) pixels of the same frames, NaN where no face was seen; for the mouth alone.

        Returns:
            ``value``, the mean over frames.

        Raises:
            Unmeasurable: If there is no frame, or no face for the mouth.
            InputError: If frames and points differ in number, are missing, or are given for whole pictures.
        """
        pictures = self._pictures(to_uint8(frames), points)
        if not pictures:
            raise Unmeasurable("The clip has no frame to look at.")
        with full_precision(self.device):
            network = self._network.on(self.device)
            # one by one: some networks take no more
            scores = torch.stack([network(picture[None].to(self.device) / 255.0).reshape(()) for picture in pictures])
        return {"value": float(require_finite_output(scores, self.name).double().mean())}

    def _pictures(self, frames: Tensor, points: Array | None) -> list[Tensor]:
        if self.region == "frame":
            if points is not None:
                raise InputError("NoReferenceQuality takes frames alone where it looks at whole pictures; region='mouth' reads points.")
            return list(sample_frames(frames, self.frames_per_clip))
        if points is None or len(points) != len(frames):
            raise InputError("The mouth's quality needs the points of every frame (reads preds.points).")
        mesh = tensor(points).cpu().numpy()
        chosen = sample_frames(torch.arange(len(frames)), self.frames_per_clip)
        mouths = [_mouth(frames[i], mesh[i]) for i in chosen.tolist() if np.isfinite(mesh[i]).all()]
        return [mouth for start in range(0, len(mouths), _TOGETHER) for mouth in _of_one_size(mouths[start : start + _TOGETHER])]


def _mouth(frame: Tensor, points: np.ndarray) -> Tensor:
    """(3, h, w) the lips' bounds with their surroundings."""
    lips = points[list(LIPS), :2].astype(int)
    low, high = np.maximum(lips.min(0) - _PADDING, 0), np.minimum(lips.max(0) + _PADDING, np.array(frame.shape[:0:-1]))
    return frame[:, low[1] : high[1], low[0] : high[0]]


def _of_one_size(pictures: list[Tensor]) -> list[Tensor]:
    height, width = (max(picture.shape[side] for picture in pictures) for side in (1, 2))
    return [nn.functional.pad(picture, (0, width - picture.shape[2], 0, height - picture.shape[1])) for picture in pictures]


def _pyiqa(name: str) -> nn.Module:
    try:
        import pyiqa  # type: ignore[import-not-found,import-untyped,unused-ignore]  # it may be absent
    except ImportError as error:
        raise WeightsNotFoundError(name, f"The quality metric {name} needs the package pyiqa: {_ADVICE}.", _ADVICE) from error
    if name not in pyiqa.list_models():
        raise InputError(f"pyiqa has no metric {name}; `pyiqa.list_models()` names those that there are.")
    try:
        return pyiqa.create_metric(name, device="cpu")
    except Exception as error:  # it fetches weights in its constructor, in several ways
        raise WeightsNotFoundError(name, f"pyiqa's weights of {name} are not on this machine ({type(error).__name__}).", _ADVICE) from error
