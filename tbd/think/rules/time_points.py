"""Numbers and points of time in words: "two and a half seconds", "00:01.5", "frame 25", "a third of the way" → `Instant`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

FRAMES = 25.0
"""Frames per second of a frame number in a text: the rate of every motion here (`tbd.media.rates.FPS`)."""

WORDS: dict[str, float] = {
    "a couple of": 2, "a couple": 2, "a few": 3, "several": 4, "a quarter of a": 0.25, "quarter of a": 0.25, "a quarter": 0.25,
    "half of a": 0.5, "half a": 0.5, "a half": 0.5, "half": 0.5, "three quarters of a": 0.75, "a tenth of a": 0.1, "an": 1, "a": 1,
    "one": 1,
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
    "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    "a hundred": 100, "hundred": 100,
}  # fmt: skip
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10}
UNITS = {"ms": 1e-3, "msec": 1e-3, "millisecond": 1e-3, "s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0}
UNITS["frame"] = 1 / FRAMES
PARTS: dict[str, float] = {
    "half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "fourth": 1 / 4, "fifth": 1 / 5, "sixth": 1 / 6, "eighth": 1 / 8, "tenth": 1 / 10,
    "two thirds": 2 / 3, "three quarters": 3 / 4, "three fourths": 3 / 4, "two fifths": 2 / 5, "three fifths": 3 / 5, "four fifths": 4 / 5,
}  # fmt: skip


def one_of(words: Iterable[str]) -> str:
    """A regular expression for any of `words`, the longest first."""
    return "(?:" + "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in sorted(words, key=lambda word: -len(word))) + ")"


DIGITS = r"(?:\d+(?:[.,]\d+)?|\.\d+)"
NUMBER = rf"(?:{DIGITS}|\b{one_of(WORDS)}\b)"
COUNT = rf"(?:{DIGITS}|\b{one_of(w for w, n in WORDS.items() if n > 1)}\b)"
"""A number that "a" is not: "a second smile" names no time."""
UNIT = r"(?:(?:ms|msecs?|milliseconds?|s|secs?|seconds?|mins?|minutes?|frames?)\b)"
CLOCK = r"(?:(?<![\d:])(?:\d+:)?[0-5]?\d:[0-5]\d(?:[.,]\d+)?(?!\d|:\d)(?:\s*(?:s|mins?)\b)?)"
PERCENT = rf"(?:{NUMBER}\s*(?:%|per\s?cent\b))"
_ORDINAL = rf"(?:{one_of(ORDINALS)}|\d+(?:st|nd|rd|th))"
_WHOLE = r"(?:\s+of\s+(?:the|this|that|her|his|its|their)\s+(?!way)[a-z]+)"
_PART = one_of([*PARTS, *(f"{article} {part}" for article in ("a", "one", "1") for part in PARTS if " " not in part)])
_TAKE = r"(?:clip|video|audio|time|recording|sentence|speech|take|shot|track|duration|film|whole)"
LENGTH = rf"(?:{_PART}\s+(?:of\s+)?(?:the|this|that)\s+{_TAKE}\b|{NUMBER}\s*-?\s*{UNIT}|{PERCENT}{_WHOLE}?)"
POINT = (
    rf"(?:{CLOCK}|(?:the\s+)?\b(?:seconds?|secs?|frames?|minutes?|time|t)\s*[=#]?\s*{DIGITS}(?:\s*{UNIT})?|{DIGITS}\s*-?\s*{UNIT}(?:[\s-]+(?:marks?|points?)\b)?"
    rf"|(?:the\s+)?{COUNT}\s*-?\s*{UNIT}(?:[\s-]+(?:marks?|points?)\b)?|{NUMBER}\s*-?\s*{UNIT}|\b(?:second|frame)\s+{COUNT}\b|the\s+{_ORDINAL}\s+(?:second|minute|frame)\b"
    rf"|(?:the\s+)?{PERCENT}(?:\s+mark\b|\s+of\s+the\s+way\b|{_WHOLE})?|(?:the\s+)?\b(?:very\s+)?(?:start|beginning|outset|end|finish)\b{_WHOLE}?"
    rf"|(?:the\s+)?\b(?:middle|mid-?point|half-?way(?:\s+(?:point|mark))?)\b{_WHOLE}?|{_PART}\s+of\s+the\s+way)"
)


@dataclass(frozen=True)
class Instant:
    """A point of time or a length: seconds plus a share of the whole, which may not be known yet.

    Example:
        >>> Instant(-2, 1).at(6)  # two seconds before the end of six
        4
    """

    seconds: float = 0.0
    share: float = 0.0

    def at(self, total: float) -> float:
        """Seconds from the start where the whole lasts `total`."""
        return self.seconds + self.share * total


START, END = Instant(), Instant(0.0, 1.0)


def number(text: str) -> float:
    """A number in figures or in words; a decimal comma counts as a point.

    Args:
        text: Digits, or a number word.

    Returns:
        The number.

    Example:
        >>> number("1,5"), number("a couple of")
        (1.5, 2.0)
    """
    text = " ".join(text.split())
    return float(WORDS[text]) if text in WORDS else float(text.replace(",", "."))


def unit_of(text: str) -> str | None:
    """The unit that a point of time or a length names: a key of `UNITS`, or "%"."""
    if re.search(r"%|per\s?cent", text):
        return "%"
    found = re.search(rf"(?<![a-z])({UNIT})", text)
    if found is None:
        return "s" if re.search(r"\b(?:t|time)\b", text) else None
    return found[1] if found[1] in UNITS else found[1].rstrip("s")


def instant(text: str, unit: str | None = None) -> Instant | None:
    """A point of time or a length, read.

    Args:
        text: What `POINT` or `LENGTH` matched, or a bare number.
        unit: The unit of a bare number.

    Returns:
        None where neither the text nor `unit` says what is counted.

    Example:
        >>> instant("00:01.5"), instant("frame 50"), instant("a third of the way"), instant("3")
        (Instant(seconds=1.5, share=0.0), Instant(seconds=2.0, share=0.0), Instant(seconds=0.0, share=0.3333333333333333), None)
    """
    text = " ".join(text.split())
    if clock := re.match(CLOCK, text):
        seconds = 0.0
        for part in re.sub(r"[^\d:.,]", "", clock[0]).split(":"):
            seconds = 60 * seconds + number(part)
        return Instant(seconds)
    if share := _share_named(text):
        return share
    if ordinal := re.match(rf"the ({_ORDINAL}) (second|minute|frame)", text):
        count = ORDINALS.get(ordinal[1]) or int(re.sub(r"\D.*", "", ordinal[1]))
        return Instant(count * UNITS[ordinal[2]])
    unit = unit_of(text) or unit
    found = re.search(NUMBER, re.sub(r"^the ", "", text))
    if found is None or unit is None:
        return None
    value = number(found[0])
    return Instant(0.0, value / 100) if unit == "%" else Instant(round(value * UNITS[unit], 4))


def _share_named(text: str) -> Instant | None:
    """“the start”, "the end", "halfway", "two thirds of the way"."""
    if re.match(r"(?:the )?(?:very )?(?:start|beginning|outset)\b", text):
        return START
    if re.match(r"(?:the )?(?:very )?(?:end|finish)\b", text):
        return END
    if re.match(r"(?:the )?(?:middle|mid-?point|half-?way)", text):
        return Instant(0.0, 0.5)
    part = re.match(rf"(?:(?:a|one|1) )?({one_of(PARTS)}) (?:of )?(?:the way|(?:the|this|that) {_TAKE})", text)
    return Instant(0.0, PARTS[part[1]]) if part else None
