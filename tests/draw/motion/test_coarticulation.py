"""Smiles give way while lips round and come where sounds stretch them; jaws open as far as people's and hang between closures."""

import numpy as np
import pytest

from tbd.draw.motion.coarticulation import (
    JAW,
    bare_teeth,
    ease_jaw,
    ease_lips,
    flatten_rounding,
    give_way,
    hang_jaw,
    hold_brows,
    spread_lips,
)
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


def stretched(stretch: float, smile: float = 0.0) -> np.ndarray:
    values = np.zeros((1, len(CHANNELS)), np.float32)
    for side in ("Left", "Right"):
        values[:, INDEX[f"mouthStretch{side}"]], values[:, INDEX[f"mouthSmile{side}"]] = stretch, smile
    return values


def test_lips_that_a_sound_stretches_smile_with_it_the_less_the_more_they_smile():
    planned = np.zeros((1, len(CHANNELS)))
    added = [float(spread_lips(stretched(0.1, smile), planned)[0, SMILE]) - smile for smile in (0.0, 0.5, 0.9)]
    assert added == pytest.approx([0.2, 0.1, 0.02], abs=1e-6)
    assert (spread_lips(stretched(0.1), planned, 0.0) == stretched(0.1)).all() and not spread_lips(stretched(0.0), planned).any()
    changed = np.flatnonzero((spread_lips(stretched(0.1), planned) != stretched(0.1))[0])
    assert set(changed) == {SMILE, INDEX["mouthSmileRight"]}


def test_a_stretch_that_is_the_plan_s_is_no_sound_and_corners_that_it_draws_down_stay():
    afraid = stretched(0.4)
    assert (spread_lips(afraid, afraid) == afraid).all()
    for name in ("mouthFrown", "mouthPress", "mouthStretch", "noseSneer", "browDown", "jawOpen"):
        planned = np.zeros((1, len(CHANNELS)))
        planned[:, [at for channel, at in INDEX.items() if channel.startswith(name)]] = 0.5
        assert (spread_lips(stretched(0.1), planned) == stretched(0.1)).all()


def test_a_jaw_opens_less_for_sounds():
    values = np.full((2, len(CHANNELS)), 0.5, np.float32)
    eased = ease_jaw(values)
    assert eased[:, JAW] == pytest.approx(0.3) and (np.delete(eased, JAW, 1) == np.float32(0.5)).all()
    assert (ease_jaw(values, 0.0) == values).all() and (ease_jaw(values, 3.0) >= 0).all()


def dropping(jaw: float, **channels: float) -> tuple[np.ndarray, np.ndarray]:
    """One frame of speech and a plan that drops the jaw by 0.3."""
    values, planned = np.zeros((1, len(CHANNELS)), np.float32), np.zeros((1, len(CHANNELS)))
    values[:, JAW], planned[:, JAW] = jaw, 0.3
    for channel, value in channels.items():
        values[:, INDEX[channel]] = value
    return values, planned


def test_a_jaw_that_a_feeling_drops_hangs_in_vowels():
    values, planned = dropping(0.15)
    out = hang_jaw(values, planned)
    assert 0.35 < out[0, JAW] < 0.45
    assert (np.delete(out, JAW, 1) == np.delete(values, JAW, 1)).all()
    assert (hang_jaw(values, 0 * planned) == values).all() and (hang_jaw(values, planned, 0.0) == values).all()


def test_while_lips_speak_a_jaw_opens_the_farther_the_wider_a_sound_opens_it():
    jaws = np.array([0.0, 0.03, 0.06, 0.1, 0.15])
    spoken, paused = (np.array([hang_jaw(*dropping(jaw), speaking=speaking)[0, JAW] for jaw in jaws]) for speaking in (1.0, 0.0))
    assert spoken[0] == 0 and spoken[1] == pytest.approx(0.03)  # closed teeth stay so
    assert (np.diff(spoken, 2) > -1e-6).all() and spoken[4] > 2 * jaws[4] and np.corrcoef(spoken, jaws)[0, 1] > 0.96
    assert paused[3] == pytest.approx(0.1 + 0.3 * 0.9) and paused[1] == pytest.approx(0.03)


