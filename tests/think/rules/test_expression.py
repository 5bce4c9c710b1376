"""How strongly a feeling shows."""

import numpy as np

from tbd.think.planner import KnowledgePlanner
from tbd.think.rules.expression import shown_intensity


def test_feelings_show_sooner_than_they_are_felt_and_never_more_than_wholly():
    felt = np.linspace(0, 1, 21)
    shown = np.array([shown_intensity(strength) for strength in felt])
    assert shown[0] == 0 and shown[-1] == 1 and (np.diff(shown) > 0).all() and (shown[1:-1] > felt[1:-1]).all()


def test_a_bare_word_is_read_and_degrees_stay_apart():
    planner = KnowledgePlanner()
    smiles = [
        next(a.intensity for a in planner.plan(f"{degree}happy").actions if a.unit == 12)
        for degree in ("slightly ", "", "very ", "utterly ")
    ]
    assert smiles == sorted(smiles) and len(set(smiles)) == 4
    assert smiles[0] < 0.5 and smiles[1] >= 0.9 and smiles[3] <= 1
