"""Folders of videos: names of any spelling find their clip; nothing is dropped without a word."""

import shutil

import pytest

from tbd.errors import InputError
from tbd.evaluation.predictions import match, read_predictions
from tbd.utils.user_warnings import TBDWarning
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
        ("m003_ANGRY_1_012", "M003_angry_1_012"),
        ("M003_angry_1_012_out", "M003_angry_1_012"),
        ("pred-M003_angry_1_012_25fps", "M003_angry_1_012"),
        ("M003_angry_1_012_with_audio", "M003_angry_1_012"),
        ("M003_angry_1_012##M003_angry_1_012", "M003_angry_1_012"),
        ("M003_angry_1_012--M003_angry_1_012_result", "M003_angry_1_012"),
        ("M003_angry_1_012/output", "M003_angry_1_012"),
        ("run1/M003_angry_1_012/2024_01_01_12.00.00", "M003_angry_1_012"),
        ("M003_angry_1_012--M003_angry_1_012_concat", None),
        ("out", None),
        ("M003_angry_1_013", None),
        ("M003_angry_1_012_old", None),
        ("M003_angry_11_012", None),
    ],
)
def test_spellings(name, clip):
    assert match([name], MEAD) == [clip]


def test_ids_of_one_spelling_need_their_exact_name():
    assert match(["a_1", "a-1", "A 1"], ["a_1", "a-1"]) == ["a_1", "a-1", None]


def test_accents_and_other_alphabets():
    """macOS writes an accent as a letter of its own; names in other alphabets are not all alike."""
    ids = ["José_hello_sad", "日本_hello_sad", "中国_hello_sad"]
    assert match(["Jose\u0301_hello_sad", "中国_hello_sad_out", "日本-hello-sad", "한국_hello_sad"], ids) == [ids[0], ids[2], ids[1], None]


def test_a_name_that_tells_nothing_claims_nothing():
    assert match(["video", "output", "audio"], ["video"]) == ["video", None, None]


def test_the_clips_own_name_comes_first(truth):
    """Whatever the order of files: the guess is the one that is said to be too many, and guesses are told."""
    (truth / "A").mkdir()
    shutil.copy(truth / f"{IDS[0]}.mp4", truth / "A" / f"{IDS[0]}_out.mp4")
    (truth / f"{IDS[1]}.mp4").rename(truth / f"Result_{IDS[1].upper()}.MP4")
    with pytest.warns(TBDWarning, match=f"one video bears .* and was taken for it: Result_{IDS[1].upper()}.MP4 for {IDS[1]}; "):
        read = read_predictions(truth, IDS)
    assert [(issue.kind, issue.clip) for issue in read.issues] == [("twice", f"A/{IDS[0]}_out.mp4")]
    assert read.clips[IDS[0]].video == truth / f"{IDS[0]}.mp4" and list(read.clips) == sorted(IDS)


@pytest.mark.parametrize("suffix", [".MOV", ".webm", ".m4v", ".mkv"])
def test_videos_of_any_ending(truth, suffix):
    for clip in IDS:
        (truth / f"{clip}.mp4").rename(truth / f"{clip}{suffix}")
    assert list(read_predictions(truth, IDS).clips) == sorted(IDS)


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
