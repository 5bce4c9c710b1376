"""Files that people take for pictures and that are none, or not yet: what they are and what to do about it."""

from pathlib import Path

_BEGINNINGS = {
    b"%PDF": "a PDF; save its page as PNG or JPEG",
    b"%!PS": "a PostScript drawing; save it as PNG",
    b"\xc5\xd0\xd3\xc6": "a PostScript drawing; save it as PNG",
    b"<svg": "an SVG drawing; save it as PNG",
    b"gimp xcf": "a GIMP project; export it as PNG",
    b"\xff\x0a": "a JPEG XL picture, which cannot be read yet; save it as JPEG or PNG",
    b"\x00\x00\x00\x0cJXL ": "a JPEG XL picture, which cannot be read yet; save it as JPEG or PNG",
    b"FUJIFILMCCD-RAW": "a camera's raw file; save it as JPEG or PNG",
    b"IIRO": "a camera's raw file; save it as JPEG or PNG",
    b"IIRS": "a camera's raw file; save it as JPEG or PNG",
    b"IIU\0": "a camera's raw file; save it as JPEG or PNG",
}
"""The first bytes of a file → what it is."""
_RAW = (".dng", ".nef", ".nrw", ".cr2", ".cr3", ".arw", ".sr2", ".orf", ".rw2", ".raf", ".pef", ".srw", ".raw", ".3fr", ".iiq")
"""Raw files of cameras, most of which are TIFFs that hold a thumbnail, which PIL would read."""


def what_it_is(path: Path) -> str | None:
    """Name what a file is instead of a picture, with what to do about it; None where nothing speaks against it.

    Args:
        path: A file that exists.
    """
    with open(path, "rb") as file:
        head = file.read(1024)
    for beginning, name in _BEGINNINGS.items():
        if head.startswith(beginning):
            return name
    if b"<svg" in head and head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<?xml", b"<!doctype svg", b"<!--", b"<svg")):
        return _BEGINNINGS[b"<svg"]
    if head[8:10] == b"CR" or head[4:12] == b"ftypcrx ":
        return _BEGINNINGS[b"IIRO"]
    return _BEGINNINGS[b"IIRO"] if path.suffix.lower() in _RAW else None
