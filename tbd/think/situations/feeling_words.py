"""Words that name a feeling in languages other than English, found with the table ``assets/think/feelings_by_language.txt``.

An encoder of sentences guesses from a single word ("wütend") and hears no denial ("Мне не грустно"); a table reads both.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import NamedTuple

from tbd.think.emotions import EMOTION_SPECS, Emotion
from tbd.think.rules.language_checks import foreign_language, is_plain_english
from tbd.think.rules.lexicon import ASSETS, WORD_STRENGTH, Sense
from tbd.think.rules.parser import Text
from tbd.think.rules.segmenter import Moment, Reading

CHARACTER_LIMIT = 2000
"""Characters that are read of a text."""
_VERY, _SLIGHTLY = 1.25, 0.6
"""Degrees, as the English ones of ``grammar.txt``."""
_REACH = 3
"""Words, or signs of a script without blanks, from a denial to a feeling."""
_DEGREE_REACH = 1
_SHORT, _SHORT_UNSPACED = 8, 16
"""Words up to which what is named is what a text is about, and signs of a script without blanks."""
_BARE = 3
"""Words beside which a feeling is no part of a name or a statement."""
_ENDING = 6
"""Letters that may follow a stem."""
_UNSPACED = ("Chinese", "Japanese", "Thai")
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u0655\u093c\u09bc]")
"""Accents, points and nuktas, which writers leave out."""
_LETTERS = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "ي": "ی", "ى": "ی", "ك": "ک", "’": "'", "ʼ": "'", "\u200c": " "}
)
_WORD = r"[\w\u0300-\u036f\u0591-\u05c7\u0900-\u0963\u0966-\u0dff]+"
_TOKENS = re.compile(_WORD + r"|[.,;:!?…。、，！？；।؟،؛\n]")
_SIGNS = re.compile(r"\S")
_KANA = re.compile("[\u3040-\u30ff]")
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_JOINS = frozenset((
    "und", "aber", "y", "pero", "et", "mais", "e", "ma", "mas", "en", "maar", "och", "men", "og", "mutta", "ale", "es", "ama", "ve", "και",
    "αλλα", "и", "но", "та", "але", "да", "ו", "אבל", "و", "لكن",
))  # fmt: skip
"""Words behind which a denial no longer holds, as they are spelt without accents."""
_ENGLISH_TOO = frozenset((
    "a", "i", "me", "on", "is", "so", "to", "do", "in", "he", "we", "at", "as", "of", "it", "be", "an", "am", "my", "by", "no", "and", "or",
    "was", "has", "the", "mine", "for", "had", "total", "super", "extreme",
))  # fmt: skip
"""Small words that are English as well, and say nothing of a language."""


@dataclass
class _Entry:
    """What a phrase does: "very", "not" …, or an emotion with its strength."""

    role: str
    strength: float = WORD_STRENGTH


@dataclass
class _Language:
    name: str
    exact: bool = False
    words: dict[str, _Entry] = field(default_factory=dict)
    stems: dict[str, _Entry] = field(default_factory=dict)
    small: set[str] = field(default_factory=set)
    prefixes: tuple[str, ...] = ()
    longest: int = 1

    def look_up(self, phrase: str) -> _Entry | None:
        entry = self.words.get(phrase)
        if entry is None and self.stems:
            shortest = max(2, len(phrase) - _ENDING * (2 if phrase > "\u1100" else 1))  # a Korean syllable is up to three letters
            last_word = phrase.rfind(" ") + 1
            ends = range(len(phrase), max(shortest, last_word + 1) - 1, -1)
            entry = next((self.stems[phrase[:k]] for k in ends if phrase[:k] in self.stems), None)
        return entry

    def look_up_joined(self, phrase: str) -> _Entry | None:
        joined = (phrase[len(p) :] for p in self.prefixes if phrase.startswith(p))
        return self.look_up(phrase) or next((entry for rest in joined if (entry := self.look_up(rest)) is not None), None)


class _Item(NamedTuple):
    """An entry at its place: tokens `start` to `end` (exclusive)."""

    entry: _Entry
    start: int
    end: int


class _Token(NamedTuple):
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class NamedFeelings:
    """What a text in another language names.

    Args:
        language: The language's name.
        moments: What is felt, in order of time; what is denied is marked.
        emotions: What is named and not denied.
        is_short: Whether the text says little else.
        is_bare: Whether a word of degree or a denial says it of somebody, or hardly any word stands beside it.
    """

    language: str
    moments: tuple[Moment, ...]
    emotions: frozenset[Emotion]
    is_short: bool
    is_bare: bool


def named_feelings(text: str, words: Text) -> NamedFeelings | None:
    """Find the feelings that a text in another language than English names.

    Args:
        text: As the user wrote it.
        words: The same, read by the rules of English.

    Returns:
        What is named; None where nothing is, or the text is English.

    Example:
        >>> from tbd.think.rules.parser import read
        >>> found = named_feelings("wütend", read("wütend"))
        >>> found.language, set(found.emotions)
        ('German', {'angry'})
        >>> named_feelings("glad", read("glad")) is None
        True
    """
    text = text[:CHARACTER_LIMIT]
    guess = foreign_language(words.tokens)
    is_latin = 2 * len(re.findall("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]", text)) > sum(sign.isalpha() for sign in text)
    if is_latin and (guess is None or len(words.tokens) == 1) and is_plain_english(words.tokens):  # "bang" alone is English, not Dutch
        return None
    best = _best(text, guess)
    if best is None:
        return None
    language, tokens, items = best
    named_in_english = any(moment.readings for moment in words.moments)
    if is_latin and guess is None and named_in_english and not any(t.text in language.small - _ENGLISH_TOO for t in tokens):
        return None
    moments = _moments(text, language, tokens, items)
    if not moments:
        return None
    emotions = frozenset(r.sense.name for moment in moments for r in moment.readings if not r.negated)
    is_short = len(tokens) <= (_SHORT_UNSPACED if language.name in _UNSPACED else _SHORT)
    is_bare = len(tokens) <= _BARE or any(item.entry.role not in EMOTION_SPECS for item in items)
    return NamedFeelings(language.name, moments, emotions, is_short, is_bare)


def _best(text: str, guess: str | None) -> tuple[_Language, list[_Token], list[_Item]] | None:
    """The language that most of a text's words speak for, and what is found in it; None where that is one in which nothing is named."""
    ranked = []
    scripts = _scripts(text)
    split: dict[tuple[bool, bool], list[_Token]] = {}
    for name, section in _sections().items():
        if not scripts & section.scripts:
            continue
        language = _language(name)
        kind = (language.exact, language.name in _UNSPACED)
        if kind not in split:
            split[kind] = _tokens(text, language)
        tokens = split[kind]
        items = list(_find(tokens, language))
        feelings = sum(item.entry.role in EMOTION_SPECS for item in items)
        small = sum(token.text in language.small for token in tokens)
        ranked.append((bool(feelings), feelings + len(items) + small + 2 * (name == guess), small, language, tokens, items))
    named = [found for found in ranked if found[0]]
    if not named:
        return None
    best = max(named, key=lambda found: found[1])  # the first of equals
    taken = sum(item.end - item.start for item in best[-1])
    if any(small > best[2] + taken for is_named, _, small, *_ in ranked if not is_named):
        return None
    return best[3:]


