"""How much and how often, in figures and in words → `Quantity`: "8/10", "70 %", "happy=0.7", "level 3", "twice", "half as".

As with times (`tbd.think.rules.time_spans`), a text's quantities become marks, tokens ``@q0``, ``@q1`` …, which
`tbd.think.rules.attachment` gives to the feelings and movements that they are said of.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from tbd.think.emotions import LEVELS
from tbd.think.rules.time_points import COUNT, DIGITS, NUMBER, number

_OFTEN = {"once": 1, "twice": 2, "thrice": 3, "double": 2, "triple": 3}
_STRENGTHS = {"full": 1.0, "maximum": 1.0, "maximal": 1.0, "max": 1.0, "high": 0.8, "medium": 0.5, "half": 0.5, "moderate": 0.5, "low": 0.3,
              "minimum": 0.15, "minimal": 0.15, "zero": 0.0}  # fmt: skip


Leans = Literal["back", "forward", "either"]


@dataclass(frozen=True)
class Quantity:
    """What one phrase says about how much or how often.

    Args:
        words: The phrase, as it stands in the text.
        kind: "level" (an intensity 0..1), "factor" (of the intensity that the bare word means) or "count" (how often).
        value: The number.
        leans: The side on which its word is likelier to stand, where nothing else tells.
    """

    words: str
    kind: Literal["level", "factor", "count"]
    value: float
    leans: Leans = "either"


_WORD = r"[a-z][a-z'-]*[a-z]"
_MEASURE = r"(?:intensity|strength|weight|degree|amount|level|value|power)"
_NOT_TIME = rf"(?!(?:t|time|at|seconds?|sec|frames?|scene|shot|take|part|step|act|au|lvl|{_MEASURE})\b)"
_NO_UNIT = r"(?![\w:%]|\.\d|\s*(?:s|ms|secs?|seconds?|frames?|times)\b|\s*(?:-|–|to)\s*\d)"
_SCALE = r"(?:on\s+)?(?:a\s+|the\s+)?scale\s+(?:(?:of|from)\s+)?(?:[01]\s*(?:to|-|–)\s*)?(?P<of>\d+)(?!\d|\s*(?:to|-|–)\s*\d)"
_GESTURE = (
    r"(?:nods?|blinks?|winks?|shakes?|head\s?shakes?|smiles?|frowns?|laughs?|sighs?|gasps?|glances?|grins?|gulps?|yawns?|kisses|sobs?|"
    r"chuckles?|giggles?|eye[\s-]?rolls?|looks?|flinches|winces|shrugs?|smirks?|tilts?|swallows|twitches|tears?|raises?)"
)
_ADJECTIVES = r"(?:(?:quick|slow|small|short|brief|little|big|deep|rapid|fast|gentle|long|firm|clear|slight|hard|tiny|eager)\s+)*"


_FRACTIONS = {
    "half": 1 / 2, "one half": 1 / 2, "a third": 1 / 3, "one third": 1 / 3, "two thirds": 2 / 3, "a quarter": 1 / 4,
    "one quarter": 1 / 4, "three quarters": 3 / 4,
}  # fmt: skip
_FRACTION = r"\b(half|one[\s-]half|(?:a|one)[\s-]third|two[\s-]thirds|(?:a|one)[\s-]quarter|three[\s-]quarters)"
_FRACTION += r"\s+(?!of\b|an?\b|as\b|way|second|minute|the\b|through|a$)(?=[a-z])"


def canonical(text: str) -> str:
    """Fractions of a scale as percentages, so that all that follows reads one form.

    Args:
        text: Lower case.

    Returns:
        The text with percentages in their place.

    Example:
        >>> canonical("anger: 8/10"), canonical("a 3 on a scale of 5 happy")
        ('anger: 80%', 'a 60% happy')
    """

    def percent(match: re.Match) -> str:
        value, whole = number(match["n"]), float(match["of"])
        return f"{100 * value / whole:g}%" if whole else match[0]

    number_of = rf"(?P<n>-?{DIGITS}|\b(?:one|two|three|four|five|six|seven|eight|nine|ten)\b)"
    text = re.sub(r"\bau\s?0*(\d+)_r\b[\s=:,]*" + f"({DIGITS})", lambda m: f"au{m[1]} = {20 * number(m[2]):g}%", text)  # OpenFace: 0..5
    text = re.sub(r"\bau\s?0*(\d+)_c\b[\s=:,]*([01])(?:\.0+)?\b", lambda m: f"au{m[1]} = {100 * int(m[2])}%", text)
    text = re.sub(r"\b(level|intensity)\s+(one|two|three|four|five)\b", lambda m: f"{m[1]} {number(m[2]):g}", text)
    of = r"\s*(?:/|\bof\b|\bout\s+of\b)\s*(?P<of>\d+)(?![\w/]|\.\d)"
    text = re.sub(rf"\b(?:level|lvl|grade|stage|intensity)\s+{number_of}{of}", _of_scale, text)
    text = re.sub(r"\bout\s+of\s+(ten|five)\b", lambda m: f"out of {number(m[1]):g}", text)
    someone = r"(?:(?:she|he|they|i)\s+(?:is|are|am|feels?|looks?)\s+)?(?:an?\s+)?"
    text = re.sub(rf"{_SCALE}\s*[,:]?\s*{someone}{number_of}(?!\s*%)", percent, text)
    text = re.sub(rf"{number_of}\s*{_SCALE}\b", percent, text)
    whole = r"(?P<of>(?:[3-9]|10|20|100)(?:\.0+)?)(?![\w/]|\.\d)"
    text = re.sub(rf"(?<![\w/.]){number_of}\s*(?:/|\bout\s+of\b(?:\s+a\s+possible)?)\s*{whole}", percent, text)
    text = re.sub(rf"(?<![\w/.]){number_of}\s+of\s+(?P<of>5|10|100)\b(?!\s*\w*\s*second)", percent, text)
    if len(re.findall(_FRACTION, text)) > 1:
        text = re.sub(_FRACTION, lambda m: f"{100 * _FRACTIONS[' '.join(re.split(r'[-  ]+', m[1]))]:.3g}% ", text)
    ratio = re.compile(r"(?<![\d:/.])(\d{1,3})\s*[:/]\s*(\d{1,3})(?![\d:/])")
    return ratio.sub(lambda m: f"{m[1]}% {m[2]}% " if int(m[1]) + int(m[2]) == 100 else m[0], text)


def _of_scale(match: re.Match) -> str:
    """“Level 2 of 5” as a share; three levels are MEAD's."""
    value, whole = number(match["n"]), float(match["of"])
    if whole == len(LEVELS) and value in LEVELS:
        return f"level {value:g}"
    return f"{100 * value / whole:g}%" if whole else match[0]


