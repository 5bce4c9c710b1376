"""Times in words → `When`: "between seconds 1 and 3", "for the first 30 %", "[0-2s]", "every two seconds".

The patterns stand in ``tbd/assets/think/times.txt``, each with the fields of a `When` that it fills. A text's times become
marks, tokens ``@t0``, ``@t1`` …, which `tbd.think.rules.segmenter` binds to what they are said of.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Literal

from tbd.think.rules.lexicon import ASSETS
from tbd.think.rules.time_points import (
    CLOCK,
    COUNT,
    DIGITS,
    END,
    LENGTH,
    NUMBER,
    ORDINALS,
    PARTS,
    PERCENT,
    POINT,
    START,
    UNIT,
    UNITS,
    Instant,
    instant,
    number,
    one_of,
    unit_of,
)


@dataclass(frozen=True)
class When:
    """What one phrase says about time.

    Args:
        words: The phrase, as it stands in the text.
        start: When it starts.
        end: When it ends.
        length: How long it lasts.
        delay: How long after what goes before; a point of time where that lies ahead.
        every: Seconds from one occurrence to the next.
        rise: How long it takes to come.
        wait: It is a stretch in which nothing shows.
        fill: It is whatever no other time names ("otherwise").
        early: It is said of the beginning alone ("at the start").
        bare: A length without a preposition, which may be a point of time ("0 s happy, 2 s sad").
        leans: The side on which its words are likelier to stand, where nothing else tells.
    """

    words: str
    start: Instant | None = None
    end: Instant | None = None
    length: Instant | None = None
    delay: Instant | None = None
    every: float | None = None
    rise: Instant | None = None
    wait: bool = False
    fill: bool = False
    early: bool = False
    bare: bool = False
    leans: Literal["back", "forward", "either"] = "either"


_CLIP = r"(?:\s+of\s+(?:the|this|that|her|his|its|their)\s+[a-z]+|\s+of\s+it\b)?"
_PLACE = (
    r"first|1st|opening|initial|starting|second|2nd|third|3rd|fourth|4th|last|final|closing|ending|latter|remaining|middle|central|other"
)
_PIECE = rf"(?:{one_of(PARTS)}\b|{PERCENT}|{NUMBER}\s*-?\s*{UNIT}|seconds?\b|minute\b|frame\b)"
_MACROS = {
    "<P>": f"({POINT})", "<B>": f"({POINT}|{NUMBER})", "<L>": f"({LENGTH})", "<D>": rf"({NUMBER}\s*-?\s*{UNIT})", "<C>": f"({CLOCK})",
    "<PCT>": rf"((?:the\s+)?{PERCENT})", "<PORTION>": rf"(?:(?:the|her|his)\s+)?(?:very\s+)?\b({_PLACE})\s+({_PIECE}){_CLIP}",
    "<about>": r"(?:(?:about|around|roughly|approximately|exactly|ca\.?|~)\s*)?",
    "<dash>": r"\s*(?:→|--|-|–|—|\.\.\.?|…|\bto\b|\buntil\b|\btill\b|\bthrough\b|\bthru\b|\bup\s+to\b)\s*", "<clip>": _CLIP,
    "<pause>": r"(?:paus(?:es?|ing)|silences?|wait(?:s|ing)?|delays?|breaks?|beats?|nothing|stillness|rests?|resting)",
    "<in>": r"(?:from|between|in|during|for|at|over|within|throughout)", "<count>": COUNT,
    "<unit>": UNIT, "<share>": rf"(?:the\s+)?{PERCENT}",
}  # fmt: skip
_CLAUSE = r"(?:^|(?<=[,;.:!?])|(?<=\bthen)|(?<=\band)|(?<=\bbut))\s*"


def _portion(place: str, piece: str) -> tuple[Instant, Instant] | None:
    """“second”, "half" → the start and the end of the second half."""
    ordinal = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth"}.get(place, place)
    name = next((name for name in sorted(PARTS, key=len) if re.fullmatch(name.replace(" ", r"\s+"), piece)), None)
    size = Instant(0.0, PARTS[name]) if name else instant(piece, unit_of(piece)) or Instant(UNITS.get(piece.rstrip("s"), 1.0))
    if ordinal in ("first", "opening", "initial", "starting"):
        return START, size
    if ordinal in ("last", "final", "closing", "ending", "latter", "remaining") or (ordinal in ("second", "other") and name == "half"):
        return Instant(-size.seconds, 1 - size.share), END
    if ordinal in ("middle", "central"):
        return Instant(-size.seconds / 2, 0.5 - size.share / 2), Instant(size.seconds / 2, 0.5 + size.share / 2)
    count = ORDINALS.get(ordinal)
    if count is None:
        return None
    return Instant(size.seconds * (count - 1), size.share * (count - 1)), Instant(size.seconds * count, size.share * count)


def _as_span(groups: list[str], words: str) -> When:
    """Two points; a unit that one of them names counts for both, seconds where neither does."""
    first, last = groups
    units = (unit_of(first), unit_of(last))
    start, end = instant(first, units[1] or "s"), instant(last, units[0] or "s")
    return When(words, start=start, end=None if end == END else end)


def _as_portion(groups: list[str], words: str, edge: str = "") -> When | None:
    """A part of the whole; from one of its edges on, or until it."""
    edges = _portion(*groups)
    if edges is None:
        return None
    start, end = edges
    if edge == "from":
        point = end if groups[0] not in ("first", "last") and groups[1] in UNITS else start  # "since the third second"
        return When(words, start=point)
    if edge == "after":
        return When(words, start=end)
    if edge == "until":
        return When(words, end=end if start == START else start, leans="back")
    return When(words, start=start, end=None if end == END else end)


def _as_fields(groups: list[str], words: str, head: str) -> When | None:
    """The fields that a section of the table names: "length back", "start=0.5w", "every=2s", "fill"."""
    values: dict[str, Any] = {}
    for item in head.split():
        name, _, value = item.partition("=")
        if name in ("back", "forward"):
            values["leans"] = name
        elif name in ("wait", "fill", "early", "bare"):
            values[name] = True
        else:
            values[name] = instant(groups[0]) if not value else Instant(**{"share" if value[-1] == "w" else "seconds": float(value[:-1])})
            if values[name] is None:
                return None
    if "every" in values:
        values["every"] = values["every"].seconds
    return When(words, **values) if values.get("every") != 0 else None


def _as_from_end(groups: list[str], words: str) -> When | None:
    """“With two seconds left”."""
    left = instant(groups[0])
    return None if left is None else When(words, start=Instant(-left.seconds, 1.0))


def _as_rate(groups: list[str], words: str) -> When:
    """“Twice a second”."""
    count = re.match(rf"once|twice|thrice|({COUNT})", words)
    often = count[0] if count else "once"
    times = {"once": 1.0, "twice": 2.0, "thrice": 3.0}.get(often) or number(often)
    return When(words, every=(60.0 if "minute" in words else 1.0) / max(times, 0.1))


Action = Callable[[list[str], str], When | None]


def _action(head: str) -> Action:
    """What a section of the table does with the groups of its patterns."""
    kind, _, rest = head.partition(" ")
    named: dict[str, Action] = {"span": _as_span, "from_end": _as_from_end, "rate": _as_rate, "portion": partial(_as_portion, edge=rest)}
    return named.get(kind) or partial(_as_fields, head=head)


@cache
def _rules() -> tuple[tuple[re.Pattern, Action], ...]:
    """The patterns of ``times.txt``, each with what it says."""
    rules: list[tuple[re.Pattern, Action]] = []
    action: Action | None = None
    for line in (ASSETS / "times.txt").read_text(encoding="utf-8").splitlines():
        if re.fullmatch(r"\[[a-z_]+(?:[ =][\w.= ]*)?\]", line):
            action = _action(line.strip("[]"))
        elif action and line and not line.startswith("#"):
            rules.append((_pattern(line), action))
    return tuple(rules)


_EVERYWHERE = frozenset((
    "about", "across", "after", "all", "an", "and", "another", "around", "as", "at", "between", "both", "by", "during", "each", "every",
    "exactly", "few", "for", "from", "further", "go", "has", "have", "her", "his", "in", "into", "it", "its", "just", "more", "near",
    "no", "nothing", "of", "on", "only", "other", "out", "past", "right", "since", "still", "stop", "stops", "than", "that", "the",
    "their", "this", "through", "throughout", "to", "towards", "up", "upon", "very", "way", "while", "whole", "with", "within", "happ",
    "sad", "ang", "fear", "disg", "surp", "cont", "joy", "strength", "intensity",
))  # fmt: skip
"""Words of the patterns that say nothing of time by themselves; no pattern is made of them alone."""
_STEM = 4
"""Letters by which a word of a pattern is known, whatever its ending."""


@cache
def _hints() -> frozenset[str]:
    """The beginnings of the words of which a text with a time in words has at least one."""
    patterns = " ".join(line for line in (ASSETS / "times.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    words = re.findall(r"[a-z]{2,}", re.sub(r"\\[a-zA-Z]", " ", " ".join((patterns, *_MACROS.values()))))
    return frozenset(word[:_STEM] for word in words if word not in _EVERYWHERE) | {"sec", "min", "midw", "nons"}


def may_name_a_time(text: str) -> bool:
    """Return whether a text has a figure or a word of some pattern: making the patterns takes half of the time of a first plan.

    Args:
        text: Lower case.

    Returns:
        False only where no pattern matches.

    Example:
        >>> may_name_a_time("quietly furious"), may_name_a_time("calm for two seconds")
        (False, True)
    """
    return bool(re.search(r"[\d½]", text)) or any(word[:_STEM] in _hints() for word in re.findall("[a-z]+", text))


def _pattern(line: str) -> re.Pattern:
    """A line of ``times.txt`` as a regular expression."""
    clause, line = line.startswith("^"), line.removeprefix("^")
    starts = _CLAUSE if clause else "" if line[0] in "\\[@" or line.startswith("(<in> )?[") else r"(?<!\w)"
    expression = re.sub(r"(?<!\\)\((?!\?)", "(?:", line).replace("~", r"\s*").replace(" ", r"\s+")
    for name, macro in _MACROS.items():
        expression = expression.replace(name, macro)
    return re.compile(f"{starts}{expression}(?:\\s*:(?!\\d))?")


def mark_times(text: str, times: list[When], notes: list[str]) -> str:
    """Replace each time by a mark ``@t…``.

    Args:
        text: Lower case.
        times: What the marks stand for; added to.
        notes: What the user should know about how a time is read; added to.

    Returns:
        The text with the marks.

    Example:
        >>> times = []
        >>> mark_times("from 1 to 3 s angry", times, []), times[0].start, times[0].end
        (' @t0  angry', Instant(seconds=1.0, share=0.0), Instant(seconds=3.0, share=0.0))
    """

    def mark(match: re.Match, action: Callable) -> str:
        groups = [group for group in match.groups() if group is not None]
        when = action([" ".join(group.split()) for group in groups], " ".join(match[0].split()).rstrip(" :"))
        if when is None:
            return match[0]
        times.append(_checked(when, notes))
        return f" @t{len(times) - 1} "

    if not may_name_a_time(text):
        return text
    text = _spelt_out(_from_zero(_joined_numbers(text), notes))
    for pattern, action in _rules():
        text = pattern.sub(partial(mark, action=action), text)
    return text


_BELOW_ZERO = re.compile(
    rf"\b(from|between|until|till|after|at|in)(\s+(?:seconds?\s+)?)((?:-|−|minus\s)\s*{DIGITS})(?=\s*(?:{UNIT}|and\b|to\b|until\b|till\b|-|–))"
)
_OF_A_SPAN = ("from", "between")


def _from_zero(text: str, notes: list[str]) -> str:
    """Times before the start, which a text cannot mean, as the start: "between -1 and 2 seconds"."""

    def start(match: re.Match) -> str:
        if match[1] not in _OF_A_SPAN and not re.match(rf"\s*{UNIT}", text[match.end() :]):
            return match[0]  # "AU4 at -0.3" is no time
        notes.append(f"“{match[3]}” lies before the start; it is read as 0.")
        return f"{match[1]}{match[2]}0"

    return _BELOW_ZERO.sub(start, text)


def _joined_numbers(text: str) -> str:
    """“two and a half seconds”, "1 min 30 s", "1½ s" in figures."""
    text = re.sub(r"(\d?)\s*½", lambda m: f"{m[1] or 0}.5", text)
    text = re.sub(r"(\d)\s+1/2\b", r"\1.5", text)
    text = re.sub(rf"({NUMBER})\s+and\s+a\s+half\b", lambda m: f"{number(m[1]) + 0.5:g}", text)
    text = re.sub(rf"({NUMBER})\s+(seconds?|minutes?)\s+and\s+a\s+half\b", lambda m: f"{number(m[1]) + 0.5:g} {m[2]}", text)
    text = re.sub(r"\b((?:first|last|final|opening|next)\s+)second\s+and\s+a\s+half\b", r"\g<1>1.5 seconds", text)
    minutes = rf"({NUMBER})\s*(?:m|mins?|minutes?)\b\s*(?:and\s+)?({NUMBER})\s*(?:s|secs?|seconds?)\b"
    return re.sub(minutes, lambda m: f"{60 * number(m[1]) + number(m[2]):g} s", text)


def _spelt_out(text: str) -> str:
    """Lists of times with each time whole: "at 1, 3 and 5 s", "in seconds 1-2 and 4-5", "the first and the last second"."""
    places = rf"(?:{_PLACE})"
    text = re.sub(rf"\b({places})\s+(?:and|or)\s+(?:the\s+|in\s+the\s+)?({places})\s+({_PIECE})", r"\1 \3 and the \2 \3", text)
    each = rf"\b((?:at|after)\s+)({DIGITS}\s*{UNIT})\s*(,\s*(?:and\s+)?|\band\s+)(?={DIGITS}\s*{UNIT}(?!\s*later\b))"
    points = rf"(?<!between )(?<!seconds )(?<!frames )(?<![\d.,])({DIGITS})\s*(,\s*(?:and\s+)?|\band\s+)({DIGITS})\s*({UNIT})"
    span = rf"{DIGITS}\s*(?:-|–|to)\s*{DIGITS}"
    spans = rf"(\b(?:seconds?|frames?)\s+)({span})(\s*(?:,|\band)\s+(?:and\s+)?)(?={span})"
    for _ in range(3):  # each pass gives one more of a list its unit
        text = re.sub(each, r"\1\2 \3\1", re.sub(spans, r"\1\2\3\1", re.sub(points, r"\1 \4 \2at \3 \4", text)))
    return text


_ORDINAL_UNIT = re.compile(r"\b(?:second|2nd|third|3rd|fourth|4th|fifth|sixth)\s+(?:second|minute)\b")
"""A unit that is counted, of which it is not said whether its beginning or its end is meant."""


def _checked(when: When, notes: list[str]) -> When:
    """The same with its ends in order."""
    if "frame" in when.words:
        notes.append("Frame numbers are read at 25 frames a second.")
    elif _ORDINAL_UNIT.search(when.words) and (when.start is None) != (when.end is None):
        edge = f"from {when.start.seconds:g} s on" if when.start else f"until {when.end.seconds:g} s" if when.end else ""
        notes.append(f"“{when.words}” is read as {edge}.")
    elif when.start and when.end and _is_bare(when.words):
        notes.append(f"“{when.words}” names no unit; it is read as seconds.")
    if when.start and when.end and when.start.share == when.end.share and when.start.seconds > when.end.seconds:
        notes.append(f"“{when.words}” ends before it starts; it is read the other way round.")
        return replace(when, start=when.end, end=when.start)
    return when


def _is_bare(words: str) -> bool:
    """Whether a time is in figures alone: "0-2"."""
    return bool(re.search(r"\d", words)) and not unit_of(words) and not re.search(r"\d:\d|start|begin|end|middle|half", words)
