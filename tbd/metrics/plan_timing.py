"""Plan following on video: do the muscles that the plan asks for show in the pixels, and when?

Both metrics read a motion, which a protocol with ``motion: face_mesh`` tracks in the pixels, and the plan. A tracker sees less than
was drawn, so compare with the recorded clips' own numbers. Units that speech moves are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tbd.media.rates import FPS
from tbd.metrics.base import Array, ClipMean, Unmeasurable, paired
from tbd.metrics.motion_variety import F1_UNITS, ActionUnitF1, require_units
from tbd.think.facs import measure as measure_unit
from tbd.utils.input_checks import require_at_least
from tbd.utils.tracks import runs

_PLANNED = 0.2
"""Peak intensity from which a planned unit is expected to be seen."""
_SEEN = 0.25
"""Part of the planned rise from which a unit counts as followed."""
_SMOOTH = 5
"""Frames of the median that takes out a tracker's jitter."""


class PlannedUnitF1(ActionUnitF1):
    """F1 of action units, frame by frame against the plan: does what was asked show, and nothing else?

    As `ActionUnitF1`, which compares with a recorded motion; a unit is active where the plan's intensity reaches the threshold.

    Args:
        units: Numbers of action units.
        threshold: Intensity from which a unit is active, in the plan and in the motion.
        kwargs: Options of `torchmetrics.Metric`.

    Raises:
        InputError: If a unit is unknown, or the threshold is not between 0 and 1.

    Example:
        >>> from tbd.think.facs import perform
        >>> from tbd.think.plan import MuscleAction, MusclePlan
        >>> plan = perform(MusclePlan(actions=(MuscleAction(unit=4, intensity=0.8, onset=0.5, apex=1.0),)), 50)
        >>> metric = PlannedUnitF1()
        >>> metric.update(plan, plan)
        >>> float(metric.compute())
        1.0
    """

    reads = ("preds.motion", "target.plan_motion")


@dataclass(frozen=True)
class PlannedEvent:
    """A planned movement of one unit.

    Args:
        unit: Number of the action unit.
        start: First frame in which the plan is above half of its peak.
        end: One past the last.
        peak: Planned intensity at its peak.
        rises: Whether it rises within the clip, so that the beginning can be seen.
        falls: Whether it falls within the clip.
    """

    unit: int
    start: int
    end: int
    peak: float
    rises: bool
    falls: bool


def planned_events(plan_motion: np.ndarray, units: Sequence[int] = F1_UNITS) -> list[PlannedEvent]:
    """List the movements that a plan asks for: of each unit the longest stretch above half of its peak.

    Args:
        plan_motion: (T, 58) the plan as `tbd.think.facs.perform` gives it.
        units: Numbers of action units.

    Returns:
        The events of units planned at 0.2 and more, of which a beginning or an end lies within the clip.
    """
    found = []
    for unit in units:
        wanted = measure_unit(plan_motion, unit)
        peak = float(wanted.max())
        if peak < _PLANNED:
            continue
        start, end = max(runs(wanted >= peak / 2), key=lambda span: span[1] - span[0])
        if start > 0 or end < len(wanted):
            found.append(PlannedEvent(unit, start, end, peak, start > 0, end < len(wanted)))
    return found


def event_errors(motion: np.ndarray, event: PlannedEvent, tolerance: int) -> list[float] | None:
    """Find when a planned movement is shown.

    Args:
        motion: (T, 58).
        event: The movement.
        tolerance: Frames by which it may come early or late.

    Returns:
        Frames by which its beginning and its end are late, as far as the plan has them within the clip; None where the movement is not
        shown: the unit rises by less than a quarter of what was planned above its rest, or at another time.
    """
    from scipy.ndimage import median_filter

    shown = median_filter(measure_unit(motion, event.unit).astype(np.float64), _SMOOTH, mode="nearest")
    near = slice(max(event.start - tolerance, 0), min(event.end + tolerance, len(shown)))
    outside = np.r_[shown[: near.start], shown[near.stop :]]
    rest = float(np.median(outside)) if len(outside) else float(shown[near].min())
    rise = shown - rest
    peak = float(np.percentile(rise[near], 95))
    if peak < max(_SEEN * event.peak, 0.05):
        return None
    overlaps = [(min(end, event.end) - max(start, event.start), start, end) for start, end in runs(rise >= peak / 2)]
    overlap, start, end = max(overlaps)
    errors = [float(start - event.start)] * event.rises + [float(end - event.end)] * event.falls
    return None if overlap <= 0 or max(map(abs, errors)) > tolerance else errors


class PlannedUnitTiming(ClipMean):
    """Timing of planned muscles: seconds between when the plan has a unit rise and fall, and when it is seen to; lower is better.

    Rise and fall are where a unit passes half of its peak above its rest. A movement that is not shown within the tolerance counts as the
    whole tolerance, so ignoring the plan is not good timing. `means` also gives ``delay``, signed, positive where the movement comes late
    (of the movements that are shown), and ``followed``, the share of planned movements that are shown, 0..1.

    Args:
        units: Numbers of action units.
        tolerance: Seconds within which a movement must come.
        kwargs: Options of `torchmetrics.Metric`.

    Raises:
        InputError: If a unit is unknown, or the tolerance is less than a frame.

    Example:
        >>> from tbd.think.facs import perform
        >>> from tbd.think.plan import MuscleAction, MusclePlan
        >>> plan = perform(MusclePlan(actions=(MuscleAction(unit=4, intensity=0.8, onset=1.0, apex=1.4, offset=2.2),)), 100)
        >>> metric = PlannedUnitTiming()
        >>> metric.update(0.5 * np.roll(plan, 5, axis=0), plan)  # half as strong, five frames late
        >>> {name: round(float(value), 2) for name, value in metric.means().items()}
        {'error': 0.2, 'delay': 0.2, 'followed': 1.0}
    """

    reads = ("preds.motion", "target.plan_motion")
    names = ("error", "delay", "followed")
    reported = "error"
    unit = "s"
    higher_is_better = False
    plot_lower_bound = 0.0

    def __init__(self, units: Sequence[int] = F1_UNITS, tolerance: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_units(units)
        require_at_least(1 / FPS, tolerance=tolerance)
        self.units, self.tolerance = tuple(units), tolerance

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Measure one clip.

        Args:
            preds: (T, 58) motion.
            target: (T, 58) the plan as `tbd.think.facs.perform` gives it.

        Returns:
            ``error``, ``delay`` and ``followed``.

        Raises:
            Unmeasurable: If the plan has none of these units begin or end within the clip.
        """
        shown, wanted = (values.numpy() for values in paired(preds, target))
        events = planned_events(wanted, self.units)
        if not events:
            raise Unmeasurable("The plan has no action unit begin or end within the clip.")
        found = [event_errors(shown, event, round(self.tolerance * FPS)) for event in events]
        late = [frames / FPS for errors in found if errors is not None for frames in errors]
        missed = [self.tolerance for event, errors in zip(events, found) if errors is None for _ in range(event.rises + event.falls)]
        return {
            "error": float(np.mean(np.abs([*late, *missed]))),
            "delay": float(np.mean(late)) if late else 0.0,
            "followed": sum(errors is not None for errors in found) / len(events),
        }
