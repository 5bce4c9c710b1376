"""Planned muscles, on motions whose answer is known."""

import numpy as np
import pytest

from tbd.face.motion import Motion
from tbd.metrics import (
    ActionUnitFidelity,
    Unmeasurable,
)
from tbd.metrics.unit_fidelity import unit_fidelity


def smooth(frames: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.convolve(rng.random(frames + 8), np.ones(9) / 9, "valid")


def test_asked_muscles_that_move_correlate_and_others_do_not():
    asked, seen = Motion.zeros(60), Motion.zeros(60)
    asked["browInnerUp"], asked["mouthFrownLeft"], asked["mouthFrownRight"] = (smooth(60, seed) * 1.5 - 0.5 for seed in (0, 1, 1))
    seen["browInnerUp"] = 0.5 * asked["browInnerUp"]
    units = unit_fidelity(seen.values, asked.values)
    assert units[1][0] == pytest.approx(1) and units[1][1] == pytest.approx(np.clip(asked["browInnerUp"], 0, 1).mean() / 2, abs=0.01)
    assert units[15][0] == 0, "frowns were asked and never came"
    metric = ActionUnitFidelity()
    metric.update(seen.values, asked.values)
    assert float(metric.compute()) == pytest.approx(np.mean([r for r, _ in units.values()]), abs=1e-6)
    with pytest.raises(Unmeasurable, match="moves no action unit"):
        metric.measure(seen.values, Motion.zeros(60).values)
