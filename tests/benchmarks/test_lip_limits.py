"""What limits drawn lips: who is judged by what, on jaws whose sound is known."""

import json

import numpy as np
import pytest

from benchmarks import lip_limits
from benchmarks.real_speech import SpeechClip
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.speech.phones import Phone, save_phones


def people(count: int) -> dict[str, SpeechClip]:
    return {f"c{i}": SpeechClip(np.zeros(640, np.float32), Motion.zeros(1), f"p{i // 2}") for i in range(count)}


def test_nobody_is_judged_by_what_has_learnt_from_them():
    clips = people(14)  # of seven people
    inputs = {name: np.full((4, 1), float(clip.person[1:])) for name, clip in clips.items()}
    learnt: list[set[float]] = []

    def learn(given, targets):
        learnt.append({float(x[0, 0]) for x in given})
        seen = learnt[-1]
        return lambda values: np.array([float(values[0, 0] in seen)])

    found = lip_limits.held_out(clips, inputs, {name: np.arange(4.0) for name in clips}, learn)
    assert set(found) == set(clips) and not any(track[0] for track in found.values()) and len(learnt) == lip_limits.FOLDS


@pytest.mark.parametrize("learn", [lambda x, y: lip_limits.ridge(x, y, 1.0), lip_limits.network])
def test_what_sound_tells_of_a_jaw_is_learnt(learn):
    rng = np.random.default_rng(0)
    sound = [rng.normal(size=(80, 3)) for _ in range(24)]
    predict = learn(sound[:-1], [x @ [1.0, 0.5, 0.0] for x in sound[:-1]])
    assert np.corrcoef(predict(sound[-1]), sound[-1] @ [1.0, 0.5, 0.0])[0, 1] > 0.9


def test_sound_around_a_frame_is_that_of_its_middle():
    seen = lip_limits.around(np.arange(100.0)[:, None], 25, [-2, 0, 2])
    assert seen.shape == (25, 3) and np.allclose(seen.mean(0), 0) and np.allclose(np.diff(seen[1:-1], axis=0), 4)
    assert (lip_limits.standardized(lip_limits.mel_levels(rng_sound())).mean(0) < 1e-6).all()


def rng_sound() -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.1, 16000).astype(np.float32)


def test_phones_that_are_kept_are_not_recognized_again(tmp_path):
    phones = [Phone(0.0, 0.02, "m"), Phone(0.02, 0.04, "ɑ")]
    for name in people(2):
        save_phones(phones, tmp_path / f"{name}_sphinx-words.csv")
    assert lip_limits.recognize(people(2), True, tmp_path) == {"c0": phones, "c1": phones}


def test_one_person_is_not_enough(tmp_path):
    from scipy.io import wavfile

    wavfile.write(tmp_path / "a.wav", 16000, (rng_sound() * 32767).astype(np.int16))
    Motion.zeros(25).save(tmp_path / "a.npz")
    with pytest.raises(InputError, match="two people or more"):
        lip_limits.lip_limits([tmp_path / "a.wav"])
    with pytest.raises(InputError, match="one or more clips"):
        lip_limits.lip_limits([])


def test_two_trackers_are_compared_on_the_faces_that_both_have_seen(tmp_path, capsys):
    from scipy.io import wavfile

    jaws = np.random.default_rng(3).random((3, 50))
    for name, jaw in zip("abc", jaws):
        wavfile.write(tmp_path / f"{name}.wav", 16000, np.zeros(32000, np.int16))
        motion = Motion.zeros(50)
        motion["jawOpen"] = jaw
        motion.save(tmp_path / f"{name}.npz")
    (tmp_path / "other").mkdir()
    for name, seen in (("a", "a"), ("b", "c")):  # the other tracker saw b's jaw do what c's does
        Motion.load(tmp_path / f"{seen}.npz").save(tmp_path / "other" / f"{name}.npz")
    lip_limits.lip_limits([tmp_path / f"{name}.wav" for name in "abc"], second=tmp_path / "other", output=tmp_path / "out.json")
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["clips"] == 2 and 0.5 < found["the other tracker"]["jaw"]["mean"] < 0.75  # 1 and what chance makes of the other
    assert "2 clips of 2 people" in capsys.readouterr().out
