"""Do a plan's muscles reach the face? Plans are read back from the motion that a model draws.

From each motion that of a neutral plan is taken, drawn from the same voice and noise, so that what speech does to the face does not
count. An asked unit is found where it rises, while it is asked in full, by half of what is asked. An unasked one is found, and wrong,
where it rises on average by half of the plan's mean intensity in channels that no asked unit moves; a channel is charged to one such
unit, that which explains most. A change's timing error lies between the middle of the rise that is asked and the moment when the face
has risen half way.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.think.families import TIMED_SECONDS
from benchmarks.think.units import Counts, scores
from tbd.draw.motion.diffusion import MotionDiffusion
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.think import MusclePlan, Planner
from tbd.think.action_units import ACTION_UNITS, Side
from tbd.think.facs import measure
from tbd.think.plan import RISE
from tests.think.sentences import SHOWS, TIMED, sentences

HALF = 0.5
"""Share of the asked intensity from which a unit is found."""
SETTLED = 0.6
"""Seconds before a rise's start and after its end whose median is its level."""
Muscle = tuple[int, Side]


def face_texts() -> list[str]:
    """Twenty texts: ten that last, spread over the sentences that expect a unit, and every second one in time."""
    lasting = [line.text for line in sentences() if line.expected and not line.group.startswith("hard")]
    return lasting[:: len(lasting) // 10][:10] + [text for text, _ in TIMED][::2]


def asked_levels(plan: MusclePlan, times: np.ndarray) -> dict[Muscle, np.ndarray]:
    """(T,) intensity asked of each unit on each side, of those that show at all."""
    levels: dict[Muscle, np.ndarray] = {}
    for action in plan.actions:
        key = (action.unit, action.side)
        levels[key] = np.maximum(levels.get(key, 0.0), action.envelope(times))
    return {key: level for key, level in levels.items() if level.max() >= SHOWS}


def count_found(plan: MusclePlan, change: np.ndarray) -> Counts:
    """How the units in `change`, (T, 58) motion less that of a neutral plan, agree with those that the plan asks for."""
    asked = asked_levels(plan, np.arange(len(change)) / FPS)
    if not asked:
        return {"hits": 0, "missed": 0, "wrong": 0}
    hits = 0
    for (unit, side), level in asked.items():
        full = level >= 0.9 * level.max()
        hits += bool(measure(change, unit, side)[full].mean() >= HALF * level[full].mean())
    threshold = HALF * np.mean([level.max() for level in asked.values()])
    taken = {channel for unit, side in asked for channel in ACTION_UNITS[unit].combination(side)}
    return {"hits": hits, "missed": len(asked) - hits, "wrong": len(unasked(change, taken, threshold))}


def unasked(change: np.ndarray, taken: set[str], threshold: float) -> list[Muscle]:
    """Units that rise on average by `threshold` in channels outside `taken`: first that which explains most, no channel twice."""
    taken, found = set(taken), []
    rises = {(unit.number, side): float(measure(change, unit.number, side).mean()) for unit in ACTION_UNITS.values() for side in unit.sides}
    weights = {key: ACTION_UNITS[key[0]].combination(key[1]) for key in rises}
    # of a projection, length times the combination's norm is what it explains: both sides before one, AU12 before AU13
    for key in sorted(rises, key=lambda key: -rises[key] * np.linalg.norm(list(weights[key].values()))):
        if rises[key] >= threshold and not weights[key].keys() & taken:
            found.append(key)
            taken |= weights[key].keys()
    return found


def timing_errors(plan: MusclePlan, change: np.ndarray) -> list[float | None]:
    """Found less asked seconds of every rise within the recording; None where less than half of the asked rise is there."""
    times = np.arange(len(change)) / FPS
    asked = asked_levels(plan, times)
    errors = []
    for action in plan.actions:
        key = (action.unit, action.side)
        if action.onset is None or action.onset < 2 / FPS or key not in asked:
            continue
        apex = action.onset + RISE if action.apex is None else action.apex
        if apex > times[-1]:
            continue
        before = (times >= action.onset - SETTLED) & (times <= action.onset)
        after = (times >= apex) & (times <= min(apex + SETTLED, max(action.offset or np.inf, apex + 1 / FPS)))
        wanted = asked[key][after].mean() - asked[key][before].mean()
        if wanted >= SHOWS:  # else the muscle is there already, for another moment
            shown = np.convolve(np.pad(measure(change, *key), 1, mode="edge"), np.full(3, 1 / 3), mode="valid")
            low, high = np.median(shown[before]), np.median(shown[after])
            middle = _crossing(times, shown, (low + high) / 2, action.onset - 1, apex + 1) if high - low >= HALF * wanted else None
            errors.append(None if middle is None else middle - (action.onset + apex) / 2)
    return errors


def _crossing(times: np.ndarray, values: np.ndarray, level: float, start: float, end: float) -> float | None:
    """When, between `start` and `end` seconds, `values` first rises through `level`, to a fraction of a frame."""
    for i in np.flatnonzero((values[:-1] < level) & (values[1:] >= level)):
        if start <= times[i] <= end:
            return float(times[i] + (level - values[i]) / (values[i + 1] - values[i]) / FPS)
    return None


def reach(planner: Planner, draw: Callable[[MusclePlan], np.ndarray]) -> dict[str, Any]:
    """Read plans back from what `draw` makes of them, (T, 58) motion of `TIMED_SECONDS`."""
    neutral, plans = draw(MusclePlan()), {text: planner.plan(text, TIMED_SECONDS) for text in face_texts()}
    changes = {text: draw(plan) - neutral for text, plan in plans.items()}
    counts = {text: count_found(plans[text], changes[text]) for text in plans}
    errors = [error for text in plans for error in timing_errors(plans[text], changes[text])]
    there = np.array([error for error in errors if error is not None])
    timing = {"changes": len(errors), "reached": len(there)}
    if len(there):
        late, off = float(there.mean()), np.abs(there)
        timing |= {"median": float(np.median(off)), "mean": float(off.mean()), "greatest": float(off.max()), "late": late}
    return {"units": scores(counts.values()), "timing": timing, "plans": counts}


def drawer(model: MotionDiffusion, audio: np.ndarray) -> Callable[[MusclePlan], np.ndarray]:
    """Plan → motion of the first `TIMED_SECONDS` of a voice, always from the same noise."""
    excerpt = audio[: round(TIMED_SECONDS * SAMPLE_RATE)]
    return lambda plan: np.concatenate([piece.values for piece in model.generate(excerpt, plan, seed=0)])
