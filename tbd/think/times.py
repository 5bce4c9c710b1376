"""Times in words → `When`: "between seconds 1 and 3", "for the first 30 %", "[0-2s]", "every two seconds".

A table of patterns, each with the fields of a `When` that its groups fill. A text's times become marks, tokens ``@t0``,
``@t1`` …, which `tbd.think.moments` binds to what they are said of.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Literal

from tbd.think.instants import (
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
        words: the phrase, as it stands in the text.
        start: when it starts.
        end: when it ends.
        length: how long it lasts.
        delay: how long after what goes before; a point of time where that lies ahead.
        every: seconds from one occurrence to the next.
        rise: how long it takes to come.
        wait: it is a stretch in which nothing shows.
        fill: it is whatever no other time names ("otherwise").
        early: it is said of the beginning alone ("at the start").
        bare: a length without a preposition, which may be a point of time ("0 s happy, 2 s sad").
        leans: the side on which its words are likelier to stand, where nothing else tells.
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


_SPAN_UNLESS = r"(?![\d.,]*\d)(?!\s*(?:%|per\s?cent|out\s+of|intensity))"
_ABOUT = r"(?:(?:about|around|roughly|approximately|exactly|ca\.?|~)\s*)?"
_DASH = r"\s*(?:-->|->|→|--|-|–|—|\.\.\.?|…|\bto\b|\buntil\b|\btill\b|\bthrough\b|\bthru\b|\bup\s+to\b)\s*"
_CLIP = r"(?:\s+of\s+(?:the|this|that|her|his|its|their)\s+[a-z]+|\s+of\s+it\b)?"
_PLACE = r"first|1st|opening|initial|starting|second|2nd|third|3rd|fourth|4th|last|final|closing|ending|latter|remaining|middle|central|other"
_MORE = r"next|following|another|further"
_PIECE = rf"(?:{one_of(PARTS)}\b|{PERCENT}|{NUMBER}\s*-?\s*{UNIT}|seconds?\b|minute\b|frame\b)"
_PORTION = rf"(?:the\s+|her\s+|his\s+)?(?:very\s+)?\b({_PLACE})\s+({_PIECE}){_CLIP}"
_PAUSE = r"(?:pauses?|silences?|waits?|delays?|breaks?|beats?|nothing|stillness|rests?)"
_CLAUSE = r"(?:^|(?<=[,;.:!?])|(?<=\bthen)|(?<=\band)|(?<=\bbut))\s*"

_PLACEHOLDERS = {
    "<P>": f"({POINT})", "<B>": f"({POINT}|{NUMBER})", "<L>": f"({LENGTH})", "<D>": f"({NUMBER}\\s*-?\\s*{UNIT})", "<PORTION>": _PORTION, "<C>": f"({CLOCK})", "<N>": f"({COUNT})",
    "<PCT>": f"((?:the\\s+)?{PERCENT})", "<U>": f"({UNIT})",
}  # fmt: skip


def _portion(place: str, piece: str) -> tuple[Instant, Instant] | None:
    """ "second", "half" → the start and the end of the second half."""
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
    return tuple(Instant(size.seconds * n, size.share * n) for n in (count - 1, count))


def _as_span(groups: list[str], words: str) -> When | None:
    """Two points; a unit that one of them names counts for both, seconds where neither does."""
    first, last = groups
    units = (unit_of(first), unit_of(last))
    start, end = instant(first, units[1] or "s"), instant(last, units[0] or "s")
    return When(words, start=start, end=None if end == END else end)


def _as_portion(groups: list[str], words: str, edge: str = "both") -> When | None:
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


def _as_fields(groups: list[str], words: str, field: str = "start", **fixed: object) -> When | None:
    """One point or length."""
    if not groups:
        return When(words, **fixed)
    value = instant(groups[0], "s" if field == "bare" else None)
    return None if value is None else When(words, **{field: value, **fixed})


def _as_from_end(groups: list[str], words: str) -> When | None:
    """ "With two seconds left"."""
    length = instant(groups[0])
    return None if length is None else When(words, start=Instant(-length.seconds, 1.0))


def _as_every(groups: list[str], words: str) -> When | None:
    if len(groups) == 2:  # "twice a second"
        times = {"once": 1, "twice": 2, "thrice": 3}.get(groups[0]) or number(re.sub(r"\s*times?", "", groups[0]))
        return When(words, every=UNITS[groups[1].rstrip("s")] / times)
    every = (instant(groups[0]) if groups else None) or Instant(2.0 if "other" in words else 1.0)
    return When(words, every=every.seconds) if every.seconds else None


_span, _every = _as_span, _as_every
_RULES: tuple[tuple[str, Callable[[list[str], str], When | None]], ...] = (
    # --- from … to … ---
    (r"(?:\b(?:from|between|during|for|in|at|within|over)\s+)?[\[({]\s*<B>" + _DASH + r"<B>\s*[\])}]\s*:?", _span),
    (r"[\[(]\s*<B>\s*,\s*<B>\s*[\])]\s*:?", _span),
    (r"\b(?:in\s+)?between\s+" + _ABOUT + r"<B>\s*(?:and|to|-|–)\s*" + _ABOUT + "<B>", _span),
    (r"\b(?:from|starting\s+(?:at|from)|beginning\s+at)\s+" + _ABOUT + "<B>" + _DASH + _ABOUT + r"<B>\s*:?", _span),
    (r"(?:\b(?:in|during|for|at|over|within|throughout)\s+)?<P>" + _DASH + r"<P>\s*:?", _span),
    (r"(?:\b(?:in|during|for|at|over|within|throughout)\s+)?(?:the\s+)?<B>" + _DASH + r"<P>\s*:?", _span),
    (r"(?:\b(?:in|during|for|at|over|within|throughout)\s+)?<P>" + _DASH + r"<B>\s*:?" + _SPAN_UNLESS, _span),
    # --- parts of the whole ---
    (r"\b(?:from|since|starting\s+(?:with|from|in|at)|beginning\s+(?:with|in)|as\s+of)\s+<PORTION>(?:\s+on(?:wards?)?)?", partial(_as_portion, edge="from")),
    (r"\b(?:until|till|up\s+to|before)\s+<PORTION>", partial(_as_portion, edge="until")),
    (r"\bafter\s+<PORTION>", partial(_as_portion, edge="after")),
    (r"(?:\b(?:only\s+)?(?:in|for|during|over|throughout|within|at|through|across)\s+)?(?:all\s+of\s+)?<PORTION>\s*:?", _as_portion),
    (rf"\b(?:for\s+|in\s+|over\s+)?(?:the\s+)?(?:{_MORE})\s+(?={_PIECE})<L>", partial(_as_fields, field="length", leans="forward")),
    (r"\b(?:in|during|through|around|near|towards?)\s+the\s+middle\b" + _CLIP, partial(_as_fields, start=Instant(0, 1 / 3), end=Instant(0, 2 / 3))),
    (r"\b(?:at|in)\s+the\s+very\s+(?:start|beginning)\b" + _CLIP, partial(_as_fields, start=START, end=Instant(0, 0.15))),
    (r"\b(?:at|in|near)\s+the\s+(?:start|beginning|outset)\b" + _CLIP, partial(_as_fields, start=START, early=True)),
    (r"\b(?:right\s+)?from\s+the\s+(?:very\s+)?(?:start|beginning|outset)\b" + _CLIP, partial(_as_fields, start=START)),
    (r"\b(?:right\s+|just\s+|only\s+)?(?:at|in|until|towards?|near)\s+the\s+(?:very\s+end|last\s+moment)\b" + _CLIP, partial(_as_fields, start=Instant(0, 0.85))),
    (r"\b(?:with\s+<D>\s+(?:left|remaining|to\s+go)|<D>\s+(?:before|from)\s+the\s+end)\b" + _CLIP, _as_from_end),
    (r"\b(?:just|shortly|right)\s+before\s+the\s+end\b" + _CLIP, partial(_as_fields, start=Instant(0, 0.8))),
    (r"\b(?:half-?\s?way(?:\s+(?:through|in|point))?|mid-?way(?:\s+through)?|mid-?(?:sentence|clip|video|audio|speech|track|recording))\b" + _CLIP, partial(_as_fields, start=Instant(0, 0.5))),
    (r"\b(?:<P>\s+(?:through|in)\b|(?:about\s+)?<P>\s+into\s+(?:the\s+)?[a-z]+)", _as_fields),
    (r"\b(?:otherwise|elsewhere|(?:for\s+|during\s+|in\s+)?(?:all\s+)?(?:the\s+|its\s+)?(?:rest|remainder)\s+of\s+(?:the|this|that)\s+[a-z]+"
     r"|(?:for\s+|during\s+|in\s+)?the\s+(?:rest|remainder)\b|the\s+remaining\s+time|all\s+other\s+times?|(?:both\s+)?before\s+and\s+after(?:wards)?(?:\s+that)?)(?!\s+@)",
     partial(_as_fields, fill=True)),
    (r"\b(?:up\s+)?before\s+(?:that|this)\b", partial(_as_fields, start=START)),
    (r"\b(?:before(?:hand)?|(?:up\s+to|until|till)\s+then)\b(?=\s*(?:$|[,.;]))", partial(_as_fields, start=START)),
    # --- pauses, lengths, delays ---
    (rf"\bafter\s+(?:a\s+)?(?:{_PAUSE}\s+(?:of\s+|for\s+)?<D>|<D>\s*(?:-\s*)?{_PAUSE}\b|<D>\s+of\s+{_PAUSE}\b)", partial(_as_fields, field="delay")),
    (rf"\b{_PAUSE.replace('s?', '(?:s|ing)?')}\s+(?:still\s+)?(?:happens\s+)?(?:for\s+|of\s+)?" + _ABOUT + "<D>", partial(_as_fields, field="length", wait=True)),
    (rf"(?:\bfor\s+)?<D>\s*(?:-\s*|of\s+){_PAUSE}\b", partial(_as_fields, field="length", wait=True)),
    (rf"\b(once|twice|thrice|{COUNT}\s+times)\s+(?:a|an|per|every|each)\s+(seconds?|minutes?)\b", _every),
    (r"\b(?:repeatedly|rapidly|again\s+and\s+again|over\s+and\s+over(?:\s+again)?|constantly|continuously|continually|non-?stop|the\s+whole\s+time)\b",
     partial(_as_fields, every=0.6, leans="back")),
    (r"\b(?:frequently|regularly|now\s+and\s+(?:then|again)|from\s+time\s+to\s+time|occasionally|every\s+now\s+and\s+then|once\s+in\s+a\s+while)\b",
     partial(_as_fields, every=2.0, leans="back")),
    (r"\b(?:once\s+)?(?:every|each)\s+(?:other\s+)?(?:<D>|(?:second|minute)\b)", _every),
    (r"\bevery\s+<N>\s*<U>", lambda groups, words: When(words, every=number(groups[0]) * UNITS[unit_of(groups[1]) or "s"])),
    (r"\b(?:over|across)\s+(?:the\s+(?:course|space)\s+of\s+)?" + _ABOUT + "<L>", partial(_as_fields, field="rise", leans="back")),
    (r"\bwithin\s+(?:the\s+space\s+of\s+)?" + _ABOUT + "<L>", partial(_as_fields, field="rise", leans="back")),
    (r"\b<D>\s*(?:later|after\s+that|afterwards?|thereafter)", partial(_as_fields, field="delay", leans="forward")),
    (r"\bafter\s+(?:another\s+|a\s+further\s+)?" + _ABOUT + r"<D>(?:\s+more)?(?:\s+(?:in|have\s+passed|has\s+passed))?(?!\s+of\b)", partial(_as_fields, field="delay")),
    (r"\bin\s+" + _ABOUT + r"<D>", partial(_as_fields, field="delay")),
    (r"\b(?:for|lasting|lasts|holds?\s+(?:it|this|that)?\s*for|held\s+for)\s+(?:only\s+|just\s+|another\s+|at\s+least\s+|no\s+more\s+than\s+)?" + _ABOUT + r"<L>(?:\s+more)?(?:\s+long)?(?:\s+straight)?",
     partial(_as_fields, field="length", leans="back")),
    (r"\b<D>\s*-?\s*long\b", partial(_as_fields, field="length")),
    (r"\b<D>\s+of\b", partial(_as_fields, field="length", leans="forward")),
    # --- points ---
    (r"\b(?:until|till|up\s+(?:to|until)|no\s+later\s+than|ending\s+at|(?:and\s+)?(?:ends?|stops?)\s+(?:at|after)|before)\s+" + _ABOUT + r"(?!(?:the\s+)?(?:very\s+)?(?:start|beginning|end)\b)<P>",
     partial(_as_fields, field="end", leans="back")),
    (r"\bto\s+(?=\d)(?!\d+\s*%)<P>", partial(_as_fields, field="end", leans="back")),
    (r"\b(?:from|since|starting(?:\s+(?:at|from))?|beginning(?:\s+(?:at|from))?|as\s+of|past)\s+" + _ABOUT + r"<P>(?:\s+(?:and\s+)?on(?:wards?)?\b|\s+forward)?\s*:?", _as_fields),
    (r"(?:\b(?:at|by|around|on|upon)\s+(?:exactly\s+|about\s+|around\s+)?|@\s*)(?:the\s+)?(?!(?:the\s+)?(?:very\s+)?(?:start|beginning|end)\b)(?!(?:the\s+)?"
     + PERCENT + r")<P>(?:\s+(?:and\s+)?on(?:wards?)?\b)?\s*:?", _as_fields),
    (_CLAUSE + r"at\s+<PCT>(?!\s*(?:intensity|strength|happ|sad|ang|fear|disg|surp|cont|joy))(?:\s+mark)?" + _CLIP + r"\s*:?", _as_fields),
    (r"\bat\s+<PCT>(?:\s+mark|\s+of\s+(?:the|this)\s+(?:clip|video|audio|recording|time|way|sentence|duration|length|track|take|shot|speech))\s*:?", _as_fields),
    (r"\[\s*<P>\s*\]\s*:?", _as_fields),
    (r"\(\s*(?:for\s+)?<D>\s*\)\s*:?", partial(_as_fields, field="length", bare=True, leans="back")),
    (r"\((?!\s*" + PERCENT + r")\s*<P>\s*\)\s*:?", _as_fields),
    (r"(?:\btimestamp\s+)?\b<P>\s*:", _as_fields),
    (r"\b((?:seconds?|frames?|t|time)\s*[=#]\s*\d+(?:\.\d+)?)\s*:?", _as_fields),
    (r"\b((?:seconds?|frames?)\s+\d+(?:\.\d+)?)", _as_fields),
    (r"<C>", _as_fields),
    (r"\ba\s+(?:whole\s+)?<D>(?=\s+[a-z])", partial(_as_fields, field="length", leans="forward")),
    (r"(?:^|(?<=[,;.]))\s*<B>\s*(?:-|–|—|\bto\b)\s*<B>\s*:", _span),
    (_CLAUSE + r"(one\s+(?:second|minute))\b(?=\s+[a-z])", partial(_as_fields, field="length", bare=True)),
    (rf"\b({COUNT}\s*-?\s*{UNIT})", partial(_as_fields, field="length", bare=True)),
)  # fmt: skip


@cache
def _rules() -> list[tuple[re.Pattern, Callable[[list[str], str], When | None]]]:
    compiled = []
    for pattern, action in _RULES:
        for name, expression in _PLACEHOLDERS.items():
            pattern = pattern.replace(name, expression)
        compiled.append((re.compile(pattern), action))
    return compiled


def mark_times(text: str, times: list[When], notes: list[str]) -> str:
    """Replace each time by a mark ``@t…``.

    Args:
        text: lower case.
        times: what the marks stand for; added to.
        notes: what the user should know about how a time is read; added to.

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

    text = _spelt_out(_joined_numbers(text))
    for pattern, action in _rules():
        text = pattern.sub(partial(mark, action=action), text)
    return text


