"""Glances, shifts of the head and lopsidedness, which are added to what the motion model draws."""

import numpy as np
import pytest

from benchmarks.liveliness import describe
from tbd.draw.motion.idle import IdleMotion
from tbd.errors import InputError
from tbd.face.channels import CHANNELS, INDEX
from tbd.face.motion import Motion
from tbd.think.facs import perform
from tbd.think.plan import MuscleAction, MusclePlan

STILL = np.zeros((250, len(CHANNELS)), np.float32)


def smiling(level: float = 0.5) -> np.ndarray:
    values = STILL.copy()
    for name in ("mouthSmileLeft", "mouthSmileRight", "eyeBlinkLeft", "eyeBlinkRight"):
        values[:, INDEX[name]] = level
    return values


def test_eyes_jump_about_as_often_as_filmed_peoples():
    jumps = [describe(Motion(IdleMotion()(STILL, MusclePlan(), seed)))["gaze jumps"] for seed in range(60)]
    assert np.mean(jumps) == pytest.approx(1.6, rel=0.2)  # 1.64 a second of open eyes, 76 clips
    assert describe(Motion(IdleMotion(glances=0)(STILL, MusclePlan(), 1)))["gaze jumps"] == 0


def test_both_eyes_look_at_one_thing():
    moved = IdleMotion()(STILL, MusclePlan(), 3)
    assert (moved[:, INDEX["eyeLookOutLeft"]] == moved[:, INDEX["eyeLookInRight"]]).all() and moved[:, INDEX["eyeLookOutLeft"]].any()
    assert (np.minimum(moved[:, INDEX["eyeLookOutLeft"]], moved[:, INDEX["eyeLookInLeft"]]) == 0).all()


def test_where_the_plan_directs_the_eyes_they_stay():
    plan = MusclePlan(actions=(MuscleAction(unit=64, intensity=0.6, onset=4.0, apex=4.4, offset=6.0),))
    moved, drawn = IdleMotion(asymmetry=0)(STILL, plan, 2), STILL
    gaze = [INDEX[name] for name in CHANNELS if name.startswith("eyeLook")]
    assert (moved[112:150, gaze] == drawn[112:150, gaze]).all() and moved[:90, gaze].any()


def test_a_head_takes_other_poses_and_the_eyes_stay_where_they_look():
    moved = [IdleMotion(0, 0)(STILL, MusclePlan(), seed) for seed in range(40)]
    pitch = np.degrees([one[:, INDEX["headPitch"]] for one in moved])
    assert 1.5 < np.std(pitch, 1).mean() < 3 and np.abs(np.diff(pitch, axis=1)).max() < 1  # degrees a frame
    gaze = np.array([one[:, INDEX["eyeLookDownLeft"]] - one[:, INDEX["eyeLookUpLeft"]] for one in moved])
    assert np.abs(30 * gaze + pitch).max() < 1e-3
    still = IdleMotion(0, 0, 0, 0, 0)(STILL, MusclePlan(), 1)
    assert (still == STILL).all() and all(abs(one[0, INDEX["headPitch"]]) < np.radians(1) for one in moved)


def test_a_head_that_the_plan_directs_does_nothing_of_itself():
    plan = MusclePlan(actions=(MuscleAction(unit=54, intensity=0.8, onset=4.0, apex=4.4, offset=6.0),))
    head = [INDEX[name] for name in ("headPitch", "headYaw", "headRoll")]
    moved = IdleMotion(0, 0)(STILL, plan, 2)
    assert (moved[112:150, head] == 0).all() and moved[:90, head].any()


def test_a_head_that_a_feeling_bows_throughout_still_lives():
    bowed = IdleMotion(0, 0)(STILL, MusclePlan(actions=(MuscleAction(unit=54, intensity=0.4),)), 2)
    free = IdleMotion(0, 0)(STILL, MusclePlan(), 2)
    head = [INDEX[name] for name in ("headPitch", "headYaw")]
    assert (bowed[:, head] == free[:, head]).all() and np.degrees(free[:, head]).std(0).min() > 0.3


