"""The leaderboard's page and markdown tables, written from its rows."""

import os
from pathlib import Path

from tbd.evaluation.leaderboard.html import page
from tbd.evaluation.leaderboard.markdown import renew, require_markers
from tbd.evaluation.leaderboard.store import read_board
from tbd.utils.atomic import atomic_output
from tbd.utils.file_checks import check_files

PAGE = "index.html"


def build(board: str | os.PathLike, output: str | os.PathLike | None = None, readme: str | os.PathLike | None = None) -> list[Path]:
    """Write the page and renew the markdown tables.

    Args:
        board: The folder.
        output: The page; ``index.html`` in the board's folder by default.
        readme: A markdown file with the markers of `tbd.evaluation.leaderboard.markdown`.

    Returns:
        What was written.

    Raises:
        InputError: If there is no board or no such markdown file, it lacks the markers, or the page would take its place.
    """
    target = Path(output) if output is not None else Path(board) / PAGE
    check_files({"--readme": readme}, {"--output": target}, {"--output": (".html", ".htm")})
    tables, written = read_board(board), []
    if readme is not None:
        require_markers(Path(readme))
    with atomic_output(target) as temporary:
        temporary.write_text(page(tables, target.resolve().parent), encoding="utf-8")
    written.append(target)
    if readme is not None:
        renew(Path(readme), tables)
        written.append(Path(readme))
    return written
