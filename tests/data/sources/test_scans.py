"""Scanning fake downloads; no frame is decoded."""

import tarfile

import pytest

from tbd.data.sources.base import RawFile
from tbd.data.sources.folder import FolderSource
from tbd.data.sources.hdtf import HDTFSource, read_annotations
from tbd.data.sources.labels import apply_labels, read_labels
from tbd.data.sources.mead import MEADSource
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
    (raw,), remarks = apply_labels(clips, read_labels(table))
    record = raw.record
    assert remarks == ["columns of the labels that mean nothing here: camera (known: clip, person, emotion, level, text)"]
    assert (record.emotion, record.level, record.text) == ("surprised", 3, "wide-eyed, then calm")
    for text, said in [
        ("clip,emotion\na,bored\n", "none of angry, contempt"),
        ("clip,level\na,7\n", "a level is 1, 2 or 3"),
        ("file,emotion\na,sad\n", "no column named clip"),
        ("clip,text\nb,hello\n", "name 1 clips that are not there, the first is 'b'"),
    ]:
        table.write_text(text)
        with pytest.raises(InputError, match=said):
            apply_labels(clips, read_labels(table))


# -- folders as they lie about -----------------------------------------------------------------------------------------


def put(root, *paths, content=b"x"):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)


def test_what_systems_leave_in_folders_is_left_out(tmp_path):
    put(tmp_path, "a.mp4", ".Trash/x.mp4", "._a.mp4", "@eaDir/a.mp4/v.mp4", "__MACOSX/a.mp4", "Thumbs.db", "lost+found/b.mp4", "Ann/B.MP4")
    put(tmp_path, "empty.mp4", content=b"")
    scan = FolderSource(str(tmp_path)).scan()
    assert {raw.record.clip: raw.record.person for raw in scan.clips} == {"a": "a", "Ann_B": "Ann"}
    hidden = {"._a.mp4", ".Trash", "@eaDir", "__MACOSX", "lost+found"}
    assert {name for name, said in scan.problems.items() if "hidden" in said} == hidden
    assert "0 bytes" in scan.problems["empty.mp4"] and "Thumbs.db" not in scan.problems


def test_links(tmp_path):
    """Broken ones, cycles, a link to itself, one file twice; a folder elsewhere is followed."""
    root, elsewhere = tmp_path / "raw", tmp_path / "disk"
    put(root, "Ann/a.mp4")
    put(elsewhere, "b.mp4")
    (root / "broken.mp4").symlink_to("nowhere.mp4")
    (root / "broken.tar").symlink_to("nowhere.tar")
    (root / "self.mp4").symlink_to("self.mp4")
    (root / "Ann/again").symlink_to(root)
    (root / "Ann/again.mp4").symlink_to("a.mp4")
    (root / "Bob").symlink_to(elsewhere)
    scan = FolderSource(str(root)).scan()
    assert sorted(raw.record.clip for raw in scan.clips) == ["Ann_a", "Bob_b"]
    assert "link to nothing" in scan.problems["broken.mp4"] and "link to nothing" in scan.problems["broken.tar"]
    assert "self.mp4" in scan.problems and "looked through already" in scan.problems["Ann/again"]
    assert "same tree" in scan.problems["Ann/again.mp4"]


def test_annexed_files_are_links_into_a_hidden_folder(tmp_path):
    put(tmp_path, ".git/annex/objects/f.mp4")
    (tmp_path / "a.mp4").symlink_to(".git/annex/objects/f.mp4")
    assert [raw.record.clip for raw in FolderSource(str(tmp_path)).scan().clips] == ["a"]


def test_output_within_root_is_left_out(tmp_path):
    put(tmp_path, "a.mp4", "out/video/256/a/a.mp4", "old/video/a.mp4", "mine/a.mp4")
    (tmp_path / "old/cache.json").write_text('{"format": "tbd-cache-2"}')
    (tmp_path / "mine/cache.json").write_text("{}")  # somebody's own file of that name
    (tmp_path / "link").symlink_to(tmp_path / "out")
    scan = FolderSource(str(tmp_path)).scan(tmp_path / "link")
    assert [raw.record.clip for raw in scan.clips] == ["a", "mine_a"]
    assert scan.problems["old"] == "a prepared cache; left out"
    for same in (tmp_path, tmp_path / "mine" / ".."):
        with pytest.raises(InputError, match="are one folder"):
            FolderSource(str(tmp_path)).scan(same)


def test_names_that_are_odd_long_or_alike(tmp_path):
    long = "ä" * 120
    put(tmp_path, "Ann/b_c.mp4", "Ann_b/c.mp4", "a.mp4", "a.mov", f"{long}.mp4", "two\nlines.mp4", "d e/ü.mp4")
    scan = FolderSource(str(tmp_path)).scan()
    clips = {raw.record.origin: raw.record.clip for raw in scan.clips}
    assert len(clips) == len(set(clips.values())) == 7
    assert all(len(clip.encode()) < 200 and "\n" not in clip and "/" not in clip for clip in clips.values())
    assert clips["d e/ü.mp4"] == "d_e_ü" and "is called a" in scan.problems["a.mp4"]
    assert clips == {raw.record.origin: raw.record.clip for raw in FolderSource(str(tmp_path)).scan().clips}


