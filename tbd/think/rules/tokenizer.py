"""Text → tokens: contractions and emoji spelt out; times, quantities and action units in figures found and marked.

Marks are tokens that start with "@": ``@t0`` (the first of `Tokens.times`), ``@q0`` (the first of `Tokens.quantities`),
``@au=12,l,0.7`` (``_`` where nothing is said).
"""

import re
from dataclasses import dataclass

from tbd.think.rules.cleaning import clean
from tbd.think.rules.lexicon import EMOJI_BREAK, emoji
from tbd.think.rules.quantities import Quantity, canonical, mark_quantities
from tbd.think.rules.time_spans import When, mark_times

WORD_LIMIT = 400
"""Words that are read; a longer text is a story, not a direction."""


_LONGEST = 300
"""Characters that are read of a text without blanks: patterns take time that grows with their square."""


def cut_short(limit: int, what: str = "words") -> str:
    """Word the note on a text of which only a part was read.

    Args:
        limit: How much was read.
        what: "words" or "characters".

    Returns:
        One sentence or two for the user.
    """
    return f"Only the first {limit} {what} were read; one or two sentences about the feeling serve best."


_DIGITS = 9
"""Digits that are read of a number."""


def _shortened(text: str, notes: list[str]) -> str:
    """As much of a text as is read; what is left out is noted."""
    words = re.split(r"\s+", _join_lines(text))
    if len(words) > WORD_LIMIT:
        notes.append(cut_short(WORD_LIMIT))
    words = words[: WORD_LIMIT + 1]
    if any(len(word) > _LONGEST for word in words):
        notes.append(f"Only the first {_LONGEST} characters of a word were read.")
    text = " ".join(word[:_LONGEST] for word in words)
    if re.search(rf"\d{{{_DIGITS + 1}}}", text):
        notes.append(f"Only the first {_DIGITS} digits of a number were read.")
    text = re.sub(rf"\d{{{_DIGITS},}}", lambda match: match[0][:_DIGITS], text)
    if len(text) > WORD_LIMIT * 12:
        notes.append(cut_short(WORD_LIMIT * 12, "characters"))
    return text[: WORD_LIMIT * 12]


_UNIT = r"(\d+)\s?([lr]\b)?"
_UNITS = re.compile(
    rf"\b(?:(?P<side>left|right)\s+)?(?:aus?|action units?)[\s#-]*"
    rf"(?P<list>{_UNIT}(?:\s*(?:\+|,\s*and|,|and|&|/)\s*(?:aus?\s*)?\d+(?!\s*\.?\d|\w)[lr]?)*)"
    r"(?P<letter>[a-e])?\b"
    r"(?:\s*(?:(?:at|=|:|@|with|to|of)\s*)?(?:(?:intensity|strength|level)\s*)?(?:of|=|:|at)?\s*\(?\s*"
    r"(?:(?P<percent>\d+(?:\.\d+)?)\s*%|(?P<value>\d*\.\d+|(?<=[=:@(\sat])\d+(?:\.\d+)?)(?!\s*(?:s|sec)\b)"
    r"|(?P<grade>(?<=level )[a-e]\b))\)?)?"
)
_UNIT_PLACE = "\ue000"
_GRADES = dict(zip("abcde", (0.2, 0.4, 0.6, 0.8, 1.0)))
"""FACS's five-step scale, A trace .. E maximum."""

