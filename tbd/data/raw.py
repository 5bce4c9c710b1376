"""Raw clips: what a scan of a download finds, before anything is decoded. No model and no torch, since every worker imports it."""

import csv
import os
import tarfile
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from tbd.data.cache import ClipRecord
from tbd.data.names import emotion_name
from tbd.errors import InputError

VIDEO_SUFFIXES = (
    ".mp4", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".m4v", ".mpeg", ".mts", ".m2ts", ".ts", ".wmv", ".flv", ".ogv", ".3gp", ".mxf",
    ".vob", ".qt",
)  # fmt: skip
AUDIO_SUFFIXES = (".m4a", ".wav", ".mp3", ".aac", ".flac", ".ogg", ".oga", ".opus", ".wma", ".aiff", ".aif", ".caf", ".ac3", ".mp2", ".mka")


@dataclass(frozen=True)
class RawFile:
    """A file of a raw tree, or a member of an uncompressed tar archive in it, at its place.

    Args:
        root: the raw tree.
        path: the file or archive, relative to it.
        member: the member's name in the archive.
        offset: where the member's bytes begin.
        size: bytes.
    """

    root: str
    path: str
    member: str = ""
    offset: int = 0
    size: int = 0

    @property
    def name(self) -> str:
        """Relative to the root, an archive being read like a folder."""
        return f"{self.path}/{self.member}" if self.member else self.path

    @contextmanager
    def opened(self) -> Iterator[Path]:
        """A path that FFmpeg can open; a member of an archive is copied out for as long as the block lasts.

        What is raised in the block names this file, not the copy.
        """
        path = Path(self.root, self.path)
        if not self.member:
            with _named(path, self.name):
                yield path
            return
        with tempfile.TemporaryDirectory(prefix="tbd-") as folder:
            copy = Path(folder) / PurePosixPath(self.member).name
            with open(path, "rb") as archive, open(copy, "wb") as file:
                archive.seek(self.offset)
                left = self.size
                while left and (block := archive.read(min(left, 1 << 20))):
                    file.write(block)
                    left -= len(block)
            with _named(copy, self.name):
                yield copy


@contextmanager
def _named(path: Path, name: str) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise InputError(str(error).replace(str(path), name)) from error


@dataclass(frozen=True)
class RawClip:
    """A clip to be prepared.

    Args:
        record: what its name tells; files and measurements are still empty.
        video: the pictures.
        audio: the sound where it is a file of its own; otherwise that of the video is taken.
        start, end: seconds of the video that the clip spans; all of it where not given.
        box: left, top and side of the square in which the face is, in pixels at `box_height`.
        box_height: height of the video that `box` was measured on; 0 for the file's own.
        zoom: how much larger than the face's box the data set's own crop is.
    """

    record: ClipRecord
    video: RawFile
    audio: RawFile | None = None
    start: float = 0.0
    end: float | None = None
    box: tuple[int, int, int] | None = None
    box_height: int = 0
    zoom: float = 1.2


@dataclass
class Scan:
    """What is in a raw tree.

    Args:
        clips: those to prepare.
        problems: what is wrong with files that are no clips: path or name → one sentence.
        counts: figures for the report, in words.
    """

    clips: list[RawClip] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


class RawSource(ABC):
    """A data set as it was downloaded. An implementation names itself and says what its files are."""

    name: str
    """`ClipRecord.source` of its clips."""

    @abstractmethod
    def scan(self) -> Scan:
        """Look through the tree, without decoding anything.

        Raises:
            InputError: it is missing, empty, or not this data set.
        """


