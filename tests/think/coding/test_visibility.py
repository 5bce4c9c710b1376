"""What a clip does not show is found, said, and left open."""

import numpy as np
import pytest

from tbd.face.motion import Motion
from tbd.think.action_units import ACTION_UNITS
from tbd.think.coding.coder import plan_from_motion
from tbd.think.coding.visibility import describe_unseen, find_unseen, unseen_seconds, visible_channels
from tbd.think.facs import perform
from tbd.think.plan import MuscleAction, MusclePlan

SMILE = MusclePlan(actions=(MuscleAction(unit=12, intensity=0.7), MuscleAction(unit=4, intensity=0.6), MuscleAction(unit=5, intensity=0.6)))


def blinking(frames: int, plan: MusclePlan = SMILE, **metadata) -> Motion:
    """A performance with a blink every two seconds."""
    motion = Motion(perform(plan, frames), metadata)
    for start in range(20, frames - 6, 50):
        for name in ("eyeBlinkLeft", "eyeBlinkRight"):
            motion[name][start : start + 5] = [0.4, 0.9, 1.0, 0.7, 0.3]
    return motion


def coded(motion: Motion) -> MusclePlan:
    return plan_from_motion(motion, np.zeros(len(motion), bool), unseen=find_unseen(motion))


def active(plan: MusclePlan, unit: int, second: float) -> bool:
    return any(a.envelope(np.array([second]))[0] > 0.05 for a in plan.actions if a.unit == unit)


def test_a_face_seen_throughout_hides_nothing():
    assert find_unseen(blinking(150)) == []
    assert visible_channels([], 10).all()


def test_where_the_face_is_lost_no_unit_is_coded():
    motion = blinking(200, lost=[[3.0, 6.0]])
    (unseen,) = find_unseen(motion)
    assert (unseen.part, unseen.start, unseen.end) == ("face", 3.0, 6.0)
    plan = coded(motion)
    assert any("The face is not seen (3.0–6.0 s): no face is found" in note for note in plan.notes)
    for unit in (4, 12):
        assert active(plan, unit, 1.5) and active(plan, unit, 7.2)
        assert not active(plan, unit, 4.8)
    assert active(coded(blinking(200)), 12, 4.8)  # the same motion, had the face been seen


def test_an_instant_without_a_face_is_bridged():
    plan = coded(blinking(200, lost=[[3.0, 3.32]]))
    smiles = [a for a in plan.actions if a.unit == 12]
    assert len(smiles) == 1 and smiles[0].offset is None


def test_a_cut_is_said():
    plan = coded(blinking(150, cuts=[2.0]))
    assert any("the picture cuts" in note and "(1.9–2.1 s)" in note for note in plan.notes)


def test_the_far_side_of_a_turned_head_is_the_near_one():
    motion = blinking(200, rest={"pitch_yaw_roll": [0.0, 0.7, 0.0]})
    motion["mouthSmileLeft"] = 0.0  # what a tracker makes up on the side that it does not see
    (unseen,) = find_unseen(motion)
    assert unseen.part == "left"
    plan = coded(motion)
    assert [(a.unit, a.side) for a in plan.actions if a.unit == 12] == [(12, "both")]
    assert any("left side of the face is not seen" in note for note in plan.notes)
    facing = blinking(200)
    facing["mouthSmileLeft"] = 0.0
    assert [(a.unit, a.side) for a in coded(facing).actions if a.unit == 12] == [(12, "right")]


def test_a_face_in_profile_is_not_seen():
    motion = blinking(100, rest={"pitch_yaw_roll": [0.0, -1.2, 0.0]})
    (unseen,) = find_unseen(motion)
    assert unseen.part == "face" and unseen_seconds([unseen], "eyes", 100) == 4.0
    assert coded(motion).actions == () and coded(motion).regions == {}


def lids_apart(motion: Motion) -> None:
    rng = np.random.default_rng(0)
    for name in ("eyeBlinkLeft", "eyeBlinkRight"):
        motion[name] = np.repeat(rng.uniform(0, 0.5, len(motion) // 5 + 1), 5)[: len(motion)].astype(np.float32)


def flicker(motion: Motion) -> None:
    noise = np.random.default_rng(1).uniform(0, 0.4, len(motion)).astype(np.float32)
    motion["eyeBlinkLeft"] = motion["eyeBlinkRight"] = noise


def never_blink(motion: Motion) -> None:
    motion["eyeBlinkLeft"] = motion["eyeBlinkRight"] = 0.2


@pytest.mark.parametrize(("spoil", "words"), [(lids_apart, "unlike each other"), (flicker, "flicker"), (never_blink, "no blink is seen")])
def test_lids_that_a_tracker_makes_up_are_left_open(spoil, words):
    motion = blinking(750)
    spoil(motion)
    plan = coded(motion)
    assert any(words in note and "glasses" in note for note in plan.notes)
    assert not [a for a in plan.actions if ACTION_UNITS[a.unit].region == "eyes"]
    assert "eyes" not in plan.regions and {4, 12} <= {a.unit for a in plan.actions}
    assert 5 in {a.unit for a in coded(blinking(750)).actions}


def test_a_short_clip_without_a_blink_says_nothing():
    motion = blinking(300)
    never_blink(motion)
    assert find_unseen(motion) == []


def test_sentences_are_one_for_each_reason():
    motion = blinking(400, lost=[[1.0, 2.0], [5.0, 5.5]], cuts=[8.0])
    sentences = list(describe_unseen(find_unseen(motion)))
    assert len(sentences) == 2 and "1.0–2.0 s, 5.0–5.5 s" in sentences[0]
