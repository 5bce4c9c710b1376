"""Sharpness without a reference: CPBD."""

from typing import Any

import numpy as np

from tbd.metrics.base import Array, ClipMean, Unmeasurable, to_uint8
from tbd.utils.input_checks import require_at_least

_BLOCK = 64
_EDGE_BLOCK = 0.002
"""Part of a block's pixels that must be edges for it to count."""
_BETA = 3.6
_SHARP = 63
"""Per cent: edges whose blur is seen with at most this probability (the just noticeable blur) count as sharp."""
_WIDEST = 100


def blur_detection(image: np.ndarray) -> float:
    """Compute the cumulative probability of blur detection of one picture (Narvekar & Karam, IEEE TIP 20(9), 2011).

    Canny finds the blocks of 64×64 that have edges. In them every vertical edge has a width: from the pixel beside it to the
    end of the rise or fall of brightness, either way along the row (Marziliano et al. 2002). With the just noticeable width
    w_J (5 pixels in a block of contrast up to 50, else 3) blur is seen with probability ``1 − exp(−(w / w_J)^3.6)``; the
    metric is the part of edges where that is at most 63 %. Equal to the Python port `cpbd` 1.0.7 of the authors' MATLAB.

    Args:
        image: (H, W) uint8 luminance, at least 64×64.

    Returns:
        0 (blurred) .. 1 (sharp); 0 where there is no edge at all.
    """
    from skimage.feature import canny

    image = image.astype(np.float64)
    edges, widths = canny(image), edge_widths(image)
    histogram = np.zeros(101)
    for top in range(0, image.shape[0] - _BLOCK + 1, _BLOCK):
        for left in range(0, image.shape[1] - _BLOCK + 1, _BLOCK):
            block = slice(top, top + _BLOCK), slice(left, left + _BLOCK)
            if np.count_nonzero(edges[block]) > _EDGE_BLOCK * _BLOCK**2:
                found = widths[block][widths[block] > 0]
                noticeable = 5 if int(np.ptp(image[block])) <= 50 else 3
                seen = 1 - np.exp(-((found / noticeable) ** _BETA))
                histogram += np.bincount(np.rint(100 * seen).astype(int), minlength=101)
    return float(histogram[: _SHARP + 1].sum() / max(histogram.sum(), 1))


def edge_widths(image: np.ndarray) -> np.ndarray:
    """Measure each vertical edge's width in pixels, (H, W) int, of an (H, W) image; 0 where there is none."""
    rise, fall = (_runs(sign * np.diff(image, axis=1) > 0) for sign in (1, -1))
    down, right = np.gradient(image)
    # A pixel without horizontal change counts as rising, as in the port.
    angle = np.where(right == 0, 0, np.degrees(np.arctan2(down, right)))
    direction = np.abs(45 * np.round(angle / 45))
    widths = np.where(direction == 0, rise, np.where(direction == 180, fall, 0)) * _vertical_edges(image)
    widths[[0, -1]] = 0
    widths[:, [0, -1]] = 0
    return widths


def _runs(along: np.ndarray) -> np.ndarray:
    """Count steps that go on without a break on both sides of each pixel.

    (H, W − 1) whether the step from each pixel to its right neighbour goes on → (H, W) for each pixel two, and the number of steps
    that go on leftwards from its left neighbour and rightwards from its right one, each at most 100.
    """
    rows, steps = along.shape
    place = np.arange(steps)
    left = place - np.maximum.accumulate(np.where(along, -1, place), 1)
    right = np.minimum.accumulate(np.where(along, steps, place)[:, ::-1], 1)[:, ::-1] - place
    total = np.full((rows, steps + 1), 2)
    total[:, 2:] += np.minimum(left, _WIDEST)[:, :-1]  # the step that ends at the left neighbour
    total[:, :-2] += np.minimum(right, _WIDEST)[:, 1:]
    return total


def _vertical_edges(image: np.ndarray) -> np.ndarray:
    """(H, W) bool: Sobel's vertical edges over twice the root mean strength, thinned to local maxima (GNU Octave's `edge`)."""
    from scipy.ndimage import convolve

    kernel = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]]) / 8
    strength = convolve(image, kernel) ** 2
    strength[strength <= 2 * np.sqrt(strength.mean())] = 0
    padded = np.pad(strength, 1)
    across = (strength > padded[1:-1, :-2]) & (strength > padded[1:-1, 2:])
    along = (strength > padded[:-2, 1:-1]) & (strength > padded[2:, 1:-1])
    return across | along


class Sharpness(ClipMean):
    """CPBD, 0..1, higher is sharper; see `blur_detection`. The mean over every `every`-th frame, then over clips.

    It depends on the size of the picture and rises with noise and with the blocks of coding; compare at one size only.

    Args:
        every: Step between the frames that are measured, since a frame of 512² takes a tenth of a second.
        kwargs: Options of `torchmetrics.Metric`.

    Example:
        >>> metric = Sharpness()
        >>> metric.update(np.full((1, 3, 64, 64), 128, np.uint8))  # no edge
        >>> float(metric.compute())
        0.0
    """

    reads = ("preds.frames",)
    unit = ""
    higher_is_better = True
    plot_lower_bound, plot_upper_bound = 0.0, 1.0

    def __init__(self, every: int = 5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_at_least(1, every=every)
        self.every = every

    def measure(self, preds: Array) -> dict[str, float]:
        """Measure one clip.

        Args:
            preds: (T, 3, H, W) uint8, or float in 0..1.

        Returns:
            ``value``, the mean over frames.

        Raises:
            Unmeasurable: If there are no frames, or they are smaller than 64×64.
        """
        from PIL import Image

        frames = to_uint8(preds)[:: self.every].permute(0, 2, 3, 1).cpu().numpy()
        if not len(frames) or min(frames.shape[1:3]) < _BLOCK:
            raise Unmeasurable(f"Sharpness needs frames of at least {_BLOCK}×{_BLOCK} pixels.")
        return {"value": float(np.mean([blur_detection(np.asarray(Image.fromarray(frame).convert("L"))) for frame in frames]))}
