"""Write files atomically: an output appears whole or not at all."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tbd.errors import InputError, disk_error

try:
    import fcntl
except ImportError:  # not on Windows, where names are random and what a killed program leaves stays
    fcntl = None  # type: ignore[assignment]


@contextmanager
def atomic_output(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it into place on success, delete it on any failure.

    The temporary name keeps the suffix, by which writers choose a format. `KeyboardInterrupt` cleans up as well. What a program
    leaves that is killed before it can, the next one that writes to `path` deletes. If `path` is a symbolic link, the file that it points
    to is replaced and the link stays.

    Args:
        path: The file to write.

    Yields:
        The temporary path, an empty file.

    Raises:
        InputError: If the folder does not exist and cannot be made, or cannot be written.
        DiskError: If the disk is full, or cannot be written for another reason.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise InputError(f"{path} is a folder; name a file to write.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = _make_temporary(target)
    except OSError as error:
        if (full := disk_error(error, str(path))) is not None:
            raise full from error
        raise InputError(f"Cannot write {path}: {error.strerror}. Choose an output folder you may write.") from error
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
        os.close(handle)
        temporary.unlink(missing_ok=True)


def _make_temporary(target: Path) -> tuple[int, Path]:
    """Make the file that is written in place of `target`, held by a lock until its handle is closed or the program ends, however it does.

    Names are counted, so that what is left of a killed program is found without looking through the folder.
    """
    prefix = f".{target.stem[:100]}-"
    if fcntl is None:
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=target.suffix, dir=target.parent)
        os.close(handle)  # Windows moves no open file
        return os.open(os.devnull, os.O_RDONLY), Path(name)
    for number in itertools.count():
        path = target.parent / f"{prefix}{number}.part{target.suffix}"
        _delete_if_left(path)
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        if _hold(handle) and os.fstat(handle).st_nlink:
            return handle, path
        os.close(handle)  # in the moment before it was held, somebody took it for one that is left
    raise AssertionError("numbers do not end")


def _hold(handle: int) -> bool:
    """Lock a file; False where somebody else does. Where a file system has no locks everything counts as held."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def _delete_if_left(path: Path) -> None:
    """Delete a temporary file that nobody holds."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return  # there is none, or it is none of ours
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), path.stat()):
            path.unlink()
    except OSError:
        pass
    finally:
        os.close(handle)
