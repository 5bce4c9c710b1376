"""Write files atomically: an output appears whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tbd.errors import InputError, disk_error


@contextmanager
def atomic_output(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it into place on success, delete it on any failure.

    The temporary name keeps the suffix, by which writers choose a format. `KeyboardInterrupt` cleans up as well. If `path` is
    a symbolic link, the file that it points to is replaced and the link stays.

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
