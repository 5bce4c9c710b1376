"""Recognize files that stand for others which are not here: broken links, pointers of Git LFS and git-annex, web pages."""

from pathlib import Path

_BEGINNINGS = {
    b"version https://git-lfs": "it is a pointer of Git LFS to the file, not the file itself; run `git lfs pull` where it was cloned",
    b"/annex/objects/": "it is a pointer of git-annex to the file, not the file itself; run `git annex get` where it was cloned",
    b"<!doctype html": "it is a web page, as downloads leave that need a login; fetch it again",
    b"<html": "it is a web page, as downloads leave that need a login; fetch it again",
}
"""First bytes, in lower case, of what clones and downloads leave in place of a file → what it is."""


def find_stand_in(path: Path) -> str | None:
    """Say what a file is, if it only stands for another.

    Args:
        path: The file.

    Returns:
        What it is and what to do, without a full stop; None for a real file, and where there is none.
    """
    if path.is_symlink() and not path.exists():
        return f"it is a link to {path.readlink()}, which is not there; copy links as files (cp -L, rsync -L)"
    if not path.is_file():
        return None
    with open(path, "rb") as file:
        head = file.read(64).lstrip().lower()
    return next((what for beginning, what in _BEGINNINGS.items() if head.startswith(beginning)), None)
