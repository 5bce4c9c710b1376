"""How well the action units of a plan are followed in time."""

import numpy as np

from tbd.metrics.base import Array, ClipMean, Unmeasurable, tensor
from tbd.think.action_units import ACTION_UNITS
from tbd.think.facs import measure as measure_unit

_MOVES = 0.1
"""Intensity over which a planned action unit must range within the clip to be correlated."""


def _numpy(values: Array) -> np.ndarray:
    return tensor(values).cpu().numpy()


def unit_fidelity(motion: np.ndarray, plan_motion: np.ndarray) -> dict[int, tuple[float, float]]:
    """Compare planned and measured intensity of each action unit that the plan moves.

    Args:
        motion: (T, 58) under test.
        plan_motion: (T, 58) the plan as `tbd.think.facs.perform` gives it.

    Returns:
        Unit number → (Pearson's r, mean absolute error in 0..1). A planned unit that never moves has r 0.
    """
    length, found = min(len(motion), len(plan_motion)), {}
    for unit in ACTION_UNITS:
        wanted, shown = (measure_unit(values[:length], unit).astype(np.float64) for values in (plan_motion, motion))
        if np.ptp(wanted) > _MOVES:
            r = float(np.corrcoef(wanted, shown)[0, 1]) if shown.std() > 1e-9 else 0.0
            found[unit] = r, float(np.abs(wanted - shown).mean())
    return found


class ActionUnitFidelity(ClipMean):
    """Correlation of planned and measured muscles: the mean over action units of Pearson's r over time.

    Only units that the plan moves by more than 0.1 within the clip count, since a held one has no correlation; `means`
    also gives their mean absolute ``error`` in intensity, 0..1. Speech moves jaw and lips as well, so units of the lower
    face are seen through it. −1..1, higher is better.

    Example:
        >>> from tbd.think.facs import perform
        >>> from tbd.think.plan import MuscleAction, MusclePlan
        >>> plan = perform(MusclePlan(actions=(MuscleAction(unit=4, intensity=0.8, onset=0.5, apex=1.0),)), 50)
        >>> metric = ActionUnitFidelity()
        >>> metric.update(0.5 * plan, plan)  # strength does not count
        >>> round(float(metric.compute()), 3)
        1.0
    """

    reads = ("preds.motion", "target.plan_motion")
    names = ("correlation", "error")
    reported = "correlation"
    unit = ""
    higher_is_better = True
    plot_lower_bound, plot_upper_bound = -1.0, 1.0

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Correlate one clip with its plan.

        Args:
            preds: (T, 58) motion under test.
            target: (T, 58) the plan as `tbd.think.facs.perform` gives it.

        Returns:
            ``correlation`` and ``error``.

        Raises:
            Unmeasurable: If the plan moves no unit within the clip.
        """
        units = unit_fidelity(_numpy(preds), _numpy(target))
        if not units:
            raise Unmeasurable("The plan moves no action unit within the clip.")
        correlation, error = np.mean(list(units.values()), 0)
        return {"correlation": float(correlation), "error": float(error)}
