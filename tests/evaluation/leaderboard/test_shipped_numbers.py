"""The numbers of the board that ships: renaming classes and migrating protocols must not touch them."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tbd.evaluation.leaderboard.build import build
from tbd.evaluation.leaderboard.columns import columns_of
from tbd.evaluation.leaderboard.html import page
from tbd.evaluation.leaderboard.store import read_board
from tbd.utils.packaged_files import shipped_folder

README = Path(__file__).resolve().parents[3] / "benchmarks" / "README.md"
MEASURED = "efc41a8505a1e8f65cca88ba12da6372f19f00e444a2ef1d921e7430a58ce4a9"
"""Of procedural-v2 as measured at f23a0b3, procedural-pixels-v2 at edcdbd2 and b330d9b, clips-v2 and portraits-v1 at edcdbd2; of the first
two, the row without progression at 4846d87."""


def test_numbers_of_the_shipped_rows_are_those_that_were_measured():
    """Measured anew on purpose, rows change this sum; nothing else may."""
    tables = read_board(shipped_folder("benchmarks") / "leaderboard")
    rows = {
        f"{table.protocol}/{row.slug}": {name: metric.number for name, metric in sorted(row.scores.metrics.items())}
        for table in tables
        for row in table.measured
    }
    assert len(rows) == 27 and total(rows) == MEASURED


def test_rows_of_what_ships_whole_are_verified():
    """Their true clips are in the package, so that anybody can measure them again."""
    tables = {table.protocol: table for table in read_board(shipped_folder("benchmarks") / "leaderboard")}
    for table in (tables["procedural-v2"], tables["procedural-pixels-v2"]):
        assert table.verified == {row.slug for row in table.measured} and all(row.scores.scored == 24 for row in table.measured)
        assert len(table.measured) == 7 and table.truths == {"ground-truth"}
    table = tables["portraits-v1"]
    assert table.verified == {row.slug for row in table.measured} and all(row.scores.scored == 16 for row in table.measured)
    assert len(table.measured) == 6 and not table.truths, "there is no true video"
    for table in tables.values():  # a number over fewer clips than the next row's would be in no column's competition
        for column in columns_of(table):
            values = [column.value(row) for row in table.measured]
            counts = {value.clips for value in values if value is not None and value.number is not None}
            assert len(counts) <= 1, (table.protocol, column.name, counts)


def total(rows: dict) -> str:
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def test_each_row_shows_the_same_clips():
    board = shipped_folder("benchmarks") / "leaderboard" / "portraits-v1"
    shown = {path.stem: sorted(clip.name for clip in path.with_suffix("").glob("*.mp4")) for path in board.glob("*.json")}
    assert len(shown) == 6 and len({tuple(clips) for clips in shown.values()}) == 1 and len(shown["still-portrait"]) == 3


@pytest.mark.skipif(not README.is_file(), reason="benchmarks/README.md is in clones alone")
def test_tables_and_page_are_those_of_the_rows(tmp_path):
    board = README.parent / "leaderboard"
    shutil.copy(README, tmp_path)
    build(board, tmp_path / "index.html", tmp_path / "README.md")
    assert (tmp_path / "README.md").read_text("utf-8") == README.read_text("utf-8")
    assert page(read_board(board), board) == (board / "index.html").read_text("utf-8")  # it names clips from where it lies