def shares(level: float) -> list[np.ndarray]:
    """Left in parts of right, of a smile in forty performances; both together stay as they are, and lids close together."""
    moved = [IdleMotion(glances=0)(smiling(level), MusclePlan(), seed) for seed in range(40)]
    assert all(np.abs(one[:, INDEX["mouthSmileLeft"]] + one[:, INDEX["mouthSmileRight"]] - 2 * level).max() < 1e-6 for one in moved)
    assert all((one[:, INDEX["eyeBlinkLeft"]] == one[:, INDEX["eyeBlinkRight"]]).all() for one in moved)
    return [one[:, INDEX["mouthSmileLeft"]] / one[:, INDEX["mouthSmileRight"]] for one in moved]


def test_halves_differ_by_a_share_that_is_the_performances_own():
    slight = shares(0.15)
    assert np.std([share.mean() for share in slight]) > 0.15 and max(share.std() for share in slight) < 0.4


def test_strong_movements_are_more_even_than_slight_ones():
    spread = [np.std([share.mean() for share in shares(level)]) for level in (0.15, 0.4, 0.7)]
    assert spread[0] > 1.3 * spread[1] > 1.3 * 1.2 * spread[2] and 0.3 * spread[0] < spread[2] < 0.5 * spread[0]


def test_a_jaw_that_a_feeling_drops_hangs_in_pauses_and_follows_sounds_while_lips_speak():
    surprised = MusclePlan(actions=(MuscleAction(unit=26, intensity=0.6),))
    values = STILL.copy()
    values[:, INDEX["jawOpen"]] = 0.15 - 0.1 * np.cos(np.arange(250) * 0.8)
    paused = IdleMotion(0, 0, 0)(values, surprised, 1)[50:, INDEX["jawOpen"]]
    values[:, INDEX["mouthFunnel"]] = 0.4
    spoken = IdleMotion(0, 0, 0)(values, surprised, 1)[50:, INDEX["jawOpen"]]
    asked = perform(surprised, 250)[100, INDEX["jawOpen"]]
    assert np.percentile(paused, 90) > asked > 0.2 and spoken.std() > 1.2 * values[50:, INDEX["jawOpen"]].std() > 0
    assert np.corrcoef(spoken, values[50:, INDEX["jawOpen"]])[0, 1] > max(0.98, np.corrcoef(paused, values[50:, INDEX["jawOpen"]])[0, 1])


def test_pieces_get_what_the_whole_gets_and_a_seed_gives_one_performance():
    plan = MusclePlan(actions=(MuscleAction(unit=61, intensity=0.5, onset=2.0, offset=3.0),))
    whole = IdleMotion()(smiling(), plan, 5)
    performance = IdleMotion().begin(5)
    pieces = [performance(smiling()[at : at + 7], plan) for at in range(0, 250, 7)]
    assert np.abs(np.concatenate(pieces) - whole).max() < 1e-6
    assert (IdleMotion()(smiling(), plan, 5) == whole).all() and (IdleMotion()(smiling(), plan, 6) != whole).any()
    assert (IdleMotion(0, 0, 0, 0, 0)(smiling(), plan, 5) == smiling()).all()


def test_performances_of_one_pipeline_know_nothing_of_each_other():
    """As the visitors of a live page, who take turns."""
    idle, plan = IdleMotion(), MusclePlan()
    together = {seed: idle.begin(seed) for seed in (1, 2)}
    pieces = {seed: [] for seed in together}
    for at in range(0, 250, 25):
        for seed, performance in together.items():
            pieces[seed].append(performance(smiling()[at : at + 25], plan))
    assert all(np.abs(np.concatenate(pieces[seed]) - idle(smiling(), plan, seed)).max() < 1e-6 for seed in together)


def test_amounts_out_of_range_are_refused():
    for wrong in ({"glances": -1}, {"asymmetry": 4}, {"glances": float("nan")}):
        with pytest.raises(InputError, match="must lie between 0 and 3"):
            IdleMotion(**wrong)
