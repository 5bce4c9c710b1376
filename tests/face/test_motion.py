"""The motion container: what it holds, and what it refuses."""

import csv

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES, CHANNELS, HEAD, INDEX
from tbd.face.motion import Motion
from tbd.utils.user_warnings import collect_warnings


@pytest.fixture
def motion():
    return Motion(np.random.default_rng(0).random((7, 58)), {"tracker": "face_mesh", "rest": {"origin": [1.5, 2.0]}})


def test_channels_are_arkits_in_alphabetical_order():
    assert len(BLENDSHAPES) == 52 and list(BLENDSHAPES) == sorted(BLENDSHAPES, key=str.lower)
    assert CHANNELS[52:] == HEAD and len(set(CHANNELS)) == 58


def test_npz_is_exact_and_keeps_metadata(tmp_path, motion):
    motion.save(tmp_path / "m.npz")
    back = Motion.load(tmp_path / "m.npz")
    np.testing.assert_array_equal(back.values, motion.values)
    assert back.metadata == motion.metadata


def test_text_keeps_float32(tmp_path, motion):
    motion.save(tmp_path / "m.tsv")
    np.testing.assert_allclose(Motion.load(tmp_path / "m.tsv").values, motion.values, rtol=1e-6)


def test_columns_may_come_in_any_order(tmp_path, motion):
    motion.save(tmp_path / "m.tsv")
    with open(tmp_path / "m.tsv", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    with open(tmp_path / "r.csv", "w", newline="") as file:
        csv.writer(file).writerows(row[::-1] for row in rows)
    np.testing.assert_allclose(Motion.load(tmp_path / "r.csv").values, motion.values, rtol=1e-6)


def test_channels_by_name():
    motion = Motion.zeros(3)
    motion["headYaw"] = [0.1, 0.2, 0.3]
    assert motion.head[:, 1].tolist() == pytest.approx([0.1, 0.2, 0.3]) and motion.blendshapes.max() == 0
    with pytest.raises(KeyError, match="jawWide"):
        motion["jawWide"]


def test_clamped_leaves_the_head_alone():
    values = np.full((2, 58), 1.7)
    clamped = Motion(values).clamped()
    assert clamped.blendshapes.max() == 1 and clamped.head.min() == pytest.approx(1.7)


def test_relative_to_a_frame_is_rest_there_and_keeps_signs_of_the_head():
    motion = Motion.zeros(2, tracker="face_mesh")
    motion["jawOpen"], motion["mouthPucker"], motion["headYaw"] = [0.2, 0.7], [0.5, 0.1], [0.3, 0.1]
    moved = motion.relative_to(0)
    assert not moved.values[0].any() and moved.metadata == motion.metadata
    assert (moved["jawOpen"][1], moved["mouthPucker"][1], moved["headYaw"][1]) == pytest.approx((0.5, 0.0, -0.2))
    assert motion.most_neutral_frame() == 1


def test_nan_in_a_file_of_ours_is_named(tmp_path, motion):
    motion.values[3, INDEX["jawOpen"]] = np.nan  # a hole made behind the container's back
    motion.save(tmp_path / "m.npz")
    with pytest.raises(InputError, match=r"m\.npz.*1 value.*frame 3, jawOpen"):
        Motion.load(tmp_path / "m.npz")


@pytest.mark.parametrize("values", [np.zeros((4, 57)), np.zeros(58), np.full((2, 58), np.inf)])
def test_other_arrays_are_refused(values):
    with pytest.raises(InputError):
        Motion(values)


def _spoil(path, kind):
    if kind == "text":
        path.write_text("to be or not to be")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "broken off":
        Motion.zeros(50).save(path)
        path.write_bytes(path.read_bytes()[:200])
    elif kind == "names for other channels":
        np.savez(path, values=np.zeros((3, 57)), channels=np.array(CHANNELS), fps=25, metadata="{}")
    elif kind == "no frames":
        Motion.zeros(0).save(path)


KINDS = ["text", "empty", "broken off", "names for other channels", "no frames", "missing"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_motion_file_is_refused_in_one_sentence(tmp_path, kind):
    path = tmp_path / "bad.npz"
    _spoil(path, kind)
    with pytest.raises(InputError, match=r"bad\.npz") as caught:
        Motion.load(path)
    assert "\n" not in str(caught.value)


def test_another_rate_is_resampled_and_a_channel_less_is_noted(tmp_path):
    ramp = np.repeat(np.arange(31)[:, None] / 30, 57, 1)
    np.savez(tmp_path / "m.npz", values=ramp, channels=np.array(CHANNELS[1:]), fps=30)
    with collect_warnings() as notes:
        motion = Motion.load(tmp_path / "m.npz")
    np.testing.assert_allclose(motion["jawOpen"], np.arange(26) / 25, atol=1e-6)
    assert "browDownLeft is not there" in " ".join(notes) and not motion["browDownLeft"].any()


@pytest.mark.parametrize("text", ["", "time\n", "a,b\n1\n", "jawOpen\nwide\n"])
def test_tables_that_are_no_motion_are_refused(tmp_path, text):
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(InputError, match=r"bad\.csv"):
        Motion.load(tmp_path / "bad.csv")


def test_unknown_suffix_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(InputError, match=r"\.npz or \.csv"):
        Motion.zeros(1).save(tmp_path / "m.bvh")
    assert list(tmp_path.iterdir()) == []
