"""The encoding of text that people made with whatever program they have."""

import codecs

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode_text(data: bytes, otherwise: str | None = "cp1252") -> str:
    """Decode UTF-8, UTF-16 or UTF-32, with a byte order mark or without; UTF-32 with one alone.

    Args:
        data: The file.
        otherwise: The encoding of what is none of these, faults being replaced; None to refuse what is none of these or faulty.

    Returns:
        The text, without the mark.

    Raises:
        UnicodeDecodeError: If `otherwise` is None and it is none of these, or breaks off within a character.

    Example:
        >>> decode_text("für".encode("utf-16")), decode_text("für".encode("cp1252"))
        ('für', 'für')
    """
    faults = "strict" if otherwise is None else "replace"
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, faults)
    if looks_utf16(data):
        return data.decode("utf-16-le" if data[1:2] == b"\x00" else "utf-16-be", faults)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        if otherwise is None:
            raise
        return data.decode(otherwise, "replace")


def has_mark(head: bytes) -> bool:
    """Tell whether a file begins with a byte order mark.

    Args:
        head: The file, or its first bytes.

    Returns:
        Whether it does.
    """
    return any(head.startswith(bom) for bom, _ in _BOMS)


def looks_utf16(head: bytes) -> bool:
    """Tell whether every other byte is zero, as in UTF-16 text of Latin letters without a byte order mark.

    Args:
        head: The file, or its first bytes.

    Returns:
        Whether it is.
    """
    even, odd = head[0:400:2], head[1:400:2]
    return len(odd) > 8 and max(even.count(0) / len(even), odd.count(0) / len(odd)) > 0.9 and min(even.count(0), odd.count(0)) == 0
