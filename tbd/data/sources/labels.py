"""A table of labels for clips: person, emotion, level, a sentence about the emotion."""

import csv
import io
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from tbd.data.sources.base import RawClip
from tbd.errors import InputError
from tbd.think.emotions import EMOTIONS, find_emotion
from tbd.utils.text_encoding import decode_text

_COLUMNS = ("person", "emotion", "level", "text")
_NO_TEXT = {
    b"PK\x03\x04": "a spreadsheet or an archive",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"\x89PNG": "a picture",
    b"SQLi": "a database",
}
"""First bytes of files that are taken for tables of text → what they are."""
_SOME = 3
"""Names that a remark gives as examples."""


@dataclass
class Labels:
    """Rows of a table of labels.

    Args:
        path: Of the table, for messages.
        rows: Line of the table, the clip as it is called there, and its values that are not empty.
        remarks: What could not be used, one sentence each.
    """

    path: str = ""
    rows: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def read_labels(path: str | os.PathLike | None) -> Labels:
    """Read a table of labels as spreadsheets and editors write it.

    Args:
        path: A text file with a column ``clip`` (the clip's name, or its file) and any of ``person``, ``emotion``, ``level`` and
            ``text``; separated by commas, semicolons, tabs or bars; in UTF-8, UTF-16 or Windows' Western encoding. None is no table.

    Returns:
        Its rows; capitals and spaces around names and values do not matter.

    Raises:
        InputError: If the file is missing, holds no such table, or an emotion or a level is none.
    """
    if path is None:
        return Labels()
    labels = Labels(str(path))
    lines = ["\n" if line.startswith("#") else line for line in _decoded(path, labels).splitlines(keepends=True)]
    header = next((line for line in lines if line.strip()), "")
    delimiter = max(",;\t|", key=header.count)
    table = list(csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter, skipinitialspace=True))
    rows = [(i, [cell.strip() for cell in row]) for i, row in enumerate(table, 1) if any(cell.strip() for cell in row)]
    if not rows:
        raise InputError(f"{path} holds no labels; give a table with a column named clip and any of {', '.join(_COLUMNS)}.")
    columns = [name.lower() for name in rows[0][1]]
    _require_columns(columns, labels)
    for line, row in rows[1:]:
        if len([cell for cell in row[len(columns) :] if cell]):
            raise InputError(f"{path} has more values than columns in line {line}; put texts that hold a {delimiter!r} in quotes.")
        values = dict(zip(columns, row))
        clip = values.get("clip", "")
        if not clip:
            labels.remarks.append(f"line {line} of the labels names no clip; left out")
            continue
        labels.rows.append((line, clip, _checked({k: v for k, v in values.items() if k in _COLUMNS and v}, clip, path)))
    return labels


def _decoded(path: str | os.PathLike, labels: Labels) -> str:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read the labels {path}: {error.strerror}.") from error
    if data[:4] in _NO_TEXT:
        raise InputError(f"{path} is {_NO_TEXT[data[:4]]}; save the labels as a table of text (.csv).")
    try:
        return decode_text(data, otherwise=None)
    except UnicodeDecodeError:
        labels.remarks.append("the labels are not wholly in UTF-8; the rest was read in Windows' Western encoding, or replaced")
        return decode_text(data)


def _require_columns(columns: list[str], labels: Labels) -> None:
    if "clip" not in columns:
        raise InputError(f"{labels.path} has no column named clip; its columns are {', '.join(columns)}.")
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise InputError(f"{labels.path} has two columns named {twice[0]}; name each once.")
    unknown = [name for name in columns if name and name not in ("clip", *_COLUMNS)]
    if unknown:
        labels.remarks.append(f"columns of the labels that mean nothing here: {', '.join(unknown)} (known: clip, {', '.join(_COLUMNS)})")


