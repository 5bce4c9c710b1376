"""A person's own neutral clips are what their other clips are measured against."""

from dataclasses import replace

import numpy as np
import pytest

from tbd.data.preprocess.cache import Cache
from tbd.data.preprocess.clip import UNUSABLE, _reference
from tbd.data.preprocess.runner import _done
from tbd.data.preprocess.tracking import find_neutral
from tbd.data.records import ClipRecord
from tbd.data.sources.base import RawClip, RawFile, with_neutrals
from tbd.errors import InputError
from tbd.face.neutral import AVERAGE, NeutralFace


def raw(person, emotion, number=1, view="front", **values):
    name = f"{person}_{emotion}_{number}_{view}"
    record = ClipRecord(name, "mead", person, name, emotion=emotion, level=1, view=view, number=number, origin=f"{name}.mp4")
    return RawClip(record, RawFile("raw", f"{name}.mp4"), **values)


def test_neutrals_are_of_the_same_person_and_camera():
    clips = [raw("M003", "angry"), raw("M003", "neutral", 2), raw("M003", "neutral", 1), raw("M003", "angry", view="left_30"),
             raw("W009", "happy"), raw("W009", "neutral", end=3.0)]  # fmt: skip
    found = [[file.name for file in clip.neutrals] for clip in with_neutrals(clips)]
    both = ["M003_neutral_1_front.mp4", "M003_neutral_2_front.mp4"]
    assert found == [both, both, both, [], [], []]


class Resting:
    """A tracker that can use one file alone, and counts."""

    def __init__(self, usable):
        self.usable, self.asked = usable, []

    def neutral_face(self, frames, source):
        self.asked.append(source)
        if source != self.usable:
            raise InputError("No face.")
        return NeutralFace(np.full((478, 3), 0.5), np.zeros(52), source)


@pytest.fixture
def cache(tmp_path):
    return Cache.claim(tmp_path / "cache", source="mead")


@pytest.fixture
def clip(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "tbd.data.preprocess.tracking.read_video", lambda path: type("Video", (), {"av_frames": lambda self, threads: []})()
    )
    first, second = RawFile(str(tmp_path), "one.mp4"), RawFile(str(tmp_path), "two.mp4")
    return replace(raw("M003", "angry"), neutrals=(first, second))


def test_first_usable_neutral_is_taken_and_kept(cache, clip):
    tracker = Resting("two.mp4")
    found = find_neutral(clip, tracker, cache, "key")
    again = find_neutral(replace(clip, neutrals=clip.neutrals[1:]), tracker, cache, "key")
    assert tracker.asked == ["one.mp4", "two.mp4"] and found.source == again.source == "two.mp4"
    np.testing.assert_array_equal(again.face, found.face)
    assert _reference(clip, [found]) == "two.mp4"


def test_average_is_said_where_there_is_no_neutral(cache, clip):
    assert find_neutral(clip, Resting("none"), cache, "key") is None
    assert _reference(clip, [None]) == UNUSABLE and _reference(replace(clip, neutrals=()), [None]) == AVERAGE


def test_neutral_told_later_prepares_a_clip_again(cache, clip):
    for neutral, done in ((AVERAGE, False), (UNUSABLE, True), ("one.mp4", True)):
        cache.save_record(replace(clip.record, status="ready", neutral=neutral))
        assert _done(cache, clip, [], False, False) is done, neutral