def test_names_that_are_no_text(tmp_path):
    import os

    put(tmp_path, "a.mp4")
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.mp4")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes no such names")
    scan = FolderSource(str(tmp_path)).scan()
    assert [raw.record.clip for raw in scan.clips] == ["a"]
    assert ["not in UTF-8" in said for said in scan.problems.values()] == [True]
    "".join(scan.problems).encode()  # can be written down


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "clip, person, emotion\na, anna, happy\nb, béa, sad\n"),
        ("utf-8-sig", "Clip;Person;Emotion\r\na;anna;Happiness\r\nb;béa;SAD\r\n\r\n"),
        ("utf-16", "clip\tperson\temotion\na\tanna\tjoy\nb\tbéa\tsadness\n"),
        ("utf-16-le", 'clip,person,emotion\n"a","anna","happy"\n"b","béa","sad"\n'),
        ("cp1252", '"clip", "person", "emotion"\na.mp4 , anna , happy\n./x/b.mp4,béa,sad\n'),
        ("utf-8", "emotion | clip | person\nhappy | A.MP4 | anna\n\nsad | x\\b | béa\n"),
    ],
)
def test_labels_as_spreadsheets_write_them(tmp_path, encoding, text):
    put(tmp_path, "a.mp4", "x/b.mp4")
    table = tmp_path / "labels.csv"
    table.write_bytes(text.encode(encoding))
    text = text.replace("\nb", "\nx_b")
    table.write_bytes(text.encode(encoding))
    clips, remarks = apply_labels(FolderSource(str(tmp_path)).scan().clips, read_labels(table))
    assert [(r.record.person, r.record.emotion) for r in clips] == [("anna", "happy"), ("béa", "sad")]
    assert bool(remarks) == (encoding == "cp1252")


def test_labels_of_other_systems(tmp_path):
    """macOS decomposes letters in file names, exports name whole paths, and people write remarks above a table."""
    put(tmp_path, "é.mp4", "x/b.mp4")
    table, clips = tmp_path / "labels.csv", FolderSource(str(tmp_path)).scan().clips
    for first, second in [("e\u0301.mp4", "x/b"), (f"{tmp_path}/é.mp4", "/elsewhere/x/b.mp4"), ("E\u0301", "C:\\data\\x\\b.mp4")]:
        table.write_text(f"# of Monday\nclip,emotion\n{first},sad\n# of Tuesday\n{second},happy\n", "utf-8")
        labelled, remarks = apply_labels(clips, read_labels(table))
        assert {raw.record.origin: raw.record.emotion for raw in labelled} == {"é.mp4": "sad", "x/b.mp4": "happy"} and not remarks
    table.write_text("clip,emotion\né,sad\n/elsewhere/y/b.mp4,happy\n", "utf-8")
    assert "'/elsewhere/y/b.mp4'" in apply_labels(clips, read_labels(table))[1][0]
    table.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(InputError, match="is a spreadsheet or an archive; save the labels"):
        read_labels(table)


def test_labels_that_fit_badly(tmp_path):
    put(tmp_path, "a.mp4", "x/b.mp4")
    clips, table = FolderSource(str(tmp_path)).scan().clips, tmp_path / "labels.csv"
    table.write_text("clip,emotion\na,sad\na,sad\nzoe,happy\n,happy\n")
    labels, remarks = apply_labels(clips, read_labels(table))
    assert labels[0].record.emotion == "sad"
    assert remarks == [
        "line 5 of the labels names no clip; left out", "1 clips of the labels are not there: 'zoe'",
        "1 clips are twice in the labels, with the same values: 'a'", "1 clips have no labels: 'x_b'",
    ]  # fmt: skip
    for text, said in [
        ("clip,emotion\na,sad\na.mp4,happy\n", "different labels of the clip 'a.mp4' in lines 2 and 3"),
        ("clip,text\na,sad, then happy\n", "more values than columns in line 2; put texts that hold a ',' in quotes"),
        ("clip,clip\na,b\n", "two columns named clip"),
        ("\n\n", "holds no labels"),
        ("", "holds no labels"),
    ]:
        table.write_text(text)
        with pytest.raises(InputError, match=said):
            apply_labels(clips, read_labels(table))
    table.write_text("clip,person\na,../../etc\n")
    assert apply_labels(clips, read_labels(table))[0][0].record.person == "_.._etc"  # stays in the cache


def test_what_goes_wrong_names_the_member_not_its_copy(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"0123456789")
    with pytest.raises(InputError, match=r"^a.tar/b.mp4 is bad$"), RawFile(str(tmp_path), "a.tar", "b.mp4", 2, 3).opened() as path:
        assert path.read_bytes() == b"234"
        raise InputError(f"{path} is bad")
