import json
import shutil
from importlib.resources import files

import pytest

from tbd.data import splits
from tbd.data.records import ClipRecord
from tbd.data.sources.mead import MEADSource
from tbd.data.sources.naming import mead_name
from tbd.data.splits import DatasetSplits, default_splits, load_splits, packaged_splits
from tbd.errors import InputError
from tbd.think.emotions import EMOTIONS, find_emotion


def mead(clip: str) -> ClipRecord:
    name = mead_name(clip)
    return ClipRecord(name.clip, "mead", name.actor, name.clip, name.emotion, name.level)


@pytest.mark.parametrize("name", packaged_splits())
def test_packaged_splits_say_where_they_are_from_and_are_clean(name):
    splits = load_splits(name)
    assert splits.name == name and len(splits.source) > 10 and len(splits.checksum) == 64
    leaks = {field: len(found) for field, found in splits.overlaps().items()}
    assert leaks == ({"person": 31, "video": 13} if name == "hdtf_edtalk" else {"person": 0, "video": 0})


def test_a_published_list_has_the_same_people_in_both_splits():
    """EDTalk's lists of HDTF, the issue's example: the verification must find this."""
    leaks = load_splits("hdtf_edtalk").overlaps()
    assert "BarackObama" in leaks["person"] and "WDA_BarackObama" in leaks["video"]
    assert not any(name.startswith("RD_") for name in leaks["person"])  # unnamed speakers are recordings, not people


def test_a_cache_shows_what_a_split_by_person_cannot_know():
    """One recording under two names: only the records tell."""
    splits = DatasetSplits("s", "folder", "person", "", {"train": ("Ann",), "test": ("Anne",)}, None)
    records = [ClipRecord("a", "folder", "Ann", "tape 1"), ClipRecord("b", "folder", "Anne", "tape 1")]
    assert splits.overlaps() == {"person": [], "video": []} and splits.overlaps(records) == {"person": [], "video": ["tape 1"]}


def test_mead_by_actor():
    splits = load_splits("mead_actor")
    found = {clip: splits.split_of(mead(clip)) for clip in ("M003_sad_1_001", "W015_sad_1_001", "M013_sad_1_001", "W040_sad_1_001")}
    assert list(found.values()) == ["test", "test", "val", "train"]
    assert splits.split_of(ClipRecord("WDA_KatieHill_000", "hdtf", "KatieHill", "WDA_KatieHill")) is None


def test_mead_by_sentence_keeps_the_last_ones_of_each_level():
    splits = load_splits("mead_sentence")
    expected = {"M003_neutral_1_030": "train", "M003_neutral_1_031": "test", "M003_happy_2_024": "train", "M003_happy_2_025": "test",
                "M003_happy_2_030": "test", "M003_happy_2_099": None}  # fmt: skip
    assert {clip: splits.split_of(mead(clip)) for clip in expected} == expected
    people = {split: {clip.split("_")[0] for clip in listed} for split, listed in splits.members.items()}
    assert people["train"] == people["test"] and len(people["test"]) == 43


def test_published_lists_are_complete():
    lists = load_splits("mead_edtalk")
    assert {split: len(listed) for split, listed in lists.members.items()} == {"train": 25_747, "test": 2_293}
    eat = load_splits("mead_eat100")
    assert len(eat.members["test"]) == 100
    assert {mead(clip).level for clip in eat.members["test"] if "neutral" not in clip} == {3}
    assert {MEADSource.person_of(clip) for clip in eat.members["test"]} == set(load_splits("mead_actor").members["test"])


def test_a_changed_packaged_split_is_refused(tmp_path, monkeypatch):
    shutil.copytree(files("tbd") / "assets/splits", tmp_path / "assets/splits")
    path = tmp_path / "assets/splits/mead_actor.json"
    path.write_text(path.read_text().replace('"W015"', '"W016"'))
    monkeypatch.setattr(splits, "files", lambda _: tmp_path)
    with pytest.raises(InputError, match="SHA-256 differs"):
        load_splits("mead_actor")
    load_splits("hdtf_person")


def test_files_of_ones_own(tmp_path):
    path = tmp_path / "mine.json"
    values = {"name": "mine", "dataset": "folder", "by": "person", "source": "me", "splits": {"test": ["Ann"]}, "rest": "train"}
    path.write_text(json.dumps(values))
    splits = load_splits(path)
    assert (
        splits.split_of(ClipRecord("a", "folder", "Ann", "a")) == "test"
        and splits.split_of(ClipRecord("b", "folder", "Bob", "b")) == "train"
    )
    for wrong, said in [
        ({"by": "shoe size"}, "`by` is one of"),
        ({"splits": {"exam": ["Ann"]}}, "they are train, val, test"),
        ({"splits": {"train": ["Ann"], "test": ["Ann"]}}, "lists Ann in two splits"),
        ({"splits": 3}, "holds no splits"),
    ]:
        path.write_text(json.dumps({**values, **wrong}))
        with pytest.raises(InputError, match=said):
            load_splits(path)
    path.write_text(json.dumps(values))
    assert load_splits("mine.json", tmp_path).checksum == load_splits(path).checksum  # from the cache that they divide
    with pytest.raises(InputError, match=r"no splits 'mine.json'"):
        load_splits("mine.json")
    with pytest.raises(InputError, match=r"no splits 'nonsense'; name a .json file or one of .*mead_actor"):
        load_splits("nonsense")


@pytest.mark.parametrize(
    ("path", "clip"),
    [
        ("MEAD/M003/video/front/angry/level_1/001.mp4", "M003_angry_1_001"),
        ("M003.tar/video/front/angry/level_1/001.mp4", "M003_angry_1_001"),
        ("W023/video.tar/left_60/disgusted/level_3/077.mp4", "W023_disgusted_3_077_left_60"),
        ("M003/audio/surprised/level_2/030.m4a", "M003_surprised_2_030"),
        ("M030_sad_3_001.mp4", "M030_sad_3_001"),
        ("mead/M030_M030_sur_3_001.mp4", "M030_surprised_3_001"),
        ("M003#angry#level_1#001.mp4", "M003_angry_1_001"),
        ("M003_front_disgust_level_2_011.mp4", "M003_disgusted_2_011"),
    ],
)
def test_mead_names(path, clip):
    assert mead_name(path).clip == clip


@pytest.mark.parametrize("path", ["holiday/001.mp4", "M003/notes.mp4", "WDA_KatieHill_000.mp4", "X003/video/front/angry/level_1/001.mp4"])
def test_other_names(path):
    assert mead_name(path) is None


def test_every_order_of_labels_is_read_by_name():
    """MEAD's, EAT's, Emotion-FAN's and ditto's words."""
    words = "angry disgust contempt fear happy sad surprised neutral ang con dis fea hap neu sad sur Surprise Disgusted"
    assert {find_emotion(word) for word in words.split()} == set(EMOTIONS)


def test_a_data_set_without_splits_of_its_own_trains_as_a_whole():
    assert default_splits("mead") == load_splits("mead_actor")
    splits = default_splits("folder")
    assert splits.split_of(ClipRecord("a", "folder", "Ann", "a")) == "train"
    assert splits.split_of(ClipRecord("a", "mead", "M003", "a")) is None
