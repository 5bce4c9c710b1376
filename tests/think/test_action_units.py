"""The table of action units and the one of their opposites."""

import pytest

from tbd.face.channels import CHANNELS
from tbd.think.action_units import ACTION_UNITS, ANTAGONISTS, MIRRORED, ONE, OPPOSITES, TOGETHER, describe_unknown


def test_units_move_channels_that_there_are():
    for number, unit in ACTION_UNITS.items():
        assert unit.number == number and unit.muscles and unit.movement and set(unit.channels) <= set(CHANNELS)
        assert sum(unit.combination("left").values()) + sum(unit.combination("right").values()) == pytest.approx(
            sum(unit.channels.values())
        )


def test_each_pair_of_opposites_is_listed_once():
    pairs = [frozenset(row[:2]) for row in OPPOSITES]
    assert len(set(pairs)) == len(pairs) and all(len(pair) == 2 and pair <= set(ACTION_UNITS) for pair in pairs)
    assert {frozenset(pair) for pair in ANTAGONISTS} == set(pairs) - {frozenset((5, 45)), frozenset((43, 46))}


def test_mirrored_units_do_the_same_to_the_other_side():
    assert all(MIRRORED[other] == unit for unit, other in MIRRORED.items()) and set(MIRRORED) == {51, 52, 55, 56, 61, 62}
    swap = {"Left": "Right", "Right": "Left"}
    for unit, other in MIRRORED.items():
        ours, theirs = ACTION_UNITS[unit], ACTION_UNITS[other]
        assert ours.sides == theirs.sides == TOGETHER and {51: 52, 55: 56, 61: 62}.get(min(unit, other)) == max(unit, other)
        mirrored = {next((c.removesuffix(a) + b for a, b in swap.items() if c.endswith(a)), c): v for c, v in ours.channels.items()}
        signs = {channel: -value if channel.startswith("head") else value for channel, value in mirrored.items()}
        assert signs == theirs.channels


def test_an_unknown_unit_is_named_with_its_neighbours():
    assert describe_unknown(3) == (
        "AU3 is no action unit that this face can move; the nearest numbers are AU2 (Outer Brow Raiser) and AU4 (Brow Lowerer)."
    )


def test_units_of_one_side_never_act_on_both():
    assert [number for number, unit in ACTION_UNITS.items() if unit.sides == ONE] == [30, 46]
