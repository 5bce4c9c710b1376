"""Outputs appear whole or not at all, and never in the place of an input."""

import os
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tbd.errors import InputError, disk_error

PathLike = str | os.PathLike


@contextmanager
def atomic_output(path: PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it into place on success, delete it on any failure.

    The temporary name keeps the suffix, since writers choose a format by it. `KeyboardInterrupt` cleans up as well. Of a
    symbolic link the file that it points to is replaced, and the link stays.

    Args:
        path: The file to write.

    Yields:
        The temporary path, an empty file.

    Raises:
        InputError: The folder does not exist and cannot be made, or cannot be written.
        DiskError: The disk is full, or takes no more for another reason.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise InputError(f"{path} is a folder; name a file to write.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.stem[:100]}-", suffix=target.suffix, dir=target.parent)
        os.close(handle)
    except OSError as error:
        if (full := disk_error(error, str(path))) is not None:
            raise full from error
        raise InputError(f"Cannot write {path}: {error.strerror}. Choose an output folder you may write.") from error
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes private files, and so do some writers; an output gets what the user's umask gives any new file
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        os.replace(temporary, target)
    except Exception as error:
        if (full := disk_error(error, str(path))) is not None:
            raise full from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def check_files(
    inputs: Mapping[str, PathLike | None], outputs: Mapping[str, PathLike | None], suffixes: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Check every file that a command will read or write, before it works.

    Args:
        inputs: Option → file to read, None where the option is not given.
        outputs: Option → file to write, None where the option is not given.
        suffixes: Option → endings that its output may have; any where it is not named.

    Raises:
        InputError: An input is missing or cannot be read; an output is a folder, has another ending, lies in a place that
            cannot be written, is an input (by any spelling, symbolic or hard link), or is another output.
    """
    for option, path in {**inputs, **outputs}.items():
        if path is not None and not os.fspath(path):
            raise InputError(f"{option} is empty; name a file.")
    read = {option: Path(path) for option, path in inputs.items() if path is not None}
    written = {option: Path(path) for option, path in outputs.items() if path is not None}
    for option, path in read.items():
        _require_readable(option, path)
    for option, path in written.items():
        _require_writable(option, path)
        _require_suffix(option, path, (suffixes or {}).get(option))
        _require_another(option, path, read)
    _require_distinct(written)


def check_folder(option: str, folder: PathLike, inputs: Mapping[str, PathLike | None], inside: bool = False) -> None:
    """Check a folder that a command will fill, before it works.

    Args:
        option: Its name.
        folder: The folder.
        inputs: Option → folder or file to read, None where the option is not given.
        inside: Whether the folder may lie in one of the inputs.

    Raises:
        InputError: It is a file, cannot be made or written, is an input, or lies in one.
    """
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise InputError(f"{option} {folder} is a file; name a folder to fill.")
    _require_place(option, target, target)
    for other, path in inputs.items():
        if path is None or not Path(path).exists():
            continue
        if same_file(target, path):
            raise InputError(f"{option} and {other} are both {folder}; choose another folder, so that nothing of the input is overwritten.")
        if not inside and Path(path).is_dir() and any(same_file(parent, path) for parent in _lexical(target).parents):
            raise InputError(
                f"{option} {folder} lies in {other} {path}; choose a folder outside, or what is written would be read as input."
            )


def same_file(one: PathLike, other: PathLike) -> bool:
    """Whether two paths are one file or folder: spelled differently, linked, or told apart by case where the disk does not.

    Args:
        one: A path; it need not exist.
        other: A path; it need not exist.

    Returns:
        True where writing to one would write to the other.
    """
    try:
        return os.path.samefile(one, other)
    except OSError:
        pass
    first, second = _lexical(one), _lexical(other)
    if first == second:
        return True
    return str(first).casefold() == str(second).casefold() and _ignores_case(first)


def _lexical(path: PathLike) -> Path:
    return Path(os.path.realpath(path))


def _ignores_case(path: Path) -> bool:
    """Whether the disk tells names apart by case, tried on the nearest folder that is there and has letters."""
    for folder in path.parents:
        swapped = folder.with_name(folder.name.swapcase()) if folder.name.swapcase() != folder.name else None
        if swapped is not None and folder.exists():
            return swapped.exists() and os.path.samefile(folder, swapped)
    return False


def _require_readable(option: str, path: Path) -> None:
    if not path.exists():
        raise InputError(f"There is no file {path} ({option}).")
    if path.is_dir():
        raise InputError(f"{path} ({option}) is a folder; give a file.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} ({option}) may not be read by you; change its permissions.")


def _require_suffix(option: str, path: Path, suffixes: Sequence[str] | None) -> None:
    if suffixes is not None and path.suffix.lower() not in suffixes:
        endings = " or ".join([", ".join(suffixes[:-1]), suffixes[-1]] if len(suffixes) > 1 else suffixes)
        raise InputError(f"Cannot write {option} {path}: use a name ending in {endings}.")


def _require_writable(option: str, path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{option} {path} is a folder; name a file to write.")
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        raise InputError(f"{option} {path} is a pipe or a device; name a file to write.")
    _require_place(option, path, _lexical(path).parent)


def _require_place(option: str, path: Path, folder: Path) -> None:
    """The nearest folder that is there must be one, and take new files."""
    nearest = next(p for p in (_lexical(folder), *_lexical(folder).parents) if p.exists() or p.is_symlink())
    if not nearest.is_dir():
        raise InputError(f"Cannot write {option} {path}: {nearest} is no folder. Choose an output folder you may write.")
    try:
        # permissions do not tell all: read-only and virtual file systems, quotas
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as error:
        if (full := disk_error(error, str(path))) is not None:
            raise full from error
        raise InputError(f"Cannot write {option} {path}: {nearest} takes no new files. Choose an output folder you may write.") from error


def _require_another(option: str, path: Path, read: Mapping[str, Path]) -> None:
    for other, source in read.items():
        if same_file(path, source):
            raise InputError(f"{option} {path} is the file of {other}, which would be overwritten; choose another name.")


def _require_distinct(written: Mapping[str, Path]) -> None:
    options = list(written)
    for i, option in enumerate(options):
        for other in options[i + 1 :]:
            if same_file(written[option], written[other]):
                raise InputError(f"{option} and {other} are both {written[option]}; give each a name of its own.")
