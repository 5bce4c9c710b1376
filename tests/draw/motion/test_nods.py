"""Nods are enlarged, poses are not, and what a plan directs is left to it."""

import numpy as np
import pytest

from tbd.draw.motion.idle import IdleMotion
from tbd.draw.motion.nods import LivelyNods
from tbd.face.channels import CHANNELS, INDEX
from tbd.media.rates import FPS
from tbd.think.plan import MusclePlan

HEAD = ("headPitch", "headYaw", "headRoll")
FRAMES = 500


def nodding(hertz: float, name: str = "headPitch") -> np.ndarray:
    values = np.zeros((FRAMES, len(CHANNELS)), np.float32)
    values[:, INDEX[name]] = 0.02 * np.sin(2 * np.pi * hertz * np.arange(FRAMES) / FPS)
    return values


def gain(hertz: float, name: str = "headPitch") -> float:
    """How far a nod of a rate goes, in parts of what comes."""
    values = nodding(hertz, name)
    return float((LivelyNods()(values, np.ones(FRAMES))[100:, INDEX[name]].std()) / values[100:, INDEX[name]].std())


def test_the_quicker_a_nod_the_farther_and_pitch_more_than_yaw_and_roll():
    # film's over the model's, of 35 and 39 people: 1.57 and 1.10, 1.91 and 1.23, 2.33 and 1.72 less the tracker's noise
    assert gain(0.7) == pytest.approx(1.2, abs=0.1) and gain(1.4) == pytest.approx(1.45, abs=0.15)
    assert gain(3) == pytest.approx(1.7, abs=0.15)
    assert gain(0.1) < 1.05 and gain(2) > gain(2, "headYaw") > gain(2, "headRoll") > 1


def test_a_pose_that_lasts_and_all_that_is_no_rotation_stay():
    values = np.random.default_rng(0).random((FRAMES, len(CHANNELS))).astype(np.float32)
    values[:, [INDEX[name] for name in HEAD]] = 0.2
    assert (LivelyNods()(values, np.ones(FRAMES)) == values).all()


def test_a_head_that_the_plan_directs_is_left_to_it():
    values, free = nodding(2), np.ones(FRAMES)
    free[200:300] = 0
    moved = LivelyNods()(values, free)
    assert (moved[200:300] == values[200:300]).all() and (moved[:200] != values[:200]).any()
    assert (LivelyNods()(values, np.ones(FRAMES), 0) == values).all()


def test_eyes_stay_where_they_look_while_the_head_nods():
    values = nodding(2)
    moved = IdleMotion(0, 0)(values, MusclePlan(), 1)
    turned = np.degrees(moved[:, INDEX["headPitch"]] - values[:, INDEX["headPitch"]])
    gaze = moved[:, INDEX["eyeLookDownLeft"]] - moved[:, INDEX["eyeLookUpLeft"]]
    assert np.abs(30 * gaze + turned).max() < 1e-3 and turned.std() > 0.5
