"""Files of a raw tree: folders and uncompressed tar archives, walked without decoding anything.

No model and no torch, since every worker imports it.
"""

import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tbd.errors import InputError

VIDEO_SUFFIXES = (
    ".mp4", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".m4v", ".mpeg", ".mts", ".m2ts", ".ts", ".wmv", ".flv", ".ogv", ".3gp", ".mxf",
    ".vob", ".qt",
)  # fmt: skip
AUDIO_SUFFIXES = (".m4a", ".wav", ".mp3", ".aac", ".flac", ".ogg", ".oga", ".opus", ".wma", ".aiff", ".aif", ".caf", ".ac3", ".mp2", ".mka")
_JUNK = ("__MACOSX", "lost+found", "System Volume Information", "$RECYCLE.BIN")
"""Folders that operating systems make beside those of people."""


@dataclass(frozen=True)
class RawFile:
    """A file of a raw tree, or a member of an uncompressed tar archive in it, at its place.

    Args:
        root: The raw tree.
        path: The file or archive, relative to `root`.
        member: Name of the member in the archive; empty for a file.
        offset: Byte at which the member begins.
        size: Length in bytes.

    Example:
        >>> RawFile("raw", "M003.tar", "video/front/angry/level_1/001.mp4").name
        'M003.tar/video/front/angry/level_1/001.mp4'
    """

    root: str
    path: str
    member: str = ""
    offset: int = 0
    size: int = 0

    @property
    def name(self) -> str:
        """Path relative to the root; an archive counts as a folder."""
        return f"{self.path}/{self.member}" if self.member else self.path

    @contextmanager
    def opened(self) -> Iterator[Path]:
        """Open as a path that FFmpeg can read; a member of an archive is copied out for as long as the block lasts.

        Yields:
            The path. An `InputError` that is raised in the block names this file, not the copy.
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


def walk(root: Path, problems: dict[str, str], skip: Path | None = None) -> list[RawFile]:
    """List every video and sound file of a tree, the members of its tar archives included.

    Links to folders are followed, each folder once. What begins with a dot or ``@``, as trash, caches and macOS' ``._`` files do,
    is left aside, and so are prepared caches.

    Args:
        root: The tree.
        problems: Gets an entry for each file, link and folder that cannot be used, and for each archive that is damaged.
        skip: A folder to leave aside: the cache that is written.

    Returns:
        The files, a folder's own before those of its folders, each in order of their names.

    Raises:
        InputError: If the tree is missing or holds no such file.
    """
    if not root.is_dir():
        raise InputError(f"There is no folder {root}; --root names the folder of the download.")
    if skip is not None and skip.resolve() == root.resolve():
        raise InputError(f"--root and --output are one folder, {root}; choose another one for --output.")
    left_out = {skip.resolve()} if skip is not None else set()
    found: list[RawFile] = []
    for path in _files(root, root, left_out, problems):
        relative = path.relative_to(root).as_posix()
        archive = ".tar" in Path(path.name).suffixes or path.name.lower().endswith((".tgz", ".zip"))
        if not archive and path.suffix.lower() not in VIDEO_SUFFIXES + AUDIO_SUFFIXES:
            continue
        problem = _problem(path, root)
        if problem:
            problems[relative] = problem
        elif archive:
            found += _members(root, relative, problems)
        else:
            found.append(RawFile(str(root), relative, size=path.stat().st_size))
    if not found:
        why = f"; {_first(problems)}" if problems else ""
        raise InputError(f"{root} holds no video and no archive of videos{why}; --root names the folder of the download.")
    return found


def _files(folder: Path, root: Path, seen: set[Path], problems: dict[str, str]) -> Iterator[Path]:
    """Yield the files below a folder, its own before those of its folders; a folder in `seen` is not entered again."""
    try:
        entries = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        problems[folder.relative_to(root).as_posix()] = f"the folder cannot be read ({error.strerror}); left out"
        return
    if _is_cache(folder):
        problems[folder.relative_to(root).as_posix()] = "a prepared cache; left out"
        return
    seen.add(folder.resolve())
    shown = []
    for path in entries:
        if not path.name.isprintable() and "\udc80" <= max(path.name) <= "\udcff":  # bytes that are no UTF-8
            problems[repr(path.relative_to(root).as_posix())] = "its name is not in UTF-8; rename it"
        elif not _is_hidden(Path(path.name)):
            shown.append(path)
        elif path.suffix.lower() in VIDEO_SUFFIXES or _is_folder(path):
            problems[path.relative_to(root).as_posix()] = "hidden, or a system's own; left out"
    yield from (path for path in shown if not _is_folder(path))
    for path in shown:
        if not _is_folder(path):
            continue
        if path.resolve() not in seen:
            yield from _files(path, root, seen, problems)
        elif path.is_symlink():
            problems[path.relative_to(root).as_posix()] = "a link to a folder that is looked through already; left out"


def _is_cache(folder: Path) -> bool:
    """Whether `tbd preprocess` wrote a folder."""
    try:
        return '"tbd-cache' in (folder / "cache.json").read_text(errors="replace")[:200]
    except OSError:
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a link to itself
        return False


def _problem(path: Path, root: Path) -> str:
    """Say why a file cannot be used, or nothing."""
    try:
        size = path.stat().st_size
        target = path.resolve()
    except OSError:
        return "a link to nothing; left out" if path.is_symlink() else "the file cannot be looked at; left out"
    if not path.is_file():
        return "not a regular file; left out"
    if path.is_symlink() and target.is_relative_to(root.resolve()) and not _is_hidden(target.relative_to(root.resolve())):
        return "a link to a file of the same tree; left out"
    if not os.access(path, os.R_OK):
        return "the file may not be read (permission denied); left out"
    return "" if size else "the file is empty (0 bytes)"


def _is_hidden(path: Path) -> bool:
    """Whether a file or a folder above it belongs to a system or a program and not to people."""
    return any(part.startswith((".", "@")) or part in _JUNK for part in path.parts)


def _members(root: Path, relative: str, problems: dict[str, str]) -> Iterator[RawFile]:
    """Yield the media files of an archive that are whole."""
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
