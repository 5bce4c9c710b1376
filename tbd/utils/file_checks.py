"""Check the files that a command reads and writes before it works: no output takes the place of an input."""

import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tbd.errors import InputError, disk_error

PathLike = str | os.PathLike


def check_files(
    inputs: Mapping[str, PathLike | None], outputs: Mapping[str, PathLike | None], suffixes: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Check every file that a command will read or write, before it works.

    Args:
        inputs: Option → file to read, None where the option is not given.
        outputs: Option → file to write, None where the option is not given.
        suffixes: Option → allowed suffixes of its output; any suffix is allowed for other options.

    Raises:
        InputError: If an input is missing or cannot be read, or an output is a folder, has another suffix, lies in a place
            that cannot be written, is an input (by any spelling, symbolic or hard link), or is another output.
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
        option: Name of the option that gives it.
        folder: The folder.
        inputs: Option → folder or file to read, None where the option is not given.
        inside: Whether the folder may lie in one of the inputs.

    Raises:
        InputError: If it is a file, cannot be made or written, is an input, or lies in one.
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
        if not inside and Path(path).is_dir() and any(same_file(parent, path) for parent in _real(target).parents):
            raise InputError(
                f"{option} {folder} lies in {other} {path}; choose a folder outside, or what is written would be read as input."
            )


def same_file(one: PathLike, other: PathLike) -> bool:
    """Check whether two paths are the same file or folder, by any spelling, link, or case on disks that ignore case.

    Args:
        one: A path; it need not exist.
        other: A path; it need not exist.

    Returns:
        True if writing to one would write to the other.
    """
    try:
        return os.path.samefile(one, other)
    except OSError:
        pass
    first, second = _real(one), _real(other)
    if first == second:
        return True
    return str(first).casefold() == str(second).casefold() and _ignores_case(first)


def _real(path: PathLike) -> Path:
    return Path(os.path.realpath(path))


def _ignores_case(path: Path) -> bool:
    """Whether the disk ignores case, tried on the nearest existing folder whose name has letters."""
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
    _require_place(option, path, _real(path).parent)


def _require_place(option: str, path: Path, folder: Path) -> None:
    """Require that the nearest existing parent is a folder that takes new files."""
    nearest = next(p for p in (_real(folder), *_real(folder).parents) if p.exists() or p.is_symlink())
    if not nearest.is_dir():
        raise InputError(f"Cannot write {option} {path}: {nearest} is no folder. Choose an output folder you may write.")
    try:
        # permissions are not enough: read-only and virtual file systems, quotas
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