def test_a_jaw_opens_for_sounds_no_wider_than_people_s_in_surprise_but_keeps_what_it_has():
    wide = [float(hang_jaw(*dropping(jaw), speaking=1.0)[0, JAW]) for jaw in (0.2, 0.4, 0.6, 0.9)]
    assert wide == sorted(wide) and wide[2] < 0.63 and wide[3] == pytest.approx(0.9)


def rounding(jaw: float, **closing: float) -> tuple[np.ndarray, np.ndarray]:
    values, planned = dropping(jaw, mouthPucker=0.1, **closing)
    planned[:, ROUND] = 0.15
    return values, planned


def test_lips_that_a_plan_rounds_round_with_a_dropped_jaw_between_closures():
    values, planned = rounding(0.2)
    assert hang_jaw(values, planned, speaking=1.0)[0, ROUND] == pytest.approx(0.1 + 0.9 * 2.0 * 0.15)
    closed, planned = rounding(0.2, mouthRollLower=0.4)
    assert hang_jaw(closed, planned, speaking=1.0)[0, ROUND] == np.float32(0.1)
    kiss, planned = rounding(0.2)
    planned[:, JAW] = 0  # a pout drops no jaw, and is drawn as it comes
    assert (hang_jaw(kiss, planned, speaking=1.0) == kiss).all()


@pytest.mark.parametrize(("name", "level"), [("mouthSmile", 1.0), ("mouthStretch", 1.0)])
def test_sounds_round_wide_lips_less(name, level):
    values, planned = speaking(0.4), np.zeros((3, len(CHANNELS)))
    assert (flatten_rounding(values, planned) == values).all()
    planned[:, [INDEX[f"{name}Left"], INDEX[f"{name}Right"]]] = level
    out = flatten_rounding(values, planned)
    assert (
        out[1, ROUND] == pytest.approx((0.48 if name == "mouthStretch" else 0.35) * 0.4)
        and (np.delete(out, ROUND, 1) == np.delete(values, ROUND, 1)).all()
    )
    planned[:, ROUND] = 0.4  # the plan's own rounding is no sound
    assert (flatten_rounding(values, planned) == values).all() and (flatten_rounding(values, planned, 0.0) == values).all()


def test_a_smiling_speaker_shows_upper_teeth_between_closures():
    upper = INDEX["mouthUpperUpLeft"]
    values, planned = dropping(0.15)
    for motion in (values, planned):
        motion[:, [SMILE, INDEX["mouthSmileRight"]]] = 0.8
    assert bare_teeth(values, planned)[0, upper] == pytest.approx(0.32)
    assert bare_teeth(values, 0 * planned)[0, upper] == 0 and bare_teeth(values, planned, 0.0)[0, upper] == 0
    for closed in ({JAW: 0.02}, {INDEX["mouthRollLower"]: 0.4}):
        shut = values.copy()
        shut[:, list(closed)] = list(closed.values())
        assert bare_teeth(shut, planned)[0, upper] == 0
    values[:, upper] = 0.6
    assert bare_teeth(values, planned)[0, upper] == np.float32(0.6)


@pytest.mark.parametrize(
    "closed", [{"mouthPressLeft": 0.3, "mouthPressRight": 0.3}, {"mouthRollLower": 0.38}, {}], ids=["m", "f", "teeth together"]
)
def test_it_does_not_part_lips_that_a_sound_closes(closed):
    values, planned = dropping(0.07 if closed else 0.03, **closed)
    assert hang_jaw(values, planned)[0, JAW] == values[0, JAW]


def test_lips_that_the_plan_presses_are_no_sound():
    values, planned = dropping(0.2, mouthPressLeft=0.3, mouthPressRight=0.3)
    for side in ("Left", "Right"):
        planned[:, INDEX[f"mouthPress{side}"]] = 0.3
    assert hang_jaw(values, planned)[0, JAW] > 0.3