_WORDS = re.compile(rf"@au=[^\s]*|@[tq]\d+|[^\W\d_]+(?:[-'][^\W\d_]+)*|[.,;:!?…()\[\]{EMOJI_BREAK}]|→|\d+")
_UNREAD = re.compile(
    r"(?:\b[a-z']+\s+)?(?<![\w/.@_-])-?\d[\d.,:/]*(?<![.,:/])(?!\w*[_/])(?:\s*(?:%|[a-z]+))?"
    r"|(?:\b[a-z]+\s+)?\b(?:seconds|secs|minutes?|milliseconds?|ms|frames?|hours?|percent|percentage|twice|thrice|times)\b"
    r"|\b(?:at|until|till|after|from|by|since)\s+(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b(?:\s+o'clock)?"
    r"|\b(?:every|each|per|a|one|last|first)\s+(?:second|time|frame|minute)\b(?=\s*(?:$|[.,;!?]))"
)
"""Numbers and words of time and quantity that no mark has taken."""
_CONTRACTIONS = (
    (r"\bcan't\b|\bcannot\b|\bcan not\b|\bcant\b|\bcouldn't\b|\bcould not\b|\bcouldnt\b", "cannot"),
    (r"\bcannot be (more\b|\w+er\b)", r"utterly \1"),  # "could not be prouder"
    (r"\bwon't\b|\bwont\b", "will not"),
    (r"\b(is|are|was|were|do|does|did|has|have|would|could|should)n't (i|you|he|she|we|they|it|that|this)\b(?! (?:be|dare)\b)",
     r"\1 \2 indeed"),
    (r"\b(i|you|he|she|we|they|it)'d (?=(?:\w+ly )?(?:be|feel|look|get|love|like|hate|never be|cry|laugh|smile)\b)", r"\1 would "),
    (r"n't\b", " not"), (r"\b(is|are|was|were|do|does|did|has|have|would|should)nt\b", r"\1 not"),
    (r"\b(he|she|it|that|who|there)'s\b", r"\1 is"),
    (r"'re\b", " are"), (r"\bi'm\b", "i am"), (r"'(?:s|ll|ve|d)\b", ""), (r"\b(?:him|her|them|my|your)sel(?:f|ves)\b", "self"),
    (r"\b(\w+er) and \1\b", r"increasingly \1"),
    (r"\b(?:once (?:was|were)|(?:was|were) once)\b", "used to be"),
    (r"\b(?:lo+l|rofl|(?:a?ha){2,}h?|(?:he){2,}h?)\b", "laugh"), (r"\b(?:gonna|going to)\b", "about to"),
    (r"\bp[*#@!.]ssed\b", "pissed"), (r"\bf[*#@]+(?:ing|in)\b|\bf[*#@]?ck(?:ing|in)\b", "fucking"),
)  # fmt: skip


@dataclass(frozen=True)
class Tokens:
    """A text in tokens.

    Args:
        words: The tokens.
        times: What the marks ``@t…`` stand for.
        quantities: What the marks ``@q…`` stand for.
        shouted: Indices of the words in capitals.
        unread: Phrases with a number or a word of time that nothing has read.
        notes: What the user should know about how times and numbers are read.
    """

    words: list[str]
    times: list[When]
    quantities: list[Quantity]
    shouted: frozenset[int]
    unread: list[str]
    notes: list[str]


def _mark_units(match: re.Match) -> str:
    level = None
    if match["percent"]:
        level = float(match["percent"]) / 100
    elif match["value"]:
        level = float(match["value"])
    elif match["letter"] or match["grade"]:
        level = _GRADES[match["letter"] or match["grade"]]
    marks = []
    for number, side in re.findall(r"(\d+)\s?([lr]\b)?", match["list"]):
        side = side or (match["side"] or "_")[0]
        marks.append(f"@au={number},{side},{'_' if level is None else level}")
    return f" {' '.join(marks)} "


def _plain(text: str) -> str:
    """Lower case, one kind of quote and arrow, contractions apart."""
    text = text.replace(_UNIT_PLACE, " ")
    text = re.sub("[‘’ʼ`´]", "'", text)
    text = re.sub(r"@(?=[A-Za-z])", " ", text)  # no mark but our own
    text = re.sub(r"[-=]+>|[➡⇒⟶➜➔➞⮕⟹⇨👉⏩]\ufe0f?", "→", text)
    text = re.sub(r"[“”\"~<>{}|]", " ", text.lower())
    for pattern, replacement in _CONTRACTIONS:
        text = re.sub(pattern, replacement, text)
    return text.replace("*", " ")