def _checked(values: dict[str, str], clip: str, path: str | os.PathLike) -> dict[str, str]:
    """Check the values of a row: MEAD's names of emotions, a person that can name a folder."""
    if "emotion" in values:
        emotion = find_emotion(values["emotion"])
        if emotion is None:
            word = values["emotion"]
            raise InputError(f"{path} gives {clip} the emotion {word!r}, which is none of {', '.join(EMOTIONS)}; use its text instead.")
        values["emotion"] = emotion
    if "level" in values:
        level = re.fullmatch(r"(?:level[ _]?)?([123])(?:[.,]0+)?", values["level"].lower())
        if level is None:
            raise InputError(f"{path} gives {clip} the level {values['level']!r}; a level is 1, 2 or 3.")
        values["level"] = level[1]
    if "person" in values:
        values["person"] = re.sub(r"[^\w.-]+", "_", values["person"]).strip(".") or "_"
    return values


def apply_labels(clips: list[RawClip], labels: Labels) -> tuple[list[RawClip], list[str]]:
    """Fill the records of clips with their labels.

    Args:
        clips: The clips of a scan.
        labels: The table. A clip goes by its name, its file with or without the folders before it (a whole path, too), and with or
            without suffix.

    Returns:
        The clips, and remarks on rows and clips that have no counterpart.

    Raises:
        InputError: If no row names a clip, or two rows of one clip differ.
    """
    known = _names(clips)
    labelled: dict[str, tuple[int, dict[str, str]]] = {}
    unknown, again = [], []
    for line, name, values in labels.rows:
        clip = _found(name, known)
        if clip is None:
            unknown.append(name)
        elif clip in labelled and labelled[clip][1] != values:
            raise InputError(f"{labels.path} has different labels of the clip {name!r} in lines {labelled[clip][0]} and {line}; keep one.")
        elif clip in labelled:
            again.append(name)
        else:
            labelled[clip] = line, values
    if unknown and not labelled:
        raise InputError(f"The labels name {len(unknown)} clips that are not there, the first is {unknown[0]!r}; they go by clip or file.")
    remarks = list(labels.remarks)
    remarks += [f"{len(unknown)} clips of the labels are not there: {_some(unknown)}"] * bool(unknown)
    remarks += [f"{len(again)} clips are twice in the labels, with the same values: {_some(again)}"] * bool(again)
    without = [raw.record.clip for raw in clips if raw.record.clip not in labelled] if labels.rows else []
    remarks += [f"{len(without)} clips have no labels: {_some(without)}"] * bool(without)
    return [_with(raw, labelled[raw.record.clip][1]) if raw.record.clip in labelled else raw for raw in clips], remarks


def _names(clips: Iterable[RawClip]) -> list[dict[str, set[str]]]:
    """List what clips may be called, the exact names first: name → the clips it fits."""
    levels: list[dict[str, set[str]]] = [defaultdict(set) for _ in range(3)]
    for raw in clips:
        clip, path = raw.record.clip, PurePosixPath(raw.record.origin)
        for level, names in enumerate(((clip, str(path)), (str(path.with_suffix("")),), (path.name, path.stem))):
            for name in names:
                levels[level][_key(name)].add(clip)
    return levels


def _key(name: str) -> str:
    """A name without what file systems and editors change: capitals, composed letters, Windows' separators."""
    return unicodedata.normalize("NFC", name.replace("\\", "/").removeprefix("./").casefold())


def _found(name: str, known: list[dict[str, set[str]]]) -> str | None:
    """Find the one clip that a name fits, or None where it fits none or several."""
    key = _key(name)
    for names in known:
        if len(names.get(key, ())) == 1:
            return next(iter(names[key]))
    # a whole path: the last of its parts that fit, so that the folders before them may have changed
    folders = key.split("/")
    ends = ("/".join(folders[i:]) for i in range(1, len(folders))) if key.startswith("/") or key[1:3] == ":/" else ()
    return next((found for end in ends if (found := _found(end, known[:2])) is not None), None)


def _with(raw: RawClip, values: dict[str, str]) -> RawClip:
    record = raw.record
    return replace(
        raw,
        record=replace(
            record,
            person=values.get("person", record.person),
            emotion=values.get("emotion", record.emotion),
            level=int(values.get("level", record.level)),
            text=values.get("text", record.text),
        ),
    )


def _some(names: list[str]) -> str:
    return ", ".join(map(repr, names[:_SOME])) + (", …" if len(names) > _SOME else "")