def _share_scale(text: str, notes: list[str]) -> str:
    """“happy=7, sad=3”: weights beyond 1 are of one scale, ten or a hundred."""
    assigned = re.compile(rf"\b{_NOT_TIME}({_WORD}\s*[:=]\s*)({DIGITS}){_NO_UNIT}")
    values = [number(match[2]) for match in assigned.finditer(text)]
    if len(values) < 2 or max(values) <= 2:
        return text
    scale = 10 if max(values) <= 10 else max(100.0, max(values))
    notes.append(f"An intensity lies between 0 and 1; these are read as of {scale:g}: {', '.join(m[0] for m in assigned.finditer(text))}.")
    return assigned.sub(lambda match: f"{match[1]}{100 * number(match[2]) / scale:g}%", text)


def _scaled(value: float, words: str, notes: list[str]) -> float:
    """An intensity within 0..1; how a number beyond is read is noted."""
    if value < 0:
        notes.append(f"An intensity lies between 0 and 1; “{words}” is read as 0.")
        return 0.0
    if value <= 1:
        return value
    if value <= 2 and value != int(value):
        notes.append(f"An intensity lies between 0 and 1; “{words}” is read as 1.")
        return 1.0
    scale = next((scale for scale in (5.0, 10.0, 100.0) if value <= scale), value)
    notes.append(f"An intensity lies between 0 and 1; “{words}” is read as {value:g} of {scale:g}, {value / scale:g}.")
    return value / scale


def _level(match: re.Match, notes: list[str], leans: Leans = "either") -> Quantity:
    """“70 %”, "intensity 0.5"."""
    words = _words(match)
    if match.groupdict().get("strength"):
        return Quantity(words, "level", _STRENGTHS[match["strength"]], leans)
    if match.groupdict().get("percent"):
        value = number(match["percent"].lstrip("-")) / 100 * (-1 if match["percent"].startswith("-") else 1)
        if value > 1:
            notes.append(f"An intensity lies between 0 and 1; “{words}” is read as 1.")
        return Quantity(words, "level", min(1.0, _scaled(min(value, 1.0), words, notes)), leans)
    value = match["value"]
    return Quantity(words, "level", _scaled(-number(value[1:]) if value.startswith("-") else number(value), words, notes), leans)


def _mead(match: re.Match, notes: list[str]) -> Quantity:
    """“level 3”: MEAD's three levels; higher ones are of five, ten or a hundred."""
    value = int(match["level"])
    if 1 <= value <= 3:
        return Quantity(_words(match), "level", round(LEVELS[value].middle, 3))
    return Quantity(_words(match), "level", _scaled(float(value), _words(match), notes))


def _factor(match: re.Match, notes: list[str]) -> Quantity:
    text = match["factor"]
    value = _OFTEN.get(text) or (0.5 if text == "half" else 1 / 3 if "third" in text else 0.25 if "quarter" in text else number(text))
    return Quantity(_words(match), "factor", value, "forward")


def _weight(match: re.Match, notes: list[str]) -> Quantity:
    """A prompt's "(happy:1.3)": above 1 a factor, up to 1 an intensity."""
    value = number(match["value"])
    return Quantity(_words(match), "factor" if value > 1 else "level", value, "back")


def _count(match: re.Match, notes: list[str], leans: Leans = "back") -> Quantity:
    text = match["count"]
    return Quantity(_words(match), "count", _OFTEN.get(text) or number(text), leans)


