"""The benchmarks of drawn motion, on motions whose figures are known."""

import json

import numpy as np
import pytest

from benchmarks import control, liveliness, real_speech, speed
from tbd.draw.guidance.progressive import ProgressiveGuidance
from tbd.draw.motion.loading import load_motion_model
from tbd.errors import InputError
from tbd.face.channels import INDEX
from tbd.face.motion import Motion
from tbd.media.wav import read_wave
from tbd.utils.sample_inputs import VOICE
from tests.draw.conftest import tiny_model


def test_the_lag_is_found_and_a_still_jaw_scores_nothing():
    jaw = np.random.default_rng(0).random(100)
    assert real_speech.best_correlation(np.roll(jaw, 4)[10:90], jaw[10:90]) == (pytest.approx(1.0), 4)
    assert real_speech.best_correlation(np.zeros(80), jaw[10:90])[0] == 0


def test_a_clip_is_drawn_and_compared(tmp_path):
    from scipy.io import wavfile

    motion = Motion.zeros(50)
    motion["jawOpen"] = np.abs(np.sin(np.arange(50) * 0.7))
    sound = np.repeat(motion["jawOpen"], 640) * np.random.default_rng(0).normal(0, 0.1, 50 * 640)
    wavfile.write(tmp_path / "a.wav", 16000, (sound * 32767).astype(np.int16))
    motion.save(tmp_path / "a.npz")
    clip = real_speech.read_clip(tmp_path / "a.wav", None)
    assert real_speech.best_correlation(real_speech.energy(clip[0]), clip[1]["jawOpen"])[0] > 0.95
    clips, kept = {"a": real_speech.SpeechClip(*clip, "somebody")}, tmp_path / "kept"
    drawn = real_speech.draw_all(tiny_model(), clips, seeds=2, kept=kept)
    assert len(drawn["a"]) == 2 and (drawn["a"][0] != drawn["a"][1]).any()
    again = real_speech.draw_all(None, clips, seeds=2, kept=kept)  # nothing is left to draw
    assert (np.array(again["a"]) == np.array(drawn["a"])).all()
    shorter = {"a": real_speech.SpeechClip(clip[0][: len(clip[0]) // 2], clip[1], "somebody")}
    assert len(real_speech.draw_all(tiny_model(), shorter, seeds=1, kept=kept)["a"][0]) < len(drawn["a"][0])
    assert len({real_speech.drawings_of(kept, *of) for of in (("a",), ("a", 1.0), ("b",), ("b", 2.0))}) == 4
    row = real_speech.score(clips, drawn, "jaw")["a"]
    assert -1 <= row["correlation"] <= 1 and row["energy"] > 0.95 and np.isnan(row["chance"])  # there is nobody else


def test_what_is_drawn_of_a_clip_is_compared_with_its_face_and_by_chance_with_others():
    faces = [Motion.zeros(80) for _ in range(3)]
    for seed, face in enumerate(faces):
        for channel in ("mouthPucker", "mouthFunnel"):
            face[channel] = np.random.default_rng(seed).random(80)
    clips = {str(i): real_speech.SpeechClip(np.zeros(51200, np.float32), face, "ab"[i > 0]) for i, face in enumerate(faces)}
    found = real_speech.score(clips, {name: [clip.tracked.values] for name, clip in clips.items()}, "rounded")
    assert {round(row["correlation"], 6) for row in found.values()} == {1.0} and {row["lag"] for row in found.values()} == {0}
    assert all(row["chance"] < 0.5 and row["energy"] == 0 for row in found.values())
    assert not any(row["correlation"] for row in real_speech.score(clips, {name: [np.zeros((80, 58))] for name in clips}, "jaw").values())


def test_an_interval_is_as_wide_as_few_people_make_it():
    values = [0.2, 0.2, 0.2, 0.8, 0.8, 0.8]
    few, many = real_speech.interval(values, list("aaabbb")), real_speech.interval(values, list("abcdef"))
    assert few == (pytest.approx(0.2), pytest.approx(0.8)) and few[0] < many[0] < 0.5 < many[1] < few[1]


def test_a_manifest_tells_who_speaks_which_language(tmp_path):
    (tmp_path / "clips.csv").write_text("id,person,language\nc1,p1,en (assumed)\nc2,p2,\n")
    assert real_speech.read_manifest(tmp_path / "clips.csv") == {"c1": ("p1", "en"), "c2": ("p2", "")}
    assert real_speech.read_manifest(None) == {}
    (tmp_path / "other.csv").write_text("name\nc1\n")
    with pytest.raises(InputError, match="no table of clips"):
        real_speech.read_manifest(tmp_path / "other.csv")


def test_units_that_do_not_move_have_no_rank():
    still = tiny_model()
    still.sample_window = lambda audio, plans, **_: still.mean.expand(len(audio), still.window_frames, -1)
    report = control.muscles(still, np.zeros(16000, np.float32), guidance=None)
    assert {row["spearman"] for row in report.values()} == {0.0}


def test_colour_is_what_a_feeling_changes_over_all_drawings():
    model, sounds = tiny_model(), [np.zeros(16000, np.float32), np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)]
    told, deaf = (ProgressiveGuidance(scale, scale) for scale in (2.0, 0.0))
    apart = [control.colour(model, [sound], told, 1.0, seeds=2) for sound in sounds]
    assert apart[0] > 1e-4 and apart[0] != apart[1]
    assert control.colour(model, sounds, told, 1.0, seeds=2) == pytest.approx(np.sqrt(np.square(apart).mean()))
    assert control.colour(model, sounds, deaf, 1.0, seeds=1) == pytest.approx(0, abs=1e-6)


def test_the_packaged_scales_are_separate(monkeypatch):
    """Scales over the whole face that came in one after the other pulled a strong feeling down by a fifth
    (benchmarks/results/control.md); the packaged ones take 14 to 17 % of two and of four feelings, with one seed and with more,
    where the aim is 5 %."""
    monkeypatch.setattr(control, "EMOTIONS", ("angry", "sad"))
    model, sounds = load_motion_model(), [read_wave(VOICE)]
    own, raised = (
        control.colour(model, sounds, model.guidance.scaled(muscle_scale=scale), 1.0, seeds=1)
        for scale in (model.guidance.muscle_scale, control.RAISED * model.guidance.muscle_scale)
    )
    assert abs(raised / own - 1) < 0.18  # one drawing of a face that lives beside its words


def test_a_seam_that_jumps_is_seen():
    smooth = Motion.zeros(100)
    smooth["jawOpen"] = np.sin(np.arange(100) * 0.1)
    assert speed.seam_jumps(smooth, window=30, past=10)["greatest at seams"] < 0.2
    smooth.values[30:] += 1  # the first window's last frame is 29
    seams = speed.seam_jumps(smooth, window=30, past=10)
    assert seams["seams"] == 4 and seams["greatest at seams"] > 1 > seams["rare within"]


def test_results_say_where_they_come_from(tmp_path):
    from benchmarks.common import environment, write_results

    write_results(tmp_path / "r.json", {"environment": environment()}, "| a |")
    place = json.loads((tmp_path / "r.json").read_text())["environment"]
    assert place["packages"]["torch"] and place["cores"] > 0 and (tmp_path / "r.md").read_text() == "| a |\n"


def test_code_that_was_copied_without_its_history_can_be_told_its_commit(monkeypatch):
    from benchmarks.common import environment

    monkeypatch.setenv("TBD_COMMIT", "abc1234")
    assert environment()["commit"] == "abc1234"


def test_a_face_that_stands_still_is_told_from_one_that_lives():
    rng, still = np.random.default_rng(0), Motion.zeros(150)
    alive = Motion.zeros(150)
    times = np.arange(150) / 25
    alive["headYaw"] = np.radians(3) * np.sin(2 * np.pi * times / 2)
    alive["browInnerUp"] = np.abs(rng.normal(0, 0.1, 150))
    alive["eyeLookOutLeft"] = 0.3 * (times % 2 >= 1)  # turns to the side and back
    for start in (30, 90):
        alive.values[start : start + 4, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 1.0
    found, none = liveliness.describe(alive), liveliness.describe(still)
    assert found["headYaw"] == pytest.approx(3 / np.sqrt(2), rel=0.02) and found["head speed"] == pytest.approx(6, rel=0.05)
    assert (
        found["blinks"] == 20
        and found["blink length"] == pytest.approx(0.16)
        and found["gaze jumps and noise"] == pytest.approx(5 / 6, abs=0.01)
    )
    assert found["left − right"] == 0 and np.isnan(none.pop("blink length")) and set(none.values()) == {0.0}
    alive["browDownLeft"] = 0.5
    alike = liveliness.describe(alive)
    assert alike["left − right"] == 0 and alike["left − right, held"] > 0.01  # a brow that is lower all the time is the face's own
    alive["browDownLeft"] = np.abs(rng.normal(0, 0.5, 150))
    assert liveliness.describe(alive)["left − right"] > 0.01


def test_a_tracker_s_noise_and_closing_lids_are_no_jumps_of_the_gaze():
    face = Motion.zeros(150)
    face["eyeLookOutLeft"] = 0.3 * (np.arange(150) >= 50)  # looks aside once
    face["eyeLookDownLeft"][100:104] = face["eyeBlinkLeft"][100:104] = face["eyeBlinkRight"][100:104] = 0.8  # and blinks
    face["eyeLookDownLeft"][[20, 120]] = 0.4
    found = liveliness.describe(face)
    assert found["gaze jumps"] == pytest.approx(1 / (150 - 6 - 4 - 12) * 25) and found["gaze jumps and noise"] > 3 / 6


def test_what_is_counted_is_averaged_and_the_rest_is_a_median():
    rows = [{"blinks": value, "headYaw": value} for value in (0.0, 0.0, 30.0)]
    assert liveliness.typical(rows) == {"blinks": 10.0, "headYaw": 0.0}
    low, high = liveliness.interval("blinks", rows)
    assert low == 0 and 20 <= high <= 30
