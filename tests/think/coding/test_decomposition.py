"""Which units explain an expression: the loop that takes and prunes them ends."""

from typing import Any

import numpy as np
import pytest

from tbd.face.channels import BLENDSHAPES
from tbd.think.coding import decomposition
from tbd.think.coding.decomposition import CANDIDATES, Levels, decompose
from tbd.think.facs import perform
from tbd.think.plan import MuscleAction, MusclePlan


def test_a_unit_that_was_pruned_does_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a filmed clip two units replaced each other for ever; here each that is taken lets go of all before it."""
    taken: list[int] = []

    def prune(shapes: Any, weights: Any, chosen: list[int], levels: Levels) -> tuple[list[int], Levels]:
        taken.append(chosen[-1])
        if len(taken) > len(CANDIDATES):
            pytest.fail(f"units replace each other for ever: {taken[:6]} …")
        return chosen[-1:], {key: level for key, level in levels.items() if key[0] == chosen[-1]}

    monkeypatch.setattr(decomposition, "_prune", prune)
    plan = MusclePlan(actions=tuple(MuscleAction(unit=unit, intensity=0.7) for unit in (1, 4, 12)))
    shapes = perform(plan, 30)[:, : len(BLENDSHAPES)].astype(np.float64)
    decompose(shapes, np.ones_like(shapes), np.zeros(len(BLENDSHAPES)))
    assert len(taken) == len(set(taken)) >= 3
