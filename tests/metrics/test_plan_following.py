"""What obeys scores well, and each way of disobeying is seen by the metric that is meant to see it."""

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.face.channels import INDEX
from tbd.face.motion import Motion
from tbd.metrics.base import Unmeasurable
from tbd.metrics.motion_emotion import MotionEmotionAccuracy, classify_left_out, motion_summary
from tbd.metrics.plan_following import ActionUnitGain, ChannelCorrelation, LipClosure, RegionError, closures, lip_gap
from tbd.think.facs import perform
from tbd.think.plan import MuscleAction, MusclePlan

FRAMES = 75


@pytest.fixture
def asked():
    """Brows that come after a second and go after two, and a smile."""
    brows = MuscleAction(unit=4, intensity=0.8, onset=1.0, apex=1.3, offset=2.0)
    return perform(MusclePlan(actions=(brows, MuscleAction(unit=12, intensity=0.6))), FRAMES)


@pytest.fixture
def speech():
    motion = Motion.zeros(FRAMES)
    motion["jawOpen"] = 0.4 + 0.3 * np.sin(np.arange(FRAMES) * 0.7)
    for name, value in (("jawOpen", 0.1), ("mouthClose", 0.1)):
        motion[name][[20, 50]] = value
    return motion.values


def test_lips_that_close_are_told_from_lips_that_do_not(speech):
    metric, times = LipClosure(), np.array([[0.8, 0.84], [2.0, 2.04], [9.0, 9.1]])
    found = metric.measure(speech, times)
    assert found["closed"] == 1.0 and found["gap"] < 0.1
    open_mouth = speech.copy()
    open_mouth[18:24] = 0
    open_mouth[18:24, INDEX["jawOpen"]] = 0.4
    assert metric.measure(open_mouth, times)["closed"] == 0.5
    metric.update(speech, times[:1])
    metric.update(open_mouth, np.repeat(times[:1], 3, 0))
    assert float(metric.compute()) == pytest.approx(0.25)  # one of four bilabials, not one of two clips
    with pytest.raises(Unmeasurable):
        metric.measure(speech, np.zeros((0, 2)))


def test_a_bilabial_closes_where_the_whole_slit_does():
    gap = np.ones((50, 3))
    gap[10], gap[30, :2] = 0.05, 0.0  # one place stays open
    assert closures(gap, np.array([[0.4, 0.44], [1.2, 1.24]])) == pytest.approx([0.05, 1.0])
    assert lip_gap(np.zeros((2, 58), np.float32)).shape == (2, 9)


def test_a_channel_is_followed_or_not(speech):
    metric = ChannelCorrelation("jawOpen")
    assert metric.measure(0.5 * speech, speech)["value"] == pytest.approx(1)
    assert metric.measure(np.roll(speech, 3, 0), speech)["value"] < 0.5
    assert metric.measure(0 * speech, speech)["value"] == 0
    with pytest.raises(Unmeasurable):
        metric.measure(speech, 0 * speech)
    with pytest.raises(InputError, match="jawOpenn is no channel"):
        ChannelCorrelation("jawOpenn")


def test_the_region_error_sees_absent_late_weak_and_unasked_muscles(asked, speech):
    metric, error = RegionError(), lambda motion: metric.measure(motion, asked)["value"]
    late, unasked = np.roll(asked, 10, 0), asked.copy()
    unasked[:, INDEX["browInnerUp"]] = 0.5
    assert error(asked) == 0 < error(0.7 * asked) < error(0 * asked)
    assert min(error(late), error(unasked)) > 1
    assert error(np.maximum(asked, speech)) == 0  # what is said is no business of the brows
    assert RegionError(["lower"]).measure(speech, asked)["value"] > 1
    with pytest.raises(InputError, match="chin is no region"):
        RegionError(["chin"])


@pytest.mark.parametrize("strength", [0.5, 1.0, 1.2])
def test_the_gain_is_how_much_of_it_comes(asked, strength):
    assert ActionUnitGain().measure(strength * asked, asked)["value"] == pytest.approx(strength, abs=0.02)


def test_the_gain_needs_something_asked():
    with pytest.raises(Unmeasurable):
        ActionUnitGain().measure(np.zeros((9, 58)), np.zeros((9, 58)))


def clips(rng, label, spread):
    """(30, 58) motions whose gaze tells the label, and little else."""
    motion = rng.normal(0, 0.05, (30, 58))
    motion[:, INDEX["eyeLookDownLeft"]] += 0.1 * label + spread * rng.normal()
    return motion


@pytest.mark.parametrize(("drawn_by", "least", "most"), [("label", 0.9, 1.0), ("nothing", 0.0, 0.65)])
def test_an_emotion_is_read_off_motion_that_shows_it(drawn_by, least, most):
    rng, metric = np.random.default_rng(0), MotionEmotionAccuracy()
    for i in range(40):
        label = i % 3
        metric.update(clips(rng, label if drawn_by == "label" else 1, 0.01), clips(rng, label, 0.01), label)
    assert least <= float(metric.compute()) <= most
    assert float(metric.ceiling()) >= 0.9


def test_a_clip_is_judged_by_the_others_alone():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 40)
    noise = np.stack([motion_summary(rng.normal(0, 1, (10, 58))) for _ in labels])
    assert (classify_left_out(noise, labels, noise) == labels).mean() < 0.75  # it would be 1 if each had been learnt by heart


def test_too_few_clips_are_no_judge():
    metric = MotionEmotionAccuracy()
    metric.update(np.zeros((5, 58)), np.zeros((5, 58)), 0)
    with pytest.raises(InputError, match="4 clips"):
        metric.compute()