def _replace_emoji(text: str) -> str:
    text = text.replace("\ufe0f", "").replace("\u200d", "")
    for sign, words in sorted(emoji().items(), key=lambda item: -len(item[0])):
        if sign[0].isascii():  # ":)" stands alone; "section:D" does not
            text = re.sub(rf"(?<![^\s.,!?]){re.escape(sign)}(?![^\s.,!?])", f" {EMOJI_BREAK} {words} {EMOJI_BREAK} ", text)
        else:
            text = text.replace(re.sub("[\ufe0f\u200d]", "", sign), f" {EMOJI_BREAK} {words} {EMOJI_BREAK} ")
    return text


def _words(text: str, known: frozenset[str]) -> list[str]:
    """Tokens; a hyphenated word that no table knows falls apart."""
    words = []
    for word in _WORDS.findall(text):
        if word[0] == "@" or not word[0].isalpha():
            words.append(word)
        elif word in known or "-" not in word:
            words.append(squash_known(word.replace("'", ""), known))
        else:
            words += [part for part in word.replace("'", "").split("-") if part]
    return words


def squash_known(word: str, known: frozenset[str]) -> str:
    """Undo stretched letters ("sooo").

    Args:
        word: A word in lower case.
        known: Words that decide between one letter and two.

    Returns:
        The word as a dictionary has it.
    """
    if not re.search(r"(.)\1\1", word):
        return word
    once, twice = re.sub(r"(.)\1{2,}", r"\1", word), re.sub(r"(.)\1{2,}", r"\1\1", word)
    return twice if twice in known else once


def _join_lines(text: str) -> str:
    """Lines of a script are clauses; a line of time belongs to the one below it; subtitles lose their numbers."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if not any(re.match(r"[-*•\[(]|\d|(?:at|from|for|t|frames?|seconds?)\b", line, re.IGNORECASE) for line in lines[1:]):
        return " ".join(lines)
    arrows = [bool(re.search(r"-->", line)) for line in lines]
    lines = [line for i, line in enumerate(lines) if not (line.isdigit() and i + 1 < len(lines) and arrows[i + 1])]
    joined = ""
    for line in lines:
        line = re.sub(r"^[-*•]\s+|^\d+[.)]\s+(?=\D)", "", line)
        joined += line + (" " if re.fullmatch(r"[\[(]?[\d:.,\s>–-]+s?[\])]?:?", line) else " ; ")
    return joined.rstrip(" ;")


def tokenize(text: str, known: frozenset[str]) -> Tokens:
    """Tokens of a text, of which `WORD_LIMIT` words are read.

    Args:
        text: As the user wrote it.
        known: Words that are not to be taken apart.

    Returns:
        The tokens with what their marks stand for, and notes for the user.

    Example:
        >>> tokens = tokenize("[0-2s] calm, blinks twice", frozenset())
        >>> tokens.words, tokens.times[0].end.seconds, tokens.quantities[0].value
        (['@t0', 'calm', ',', 'blinks', '@q0'], 2.0, 2)
    """
    notes: list[str] = []
    text = _replace_emoji(clean(_shortened(text, notes), known, notes))
    shouted = {word.lower() for word in re.findall(r"\b[A-Z]{3,}\b", text) if not text.isupper()}
    times: list[When] = []
    quantities: list[Quantity] = []
    text = mark_times(canonical(_plain(text)), times, notes)
    text = _UNITS.sub(_mark_units, text)
    units = re.findall(r"@au=\S+", text)
    text = mark_quantities(re.sub(r"@au=\S+", _UNIT_PLACE, text), quantities, notes)  # the figure of a mark is no quantity
    text = re.sub(_UNIT_PLACE, lambda _: units.pop(0), text)
    text = re.sub(r"(@au=\S+)|_", lambda match: match[1] or " ", text)
    words = _words(text, known)
    unread = [" ".join(match[0].split()) for match in _UNREAD.finditer(re.sub(r"@\S+", ";", text))]
    return Tokens(words, times, quantities, frozenset(i for i, word in enumerate(words) if word in shouted), unread, notes)
