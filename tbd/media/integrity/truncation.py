"""Detect truncated files: compare the sizes that their chunks declare with what is there."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

_UNKNOWN_SIZE = 0x7FFF0000
"""Bytes. Programs that do not know how long a recording will be write sizes from here on, or 0."""
_CONTENT = (b"data", b"LIST", b"SSND")
"""Chunks that hold the recording; what programs append after it is ignored."""
_MAX_TRAILER = 0.05
"""Share of a file that may follow the last box; some cameras append data of their own."""


def is_truncated(path: Path) -> bool:
    """Check whether a file ends within a part whose size it declares, or is unreadable from some part on.

    Args:
        path: WAV, AVI, AIFF, CAF, MP4, MOV, WMA, WMV, Ogg or MPEG-TS file.

    Returns:
        True if it is truncated; False if it is whole, or of a format that declares no sizes.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(16)
        walk = _CHUNK_ENDS.get(head[:4]) or (_boxes if head[4:8] in _FIRST_BOXES else None)
        if walk is None:
            return _ends_within_packet(file, size)
        return any(end > size for end in walk(file, size))


_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"styp", b"wide", b"free", b"skip")


def lacks_index(path: Path) -> bool:
    """Return whether an MP4 or MOV file ends before its index (``moov``), without which nothing in it can be decoded."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        if file.read(12)[4:8] not in _FIRST_BOXES:
            return False
        boxes = list(_named_boxes(file, size))
    whole = [name for name, end in boxes if end <= size]
    return b"moov" not in whole and len(whole) < len(boxes)


def _ends_within_packet(file: BinaryIO, size: int) -> bool:
    """Whether an MPEG transport stream, of 188 bytes per packet or 192 with time stamps, ends within a packet."""
    for first, length in ((0, 188), (4, 192)):
        file.seek(0)
        if file.read(2 * length)[first::length] == b"\x47\x47":
            return size % length != 0
    return False


def _riff(file: BinaryIO, size: int) -> Iterator[int]:
    """Ends of the chunks of WAV and AVI; the outermost size is ignored, since programs often leave it out."""
    yield from _chunks(file, size, 12, "little")


def _form(file: BinaryIO, size: int) -> Iterator[int]:
    yield from _chunks(file, size, 12, "big")


def _chunks(file: BinaryIO, size: int, at: int, order: Literal["big", "little"]) -> Iterator[int]:
    while at + 8 <= size:
        file.seek(at)
        header = file.read(8)
        length = int.from_bytes(header[4:], order)
        if length == 0 or length >= _UNKNOWN_SIZE:
            return
        if header[:4] in _CONTENT:
            yield at + 8 + length
        at += 8 + length + length % 2


def _caf(file: BinaryIO, size: int) -> Iterator[int]:
    at = 8
    while at + 12 <= size:
        file.seek(at)
        length = int.from_bytes(file.read(12)[4:], "big", signed=True)
        if length < 0:
            return
        at += 12 + length
        yield at


def _boxes(file: BinaryIO, size: int) -> Iterator[int]:
    return (end for _, end in _named_boxes(file, size))


def _named_boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int]]:
    """Names and ends of the boxes of MP4 and MOV; an end beyond the file's where a box is malformed."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        header = file.read(16)
        length, name = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 0 and name == b"mdat":  # until the file's end
            return
        length = int.from_bytes(header[8:16], "big") if length == 1 else length
        if length < 8 or not all(32 <= byte < 127 or byte == 0xA9 for byte in name):
            yield b"", size + 1 if size - at > _MAX_TRAILER * size else size
            return
        at += length
        yield name, at


def _asf(file: BinaryIO, size: int) -> Iterator[int]:
    at = 0
    while at + 24 <= size:
        file.seek(at)
        length = int.from_bytes(file.read(24)[16:], "little")
        if length < 24:
            return
        at += length
        yield at


def _ogg(file: BinaryIO, size: int) -> Iterator[int]:
    """The end of the last page."""
    file.seek(max(size - 65_536 * 2, 0))
    tail = file.read()
    at = tail.rfind(b"OggS")
    header = tail[at : at + 27]
    if at < 0 or len(header) < 27 or len(tail) < at + 27 + header[26]:
        yield size + 1
        return
    yield size - len(tail) + at + 27 + header[26] + sum(tail[at + 27 : at + 27 + header[26]])


def first_page_offset(path: Path) -> int:
    """Return the offset of the first content page of an Ogg file, or of the first damaged page if that comes earlier."""
    with open(path, "rb") as file:
        at = 0
        while len(header := file.read(27)) == 27 and header[:4] == b"OggS":
            if 0 < int.from_bytes(header[6:14], "little") < 1 << 63:  # pages of headers end at moment 0
                break
            at += 27 + header[26] + sum(file.read(header[26]))
            file.seek(at)
        return at


_CHUNK_ENDS = {b"RIFF": _riff, b"RF64": _riff, b"FORM": _form, b"caff": _caf, b"OggS": _ogg, b"\x30\x26\xb2\x75": _asf}
