from dataclasses import replace

import numpy as np
import pytest

from tbd.data.synthetic.performance import synthesize_motion
from tbd.data.synthetic.spontaneous import AVERAGE_SPEAKER, STILL, sample_liveliness
from tbd.face.channels import BLENDSHAPES, INDEX
from tbd.media.rates import FPS
from tbd.think.emotions import EMOTION_SPECS
from tbd.think.plan import MuscleAction, MusclePlan
from tests.data.phrases import say, voice

# half a minute of syllables, every fifth louder, with a pause after every tenth
PHONES = say(*["m", "ɑ", "t", "i", "s"] * 60, length=0.1)
AUDIO = voice(PHONES) * np.repeat(np.where(np.arange(160) % 3 == 0, 1.0, 0.35), 3200)[: len(voice(PHONES))].astype(np.float32)


def speak(liveliness, plan=None, seed=0):
    return synthesize_motion(PHONES, AUDIO, plan or MusclePlan(), np.random.default_rng(seed), liveliness=liveliness).values


def windows(values, length=150):
    return [values[i : i + length] for i in range(0, len(values) - length + 1, length)]


def deviation(liveliness, channel, plan=None, seeds=6):
    """Median over windows of six seconds, as people were measured."""
    stretches = [w for seed in range(seeds) for w in windows(speak(liveliness, plan, seed))]
    return float(np.median([w[:, INDEX[channel]].std() for w in stretches]))


# medians of filmed speakers: FACTS of `tbd.data.synthetic.spontaneous`
@pytest.mark.parametrize(
    ("channel", "real"),
    [
        ("headPitch", np.radians(1.9)), ("headYaw", np.radians(2.8)), ("headRoll", np.radians(2.5)), ("browInnerUp", 0.081),
        ("browDownLeft", 0.065), ("mouthSmileLeft", 0.11), ("eyeSquintLeft", 0.11),
    ],
)  # fmt: skip
def test_an_average_speaker_moves_as_much_as_people_do(channel, real):
    assert 0.7 * real < deviation(AVERAGE_SPEAKER, channel) < 1.3 * real


def test_a_head_moves_as_fast_as_people_do():
    speeds = [
        np.degrees(np.linalg.norm(np.diff(w[:, len(BLENDSHAPES) :][:, :3], axis=0), axis=1)).mean() * FPS
        for seed in range(6)
        for w in windows(speak(AVERAGE_SPEAKER, seed=seed))
    ]
    assert 0.7 * 12.7 < np.median(speeds) < 1.3 * 12.7


def test_blinks_are_as_many_and_as_long_as_asked():
    for asked in (replace(AVERAGE_SPEAKER, blink_seconds=0.11), replace(AVERAGE_SPEAKER, blink_seconds=0.2)):
        closed = np.concatenate([speak(asked, seed=seed)[:, INDEX["eyeBlinkLeft"]] for seed in range(6)]) > 0.45
        blinks = np.sum(closed[1:] & ~closed[:-1])
        assert 18 < blinks / len(closed) * FPS * 60 < 34
        assert abs(closed.sum() / blinks / FPS - asked.blink_seconds) < 0.05


def test_one_who_keeps_still_moves_brows_and_cheeks_for_nothing_but_accents():
    values = speak(STILL)
    assert values[:, INDEX["browDownLeft"]].max() == 0
    assert values[:, INDEX["cheekSquintLeft"]].max() == 0
    assert deviation(STILL, "headYaw") < 0.5 * deviation(AVERAGE_SPEAKER, "headYaw")


def test_nobody_smiles_in_grief():
    def smile(emotion):
        plan = MusclePlan(emotions={emotion: 1.0}, intensity=1.0)
        values = np.concatenate([speak(AVERAGE_SPEAKER, plan, seed) for seed in range(3)])
        still = np.concatenate([speak(STILL, plan, seed) for seed in range(3)])
        return float((values - still)[:, INDEX["mouthSmileLeft"]].mean())

    assert EMOTION_SPECS["sad"].affect.smiles < 1
    assert smile("sad") < 0.3 * smile("happy")


def test_an_expression_lives_but_stays_itself():
    plan = MusclePlan(emotions={"happy": 1.0}, intensity=0.8, actions=(MuscleAction(unit=12, intensity=0.6),))
    smile = speak(AVERAGE_SPEAKER, plan)[:, INDEX["mouthSmileLeft"]]
    still = speak(STILL, plan)[:, INDEX["mouthSmileLeft"]]
    assert abs(smile.mean() - still.mean()) < 0.12
    assert smile.std() > 1.5 * still.std()


def test_faces_are_lopsided_by_the_speakers_tilt():
    plan = MusclePlan(actions=(MuscleAction(unit=12, intensity=0.5),))
    for tilt in (-0.3, 0.3):
        values = speak(replace(STILL, tilt=tilt), plan)
        assert np.sign((values[:, INDEX["mouthSmileLeft"]] - values[:, INDEX["mouthSmileRight"]]).mean()) == np.sign(tilt)
    lips = speak(replace(STILL, tilt=0.3))
    np.testing.assert_array_equal(lips[:, INDEX["mouthPressLeft"]], lips[:, INDEX["mouthPressRight"]])  # or lips would not meet


def test_people_differ_and_the_same_seed_is_the_same_person():
    first, again, other = (sample_liveliness(np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first == again != other
    heads = [sample_liveliness(np.random.default_rng(seed)).head for seed in range(300)]
    assert 0.85 < np.median(heads) < 1.15
    assert 1.3 < np.percentile(heads, 84) / np.median(heads) < 1.7


def test_random_motion_does_not_drift():
    np.testing.assert_allclose(speak(AVERAGE_SPEAKER)[:, len(BLENDSHAPES) :].mean(0), 0, atol=5e-3)
