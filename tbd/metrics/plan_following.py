"""Plan following: whether the lips do what the phonemes need, and the muscles what the plan says and nothing else."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES, CHANNELS, INDEX
from tbd.face.geometry import mean_face
from tbd.face.motion_landmarks import mean_face_rig
from tbd.face.rigging.mouth import inner_lip_gap
from tbd.media.rates import FPS
from tbd.metrics.base import Array, ClipMean, Unmeasurable, paired, tensor
from tbd.metrics.inputs import require_known
from tbd.think.action_units import ACTION_UNITS, REGIONS
from tbd.think.facs import CHANNEL_REGIONS
from tbd.think.facs import measure as measure_unit

CLOSED = 0.1
"""Share of its clip's wide opening under which the gap of the lips counts as closed."""
_PLANNED = 0.1
"""Peak intensity from which a unit counts as planned."""


def _numpy(values: Array) -> np.ndarray:
    return tensor(values).cpu().numpy()


def lip_gap(motion: np.ndarray) -> np.ndarray:
    """Measure (T, 9) openings between the inner lips of the mean face, in its own unit, of a (T, 58) motion; negative where lips cross."""
    return inner_lip_gap(mean_face() + mean_face_rig().displace(motion[:, : len(BLENDSHAPES)].astype(np.float32)))


def closures(gap: np.ndarray, bilabials: np.ndarray) -> np.ndarray:
    """Measure per bilabial the least gap within it and one frame on either side, over the clip's 95th percentile.

    Args:
        gap: (T,) or (T, N) opening of the lips at N places; the widest place counts.
        bilabials: (K, 2) seconds. Those that begin after the last frame are left out.

    Returns:
        (K,) ratios.
    """
    gap = gap.reshape(len(gap), -1).max(1)
    reference = max(float(np.percentile(gap, 95)), 1e-6)
    spans = [(int(start * FPS) - 1, int(np.ceil(end * FPS)) + 1) for start, end in bilabials]
    return np.array([gap[max(first, 0) : last + 1].min() / reference for first, last in spans if first < len(gap)])


class LipClosure(ClipMean):
    """Closure of the lips on b, p and m: the share of bilabials whose lip gap falls under a tenth of the clip's wide opening.

    0..1, higher is better; the recorded motion's own value is the ceiling. `means` also gives ``gap``, the median gap at
    bilabials over the clip's 95th percentile. A clip counts by the number of its bilabials.

    Example:
        >>> from tbd.face.motion import Motion
        >>> motion = Motion.zeros(50)
        >>> motion["jawOpen"] = 0.5
        >>> motion["jawOpen"][10:13] = motion["mouthClose"][10:13] = 0.1
        >>> metric = LipClosure()
        >>> metric.update(motion.values, np.array([[0.44, 0.48], [1.2, 1.28]]))  # one m that closes, one that does not
        >>> float(metric.compute())
        0.5
    """

    reads = ("preds.motion", "target.bilabials")
    names = ("closed", "gap")
    reported = "closed"
    unit = ""
    higher_is_better = True
    plot_lower_bound, plot_upper_bound = 0.0, 1.0

    def weigh(self, preds: Array, target: Array) -> float:
        """Weigh a clip by the number of its bilabials.

        Args:
            preds: (T, 58) motion.
            target: (K, 2) seconds in which b, p and m are spoken.

        Returns:
            K.
        """
        return float(len(target))

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Measure one clip.

        Args:
            preds: (T, 58) motion.
            target: (K, 2) seconds in which b, p and m are spoken.

        Returns:
            ``closed`` and ``gap``.

        Raises:
            Unmeasurable: If the clip has no bilabial.
        """
        found = closures(lip_gap(_numpy(preds)), _numpy(target))
        if not len(found):
            raise Unmeasurable("The clip has no b, p or m.")
        return {"closed": float((found < CLOSED).mean()), "gap": float(np.median(found))}


class ChannelCorrelation(ClipMean):
    """Pearson's r over time between one channel of a motion and of the recorded one; −1..1, higher is better.

    Args:
        channel: One of `tbd.face.channels.CHANNELS`.
        kwargs: Options of `torchmetrics.Metric`.

    Example:
        >>> motion = np.random.default_rng(0).random((50, 58))
        >>> metric = ChannelCorrelation("jawOpen")
        >>> metric.update(0.5 * motion, motion)  # strength does not count
        >>> round(float(metric.compute()), 6)
        1.0
    """

    reads = ("preds.motion", "target.motion")
    unit = ""
    higher_is_better = True
    plot_lower_bound, plot_upper_bound = -1.0, 1.0

    def __init__(self, channel: str = "jawOpen", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if channel not in CHANNELS:
            raise InputError(f"{channel} is no channel of a motion; there are {', '.join(CHANNELS)}.")
        self.channel = channel

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Correlate one clip with its reference.

        Args:
            preds: (T, 58); a channel that stands still here alone has r 0.
            target: (T, 58) recorded.

        Returns:
            ``value``, Pearson's r.

        Raises:
            Unmeasurable: If the recorded channel stands still.
        """
        a, b = (values[:, INDEX[self.channel]].numpy() for values in paired(preds, target))
        if b.std() < 1e-6:
            raise Unmeasurable(f"{self.channel} stands still in the recorded motion.")
        return {"value": float(np.corrcoef(a, b)[0, 1]) if a.std() > 1e-6 else 0.0}


