"""Which action units explain an expression, and how strongly each is at work at each moment.

The forward model is `tbd.think.facs.perform`: a unit at level a drives channel c by ``share · a``, and units on one channel combine
as ``1 − Π(1 − x)``. Units are added one at a time, the one that explains most first, as long as each pays for itself; levels follow
by coordinate descent, in which a unit answers for what the others leave over. So a smile is one AU12 and not an AU13 with a
remainder, and a nose wrinkler takes the upper lip that it drags along with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tbd.face.channels import BLENDSHAPES, INDEX
from tbd.think.action_units import ACTION_UNITS, TOGETHER, TRACE, ActionUnit, Side

_NOT_CODED = frozenset({31, 38, 45, 46})
"""AU45 is life rather than expression; AU31 and AU38 have no channel of their own and are never the simplest explanation; AU46 has the
channels of AU43, which stands for both here (see `tbd.think.coding.coder`)."""
_SWEEPS = 6
_FLOOR = 0.03
"""Least standard deviation of a channel's value about its unit's: people do not hold still, and units are a model."""
_COST = 6.0
"""What a unit must gain in Σ seen · (error / σ)² a second of its activity to be taken; 1 a channel and frame is noise."""
_STRIDE = 3
"""Of the frames that units are chosen on; levels are then had for all."""


Levels = dict[tuple[int, Side], np.ndarray]
"""(unit, side) → (T,) level in 0..1."""
_FULL = 0.995
"""Level at which a unit counts as full, short of 1 so that what others do on its channels stays visible."""


@dataclass(frozen=True)
class Pull:
    """One side of one unit: what it does to the blendshapes at level 1."""

    unit: int
    side: Side
    shares: np.ndarray  # (52,)


def pulls_of(unit: ActionUnit) -> tuple[Pull, ...]:
    """The sides of a unit that a motion can tell apart."""
    if any(channel not in BLENDSHAPES for channel in unit.channels):
        return ()
    left, right = (_shares(unit, side) for side in ("left", "right")) if unit.sides != TOGETHER else (None, None)
    if left is None or right is None or np.allclose(left, right):
        return (Pull(unit.number, "both", _shares(unit, "both")),)
    return (Pull(unit.number, "left", left), Pull(unit.number, "right", right))


def _shares(unit: ActionUnit, side: Side) -> np.ndarray:
    shares = np.zeros(len(BLENDSHAPES))
    if side == "both" or unit.sides != TOGETHER:
        for channel, value in unit.combination(side).items():
            shares[INDEX[channel]] = value
    return shares


CANDIDATES: dict[int, tuple[Pull, ...]] = {
    n: pulls for n, unit in ACTION_UNITS.items() if n not in _NOT_CODED and (pulls := pulls_of(unit))
}
"""Unit → its sides."""


def decompose(shapes: np.ndarray, seen: np.ndarray, noise: np.ndarray) -> Levels:
    """Find the units that explain an expression, and their levels.

    Args:
        shapes: (T, 52) in 0..1.
        seen: (T, 52) how much each value counts.
        noise: (52,) standard deviation per channel.

    Returns:
        (unit, side) → (T,) level in 0..1, the sides "left" and "right" where a motion tells them apart, "both" elsewhere.
    """
    every = slice(None, None, _STRIDE)
    weights = seen / (noise**2 + _FLOOR**2)
    chosen = _choose(shapes[every], _STRIDE * weights[every])
    return _solve(shapes, weights, chosen, {})


def _choose(shapes: np.ndarray, weights: np.ndarray) -> list[int]:
    """The units that pay for themselves."""
    chosen: list[int] = []
    levels: Levels = {}
    refused: set[int] = set()
    error = _error(shapes, weights, chosen, levels)
    while True:
        residual = _left_over(shapes, chosen, levels)
        gains = {unit: _gain(residual, weights, unit) for unit in CANDIDATES if unit not in chosen and unit not in refused}
        for unit in sorted((unit for unit in gains if gains[unit] > 0), key=lambda unit: -gains[unit]):
            trial = _solve(shapes, weights, [*chosen, unit], levels)
            if error - _error(shapes, weights, [*chosen, unit], trial) > _price(trial, unit):
                break
            refused.add(unit)
        else:
            return chosen
        grown = [*chosen, unit]
        chosen, levels = _prune(shapes, weights, grown, trial)
        refused |= set(grown) - set(chosen)  # what was pruned does not come back, or two units could replace each other for ever
        error = _error(shapes, weights, chosen, levels)


def _price(levels: Levels, unit: int) -> float:
    """A unit costs what it is long, so that a short strong action passes and a long faint one does not."""
    active = np.zeros(1)
    for (number, _), level in levels.items():
        if number == unit:
            active = np.maximum(active, level > TRACE / 2)
    return _COST * max(8.0, _STRIDE * float(active.sum()))


def _gain(residual: np.ndarray, weights: np.ndarray, unit: int) -> float:
    """About how much the error falls where `unit` explains what is left over, less its price."""
    gain, active = 0.0, np.zeros(len(residual), bool)
    for pull in CANDIDATES[unit]:
        moved = pull.shares > 0
        w, s, r = weights[:, moved], pull.shares[moved], residual[:, moved]
        level = np.clip((w * s * r).sum(1) / np.maximum((w * s * s).sum(1), 1e-9), 0, 1)
        gain += float((w * (r**2 - (r - s * level[:, None]) ** 2)).sum())
        active |= level > TRACE / 2
    return gain - _COST * max(8.0, _STRIDE * float(active.sum()))


def _left_over(shapes: np.ndarray, chosen: Sequence[int], levels: Levels) -> np.ndarray:
    """(T, 52) the x that a further unit would have to give: ``1 − (1 − c) / Π(1 − x)``, −1..1."""
    rest = _rest(shapes, chosen, levels)
    return np.clip(1 - (1 - shapes) / np.maximum(rest, 0.05), -1, 1)


def _rest(shapes: np.ndarray, chosen: Sequence[int], levels: Levels) -> np.ndarray:
    """(T, 52) Π(1 − x) over the chosen units."""
    rest = np.ones_like(shapes)
    for unit in chosen:
        for pull in CANDIDATES[unit]:
            moved = np.flatnonzero(pull.shares)
            rest[:, moved] *= 1 - levels[unit, pull.side][:, None] * pull.shares[moved]
    return rest


def _solve(shapes: np.ndarray, weights: np.ndarray, chosen: Sequence[int], start: Levels) -> Levels:
    """Levels of the chosen units, by coordinate descent."""
    pulls = [pull for unit in chosen for pull in CANDIDATES[unit]]
    levels = {(p.unit, p.side): np.minimum(start.get((p.unit, p.side), np.zeros(len(shapes))), _FULL) for p in pulls}
    rest = _rest(shapes, chosen, levels)
    for _ in range(_SWEEPS):
        for pull in reversed(pulls):
            moved = np.flatnonzero(pull.shares)
            s = pull.shares[moved]
            others = rest[:, moved] / (1 - levels[pull.unit, pull.side][:, None] * s)
            w = weights[:, moved] * others**2
            wanted = 1 - (1 - shapes[:, moved]) / np.maximum(others, 0.05)
            level = np.clip((w * s * wanted).sum(1) / np.maximum((w * s * s).sum(1), 1e-9), 0, _FULL)
            levels[pull.unit, pull.side] = level
            rest[:, moved] = others * (1 - level[:, None] * s)
    return levels


def _error(shapes: np.ndarray, weights: np.ndarray, chosen: Sequence[int], levels: Levels) -> float:
    made = 1 - _rest(shapes, chosen, levels)
    return float((weights * (shapes - made) ** 2).sum())


def _prune(shapes: np.ndarray, weights: np.ndarray, chosen: list[int], levels: Levels) -> tuple[list[int], Levels]:
    """Without the units that no longer pay, now that another explains what they stood for."""
    error = _error(shapes, weights, chosen, levels)
    for unit in list(chosen[:-1]):
        fewer = [u for u in chosen if u != unit]
        new = _solve(shapes, weights, fewer, levels)
        worse = _error(shapes, weights, fewer, new) - error
        if worse < _price(levels, unit):
            chosen, levels, error = fewer, new, error + worse
    return chosen, levels
