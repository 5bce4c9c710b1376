"""A table of clips and files: what it says is done, what it leaves out is named."""

import shutil

import pytest

from tbd.cli.main import main
from tbd.errors import InputError
from tbd.evaluation.clip_map import read_clip_map
from tbd.evaluation.predictions import read_predictions
from tests.evaluation.fakes import FakeReference, write_protocol

IDS = [clip.id for clip in FakeReference().clips()]


@pytest.fixture
def folder(tmp_path):
    for name in ("a.mp4", "b b.mov", "c.mp4"):
        (tmp_path / "videos" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "videos" / name).write_bytes(b"video")
    return tmp_path / "videos"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_dialects(tmp_path, folder, delimiter):
    lines = [("﻿Clip", "who", "FILE "), (IDS[0], "x", "a.mp4"), (IDS[1], "", " b b.mov"), ("", "", "")]
    (tmp_path / "map.csv").write_text("\r\n".join(delimiter.join(line) for line in lines), encoding="utf-8")
    found, issues = read_clip_map(tmp_path / "map.csv", folder, IDS)
    assert {clip: path.name for clip, path in found.items()} == {IDS[0]: "a.mp4", IDS[1]: "b b.mov"} and not issues


@pytest.mark.parametrize(
    ("before", "encoding"),
    [("", "utf-16"), ("", "utf-16-le"), ("sep=;\r\n", "utf-8"), ("\r\n \r\n", "utf-8"), ("sep=;\r\n", "utf-16")],
)
def test_what_excel_writes_is_read_and_lines_keep_their_numbers(tmp_path, folder, before, encoding):
    text = f"{before}clip;file\r\n{IDS[0]};a.mp4\r\n{IDS[1]};gone.mp4\r\n"
    (tmp_path / "map.csv").write_bytes(text.encode(encoding))
    found, (issue,) = read_clip_map(tmp_path / "map.csv", folder, IDS)
    assert {clip: path.name for clip, path in found.items()} == {IDS[0]: "a.mp4"}
    assert issue.detail.startswith(f"line {3 + before.count(chr(10))} ")


def test_what_is_wrong_is_named(tmp_path, folder):
    rows = [("clip", "file"), (IDS[0], "a.mp4"), (IDS[0], "c.mp4"), ("X", "c.mp4"), (IDS[1], "gone.mp4"), (IDS[2], "a.mp4")]
    (tmp_path / "map.csv").write_text("\n".join(map(",".join, rows)))
    given = read_predictions(folder, IDS, tmp_path / "map.csv")
    said = {(issue.kind, issue.clip): issue.detail for issue in given.issues}
    assert list(given.clips) == [IDS[0]] and said["twice", "c.mp4"].startswith("line 3") and "no clip" in said["extra", "c.mp4"]
    assert "not there" in said["missing", IDS[1]] and "belongs to" in said["missing", IDS[2]] and len(said) == 6


def test_files_lie_in_the_folder_however_they_are_written(tmp_path, folder):
    """What is measured, and what a verification is of, is the folder."""
    (folder / "sub").mkdir()
    (folder / "sub" / "d.mp4").write_bytes(b"video")
    (folder / "link.mp4").symlink_to(tmp_path / "else.mp4")
    (tmp_path / "else.mp4").write_bytes(b"video")
    rows = [("clip", "file"), (IDS[0], "sub\\d.mp4"), (IDS[1], "../else.mp4"), (IDS[2], str(tmp_path / "else.mp4")), (IDS[3], "link.mp4")]
    (tmp_path / "map.csv").write_text("\n".join(map(",".join, rows)))
    found, issues = read_clip_map(tmp_path / "map.csv", folder, IDS)
    assert {clip: path.name for clip, path in found.items()} == {IDS[0]: "d.mp4", IDS[3]: "link.mp4"}
    assert [(i.clip, "lies outside videos" in i.detail) for i in issues] == [(IDS[1], True), (IDS[2], True)]


def test_tables_that_are_none_are_refused(tmp_path, folder):
    with pytest.raises(InputError, match="no table"):
        read_clip_map(tmp_path / "no.csv", folder, IDS)
    for text, match in (("id,video\n1,2", "no column clip and no column file"), ("clip,file\nX,a.mp4", "gives no clip"), ("", "no column")):
        (tmp_path / "map.csv").write_text(text)
        with pytest.raises(InputError, match=match):
            read_clip_map(tmp_path / "map.csv", folder, IDS)
    (tmp_path / "map.csv").write_text(f"clip,file\n{IDS[0]},{'x' * 200_000}")  # longer than any field that csv takes
    with pytest.raises(InputError, match="cannot be read as CSV"):
        read_clip_map(tmp_path / "map.csv", folder, IDS)
    for text in ("clip,file\né,é.mp4".encode("latin-1"), f"clip,file\n{IDS[0]},a.mp4".encode("utf-16")[:-1]):  # half a character
        (tmp_path / "map.csv").write_bytes(text)
        with pytest.raises(InputError, match="no text in UTF-8"):
            read_clip_map(tmp_path / "map.csv", folder, IDS)


def test_scores_by_a_table_are_those_by_names(truth, tmp_path, capsys):
    """The same videos under names that say nothing."""
    protocol = write_protocol(tmp_path / "fake.yaml")
    command = ["evaluate", f"--protocol={protocol}", "--quiet"]
    assert main([*command, f"--predictions={truth}", f"--output={tmp_path / 'names.json'}"]) == 0
    lines = ["clip,file"]
    for number, clip in enumerate(IDS):
        for suffix in (".mp4", ".npz"):
            shutil.move(truth / f"{clip}{suffix}", truth / f"{number}{suffix}")
        lines.append(f"{clip},{number}.mp4")
    (tmp_path / "map.csv").write_text("\n".join(lines))
    assert main([*command, f"--predictions={truth}", f"--map={tmp_path / 'map.csv'}", f"--output={tmp_path / 'map.json'}"]) == 0
    from tbd.evaluation.scores import load_scores

    one, two = (load_scores(tmp_path / f"{name}.json") for name in ("names", "map"))
    assert one.metrics == two.metrics and (one.scored, two.scored) == (5, 5)
