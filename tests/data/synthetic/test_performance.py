from itertools import pairwise

import numpy as np
import pytest

from tbd.data.synthetic.performance import find_accents, synthesize_motion
from tbd.data.synthetic.visemes import BILABIALS, base_symbols, loudness_of
from tbd.face.channels import BLENDSHAPES, INDEX
from tbd.face.geometry import mean_face
from tbd.face.rig import Rig
from tbd.face.rigging.mouth import inner_lip_gap
from tbd.media.rates import FPS
from tbd.speech.phones import SILENCE, Phone, merge_silences
from tbd.think.action_units import ACTION_UNITS
from tbd.think.emotions import EMOTION_SPECS, EMOTIONS
from tbd.think.facs import measure
from tbd.think.plan import MuscleAction, MusclePlan
from tests.data.phrases import SENTENCE, say, voice

AUDIO = voice(SENTENCE)


def feel(emotion, intensity=1.0):
    actions = tuple(MuscleAction(unit=u, side=s, intensity=i * intensity) for u, s, i in EMOTION_SPECS[emotion].prototypes[0])
    return MusclePlan(emotions={emotion: 1.0}, intensity=intensity * (emotion != "neutral"), actions=actions)


def perform(plan, seed=0, phones=SENTENCE, audio=AUDIO):
    return synthesize_motion(phones, audio, plan, np.random.default_rng(seed))


@pytest.mark.parametrize("feeling", [*EMOTIONS, 9, 10, 12, 16, 20, 22, 26, 27])
def test_lips_close_under_every_emotion_and_unit_at_full_strength(feeling):
    plan = feel(feeling) if feeling in EMOTIONS else MusclePlan(actions=(MuscleAction(unit=feeling, intensity=1.0),))
    motion, rig = perform(plan), Rig(mean_face())
    gap = inner_lip_gap(mean_face() + rig.displace(motion.blendshapes)).max(1)
    limit = 0.1 * np.percentile(gap, 95)
    for phone in SENTENCE:
        if BILABIALS & set(base_symbols(phone.symbol)):
            assert gap[int(phone.start * FPS) : int(np.ceil(phone.end * FPS)) + 1].min() < limit, phone


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_a_performance_is_whole_finite_and_within_its_ranges(emotion):
    motion = perform(feel(emotion))
    assert len(motion) == -(-len(AUDIO) // 640)
    assert motion.blendshapes.min() >= 0
    assert motion.blendshapes.max() <= 1
    assert np.abs(motion.head).max() < 1


def test_the_same_seed_gives_the_same_performance_and_another_another():
    first, again, other = (perform(feel("happy"), seed).values for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


@pytest.mark.parametrize("unit", [u for u in ACTION_UNITS if u not in (43, 45, 46)])
def test_asked_muscles_move_as_strongly_as_asked(unit):
    side = "both" if "both" in ACTION_UNITS[unit].sides else "left"
    levels = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    shown = []
    for level in levels:
        plan = MusclePlan(actions=(MuscleAction(unit=unit, side=side, intensity=level),))
        shown.append(float(measure(perform(plan).values, unit, side).mean()))
    assert shown == sorted(shown)
    assert shown[-1] - shown[0] > 0.25


def test_one_side_moves_alone():
    values = perform(MusclePlan(actions=(MuscleAction(unit=12, side="left", intensity=0.9),))).values
    assert values[:, INDEX["mouthSmileLeft"]].mean() > 0.7
    assert values[:, INDEX["mouthSmileRight"]].mean() < 0.1


def test_a_timed_plan_shows_when_it_says():
    values = perform(MusclePlan(actions=(MuscleAction(unit=4, intensity=0.8, onset=1.5, apex=1.8),))).values
    brow = values[:, INDEX["browDownLeft"]]
    assert brow[: int(1.4 * FPS)].max() < 0.02
    assert brow[int(1.9 * FPS) :].min() > 0.5


def test_neutral_is_alive_and_does_not_drift():
    phones = say(*["m", "ɑ"] * 150, length=0.1)
    values = perform(feel("neutral"), 3, phones, voice(phones)).values
    head = values[:, len(BLENDSHAPES) :]
    np.testing.assert_allclose(head.mean(0), 0, atol=2e-3)
    assert (head[:, :3].std(0) > 0.004).all()
    blinks = np.sum((values[1:, INDEX["eyeBlinkLeft"]] > 0.5) & (values[:-1, INDEX["eyeBlinkLeft"]] <= 0.5))
    minutes = len(values) / FPS / 60
    assert 8 < blinks / minutes < 30
    assert values[:, INDEX["browDownLeft"]].max() == 0


def test_feelings_hold_the_head_as_people_do():
    pitch = {emotion: perform(feel(emotion)).head[:, 0].mean() for emotion in EMOTIONS}
    assert pitch["sad"] > pitch["neutral"] > pitch["contempt"]


def test_accents_fall_on_loud_long_vowels():
    phones = say("t", "ɪ", "t", "ɑ", "t", "ɪ", "t", "ɪ", "t", "ɪ", "t", length=0.12)
    loudness = loudness_of(voice(phones), int(phones[-1].end * FPS))
    loudness[int(phones[4].start * FPS) : int(phones[4].end * FPS) + 1] += 12
    accents = find_accents(phones, loudness, np.random.default_rng(0))
    assert any(phones[4].start <= a.time <= phones[4].end for a in accents)
    assert all(later.time - earlier.time > 0.35 for earlier, later in pairwise(accents))


def test_a_feeling_yields_the_mouth_only_while_it_speaks():
    phones = say("m", "ɑ", "t", "i", "m", length=0.2, pause=1.5)
    jaw = perform(MusclePlan(actions=(MuscleAction(unit=27, intensity=0.8),)), 0, phones, voice(phones)).values[:, INDEX["jawOpen"]]
    silent, said = jaw[: int(1.2 * FPS)], jaw[int(1.9 * FPS) : int(2.3 * FPS)]
    assert silent.min() > 0.6
    assert said.max() < silent.min()


@pytest.mark.parametrize(("pause", "shows"), [(0.4, False), (1.5, True)])
def test_a_feeling_waits_through_a_short_pause(pause, shows):
    word = say("m", "ɑ", "t", "i", "m", length=0.1, pause=0.0)
    length = word[-1].end
    phones = merge_silences([*word, Phone(length, length + pause, SILENCE), *(p.moved(length + pause) for p in word)])
    jaw = perform(MusclePlan(actions=(MuscleAction(unit=27, intensity=0.8),)), 0, phones, voice(phones)).values[:, INDEX["jawOpen"]]
    assert (jaw[int((length + pause / 2) * FPS)] > 0.6) == shows
