"""Text → tokens: contractions and emoji spelt out, times and action units in figures found and marked.

Marks are tokens that start with "@": ``@at=2.0``, ``@for=3.0``, ``@au=12,L,0.7`` (``_`` where nothing is said).
"""

import re
from dataclasses import dataclass, field

from tbd.think.lexicon import emoji

WORD_LIMIT = 400
"""Words that are read; a longer text is a story, not a direction."""


def cut_short(limit: int, what: str = "words") -> str:
    """What to tell the user of a text of which only `limit` words or characters were read."""
    return f"Only the first {limit} {what} were read; one or two sentences about the feeling serve best."


_NUMBERS = {
    "half a": 0.5, "a couple of": 2, "a few": 3, "several": 4, "a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10,
}  # fmt: skip
_N = rf"(\d+(?:\.\d+)?|\.\d+|{'|'.join(_NUMBERS)})"
_S = r"\s*-?(?:s|secs?|seconds?)\b"

_TIMES: tuple[tuple[str, str], ...] = (
    (rf"\b(?:for|in|during|over)\s+the\s+first\s+(?:{_N}{_S}|second\b)", "first"),
    (rf"\b(?:for|in|during|over)\s+the\s+last\s+(?:{_N}{_S}|second\b)", "last"),
    (rf"\bfor\s+(?:about\s+|around\s+)?{_N}{_S}", "for"),
    (rf"\b(?:after|in)\s+{_N}\s*(?:more\s+)?{_S}", "after"),
    (rf"\b{_N}{_S}\s+(?:later|after that|in\b|into\b|afterwards)", "after"),
    (rf"\b(?:until|till|up to|to)\s+(?:second\s+)?{_N}{_S}", "until"),
    (rf"(?:\b(?:starting\s+|beginning\s+)?(?:at|from|by|around)\s+|@\s*){_N}{_S}(?:\s+on(?:wards?)?)?", "at"),
    (r"\b(?:at|from|by|around)\s+second\s+(\d+(?:\.\d+)?)", "at"),
    (rf"\b{_N}{_S}\s*:", "at"),
    (rf"\b{_N}{_S}\s+of\b", "for"),
    (r"\b(?:(?:in|during|for) the second half|(?:half\s?|mid)way(?:\s+through)?|in the middle|mid-sentence)()\b", "half"),
)  # fmt: skip

_SPAN = re.compile(
    r"(?:[\[(]\s*(?P<a>\d+(?:\.\d+)?)\s*(?:s|sec|seconds)?\s*(?:-|–|—|to|until|,)\s*(?P<b>\d+(?:\.\d+)?|end)?\s*(?:s|sec|seconds)?\s*[\])]"
    r"|(?:\bfrom\s+|\bbetween\s+|\bseconds\s+)?\b(?P<c>\d+(?:\.\d+)?)\s*(?:s|sec|seconds)?\s*(?:-|–|—|\bto\b|\buntil\b|\band\b)\s*(?P<d>\d+(?:\.\d+)?)\s*"
    r"(?:s|secs?|seconds?)\b)\s*:?"
)

_UNIT = r"(\d+)\s?([lr]\b)?"
_UNITS = re.compile(
    rf"\b(?:(?P<side>left|right)\s+)?(?:aus?|action units?)[\s#-]*"
    rf"(?P<list>{_UNIT}(?:\s*(?:\+|,\s*and|,|and|&|/)\s*(?:aus?\s*)?\d+(?!\s*\.?\d|\w)[lr]?)*)"
    r"(?P<letter>[a-e])?\b"
    r"(?:\s*(?:(?:at|=|:|@|with|to|of)\s*)?(?:(?:intensity|strength|level)\s*)?(?:of|=|:|at)?\s*\(?\s*"
    r"(?:(?P<percent>\d+(?:\.\d+)?)\s*%|(?P<value>\d*\.\d+|(?<=[=:@(\sat])\d+(?:\.\d+)?)(?!\s*(?:s|sec)\b)"
    r"|(?P<grade>(?<=level )[a-e]\b))\)?)?"
)
_GRADES = dict(zip("abcde", (0.2, 0.4, 0.6, 0.8, 1.0)))
"""FACS's five-step scale, A trace .. E maximum."""

