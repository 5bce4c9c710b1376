"""Smiles that nobody asked for take seconds."""

import numpy as np
import pytest

from tbd.draw.motion.smiles import SlowSmiles
from tbd.face.channels import CHANNELS, INDEX

SMILES = [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]
NO_PLAN = np.zeros((250, len(CHANNELS)))
TIMES = np.arange(250) / 25


def smiling(hertz: float, seconds: np.ndarray = TIMES) -> np.ndarray:
    values = np.full((len(seconds), len(CHANNELS)), 0.1, np.float32)
    values[:, SMILES] = 0.3 + 0.2 * np.sin(2 * np.pi * hertz * seconds)[:, None]
    return values


def test_a_quick_smile_is_damped_and_a_slow_one_is_not():
    seconds = np.arange(1000) / 25
    left = {}
    for hertz in (0.05, 1.5):
        before = smiling(hertz, seconds)
        after = SlowSmiles()(before, np.zeros((1000, len(CHANNELS))))
        left[hertz] = after[:, SMILES[0]].std() / before[:, SMILES[0]].std()
    assert left[0.05] > 0.9 and left[1.5] < 0.2
    slow = SlowSmiles()(smiling(1.5), NO_PLAN)
    assert slow[:, SMILES].mean() == pytest.approx(0.3, abs=0.03) and (np.delete(slow, SMILES, 1) == np.float32(0.1)).all()
    assert (SlowSmiles()(smiling(1.5), NO_PLAN, 0.0) == smiling(1.5)).all()


def test_a_smile_that_the_plan_asks_for_comes_as_it_is_drawn():
    planned = NO_PLAN.copy()
    planned[:, SMILES[0]] = planned[:, SMILES[1]] = 0.5 * (TIMES >= 5)
    drawn = smiling(1.5)
    assert np.abs(SlowSmiles()(drawn, planned) - drawn)[125:].max() < 1e-6


def test_pieces_get_what_the_whole_gets():
    whole, performance = SlowSmiles()(smiling(0.7), NO_PLAN), SlowSmiles()
    pieces = [performance(smiling(0.7)[at : at + 7], NO_PLAN[at : at + 7]) for at in range(0, 250, 7)]
    assert (np.concatenate(pieces) == whole).all()
