"""The knowledge is consistent with itself, with FACS, and with the motion space."""

import itertools

import numpy as np
import pytest

from tbd.face.channels import BLENDSHAPES, CHANNELS, INDEX
from tbd.think.action_units import ACTION_UNITS
from tbd.think.emotions import EMOTION_SPECS, EMOTIONS
from tbd.think.facs import CHANNEL_REGIONS, measure, perform
from tbd.think.plan import MuscleAction, MusclePlan

EVERY_UNIT_AND_SIDE = [(number, side) for number, unit in ACTION_UNITS.items() for side in unit.sides]


def play(*actions: MuscleAction, frames: int = 3) -> np.ndarray:
    return perform(MusclePlan(actions=actions), frames)


def test_the_table_covers_what_faces_do():
    assert set(ACTION_UNITS) >= {1, 2, *range(4, 8), *range(9, 21), *range(22, 32), 34, 38, 43, 45, 46, *range(51, 59), *range(61, 65)}
    assert all(number == unit.number for number, unit in ACTION_UNITS.items())
    assert all(unit.name and unit.muscles and unit.movement for unit in ACTION_UNITS.values())


def test_channels_exist_and_stay_in_range():
    for unit in ACTION_UNITS.values():
        assert unit.channels and set(unit.channels) <= set(CHANNELS)
        assert all(0 < value <= 1 for channel, value in unit.channels.items() if channel in BLENDSHAPES)


def test_no_two_units_look_alike():
    closed_eyes = {43, 45, 46}  # FACS: degrees and durations of one movement
    for a, b in itertools.combinations(ACTION_UNITS.values(), 2):
        if not {a.number, b.number} <= closed_eyes:
            assert dict(a.channels) != dict(b.channels), (a.number, b.number)


@pytest.mark.parametrize(("unit", "side"), EVERY_UNIT_AND_SIDE)
def test_measure_inverts_perform(unit, side):
    for intensity in (0.0, 0.2, 0.7, 1.0):
        values = play(MuscleAction(unit=unit, side=side, intensity=intensity))
        np.testing.assert_allclose(measure(values, unit, side), intensity, atol=1e-6)


def test_sides_are_the_subjects_own():
    left = play(MuscleAction(unit=12, side="left", intensity=1))[0]
    assert left[INDEX["mouthSmileLeft"]] == 1 and left[INDEX["mouthSmileRight"]] == 0
    assert measure(play(MuscleAction(unit=46, side="right", intensity=0.5)), 46).max() == pytest.approx(0.5)
    assert measure(play(MuscleAction(unit=46, side="right", intensity=0.5)), 46, "left").max() == 0


def test_head_units_follow_the_heads_signs():
    """`tbd.face.channels.HEAD`: positive pitch looks down, yaw turns left, roll tilts the crown to the right, z comes closer."""
    signs = {51: ("headYaw", 1), 52: ("headYaw", -1), 53: ("headPitch", -1), 54: ("headPitch", 1)}
    signs |= {55: ("headRoll", -1), 56: ("headRoll", 1), 57: ("headZ", 1), 58: ("headZ", -1)}
    for unit, (channel, sign) in signs.items():
        value = play(MuscleAction(unit=unit, intensity=1))[0, INDEX[channel]]
        assert np.sign(value) == sign and abs(value) < 0.8


def test_units_on_one_channel_combine_and_opposite_head_units_cancel():
    values = play(MuscleAction(unit=25, intensity=1), MuscleAction(unit=26, intensity=1))
    assert values[0, INDEX["jawOpen"]] == pytest.approx(1 - (1 - 0.08) * (1 - 0.5))
    assert np.all(play(MuscleAction(unit=53, intensity=0.5), MuscleAction(unit=54, intensity=0.5)) == 0)


def test_actions_of_one_unit_do_not_add_up():
    twice = play(MuscleAction(unit=12, intensity=0.5), MuscleAction(unit=12, intensity=0.4))
    assert measure(twice, 12)[0] == pytest.approx(0.5)


def test_perform_follows_time():
    plan = MusclePlan(actions=(MuscleAction(unit=12, intensity=1, onset=1, apex=1.4, offset=2),))
    shown = measure(perform(plan, 75), 12)
    assert shown[24] == 0 and shown[35] == pytest.approx(1) and shown[74] == pytest.approx(0, abs=1e-6)
    assert np.all(np.diff(shown[25:36]) > 0)
    np.testing.assert_allclose(perform(plan, 25, start=1.0), perform(plan, 75)[25:50], atol=1e-6)


def test_prototypes_are_possible_and_differ():
    faces = {}
    for emotion in EMOTIONS:
        for prototype in EMOTION_SPECS[emotion].prototypes:
            assert prototype.source
            actions = [MuscleAction(unit=u, side=s, intensity=i) for u, s, i in prototype]  # refuses what is impossible
            faces.setdefault(emotion, play(*actions)[0])
    assert set(faces) == set(EMOTIONS)
    assert not faces["neutral"].any()
    for a, b in itertools.combinations(EMOTIONS, 2):
        assert np.abs(faces[a] - faces[b]).max() >= 0.5, (a, b)


def test_every_channel_has_a_region():
    assert set(CHANNEL_REGIONS) == set(CHANNELS)
    assert CHANNEL_REGIONS["browInnerUp"] == "upper" and CHANNEL_REGIONS["jawOpen"] == "lower"


def test_unknown_unit_names_its_neighbours():
    with pytest.raises(KeyError, match=r"AU2 .* AU4"):
        measure(np.zeros((1, 58)), 3)