class RegionError(ClipMean):
    """Error of the muscles of some regions: the root mean square difference to the recorded motion, in percent of a full movement.

    Unlike a correlation it sees everything that can go wrong with a plan: a planned muscle that does not move, moves late, too
    weakly or too strongly, and one that moves with the emotion although it is not planned. Speech hardly moves brows, cheeks and
    nose, so there it is the plan alone that is tested. Lower is better; random movements keep it above 0.

    Args:
        regions: Regions out of `tbd.think.action_units.REGIONS`, whose blendshapes count.
        kwargs: Options of `torchmetrics.Metric`.

    Example:
        >>> motion = np.full((50, 58), 0.25)
        >>> metric = RegionError()
        >>> metric.update(motion, motion + 0.1)
        >>> round(float(metric.compute()), 6)
        10.0
    """

    reads = ("preds.motion", "target.motion")
    unit = "%"
    higher_is_better = False
    plot_lower_bound = 0.0

    def __init__(self, regions: Sequence[str] = ("upper", "middle"), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_known(regions, REGIONS, "region")
        self.columns = [INDEX[name] for name in BLENDSHAPES if CHANNEL_REGIONS[name] in regions]

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Compare one clip with its reference.

        Args:
            preds: (T, 58) motion.
            target: (T, 58) recorded.

        Returns:
            ``value``, the error in percent.
        """
        a, b = (values[:, self.columns].numpy() for values in paired(preds, target))
        return {"value": 100 * float(np.sqrt(np.square(a - b).mean()))}


class ActionUnitGain(ClipMean):
    """Gain of planned muscles: measured over planned intensity, averaged over the plan's units of the given regions.

    A unit counts while it is planned at more than half of its peak. 1 is as planned, less is a face that holds back, more one that
    exaggerates. Compare with the recorded motion's own.

    Args:
        regions: Regions out of `tbd.think.action_units.REGIONS`; speech also moves the units of the lower face.
        kwargs: Options of `torchmetrics.Metric`.

    Example:
        >>> from tbd.think.facs import perform
        >>> from tbd.think.plan import MuscleAction, MusclePlan
        >>> plan_motion = perform(MusclePlan(actions=(MuscleAction(unit=4, intensity=0.8),)), 50)
        >>> metric = ActionUnitGain()
        >>> metric.update(0.5 * plan_motion, plan_motion)
        >>> round(float(metric.compute()), 2)
        0.5
    """

    reads = ("preds.motion", "target.plan_motion")
    unit = "×"
    higher_is_better = None
    plot_lower_bound = 0.0

    def __init__(self, regions: Sequence[str] = ("upper", "middle"), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_known(regions, REGIONS, "region")
        self.units = [number for number, unit in ACTION_UNITS.items() if unit.region in regions]

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Measure one clip.

        Args:
            preds: (T, 58) motion.
            target: (T, 58) the plan as `tbd.think.facs.perform` gives it.

        Returns:
            ``value``, the gain.

        Raises:
            Unmeasurable: If the plan moves no unit of these regions.
        """
        seen, wanted = (values.numpy() for values in paired(preds, target))
        gains = []
        for unit in self.units:
            aim = measure_unit(wanted, unit)
            if aim.max() >= _PLANNED:
                high = aim >= aim.max() / 2
                gains.append(float(measure_unit(seen, unit)[high].mean() / aim[high].mean()))
        if not gains:
            raise Unmeasurable("The plan moves no action unit of these regions.")
        return {"value": float(np.mean(gains))}