def test_a_mouth_opens_no_wider_than_it_can_and_the_wider_it_is_the_less_is_added():
    added = [float(hang_jaw(*dropping(jaw))[0, JAW]) - jaw for jaw in (0.2, 0.5, 0.9)]
    assert added == sorted(added, reverse=True) and 0 < added[-1] < 0.05


BROW, OUTER, NOSE = INDEX["browInnerUp"], INDEX["browOuterUpLeft"], INDEX["noseSneerLeft"]


def frowning(level: float) -> np.ndarray:
    planned = np.zeros((1, len(CHANNELS)))
    for side in ("Left", "Right"):
        planned[:, INDEX[f"browDown{side}"]] = level
    return planned


def test_a_frown_raises_no_brow_at_a_stressed_word_but_plain_speech_does():
    flash = np.zeros((1, len(CHANNELS)), np.float32)
    flash[:, [BROW, OUTER]] = 0.2
    assert not hold_brows(flash, frowning(0.8))[:, [BROW, OUTER]].any()
    assert (hold_brows(flash, frowning(0.0)) == flash).all() and (hold_brows(flash, frowning(0.8), 0.0) == flash).all()


def test_brows_that_the_plan_raises_stay_raised_beside_its_frown():
    afraid, planned = np.zeros((1, len(CHANNELS)), np.float32), frowning(0.6)
    afraid[:, BROW], planned[:, BROW] = 0.8, 0.75
    assert hold_brows(afraid, planned)[0, BROW] == pytest.approx(0.75)


def test_a_nose_that_the_plan_wrinkles_stays_wrinkled():
    planned, faint, strong = np.zeros((1, len(CHANNELS))), *(np.zeros((1, len(CHANNELS)), np.float32) for _ in range(2))
    planned[:, NOSE], faint[:, NOSE], strong[:, NOSE] = 0.8, 0.5, 0.85
    assert hold_brows(faint, planned)[0, NOSE] == pytest.approx(0.8) and hold_brows(strong, planned)[0, NOSE] == np.float32(0.85)


def test_startled_brows_and_lids_stand_as_the_plan_raises_them_and_a_blink_closes_them():
    lid, planned, drawn = INDEX["eyeWideLeft"], np.zeros((2, len(CHANNELS))), np.zeros((2, len(CHANNELS)), np.float32)
    planned[:, [lid, INDEX["eyeWideRight"], BROW]], drawn[:, [lid, BROW]] = 0.9, 0.6
    drawn[1, INDEX["eyeBlinkLeft"]] = 0.6
    out = hold_brows(drawn, planned)
    assert out[0, [lid, BROW]] == pytest.approx(0.9) and out[1, lid] == np.float32(0.6)
    planned[:, [lid, INDEX["eyeWideRight"]]] = 0  # brows that ask or doubt move with the words
    assert (hold_brows(drawn, planned)[:, [lid, BROW]] == drawn[:, [lid, BROW]]).all()
    assert (hold_brows(drawn, planned, 0.0) == drawn).all()


def test_lips_of_plain_speech_part_less_and_those_of_a_feeling_as_they_come():
    lips, plan = np.zeros((2, len(CHANNELS)), np.float32), np.zeros((2, len(CHANNELS)), np.float32)
    parting = [INDEX[f"{name}{side}"] for name in ("mouthUpperUp", "mouthLowerDown") for side in ("Left", "Right")]
    lips[:, parting], lips[:, JAW] = 0.2, 0.3
    plan[1, [INDEX["mouthFrownLeft"], INDEX["mouthFrownRight"]]] = 0.6
    out = ease_lips(lips, plan)
    assert out[0, parting] == pytest.approx(0.08) and out[1, parting] == pytest.approx(0.2) and (out[:, JAW] == lips[:, JAW]).all()
    plan[:, parting] = 0.2  # the plan's own stay
    assert (ease_lips(lips, plan) == lips).all() and (ease_lips(lips, 0 * plan, amount=0.0) == lips).all()
