"""Folders of videos: names of any spelling find their clip; nothing is dropped without a word."""

import shutil

import pytest

from tbd.errors import InputError
from tbd.evaluation.predictions import match, read_predictions
from tests.evaluation.fakes import FakeReference

IDS = [clip.id for clip in FakeReference().clips()]
MEAD = ["M003_angry_1_012", "M003_angry_1_022", "W015_sad_3_005", "W015_surprised_3_025", "W009_contempt_3_005"]


@pytest.mark.parametrize(
    ("name", "clip"),
    [
        ("M003_angry_1_012", "M003_angry_1_012"),
        ("M003#angry#level_1#012", "M003_angry_1_012"),
        ("M003/video/front/angry/level_1/012", "M003_angry_1_012"),
        ("W015_W015_sad_3_005", "W015_sad_3_005"),
        ("W015_W015_sur_3_025", "W015_surprised_3_025"),
        ("results/W009_con_3_5", "W009_contempt_3_005"),
        ("M003_angry_1_013", None),
        ("M003_angry_1_012_old", None),
        ("M003_angry_11_012", None),
    ],
)
def test_spellings(name, clip):
    assert match([name], MEAD) == [clip]


def test_ids_of_one_spelling_need_their_exact_name():
    assert match(["a_1", "a-1", "A 1"], ["a_1", "a-1"]) == ["a_1", "a-1", None]


def test_a_folder_of_ours(truth):
    read = read_predictions(truth, IDS)
    assert list(read.clips) == sorted(IDS) and not read.issues
    assert all(p.row is not None and p.row.frames == 30 and p.motion is not None for p in read.clips.values())


def test_missing_extra_and_doubled_videos_are_named(truth):
    (truth / f"{IDS[0]}.mp4").unlink()
    (truth / "best_take.mp4").write_bytes(b"x")
    shutil.copy(truth / f"{IDS[1]}.mp4", truth / f"{IDS[1].replace('_', '#')}.mp4")
    issues = {issue.kind: issue for issue in read_predictions(truth, IDS).issues}
    assert set(issues) == {"missing", "extra", "twice"}
    assert issues["missing"].clip == IDS[0] and issues["extra"].clip == "best_take.mp4" and IDS[1] in issues["twice"].detail


def test_a_row_without_its_video_or_motion_counts_for_nothing(truth):
    (truth / f"{IDS[0]}.npz").unlink()
    (truth / f"{IDS[1]}.json").write_text("{}")
    clips = read_predictions(truth, IDS).clips
    assert clips[IDS[0]].row is None and clips[IDS[1]].row is None and clips[IDS[2]].row is not None


def test_a_folder_without_a_match_is_refused(tmp_path, truth):
    with pytest.raises(InputError, match="no folder"):
        read_predictions(tmp_path / "nowhere", IDS)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no videos"):
        read_predictions(tmp_path / "empty", IDS)
    with pytest.raises(InputError, match="named by a clip of the protocol, such as M003"):
        read_predictions(truth, MEAD)
