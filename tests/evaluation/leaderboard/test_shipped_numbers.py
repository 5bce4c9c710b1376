"""The numbers of the board that ships: renaming classes and migrating protocols must not touch them."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tbd.evaluation.leaderboard.build import build
from tbd.evaluation.leaderboard.store import read_board
from tbd.utils.packaged_files import shipped_folder

README = Path(__file__).resolve().parents[3] / "benchmarks" / "README.md"
MEASURED_AT_7EF8E8D = "59b4cde34ab6bb9864764f033a19d5570765f83ec7a432b343950a064c228093"


def test_numbers_of_the_shipped_rows_are_those_that_were_measured():
    """Measured anew on purpose, rows change this sum; nothing else may."""
    tables = read_board(shipped_folder("benchmarks") / "leaderboard")
    rows = {
        f"{table.protocol}/{row.slug}": {name: metric.number for name, metric in sorted(row.scores.metrics.items())}
        for table in tables
        for row in table.measured
    }
    assert len(rows) == 21
    assert hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest() == MEASURED_AT_7EF8E8D


@pytest.mark.skipif(not README.is_file(), reason="benchmarks/README.md is in clones alone")
def test_tables_and_page_are_those_of_the_rows(tmp_path):
    board = README.parent / "leaderboard"
    shutil.copy(README, tmp_path)
    build(board, tmp_path / "index.html", tmp_path / "README.md")
    assert (tmp_path / "README.md").read_text("utf-8") == README.read_text("utf-8")
    assert (tmp_path / "index.html").read_text("utf-8") == (board / "index.html").read_text("utf-8")
