"""What a text is written in, taken off: invisible signs, look-alike letters, markup, addresses, spellings with digits.

Everything here says how a text is written, nothing what it means; `tbd.think.rules.tokenizer` reads what is left.
"""

import re
import unicodedata
from collections.abc import Callable

_JOINERS = "\u200c\u200d"
"""Invisible signs that words of some scripts, and emoji, need."""
_TAGS = (
    "a abbr b body br button code div em font footer form h1 h2 h3 h4 h5 h6 head header hr html i img input label li link meta nav ol p "
    "pre s section small span strong sub sup table tbody td th thead title tr u ul"
)
_MARKUP = r"(?is)<!--.*?-->|<(script|style)\b[^<>]*>.*?</\1\s*>|</?(?:" + "|".join(_TAGS.split()) + r")(?:\s[^<>]*)?/?>"
"""HTML alone: “<sad>” is somebody's way to write “sad”."""
_ADDRESS = (
    r"(?i)\b(?:https?|ftp|file)://[^\s<>()\[\]\"']+|\bwww\.[^\s<>()\[\]\"']+"
    r"|(?<![\w.])[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b|(?<!\w)[a-z]:\\\S+"
    r"|(?<!\S)~?(?:/[\w.-]+){2,}/?(?!\S)"
)
"""Links, e-mail addresses and paths of files."""
_CAMEL = r"(?<!\w)([A-Z]?[a-z]{2,})((?:[A-Z][a-z]+)+)(?!\w)"
_SPACED = r"(?<!\w)(?:[^\W\d_](?:[ ._-]|(?=[^\w\s]))){2,}[^\W\d_](?!\w)"
_DIGITS = str.maketrans("0134578@$", "oieastbas")
_LEET = r"(?i)(?<![\w@$#.])(?=[a-z0-9@$]*[a-z][a-z0-9@$]*[a-z])(?=[a-z@$]*[0134578@$])[a-z0134578@$]{3,}(?![\w@$%:.]\w|[\w@$%])"
_SHORTEST_LEET = 3
_FROM, _TO = r"(?:start|begin|from|onset)(?:_?(?:time|s|sec|seconds))?", r"(?:end|stop|to|until|offset)(?:_?(?:time|s|sec|seconds))?"
_NUMBER = r"\"?(\d+(?:\.\d+)?)\s*s?\"?"
_TIMELINE = rf"(?i)[\"']?\b{_FROM}[\"']?\s*[:=]\s*{_NUMBER}\s*,\s*[\"']?{_TO}[\"']?\s*[:=]\s*{_NUMBER}\s*,?"
"""Times of a timeline in JSON or YAML: ``"start": 0, "end": 2``."""


def visible(text: str) -> str:
    r"""Take out what cannot be seen, and write look-alikes of Latin letters as these.

    Args:
        text: In any language.

    Returns:
        The text without zero-width, direction and control signs, and with full-width and mathematical letters as plain ones.

    Example:
        >>> visible("ha\u200bppy"), visible("ｓａｄ"), visible("𝐣𝐨𝐲")
        ('happy', 'sad', 'joy')
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(sign: str) -> str:
    kind = unicodedata.category(sign)
    if kind == "Cf":
        return sign if sign in _JOINERS else ""
    if kind == "Cc":
        return sign if sign in "\n\t\r\v\f" else " "
    if kind[0] == "L" or kind == "Nd":
        plain = unicodedata.normalize("NFKC", sign)
        return plain if len(plain) == 1 and plain.isascii() else sign
    return sign


def clean(text: str, known: frozenset[str], notes: list[str]) -> str:
    """Take off what a text is written in.

    Args:
        text: As the user wrote it, at most a page.
        known: Words that decide whether a spelling with digits or gaps is one.
        notes: What was read otherwise than it stands there is added.

    Returns:
        The text in plain words.

    Example:
        >>> notes = []
        >>> clean("<b>4ngry</b>, see https://example.org/happy", frozenset(["angry"]), notes)
        ' angry , see  '
        >>> notes
        ['“https://example.org/happy” is an address and is not read.', '“4ngry” is read as “angry”.']
    """
    text = visible(text)  # a pattern is compiled when a text first has the signs that it is about: that takes longer than a short plan
    if "<" in text:
        text = re.sub(_MARKUP, " ", text)
    if "&" in text:
        import html

        text = html.unescape(text)
    if any(sign in text for sign in ("/", "@", "\\", "www.")):
        text = re.sub(_ADDRESS, lambda match: _left_out(match, notes), text)
    if "=" in text or ":" in text:
        text = re.sub(_TIMELINE, r" from \1 s to \2 s, ", text)
        text = re.sub(r"\}\s*,?\s*\{", " ; ", text)
    if "#" in text:
        text = re.sub(r"#(\w+)", lambda match: f" {_parted(match[1])} ", text)
    if text != text.lower():
        text = re.sub(_CAMEL, lambda match: _parted(match[0]) if match[1].lower() in known else match[0], text)
    text = re.sub(_SPACED, lambda match: _respelt(match, lambda word: re.sub(r"\W|_", "", word), known, notes), text)
    if any(sign in "0134578@$" for sign in text):
        text = re.sub(_LEET, lambda match: _respelt(match, lambda word: word.translate(_DIGITS), known, notes), text)
    return text


def _left_out(match: re.Match, notes: list[str]) -> str:
    shown = match[0] if len(match[0]) <= 60 else f"{match[0][:57]}…"
    notes.append(f"“{shown}” is an address and is not read.")
    return " "


def _parted(tag: str) -> str:
    """The words of what is written without blanks: “SoAngryRightNow”."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", tag)


def _respelt(match: re.Match, plain: Callable[[str], str], known: frozenset[str], notes: list[str]) -> str:
    """A word of a table that is written in another way; anything else as it stands."""
    written = match[0]
    meant = plain(written.lower())
    if meant not in known or len(meant) < _SHORTEST_LEET or re.fullmatch(r"au\d+\w?", written, re.IGNORECASE):
        return written
    notes.append(f"“{written}” is read as “{meant}”.")
    return meant