class _Section(NamedTuple):
    exact: bool
    lines: list[str]
    scripts: set[str]


@cache
def _sections() -> dict[str, _Section]:
    sections: dict[str, _Section] = {}
    for line in (ASSETS / "feelings_by_language.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name, _, option = line.strip("[]").partition(" | ")
            sections[name] = section = _Section(option == "exact", [], set())
        elif line and not line.startswith("#"):
            section.lines.append(line)
            if line.startswith("angry"):
                section.scripts.update(_scripts(line.partition(":")[2]))
    return sections


@cache
def _language(name: str) -> _Language:
    """A language's words: read when a text first has its script."""
    language = _Language(name, exact=_sections()[name].exact)
    for line in _sections()[name].lines:
        _add(language, *line.split(":", 1))
    return language


def _scripts(text: str) -> set[str]:
    return {unicodedata.name(sign, "").partition(" ")[0] for sign in set(text) if sign.isalpha()}


def _add(language: _Language, key: str, listed: str) -> None:
    phrases = [phrase.strip() for phrase in listed.split(",")]
    if not language.exact:
        phrases += [spelt for phrase in phrases if (spelt := phrase.translate(_SPELT_OUT)) != phrase]
    folded = [(" ".join(token.text for token in _tokens(phrase.rstrip("*"), language)), phrase.endswith("*")) for phrase in phrases]
    if language.name in _UNSPACED:
        folded = [(phrase.replace(" ", ""), stem) for phrase, stem in folded]
    if key == "small":
        language.small |= {word for phrase, _ in folded for word in phrase.split()}
    elif key == "prefixes":
        language.prefixes = tuple(phrase for phrase, _ in folded)
    else:
        role, _, strength = key.rpartition(" ") if key[-1].isdigit() else (key, "", "")
        entry = _Entry(role, float(strength or WORD_STRENGTH))
        for phrase, stem in folded:
            (language.stems if stem else language.words).setdefault(phrase, entry)
            language.longest = max(language.longest, len(phrase) if language.name in _UNSPACED else phrase.count(" ") + 1)


def _tokens(text: str, language: _Language) -> list[_Token]:
    """Words, or signs of a script without blanks, without case and accents, and where they stand in the text."""
    letters: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        plain = unicodedata.normalize("NFKD", sign.casefold().translate(_LETTERS))
        plain = plain if language.exact else _MARKS.sub("", plain)
        letters += plain
        places += [place] * len(plain)
    found = (_SIGNS if language.name in _UNSPACED else _TOKENS).finditer("".join(letters))
    return [_Token(match[0], places[match.start()], places[match.end() - 1] + 1) for match in found]


def _find(tokens: Sequence[_Token], language: _Language) -> Iterator[_Item]:
    """At each place the longest phrase."""
    if language.name == "Chinese" and any(_KANA.match(token.text) for token in tokens):
        return
    at, blank = 0, "" if language.name in _UNSPACED else " "
    while at < len(tokens):
        for size in range(min(language.longest, len(tokens) - at), 0, -1):
            entry = language.look_up_joined(blank.join(token.text for token in tokens[at : at + size]))
            if entry is not None:
                yield _Item(entry, at, at + size)
                at += size - 1
                break
        at += 1


def _moments(text: str, language: _Language, tokens: list[_Token], items: list[_Item]) -> tuple[Moment, ...]:
    """Readings, parted where "then" stands between two."""
    parts = [list(part) for is_then, part in groupby(items, lambda item: item.entry.role == "then") if not is_then]
    read = [_readings(text, language, tokens, items, part) for part in parts]
    return tuple(Moment(readings) for readings in read if readings)


def _readings(text: str, language: _Language, tokens: list[_Token], items: list[_Item], part: list[_Item]) -> list[Reading]:
    """One for each emotion: what is named in the strongest words."""
    readings: dict[str, Reading] = {}
    for item in part:
        if item.entry.role not in EMOTION_SPECS or _is_name(text, tokens, item, language):
            continue
        first, last, degree = _with_degree(tokens, items, item)
        spec = EMOTION_SPECS[item.entry.role]
        strength = 0.0 if spec.name == "neutral" else item.entry.strength
        sense = Sense(spec.name, "feeling", {spec.name: 1.0}, strength, spec.valence, spec.arousal, language=language.name)
        quoted = " ".join(text[tokens[first].start : tokens[last - 1].end].split())
        reading = Reading(sense, quoted, degree=degree, negated=_is_denied(tokens, items, item))
        known = readings.get(spec.name)
        if known is None or (known.negated, -known.sense.strength * known.degree) >= (reading.negated, -strength * degree):
            readings[spec.name] = reading
    if any(name != "neutral" and not reading.negated for name, reading in readings.items()):
        readings.pop("neutral", None)  # "calm and happy" is happy
        readings = {name: reading for name, reading in readings.items() if not reading.negated} or readings
    return list(readings.values())


def _is_name(text: str, tokens: list[_Token], item: _Item, language: _Language) -> bool:
    """Whether a word is a part of a name: "Jalan Bahagia". German writes every noun so."""
    word = text[tokens[item.start].start : tokens[item.start].end]
    begins = item.start == 0 or not tokens[item.start - 1].text[0].isalnum()
    return word.istitle() and not begins and language.name != "German" and not text.istitle()


def _with_degree(tokens: list[_Token], items: list[_Item], item: _Item) -> tuple[int, int, float]:
    """The first and last token of a feeling with its words of degree, and the degree."""
    first, last, degree = item.start, item.end, 1.0
    for other in items:
        gap = tokens[other.end : first] if other.end <= first else tokens[last : other.start]
        if other.entry.role not in ("very", "slightly") or len(gap) > _DEGREE_REACH or any(_parts(token.text) for token in gap):
            continue
        degree = max(degree, _VERY) if other.entry.role == "very" else min(degree, _SLIGHTLY)
        first, last = min(first, other.start), max(last, other.end)
    return first, last, degree


def _is_denied(tokens: list[_Token], items: list[_Item], item: _Item) -> bool:
    taken = {i for other in items if other.entry.role in ("very", "slightly", "not", "not after") for i in range(other.start, other.end)}
    for other in items:
        before = other.entry.role == "not" and other.end <= item.start
        if not before and not (other.entry.role == "not after" and other.start >= item.end):
            continue
        gap = range(other.end, item.start) if before else range(item.end, other.start)
        between = any(i in gap for feeling in items if feeling.entry.role in EMOTION_SPECS for i in range(feeling.start, feeling.end))
        if not between and not any(_parts(tokens[i].text) for i in gap) and sum(i not in taken for i in gap) <= _REACH:
            return True
    return False


def _parts(token: str) -> bool:
    """Whether a token parts clauses."""
    return token in _JOINS or not (token[0].isalnum() or unicodedata.category(token[0]).startswith("M"))
