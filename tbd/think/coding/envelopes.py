"""From a unit's level over time to its actions: onset, apex, offset, intensity.

An action rises as ``smoothstep`` from onset to apex, holds, and is gone `RELEASE` after its offset (`MuscleAction.envelope`); of several
actions of one unit the strongest leads. So actions are fitted one on top of the other, each to what those before leave unexplained.
"""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import median_filter
from scipy.optimize import least_squares

from tbd.media.rates import FPS
from tbd.think.action_units import Side
from tbd.think.plan import RELEASE, RISE, MuscleAction
from tbd.utils.tracks import runs

FAINTEST = 0.1
"""Intensity below which an action is not worth a coder's line: FACS's A starts there."""
_SHORTEST = 0.2
"""Seconds that an action must be visible."""
_STEP = 0.14
"""Difference of level that is a change rather than a muscle that does not hold still."""
_RISES = (0.1, 2.0)
_MOST, _PER_SECOND = 8, 1.0
"""Actions of one unit: at least so many may be found, and one a second of a longer clip."""
_HIDDEN, _GAP = 0.05, 0.6
"""Trust below which a unit is hidden, rather than covered by speech; and seconds up to which it then goes on as it is before and after:
beyond that the plan leaves it open."""


def fit_actions(level: np.ndarray, trust: np.ndarray, unit: int, side: Side) -> list[MuscleAction]:
    """The actions that a level over time consists of.

    Args:
        level: (T,) in 0..1.
        trust: (T,) how much each frame says, 0..1; what is below 0.3 is bridged where it is short, and left open elsewhere.
        unit: Number of the unit.
        side: Of the unit.

    Returns:
        In order of their onset; empty where the unit stays below `FAINTEST`.
    """
    level = _bridged(level, trust)
    covered = is_covered(trust)  # speech leaves waves of its own
    level = median_filter(level, min(25 if covered else 7, len(level)), mode="nearest")
    times = np.arange(len(level)) / FPS
    actions: list[MuscleAction] = []
    for _ in range(max(_MOST, round(_PER_SECOND * len(level) / FPS))):
        made = _shown(actions, times)
        bound = FAINTEST if not actions else max(2 * _STEP if covered else _STEP, 0.3 * float(level.max()))
        stretches = runs(level - made > bound, max(1, round((2.5 if covered else 1) * _SHORTEST * FPS)))
        if not stretches:
            break
        first, last = max(stretches, key=lambda s: float((level - made)[s[0] : s[1]].sum()))
        action = _fit(level, made, first, last, unit, side, times)
        if action is None or not _improves(level, made, np.maximum(made, action.envelope(times))):
            break
        actions.append(action)
    return sorted(actions, key=lambda a: a.onset or 0.0)


def is_covered(trust: np.ndarray) -> bool:
    """Find out whether speech covers a unit, by its (T,) trust where it is not hidden."""
    seen = trust[trust >= _HIDDEN]
    return bool(len(seen)) and float(np.median(seen)) < 0.9


def _improves(level: np.ndarray, before: np.ndarray, after: np.ndarray) -> bool:
    """Whether an action takes off more error than one of the same length at `FAINTEST` would be worth."""
    gain = np.square(level - before) - np.square(level - after)
    return float(gain.sum()) > 0.5 * FAINTEST**2 * max(5, int((after > before).sum()))


def _bridged(level: np.ndarray, trust: np.ndarray) -> np.ndarray:
    """Where little is seen for an instant, what is seen before and after it; nothing where it lasts."""
    sure = trust >= 0.3
    if not sure.all() and sure.sum() >= 5:
        frames = np.arange(len(level))
        level = np.maximum(level, np.interp(frames, frames[sure], level[sure]))
    hidden = trust < _HIDDEN
    for first, last in runs(hidden):
        if last - first > _GAP * FPS or hidden.all():
            level = np.concatenate([level[:first], np.zeros(last - first), level[last:]])
    return level


