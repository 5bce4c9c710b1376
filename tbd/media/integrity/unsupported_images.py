"""Recognize files that are given as images but cannot be read, and say what to do about each."""

from pathlib import Path

_SIGNATURES = {
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
"""Raw files of cameras. Most are TIFFs with a thumbnail, which PIL would read instead."""


def describe_unsupported(path: Path) -> str | None:
    """Describe a file that is of an unsupported format.

    Args:
        path: A file that exists.

    Returns:
        What it is and how to convert it, as the end of a sentence; None if it may be a supported image.
    """
    with open(path, "rb") as file:
        head = file.read(1024)
    for signature, name in _SIGNATURES.items():
        if head.startswith(signature):
            return name
    if b"<svg" in head and head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<?xml", b"<!doctype svg", b"<!--", b"<svg")):
        return _SIGNATURES[b"<svg"]
    if head[8:10] == b"CR" or head[4:12] == b"ftypcrx ":
        return _SIGNATURES[b"IIRO"]
    return _SIGNATURES[b"IIRO"] if path.suffix.lower() in _RAW else None
