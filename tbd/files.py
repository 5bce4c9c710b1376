"""Outputs appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tbd.errors import InputError


@contextmanager
def atomic_output(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it into place on success, delete it on any failure.

    The temporary name keeps the suffix, since writers choose a format by it. `KeyboardInterrupt` cleans up as well.

    Raises:
        InputError: the folder does not exist and cannot be made, or cannot be written.
    """
    target = Path(path)
    if target.is_dir():
        raise InputError(f"{target} is a folder; name a file to write.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise InputError(f"Cannot write {target}: {error.strerror}. Choose an output folder you may write.") from error
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes private files, and so do some writers; an output gets what the user's umask gives any new file
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