def _shown(actions: Sequence[MuscleAction], times: np.ndarray) -> np.ndarray:
    return np.max([np.zeros(len(times)), *(a.envelope(times) for a in actions)], axis=0)


def _fit(level: np.ndarray, made: np.ndarray, first: int, last: int, unit: int, side: Side, times: np.ndarray) -> MuscleAction | None:
    """One action for the frames from `first` to `last`, and its flanks."""
    peak = float(np.percentile(level[first:last], 75))
    high = level > peak / 2
    first, last = _widened(high, first, last)
    opens, closes = bool(first == 0 and level[0] > 0.6 * peak), bool(last == len(level) and level[-1] > 0.6 * peak)
    start = np.array(
        [
            0.0 if opens else times[first] - RISE / 2,
            RISE,
            times[last - 1] if closes else max(times[last - 1] - RELEASE / 2, times[first]),
            peak,
        ]
    )
    margin = round(1.2 * FPS)
    window = slice(max(0, first - margin), min(len(level), last + margin))
    # What another action of the same unit shows in the flanks is not this one's.
    own = runs(level[window] > 0.05, 1)
    inside = [r for r in own if r[0] + window.start < last and r[1] + window.start > first]
    mask = np.ones(window.stop - window.start, bool)
    if inside:
        left, right = min(r[0] for r in inside) - round(0.3 * FPS), max(r[1] for r in inside) + round(0.3 * FPS)
        frames = np.arange(len(mask))
        mask = (frames >= left) & (frames < right)
    seen, others, at = level[window][mask], made[window][mask], times[window][mask]

    def action(parameters: np.ndarray) -> MuscleAction:
        onset, rise, offset, intensity = (float(p) for p in parameters)
        apex = onset + max(rise, _RISES[0])
        return MuscleAction.model_construct(
            unit=unit, side=side, intensity=intensity, onset=None if opens else onset, apex=None if opens else apex,
            offset=None if closes else max(offset, onset if opens else apex),
        )  # fmt: skip

    def error(parameters: np.ndarray) -> np.ndarray:
        return np.maximum(others, action(parameters).envelope(at)) - seen

    lower = np.array([times[window.start] - 1e-3 - 2, _RISES[0], -0.5, 0.02])
    upper = np.array([times[window.stop - 1] + 1, _RISES[1], times[-1] + 0.5, 1.0])
    slower = start + np.array([-0.2, 0.4, 0.0, 0.0])
    bounds = {"bounds": (lower, upper), "diff_step": 1e-2, "loss": "soft_l1", "f_scale": 0.05, "max_nfev": 30}
    fits = [least_squares(error, np.clip(begin, lower, upper), **bounds) for begin in (start, slower)]
    fitted = min(fits, key=lambda fit: fit.cost)
    found = action(fitted.x)
    if found.intensity < FAINTEST:
        return None
    return _tidied(found, times[-1])


def _widened(high: np.ndarray, first: int, last: int) -> tuple[int, int]:
    while first > 0 and high[first - 1]:
        first -= 1
    while last < len(high) and high[last]:
        last += 1
    return first, last


def _tidied(action: MuscleAction, end: float) -> MuscleAction:
    """Times in hundredths of a second, in order, and within the clip; what began before it has no onset."""
    onset, apex, offset = action.onset, action.apex, action.offset
    if apex is not None and apex <= 0.04:
        onset = apex = None
    if offset is not None and offset >= end:
        offset = None
    if onset is not None:
        onset = round(max(onset, 0.0), 2)
    if apex is not None and onset is not None:
        apex = round(max(apex, onset), 2)
    if offset is not None:
        offset = round(max(offset, apex or 0.0), 2)
    return MuscleAction(
        unit=action.unit, side=action.side, intensity=round(min(action.intensity, 1.0), 2), onset=onset, apex=apex, offset=offset
    )
