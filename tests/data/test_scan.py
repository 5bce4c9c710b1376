"""Scanning fake downloads; no frame is decoded."""

import tarfile

import pytest

from tbd.data.raw import RawFile, labelled, read_labels
from tbd.data.scan_folder import FolderSource
from tbd.data.scan_hdtf import HDTFSource, read_annotations
from tbd.data.scan_mead import MEADSource
from tbd.errors import InputError
from tests.data.trees import HDTF_CLIPS, MEAD_CLIPS, empty_archive


@pytest.fixture(scope="module")
def touch_tree(tmp_path_factory):
    """Files without content, at the places where MEAD's are."""
    root = tmp_path_factory.mktemp("mead")
    for path in ("M005/video/front/happy/level_1/001.mp4", "M005/video/front/happy/level_1/004.mp4", "M005/video/top/happy/level_1/001.mp4",
                 "M005/audio/happy/level_1/004.m4a", "W017/video/down/sad/level_2/001.mp4"):  # fmt: skip
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def test_mead_as_it_is(mead_tree):
    scan = MEADSource(str(mead_tree)).scan()
    assert [raw.record.clip for raw in scan.clips] == sorted(MEAD_CLIPS)
    said = scan.problems
    assert said["M003/happy/level_3"] == "2 clips, numbers to 004, without 002-003"
    assert said["W017"] == "no view front (there: down)" and "no contempt, disgusted" in said["M003"]
    assert said["M003/video/front/fear/level_1/001.mp4"] == "the file is empty (0 bytes)"
    assert said["M003/audio/contempt/level_1/009.m4a"] == "sound without pictures"
    assert "ends before this file does" in said["W011.tar/W011/video/front/happy/level_1/001.mp4"]
    archived = next(raw for raw in scan.clips if raw.record.person == "W009")
    with archived.video.opened() as path:
        assert path.read_bytes() == (mead_tree / "M003/video/front/neutral/level_1/001.mp4").read_bytes()
    assert not path.exists()


def test_views(touch_tree):
    names = [raw.record.clip for raw in MEADSource(str(touch_tree), ("front", "top")).scan().clips]
    assert names == ["M005_happy_1_001", "M005_happy_1_001_top", "M005_happy_1_004"]
    sounds = [raw.audio and raw.audio.path for raw in MEADSource(str(touch_tree)).scan().clips]
    assert sounds == [None, "M005/audio/happy/level_1/004.m4a"]
    with pytest.raises(InputError, match="no view 'behind'"):
        MEADSource(str(touch_tree), ("behind",))


def test_archives_in_place_of_folders(touch_tree, tmp_path):
    """As they are handed out: a tar of the videos and one of the sounds for each actor."""
    (tmp_path / "M005").mkdir()
    for kind in ("video", "audio"):
        with tarfile.open(tmp_path / "M005" / f"{kind}.tar", "w") as archive:
            archive.add(touch_tree / "M005" / kind, kind)
    unpacked, packed = (MEADSource(str(root)).scan() for root in (touch_tree, tmp_path))
    assert [raw.record.clip for raw in packed.clips] == [raw.record.clip for raw in unpacked.clips if raw.record.person == "M005"]
    assert packed.clips[1].audio.name == "M005/audio.tar/audio/happy/level_1/004.m4a"


def test_roots_that_are_not_mead(tmp_path):
    with pytest.raises(InputError, match="There is no folder"):
        MEADSource(str(tmp_path / "nothing")).scan()
    with pytest.raises(InputError, match="holds no video and no archive"):
        MEADSource(str(tmp_path)).scan()
    (tmp_path / "holiday.mp4").write_bytes(b"x")
    with pytest.raises(InputError, match=r"is not MEAD: .*holiday.mp4.*tbd preprocess folder"):
        MEADSource(str(tmp_path)).scan()


def test_compressed_and_empty_archives(tmp_path):
    with tarfile.open(tmp_path / "M003.tar.gz", "w:gz"):
        pass
    with pytest.raises(InputError, match=r"M003.tar.gz: a compressed archive; unpack it"):
        MEADSource(str(tmp_path)).scan()
    (tmp_path / "M003.tar.gz").unlink()
    empty_archive(tmp_path / "M005.tar")
    with pytest.raises(InputError, match="holds no video"):
        MEADSource(str(tmp_path)).scan()


