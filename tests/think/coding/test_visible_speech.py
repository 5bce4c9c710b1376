"""Talking is seen; a smile, a yawn and a nod are not talking."""

import numpy as np

from tbd.data.synthetic.performance import synthesize_motion
from tbd.face.motion import Motion
from tbd.think.coding.coder import plan_from_motion
from tbd.think.coding.visible_speech import visible_speech
from tbd.think.facs import perform
from tbd.think.plan import MuscleAction, MusclePlan
from tests.think.coding.performances import speak


def test_a_talking_face_talks():
    rng, shares = np.random.default_rng(0), []
    for _ in range(6):
        phones, audio, speaking = speak(rng)
        talks = visible_speech(synthesize_motion(phones, audio, MusclePlan(), rng))
        shares.append(talks[: len(speaking)][speaking].mean())
    assert np.mean(shares) > 0.65


def test_expressions_are_not_talking():
    jaw = MuscleAction(unit=26, intensity=0.8, onset=1.0, apex=1.5, offset=4.0)
    smile = MuscleAction(unit=12, intensity=0.8, onset=0.5)
    assert not visible_speech(Motion(perform(MusclePlan(actions=(smile,)), 150))).any()
    assert visible_speech(Motion(perform(MusclePlan(actions=(jaw, smile)), 150))).mean() < 0.35
    assert not visible_speech(Motion.zeros(12)).any()


def test_without_sound_the_lips_of_a_talking_face_are_no_expression():
    rng = np.random.default_rng(2)
    phones, audio, _ = speak(rng)
    motion = synthesize_motion(phones, audio, MusclePlan(), rng)
    lips = lambda plan: sum(a.unit in (10, 16, 18, 22, 25, 26, 27) for a in plan.actions)  # noqa: E731
    assert lips(plan_from_motion(motion, visible_speech(motion))) < lips(plan_from_motion(motion, np.zeros(len(motion), bool)))