def _words(match: re.Match) -> str:
    return " ".join((match.groupdict().get("whole") or match[0]).split())


_BARE = r"(?P<value>-?(?:0?\.\d+|[01]\.\d+))"
_ORDINARY = r"(?:(?:at|with|to|of|by)\s+)?(?:an?\s+)?"
_PATTERNS: tuple[tuple[str, Callable[[re.Match, list[str]], Quantity]], ...] = (
    # --- prompt weights and assignments: "(happy:1.3)", "happy=0.7", "anger: 80%" ---
    (r"\((?P<keep>\s*[a-z][a-z ,'-]*?)\s*:\s*(?P<value>\d*\.?\d+)\s*\)", _weight),
    (rf"\b{_NOT_TIME}(?P<keep>{_WORD})\s*(?:[:=@]|->)\s*(?:level\s*)?(?P<percent>-?{DIGITS})\s*%", partial(_level, leans="back")),
    (rf"\b{_NOT_TIME}(?P<keep>{_WORD})\s*[:=@]\s*(?P<value>-?{DIGITS}){_NO_UNIT}", partial(_level, leans="back")),
    # --- levels ---
    (r"(?<![a-z0-9])(?:at\s+|of\s+|with\s+)?(?:an?\s+)?(?:intensity\s+)?(?:level|lvl)[\s_:=#-]*(?P<level>\d+)(?![.\d%])", _mead),
    (r"(?<=[a-z])_(?P<level>[123])(?=_|\b)(?:_\d+)?", _mead),
    (rf"\b{_ORDINARY}{_MEASURE}\s*(?:of|=|:|at|is)?\s*(?P<percent>-?{DIGITS})\s*%", _level),
    (rf"\b{_ORDINARY}{_MEASURE}\s*(?:of|=|:|at|is)?\s*(?P<value>-?{DIGITS})(?![\w%:])", _level),
    (rf"\b(?:at|with|to)\s+(?P<strength>{'|'.join(_STRENGTHS)})\s+(?:intensity|strength|force|power|level|volume)\b", _level),
    (rf"(?:\b(?:at|with|to|of|by)\s+)?(?:\ba\s+)?\(?(?P<percent>-?{NUMBER})\s*(?:%|per\s?cent\b)\)?"
     rf"(?:\s+(?:of\s+)?{_MEASURE}\b)?(?:\s+of\b)?", _level),
    # --- factors ---
    (rf"\b(?P<factor>twice|thrice|half|double|triple|a\s+third|a\s+quarter|{COUNT}\s*(?:times|x))\s+(?:as|the|more)\b(?!\s+@t)", _factor),
    (rf"\b(?P<factor>{COUNT})\s*(?:x|×|times)\s*(?=[a-z]+er\b)", _factor),
    (r"\bdoubly\b(?P<factor>)", lambda match, notes: Quantity("doubly", "factor", 2.0, "forward")),
    # --- counts ---
    (r"(?<!at\s)\b(?P<count>once|twice|thrice)\b(?!\s+(?:a|per|every|she|he|they|it|the|i|we|more)\b)", _count),
    (rf"\b(?P<count>{COUNT})\s*(?:times\b|x\b|×)(?:\s+in\s+a\s+row)?", _count),
    (r"(?:×|\bx)\s?(?P<count>\d+)\b", _count),
    (rf"\b(?P<count>double|triple)[\s-]+(?={_GESTURE}\b)", partial(_count, leans="forward")),
    (rf"\b(?P<count>{COUNT})\s+(?={_ADJECTIVES}{_GESTURE}\b)", partial(_count, leans="forward")),
    (rf"\b(?P<count>one|an?)\s+(?={_ADJECTIVES}"
     r"(?:nod|blink|wink|head\s?shake|shake\s+of|sigh|gasp|glance|yawn|gulp)\b)", partial(_count, leans="forward")),
    # --- bare decimals ---
    (rf"(?<![\w.:@=,]){_ORDINARY}(?<![\d.]){_BARE}(?![\w%:]|\.\d|\s*(?:s|ms|secs?|seconds?)\b)", _level),
)  # fmt: skip
_COMPILED = [(re.compile(pattern), action) for pattern, action in _PATTERNS]


def mark_quantities(text: str, quantities: list[Quantity], notes: list[str]) -> str:
    """Replace each quantity by a mark ``@q…``.

    Args:
        text: Lower case, canonical, without times.
        quantities: What the marks stand for; added to.
        notes: What the user should know about how a number is read; added to.

    Returns:
        The text with the marks.

    Example:
        >>> quantities = []
        >>> mark_quantities("happy=0.7 and blinks twice", quantities, []), [q.value for q in quantities]
        ('happy @q0  and blinks  @q1 ', [0.7, 2])
    """

    def mark(match: re.Match, action: Callable) -> str:
        quantities.append(action(match, notes))
        return f"{match.groupdict().get('keep') or ''} @q{len(quantities) - 1} "

    text = _share_scale(text, notes)
    for pattern, action in _COMPILED:
        text = pattern.sub(partial(mark, action=action), text)
    return text
