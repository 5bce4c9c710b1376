"""A table that says which video belongs to which clip, for folders whose names say nothing."""

import csv
import os
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from tbd.errors import InputError
from tbd.evaluation.scores import Issue
from tbd.utils.text_encoding import decode_text

COLUMNS = ("clip", "file")


def read_clip_map(path: str | os.PathLike, root: Path, clips: Sequence[str]) -> tuple[dict[str, Path], list[Issue]]:
    """Read a table of clips and files.

    Args:
        path: A CSV file with the columns ``clip`` and ``file``, by comma, semicolon, tab or bar, in UTF-8 or as Excel's Unicode text;
            other columns are not looked at.
        root: Folder that files are relative to.
        clips: The ids that are expected.

    Returns:
        Clip id → its video, and what is wrong with the table: clips that are not the protocol's, or stand there twice, files that are
        not there, or that two clips claim.

    Raises:
        InputError: If there is no such table, it lacks a column, or it names no video of a clip.
    """
    found: dict[str, Path] = {}
    issues: list[Issue] = []
    known, taken = set(clips), dict[Path, str]()
    for line, clip, file in _rows(Path(path)):
        video = _below(root, file)
        if clip not in known:
            issues.append(Issue(kind="extra", clip=file, detail=f"line {line} gives it to {clip}, which is no clip of the protocol"))
        elif clip in found:
            issues.append(Issue(kind="twice", clip=file, detail=f"line {line} gives it to {clip}, which has {found[clip].name} already"))
        elif video is None:
            issues.append(Issue(kind="missing", clip=clip, detail=f"line {line} gives it {file}, which lies outside {root.name}"))
        elif not video.is_file():
            issues.append(Issue(kind="missing", clip=clip, detail=f"line {line} gives it {file}, which is not there"))
        elif video.resolve() in taken:
            issues.append(
                Issue(kind="missing", clip=clip, detail=f"line {line} gives it {file}, which belongs to {taken[video.resolve()]}")
            )
        else:
            found[clip] = video
            taken[video.resolve()] = clip
    if not found:
        raise InputError(f"{path} gives no clip of the protocol a video below {root}; a line such as {min(clips)},video.mp4 would.")
    return found, issues


def _rows(path: Path) -> list[tuple[int, str, str]]:
    """Line number, clip and file of each row."""
    if not path.is_file():
        raise InputError(f"There is no table {path} of clips and their files (--map).")
    try:
        text = decode_text(path.read_bytes(), otherwise=None)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text in UTF-8; save it as CSV.") from error
    lines = text.splitlines()
    # Excel may say its delimiter in a line of its own
    before = sum(1 for _ in takewhile(lambda line: not line.strip() or line.lower().startswith("sep="), lines))
    delimiter = max(",;\t|", key=lines[before].count) if before < len(lines) else ","
    rows = csv.DictReader(lines[before:], delimiter=delimiter, skipinitialspace=True)
    try:
        return [(before + line, clip, file) for line, clip, file in _read(path, rows)]
    except csv.Error as error:
        raise InputError(f"{path} cannot be read as CSV ({error}); save it as plain text with the columns clip and file.") from error


def _below(root: Path, file: str) -> Path | None:
    """A file of the folder of predictions; None where it lies elsewhere, since what is measured is that folder."""
    video = root / (file if (root / file).is_file() else file.replace("\\", "/"))  # as Windows writes paths
    inside = Path(os.path.normpath(video)).is_relative_to(os.path.normpath(root))  # links within the folder are its own
    return video if inside else None


def _read(path: Path, rows: csv.DictReader) -> list[tuple[int, str, str]]:
    names = {(name or "").strip().lower(): name for name in rows.fieldnames or ()}
    lacking = [column for column in COLUMNS if column not in names]
    if lacking:
        raise InputError(f"{path} has no column {' and no column '.join(lacking)}; its first line should be clip,file.")
    clip, file = (names[column] for column in COLUMNS)
    found = [(rows.line_num, (row[clip] or "").strip(), (row[file] or "").strip()) for row in rows]
    return [(line, name, video) for line, name, video in found if name and video]
