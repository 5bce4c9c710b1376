"""Pixels against pixels: PSNR, SSIM, LPIPS. Frames of the two clips are paired by their number."""

import os
import warnings
from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor, nn

from tbd.errors import InputError
from tbd.metrics.base import Array, ClipMean, FrozenModule, Unmeasurable, full_precision, to_uint8
from tbd.utils.options.literals import checks_literals
from tbd.weights import load_state

_BATCH = 16
"""Frames compared at a time."""
_MOST_DB = 100.0
Average = Literal["clips", "frames"]


def frame_psnr(preds: Tensor, target: Tensor) -> Tensor:
    """Compute PSNR per frame: ``10 log₁₀(255² / MSE)`` in dB, at most 100 (equal frames would have infinity).

    Args:
        preds: (T, 3, H, W) uint8.
        target: (T, 3, H, W) uint8.

    Returns:
        (T,) float64.
    """
    error = (preds.double() - target.double()).square().flatten(1).mean(1)
    return (10 * torch.log10(255**2 / error)).clamp(max=_MOST_DB)


_WINDOW = 7
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def frame_ssim(preds: Tensor, target: Tensor) -> Tensor:
    """Compute SSIM per frame (Wang et al. 2004) as scikit-image's `structural_similarity` does by default.

    That is a 7×7 box window, sample covariance (N − 1), K₁ 0.01, K₂ 0.03, range 255, the mean over channels and all whole windows.

    Args:
        preds: (T, 3, H, W) uint8, at least 7×7.
        target: (T, 3, H, W) uint8.

    Returns:
        (T,) float64, −1..1.
    """
    x, y = preds.double(), target.double()

    def box(values: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(values, _WINDOW, stride=1)

    mean_x, mean_y = box(x), box(y)
    sample = _WINDOW**2 / (_WINDOW**2 - 1)
    var_x = sample * (box(x * x) - mean_x * mean_x)
    var_y = sample * (box(y * y) - mean_y * mean_y)
    cov = sample * (box(x * y) - mean_x * mean_y)
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    contrast = (2 * cov + _C2) / (var_x + var_y + _C2)
    return (luminance * contrast).flatten(1).mean(1)


def frame_pairs(preds: Array, target: Array, device: torch.device, size: int = _BATCH) -> Iterator[tuple[Tensor, Tensor]]:
    """Split two clips into batches of corresponding frames.

    Args:
        preds: (T, 3, H, W) uint8, or float in 0..1.
        target: As `preds`, of the same shape.
        device: Device of the batches.
        size: Number of frames in a batch.

    Yields:
        (B, 3, H, W) uint8 of either clip.

    Raises:
        Unmeasurable: If the clips have no frames.
        InputError: If they differ in length or size.
    """
    preds, target = to_uint8(preds), to_uint8(target)
    if preds.shape != target.shape or preds.ndim != 4:
        raise InputError(
            f"The frames of a clip and its reference are {tuple(preds.shape)} and {tuple(target.shape)}; "
            "(frames, 3, height, width) of equal length and size are right."
        )
    if not len(preds):
        raise Unmeasurable("The clip has no frames.")
    for start in range(0, len(preds), size):
        yield preds[start : start + size].to(device), target[start : start + size].to(device)


class _FrameMean(ClipMean):
    """The mean over a clip's frames of one number, then over clips or over all frames of all clips."""

    reads = ("preds.frames", "target.frames")

    def __init__(self, average: Average = "clips", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.average = average

    def weigh(self, preds: Array, target: Array) -> float:
        """Weigh a clip by its frames, where all frames of all clips are averaged.

        Args:
            preds: (T, 3, H, W).
            target: (T, 3, H, W).

        Returns:
            T, or 1 where clips are averaged.
        """
        return float(len(preds)) if self.average == "frames" else 1.0


class FramePSNR(_FrameMean):
    """PSNR in dB: the mean over a clip's frames of each frame's (not of the clip's squared error), then over clips.

    Higher is better. A frame that equals its reference counts 100 dB.

    Args:
        average: ``clips``, or ``frames`` for the mean over all frames of all clips, as EAT's evaluation takes it.

    Example:
        >>> metric = FramePSNR()
        >>> black = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
        >>> metric.update(black, black + 1)
        >>> round(float(metric.compute()), 2)
        48.13
    """

    unit = "dB"
    higher_is_better = True
    plot_lower_bound = 0.0

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Compare one clip with its reference.

        Args:
            preds: (T, 3, H, W) uint8, or float in 0..1.
            target: As `preds`, of the same shape.

        Returns:
            ``value``, the mean over frames in dB.
        """
        values = [frame_psnr(a, b) for a, b in frame_pairs(preds, target, self.device)]
        return {"value": float(torch.cat(values).mean())}


class FrameSSIM(_FrameMean):
    """SSIM, −1..1, higher is better; see `frame_ssim`. The mean over frames, then over clips.

    torchmetrics' SSIM has a Gaussian window and pads: it is another number.

    Args:
        average: See `FramePSNR`.

    Example:
        >>> metric = FrameSSIM()
        >>> frames = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
        >>> metric.update(frames, frames)
        >>> round(float(metric.compute()), 6)
        1.0
    """

    unit = ""
    higher_is_better = True
    plot_lower_bound, plot_upper_bound = -1.0, 1.0

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Compare one clip with its reference.

        Args:
            preds: (T, 3, H, W) uint8, or float in 0..1, at least 7×7.
            target: As `preds`, of the same shape.

        Returns:
            ``value``, the mean over frames.
        """
        values = []
        for a, b in frame_pairs(preds, target, self.device):
            if min(a.shape[2:]) < _WINDOW:
                raise InputError(f"SSIM needs frames of at least {_WINDOW}×{_WINDOW} pixels; these are {tuple(a.shape[2:])}.")
            values.append(frame_ssim(a, b))
        return {"value": float(torch.cat(values).mean())}


Backbone = Literal["alex", "vgg", "squeeze"]
_BACKBONES: dict[Backbone, str] = {"alex": "alexnet-imagenet", "vgg": "vgg16-imagenet", "squeeze": "squeezenet-imagenet"}


@checks_literals
def lpips_network(backbone: Backbone, weights: str | os.PathLike | None = None) -> nn.Module:
    """Load the `lpips` package's network (version 0.1, whose linear weights come with the package) on a local backbone.

    Args:
        backbone: One of the three networks.
        weights: A registered name or a file with torchvision's state dict of that network; None for the registered one.

    Returns:
        The network with its weights.

    Raises:
        WeightsNotFoundError: If the file is not there.
    """
    state = load_state(weights if weights is not None else _BACKBONES[backbone])
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision's, of arguments that lpips passes
        network = lpips.LPIPS(net=backbone, pnet_rand=True, verbose=False)
    own = network.net.state_dict()  # slice1.0.weight is torchvision's features.0.weight
    try:
        network.net.load_state_dict({key: state[f"features.{key.split('.', 1)[1]}"] for key in own})
    except (KeyError, RuntimeError) as error:
        raise InputError(f"The weights for LPIPS do not hold torchvision's {backbone} network ({error}).") from error
    return network


class FrameLPIPS(ClipMean):
    """LPIPS (Zhang et al. 2018, version 0.1): distance of two frames in a network's features, 0 for equal ones, lower is better.

    The three backbones are three metrics: their numbers are not comparable. Frames of any range are brought to −1..1.

    Args:
        backbone: ``alex`` is what most papers report.
        weights: Weights of the backbone; see `lpips_network`.
        kwargs: Options of `torchmetrics.Metric`.

    Raises:
        WeightsNotFoundError: If the backbone's weights are not on this machine.

    Example:
        >>> FrameLPIPS.reads, FrameLPIPS.higher_is_better
        (('preds.frames', 'target.frames'), False)
        >>> metric = FrameLPIPS("vgg")  # doctest: +SKIP
    """

    reads = ("preds.frames", "target.frames")
    unit = ""
    higher_is_better = False
    plot_lower_bound = 0.0

    def __init__(self, backbone: Backbone = "alex", weights: str | os.PathLike | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.backbone = backbone
        self._network = FrozenModule(lpips_network(backbone, weights))

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Compare one clip with its reference.

        Args:
            preds: (T, 3, H, W) uint8, or float in 0..1.
            target: As `preds`, of the same shape.

        Returns:
            ``value``, the mean over frames.
        """
        network, values = self._network.on(self.device), []
        with full_precision(self.device):
            for a, b in frame_pairs(preds, target, self.device):
                values.append(network(a / 127.5 - 1, b / 127.5 - 1).flatten().double())
        return {"value": float(torch.cat(values).mean())}
