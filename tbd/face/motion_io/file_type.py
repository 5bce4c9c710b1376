"""The kind of a file by its first bytes, since names of files that people exchange often end wrongly."""

from pathlib import Path

from tbd.errors import InputError
from tbd.utils.text_encoding import decode_text, has_mark, looks_utf16

_FOREIGN = {
    b"\x89PNG": "a picture", b"\xff\xd8\xff": "a picture", b"GIF8": "a picture", b"II*\x00": "a picture", b"MM\x00*": "a picture",
    b"fLaC": "a sound", b"ID3": "a sound", b"%PDF": "a PDF document", b"\x1f\x8b": "a compressed file (gzip); unpack it first",
    b"\xd0\xcf\x11\xe0": "an old Excel or Office file; save it as CSV", b"Kaydara FBX": "an FBX scene; export its curves as CSV",
    b"HIERARCHY": "a BVH skeleton, which holds no blendshapes", b"glTF": "a glTF scene; export its curves as CSV",
    b"\x80\x02": "a Python pickle, which can run code and is not opened; save plain arrays as .npz",
    b"\x80\x03": "a Python pickle, which can run code and is not opened; save plain arrays as .npz",
    b"\x80\x04": "a Python pickle, which can run code and is not opened; save plain arrays as .npz",
    b"\x80\x05": "a Python pickle, which can run code and is not opened; save plain arrays as .npz",
    b"\x89HDF": "an HDF5 file; save plain arrays as .npz", b"PAR1": "a Parquet table; save it as CSV",
}  # fmt: skip
_HEAD = 4096


def kind_of(path: Path) -> str:
    """Find out the kind of a file.

    Args:
        path: An existing file.

    Returns:
        ``npz``, ``npy``, ``json`` or ``text``.

    Raises:
        InputError: If the file is something else, such as a video.
    """
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    if not head.strip():
        raise InputError(f"{path} is empty; a motion is a table with a column for each channel and a row for each frame.")
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _kind_of_archive(path)
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head[4:8] == b"ftyp" and head[8:11] in (b"hei", b"hev", b"mif", b"msf", b"avi"):
        raise InputError(f"{path} is a picture (HEIC or AVIF); a motion is a table (.npz, .csv or .json).")
    foreign = next((kind for magic, kind in _FOREIGN.items() if head.startswith(magic)), None) or _medium(path, head)
    if foreign is not None:
        raise InputError(f"{path} is {foreign}{'' if ';' in foreign or ',' in foreign else '; a motion is a table (.npz, .csv or .json)'}.")
    return "json" if decode_text(head).lstrip().startswith(("{", "[")) else "text"


def _kind_of_archive(path: Path) -> str:
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as archive:
            names = archive.namelist()
    except BadZipFile:
        raise InputError(f"{path} is broken off or damaged; it begins as an .npz file does and has no end.") from None
    if any(name.startswith("xl/") for name in names):
        raise InputError(f"{path} is an Excel file; save the sheet as CSV.")
    if any(name.endswith("content.xml") for name in names):
        raise InputError(f"{path} is an OpenDocument file; save the sheet as CSV.")
    if not names or not all(name.endswith(".npy") for name in names):
        raise InputError(f"{path} is a zip archive; unpack it and give the motion in it.")
    return "npz"


def _medium(path: Path, head: bytes) -> str | None:
    """What PyAV finds in a binary file; None for text."""
    if b"\x00" not in head or has_mark(head) or looks_utf16(head):
        return None
    import av

    try:
        with av.open(str(path)) as container:
            kinds = {stream.type for stream in container.streams}
            pictures = container.format.name.endswith("_pipe") or container.format.name == "image2"
    except (OSError, ValueError, av.error.FFmpegError):
        return "neither text nor NumPy's format"
    if "video" in kinds:
        return "a picture" if pictures else f"a video; track it first: `tbd track {path} --output {path.with_suffix('.npz').name}`"
    return "a sound" if "audio" in kinds else "neither text nor NumPy's format"