_WORDS = re.compile(r"@[a-z]+=[^\s]*|[^\W\d_]+(?:[-'][^\W\d_]+)*|[.,;:!?…()\[\]]|→|->|=>|\d+")
_CONTRACTIONS = (
    (r"\bcan't\b|\bcannot\b|\bcan not\b|\bcant\b|\bcouldn't\b|\bcould not\b|\bcouldnt\b", "cannot"),
    (r"\bwon't\b|\bwont\b", "will not"),
    (r"n't\b", " not"), (r"\b(is|are|was|were|do|does|did|has|have|would|should)nt\b", r"\1 not"),
    (r"\b(he|she|it|that|who|there)'s\b", r"\1 is"),
    (r"'re\b", " are"), (r"\bi'm\b", "i am"), (r"'(?:s|ll|ve|d)\b", ""), (r"\b(?:him|her|them|my|your)sel(?:f|ves)\b", "self"),
    (r"\b(\w+er) and \1\b", r"increasingly \1"),
    (r"\b(?:in|during|for) the first half\b", "at first"), (r"\blol\b", "laugh"), (r"\b(?:gonna|going to)\b", "about to"),
)  # fmt: skip


@dataclass(frozen=True)
class Span:
    """A stretch of text with the time that it is bound to; None where the text does not say."""

    tokens: list[str]
    start: float | None = None
    end: float | None = None
    shouted: frozenset[int] = field(default_factory=frozenset)


def _number(text: str) -> float:
    return float(_NUMBERS[text]) if text in _NUMBERS else float(text)


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


def _spell_out(text: str) -> str:
    """Lower case, emoji as words, contractions apart, times and units as marks."""
    text = re.sub("[‘’ʼ`´]", "'", text)
    text = re.sub(r"[-=]+>", "→", text)
    text = re.sub(r"[“”\"*_~#<>{}|]", " ", text.lower())
    for pattern, replacement in _CONTRACTIONS:
        text = re.sub(pattern, replacement, text)
    for pattern, name in _TIMES:
        text = re.sub(pattern, lambda m, name=name: f" @{name}={_number(m[1] or 'one')} ", text)
    text = _UNITS.sub(_mark_units, text)
    return re.sub(r"\b(\d+)\s*%(?:\s+of)?(?=\s+[a-z])", lambda m: _share(int(m[1])), text)


def _share(percent: int) -> str:
    """ "80% happy" in a word of degree."""
    return "barely" if percent < 15 else "slightly" if percent < 40 else "moderately" if percent < 65 else "mostly" if percent < 90 else ""


def _replace_emoji(text: str) -> str:
    text = text.replace("\ufe0f", "").replace("\u200d", "")
    for sign, words in sorted(emoji().items(), key=lambda item: -len(item[0])):
        if sign[0].isascii():  # ":)" stands alone; "section:D" does not
            text = re.sub(rf"(?<![^\s.,!?]){re.escape(sign)}(?![^\s.,!?])", f" , {words} , ", text)
        else:
            text = text.replace(sign.replace("\ufe0f", ""), f" , {words} , ")
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
    """The word without stretched letters ("sooo")."""
    if not re.search(r"(.)\1\1", word):
        return word
    once, twice = re.sub(r"(.)\1{2,}", r"\1", word), re.sub(r"(.)\1{2,}", r"\1\1", word)
    return twice if twice in known else once


def spans(text: str, known: frozenset[str]) -> list[Span]:
    """Cut a text at times like ``[0-2s]`` and tokenise each piece.

    A time stands before its piece ("[0-2s] calm [2-5s] joy") unless words stand before the first time and none after
    the last ("calm from 0 to 2 seconds, joyful from 2 to 5 seconds").

    Example:
        >>> [(s.tokens, s.start, s.end) for s in spans("[0-2s] calm [2s-end] joy", frozenset())]
        [(['calm'], 0.0, 2.0), (['joy'], 2.0, None)]
    """
    text = " ".join(re.split(r"\s+", text.strip())[: WORD_LIMIT + 1])
    text = _replace_emoji(text)
    shouted = {word.lower() for word in re.findall(r"\b[A-Z]{3,}\b", text) if not text.isupper()}
    low = re.sub("[‘’]", "'", text)
    marks = list(_SPAN.finditer(low.lower()))
    pieces, cuts = [], [m.span() for m in marks]
    texts = [low[a:b] for a, b in zip([0] + [end for _, end in cuts], [start for start, _ in cuts] + [len(low)])]
    times = [(float(m["a"] or m["c"]), None if (m["b"] or m["d"]) in (None, "end") else float(m["b"] or m["d"])) for m in marks]
    has_words = [bool(re.search(r"[^\W\d_]{3,}", piece)) for piece in texts]
    if marks and has_words[0] and not has_words[-1]:
        pieces = list(zip(texts, times))
    else:
        pieces = ([(texts[0], (None, None))] if has_words[0] or not marks else []) + list(zip(texts[1:], times))
    found = []
    for piece, (start, end) in pieces:
        tokens = _words(_spell_out(piece), known)
        found.append(Span(tokens, start, end, frozenset(i for i, token in enumerate(tokens) if token in shouted)))
    return found