def _joined_numbers(text: str) -> str:
    """ "two and a half seconds", "1 min 30 s", "1½ s" in figures."""
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
    for _ in range(3):
        text = re.sub(rf"(?<!between )(?<!seconds )(?<!frames )(?<![\d.,])({DIGITS})\s*(,\s*(?:and\s+)?|\band\s+)({DIGITS})\s*({UNIT})", r"\1 \4 \2at \3 \4", text)
        text = re.sub(
            rf"(\b(?:seconds?|frames?)\s+)({DIGITS}\s*(?:-|–|to)\s*{DIGITS})(\s*(?:,|\band)\s+(?:and\s+)?)(?={DIGITS}\s*(?:-|–|to)\s*{DIGITS})", r"\1\2\3\1", text
        )
    return text


def _checked(when: When, notes: list[str]) -> When:
    """The same with its ends in order."""
    if "frame" in when.words:
        notes.append("Frame numbers are read at 25 frames a second.")
    elif re.search(r"\d", when.words) and when.start and when.end and not unit_of(when.words) and not re.search(r"\d:\d|start|begin|end", when.words):
        notes.append(f"“{when.words}” names no unit; it is read as seconds.")
    if when.start and when.end and when.start.share == when.end.share and when.start.seconds > when.end.seconds:
        notes.append(f"“{when.words}” ends before it starts; it is read the other way round.")
        return replace(when, start=when.end, end=when.start)
    return when
