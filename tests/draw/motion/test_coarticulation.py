"""Smiles give way while lips round."""

import numpy as np

from tbd.draw.motion.coarticulation import give_way
from tbd.face.channels import CHANNELS, INDEX

SMILE, ROUND, CHEEK = INDEX["mouthSmileLeft"], INDEX["mouthPucker"], INDEX["cheekSquintLeft"]


def speaking(rounded: float) -> np.ndarray:
    values = np.zeros((3, len(CHANNELS)), np.float32)
    values[:, SMILE], values[:, CHEEK], values[1, ROUND] = 0.9, 0.6, rounded
    return values


def test_a_smile_gives_way_to_a_rounded_sound_and_comes_back_while_cheeks_stay():
    out = give_way(speaking(0.45), np.zeros((3, len(CHANNELS))))
    assert out[1, SMILE] < 0.3 and (out[[0, 2], SMILE] == np.float32(0.9)).all()
    assert (out[:, CHEEK] == np.float32(0.6)).all() and out[1, ROUND] == np.float32(0.45)


def test_more_rounding_takes_more_and_a_little_takes_nothing():
    smiles = [give_way(speaking(r), np.zeros((3, len(CHANNELS))))[1, SMILE] for r in (0.1, 0.2, 0.3, 0.45)]
    assert smiles[0] == np.float32(0.9) and smiles == sorted(smiles, reverse=True) and len(set(smiles)) == 4


def test_lips_that_the_plan_rounds_take_nothing_of_a_smile():
    values = speaking(0.45)
    assert (give_way(values, values) == values).all() and (give_way(values, 0 * values, amount=0.0) == values).all()
