"""The aperture of the mouth, and how well it follows another."""

from typing import Any

import numpy as np
from torch import Tensor

from tbd.metrics.base import Array, ClipMean, Unmeasurable, paired
from tbd.metrics.faces.face_points import inter_ocular, to_dlib68
from tbd.utils.input_checks import require_at_least

_FEWEST = 10
_STILL = 1e-6
"""Inter-ocular distances: a mouth whose opening varies less than this stands still."""


def mouth_aperture(points: Array) -> Tensor:
    """Measure how far the mouth is open: the gap of the inner lips at their middle, over the inter-ocular distance.

    Args:
        points: (T, 478, 3) or (T, 68, 2) pixels.

    Returns:
        (T,) float64 in inter-ocular distances, NaN where the points are.
    """
    points = to_dlib68(points)
    return (points[:, 62] - points[:, 66]).norm(dim=-1) / inter_ocular(points)


def lagged_correlation(preds: Array, target: Array, max_lag: int) -> tuple[float, int]:
    """Compute Pearson's r of two tracks at the lag where it is greatest.

    Args:
        preds: (T,) each; NaN where not seen. The longer one counts up to the shorter one's length.
        target: (T,) each; NaN where not seen. The longer one counts up to the shorter one's length.
        max_lag: Frames.

    Returns:
        r, and the lag in frames by which `preds` comes later than `target`; of equal r the smallest lag.

    Raises:
        Unmeasurable: If fewer than ten frames are seen in both at every lag, or either track stands still.

    Example:
        >>> import torch
        >>> track = torch.sin(torch.arange(100) / 3)
        >>> r, lag = lagged_correlation(track[:-4], track[4:], 10)
        >>> round(r, 4), lag
        (1.0, 4)
    """
    a, b = (track.numpy() for track in paired(preds, target))
    length, found = len(a), []
    furthest = min(max_lag, length - 1)  # beyond it nothing overlaps
    for lag in sorted(range(-furthest, furthest + 1), key=abs):
        late, early = a[max(lag, 0) : length + min(lag, 0)], b[max(-lag, 0) : length - max(lag, 0)]
        both = np.isfinite(late) & np.isfinite(early)
        if both.sum() >= _FEWEST and late[both].std() > _STILL and early[both].std() > _STILL:
            found.append((float(np.corrcoef(late[both], early[both])[0, 1]), lag))
    if not found:
        raise Unmeasurable(f"The mouth is seen in fewer than {_FEWEST} frames of both clips, or stands still in one of them.")
    return max(found, key=lambda pair: pair[0])


class ApertureCorrelation(ClipMean):
    """Synchrony of the mouth with the reference's: Pearson's r of `mouth_aperture` at its best lag.

    −1..1, higher is better. `means` also gives ``lag``, in frames, positive where the clip under test comes late: a
    correlation that is good only at a lag of several frames is bad lip sync.

    Args:
        max_lag: Largest lag in frames, either way.
        kwargs: Options of `torchmetrics.Metric`.

    Example:
        >>> points = np.random.default_rng(0).random((30, 68, 2))
        >>> metric = ApertureCorrelation(max_lag=3)
        >>> metric.update(points[:-2], points[2:])  # two frames late
        >>> round(float(metric.compute()), 6), float(metric.means()["lag"])
        (1.0, 2.0)
    """

    reads = ("preds.points", "target.points")
    names = ("correlation", "lag")
    reported = "correlation"
    unit = ""
    higher_is_better = True
    plot_lower_bound, plot_upper_bound = -1.0, 1.0

    def __init__(self, max_lag: int = 15, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_at_least(0, max_lag=max_lag)
        self.max_lag = max_lag

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Correlate one clip with its reference.

        Args:
            preds: (T, 478, 3) or (T, 68, 2) pixels.
            target: (T, 478, 3) or (T, 68, 2) pixels.

        Returns:
            ``correlation`` and ``lag``.

        Raises:
            Unmeasurable: If fewer than ten frames show a face in both, or either mouth stands still.
        """
        correlation, lag = lagged_correlation(mouth_aperture(preds), mouth_aperture(target), self.max_lag)
        return {"correlation": correlation, "lag": lag}