def walk(root: Path, problems: dict[str, str]) -> list[RawFile]:
    """Every video and sound file of a tree, the members of its tar archives included, in order of their names.

    Args:
        root: the tree.
        problems: gets an entry for each archive that is damaged or compressed, and for each empty file.

    Raises:
        InputError: the tree is missing or holds no such file.
    """
    if not root.is_dir():
        raise InputError(f"There is no folder {root}; --root names the folder of the download.")
    found: list[RawFile] = []
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = Path(folder) / name
            relative = path.relative_to(root).as_posix()
            if name.startswith("."):
                continue
            if ".tar" in Path(name).suffixes or name.endswith((".tgz", ".zip")):
                found += _members(root, relative, problems)
            elif path.suffix.lower() in VIDEO_SUFFIXES + AUDIO_SUFFIXES:
                size = path.stat().st_size
                if size:
                    found.append(RawFile(str(root), relative, size=size))
                else:
                    problems[relative] = "the file is empty (0 bytes)"
    if not found:
        why = f"; {_first(problems)}" if problems else ""
        raise InputError(f"{root} holds no video and no archive of videos{why}; --root names the folder of the download.")
    return found


def _members(root: Path, relative: str, problems: dict[str, str]) -> Iterator[RawFile]:
    """Media files of an archive that are whole."""
    path = root / relative
    length = path.stat().st_size
    try:
        # "r:" takes no compression: a member must be readable at its place
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                suffix = PurePosixPath(member.name).suffix.lower()
                if not member.isfile() or suffix not in VIDEO_SUFFIXES + AUDIO_SUFFIXES:
                    continue
                if member.offset_data + member.size > length:
                    problems[f"{relative}/{member.name}"] = "the archive ends before this file does; download it again"
                elif not member.size:
                    problems[f"{relative}/{member.name}"] = "the file is empty (0 bytes)"
                else:
                    name = member.name.removeprefix("./")
                    yield RawFile(str(root), relative, name, member.offset_data, member.size)
    except tarfile.ReadError as error:
        compressed = _is_compressed(path)
        problems[relative] = "a compressed archive; unpack it" if compressed else f"the archive is damaged ({error}); download it again"
    except EOFError:
        problems[relative] = "the archive ends too early; download it again"


def _is_compressed(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(6).startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"PK"))


def _first(problems: Mapping[str, str]) -> str:
    path, reason = next(iter(problems.items()))
    return f"{path}: {reason}"


def read_labels(path: str | os.PathLike | None) -> dict[str, dict[str, str]]:
    """A table of what people wrote about clips.

    Args:
        path: a CSV file with a column ``clip`` (the clip's name, or its file) and any of ``person``, ``emotion``, ``level``
            and ``text``.

    Returns:
        Clip or file → the other columns that are not empty.

    Raises:
        InputError: the file is missing or has no such columns, or an emotion is none of the eight.
    """
    if path is None:
        return {}
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise InputError(f"Cannot read the labels {path}: {error.strerror}.") from error
    if rows and "clip" not in rows[0]:
        raise InputError(f"{path} has no column named clip; its columns are {', '.join(map(str, rows[0]))}.")
    for row in rows:
        if row.get("emotion") and emotion_name(row["emotion"]) is None:
            raise InputError(
                f"{path} gives {row['clip']} the emotion {row['emotion']!r}, which is none of MEAD's eight; use its text instead."
            )
        if row.get("level") and row["level"] not in "123":
            raise InputError(f"{path} gives {row['clip']} the level {row['level']!r}; a level is 1, 2 or 3.")
    return {row["clip"]: {k: v for k, v in row.items() if v and k in ("person", "emotion", "level", "text")} for row in rows}


def labelled(clips: list[RawClip], labels: Mapping[str, Mapping[str, str]]) -> list[RawClip]:
    """The same clips with what `read_labels` read.

    Raises:
        InputError: a label names no clip.
    """
    out, used = [], set()
    for raw in clips:
        keys = [k for k in (raw.record.clip, raw.record.origin) if k in labels]
        values = {k: v for key in keys for k, v in labels[key].items()}
        used.update(keys)
        if "emotion" in values:
            values["emotion"] = emotion_name(values["emotion"])
        if "level" in values:
            values["level"] = int(values["level"])
        out.append(replace(raw, record=replace(raw.record, **values)) if values else raw)
    unknown = sorted(set(labels) - used)
    if unknown:
        raise InputError(f"The labels name {len(unknown)} clips that are not there, the first is {unknown[0]!r}; they go by clip or file.")
    return out