def test_hdtf_as_it_is(hdtf_tree):
    videos, told = hdtf_tree
    scan = HDTFSource(str(videos), str(told)).scan()
    clips = {raw.record.clip: raw for raw in scan.clips}
    assert list(clips) == sorted(HDTF_CLIPS)
    assert clips["WDA_KatieHill_000"].box == (400, 120, 480) and clips["WDA_KatieHill_000"].box_height == 720
    assert clips["WDA_KatieHill_001"].box is None and (clips["WDA_KatieHill_001"].start, clips["WDA_KatieHill_001"].end) == (2.0, 4.0)
    assert clips["RD_Radio1_000"].end is None  # already cut
    assert clips["WRA_JebHensarling0_000"].record.person == "JebHensarling"
    assert scan.counts["videos"] == 3 and scan.counts["videos annotated"] == 6
    assert "no interval" in scan.problems["RD_Radio24"] and "no crop row" in scan.problems["WDA_KatieHill_001"]
    assert "RD_Radio1_000" not in scan.problems and "left out" in scan.problems["holiday.mp4"]


def test_the_real_annotations(shared):
    """370 videos, 436 clips, 15 of them without a crop row, one video without an interval; the first line has a byte-order mark."""
    problems = {}
    told = read_annotations(shared / "data/hdtf", problems)
    assert "WDA_CarolynMaloney2" in told and list(problems) == ["RD_Radio24"]
    missing = sum(i not in entry.boxes for entry in told.values() for i in range(len(entry.intervals)))
    assert (len(told), sum(len(entry.intervals) for entry in told.values()), missing) == (370, 436, 15)
    assert told["WDA_AmyKlobuchar1"].intervals[1] == (205.0, 240.0) and told["WDA_AdamSchiff"].boxes[0] == (608, 0, 726)


def test_roots_that_are_not_hdtf(hdtf_tree, tmp_path):
    with pytest.raises(InputError, match=r"RD_annotion_time.txt; --annotations names"):
        HDTFSource(str(hdtf_tree[0]), str(tmp_path)).scan()
    (tmp_path / "holiday.mp4").write_bytes(b"x")
    with pytest.raises(InputError, match="no video that HDTF's annotations name"):
        HDTFSource(str(tmp_path), str(hdtf_tree[1])).scan()


def test_folders(tmp_path):
    for path in ("Ann/first take.mp4", "Ann/second.mov", "alone.mp4", "Ann/second.wav"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"x")
    clips = {raw.record.clip: raw for raw in FolderSource(str(tmp_path)).scan().clips}
    assert {clip: raw.record.person for clip, raw in clips.items()} == {"Ann_first_take": "Ann", "Ann_second": "Ann", "alone": "alone"}
    assert clips["Ann_second"].audio.path == "Ann/second.wav"


def test_labels(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x")
    clips = FolderSource(str(tmp_path)).scan().clips
    table = tmp_path / "labels.csv"
    table.write_text('clip,emotion,level,text,camera\na.mp4,surprise,3,"wide-eyed, then calm",x\n')
    record = labelled(clips, read_labels(table))[0].record
    assert (record.emotion, record.level, record.text) == ("surprised", 3, "wide-eyed, then calm")
    for text, said in [
        ("clip,emotion\na,bored\n", "none of MEAD's eight"),
        ("clip,level\na,7\n", "a level is 1, 2 or 3"),
        ("file,emotion\na,sad\n", "no column named clip"),
        ("clip,text\nb,hello\n", "name 1 clips that are not there, the first is 'b'"),
    ]:
        table.write_text(text)
        with pytest.raises(InputError, match=said):
            labelled(clips, read_labels(table))


def test_what_goes_wrong_names_the_member_not_its_copy(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"0123456789")
    with pytest.raises(InputError, match=r"^a.tar/b.mp4 is bad$"), RawFile(str(tmp_path), "a.tar", "b.mp4", 2, 3).opened() as path:
        assert path.read_bytes() == b"234"
        raise InputError(f"{path} is bad")
