"""What is seen of a performance: on which frame it is drawn, and beside what it stands."""

import json

import numpy as np
import pytest

from benchmarks import liveliness, seen
from tbd.errors import InputError
from tbd.face.motion import Motion


def test_a_face_at_rest_and_to_the_front_is_the_calmest():
    motion = Motion.zeros(4)
    motion["mouthSmileLeft"][:], motion["headYaw"][1], motion["jawOpen"][2] = [0.3, 0.1, 0.1, 0.1], 0.3, 0.2
    assert seen.calmest_frame(motion) == 3


def test_what_no_clip_has_is_not_a_number_and_says_nothing(recwarn):
    nobody = [{"blink length": float("nan"), "blinks": 0.0}] * 2
    assert np.isnan(liveliness.typical(nobody)["blink length"]) and not recwarn.list
    assert liveliness.typical([*nobody, {"blink length": 0.2, "blinks": 30.0}]) == {"blink length": 0.2, "blinks": 10.0}


def test_a_clip_without_a_film_is_named(tmp_path):
    (tmp_path / "c1.npz").touch()
    with pytest.raises(InputError, match="no film of the clip c1"):
        seen.find_video(tmp_path, "c1")
    (tmp_path / "c1.mp4").touch()
    assert seen.find_video(tmp_path, "c1") == tmp_path / "c1.mp4"


def test_what_is_seen_stands_beside_those_people_alone_who_could_be_drawn_on(tmp_path, monkeypatch, capsys):
    from scipy.io import wavfile

    for name, jaw in (("a", 0.2), ("b", 0.6)):
        wavfile.write(tmp_path / f"{name}.wav", 16000, np.zeros(64000, np.int16))
        (tmp_path / f"{name}.mp4").touch()
        motion = Motion.zeros(100)
        motion["jawOpen"] = jaw
        motion.save(tmp_path / f"{name}.npz")

    def watch(video, tracked, drawn, landmarker):
        """b is turned too far; on a half more is seen than was there."""
        assert drawn[0]["jawOpen"][0] == tracked["jawOpen"][0]
        yield from (Motion(1.5 * motion.values) for motion in drawn if video.stem == "a")

    monkeypatch.setattr(liveliness, "watch", watch)
    clips, given = [tmp_path / "a.wav", tmp_path / "b.wav"], {"videos": tmp_path, "replay": True}
    liveliness.liveliness(clips, landmarker=tmp_path / "x.task", output=tmp_path / "out.json", **given)
    found = json.loads((tmp_path / "out.json").read_text())["seen"]
    assert found["people"]["jaw, 95 %"] == pytest.approx(0.2) and found["seen"]["jaw, 95 %"] == pytest.approx(0.3)
    assert "Seen, on 1 of the people" in capsys.readouterr().out
    for wrong in ({"videos": tmp_path}, {"replay": True}):
        with pytest.raises(InputError, match="needs --videos, and --landmarker"):
            liveliness.liveliness(clips, **wrong)
