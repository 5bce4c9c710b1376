"""Words that name a feeling in languages other than English, found with the table ``assets/think/feelings_by_language.txt``.

An encoder of sentences guesses from a single word ("wütend") and hears no denial ("Мне не грустно"); a table reads both. What is said
one after the other, or with a time, is parted by `tbd.think.situations.feelings_in_time`.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tbd.think.emotions import EMOTION_SPECS, Emotion
from tbd.think.rules.language_checks import foreign_language, is_plain_english
from tbd.think.rules.lexicon import Sense
from tbd.think.rules.parser import Text
from tbd.think.rules.segmenter import Moment, Reading
from tbd.think.situations.feelings_in_time import Classify, Passage, in_time, passage
from tbd.think.situations.language_tables import Item, Language, Token, all_sections, find, language_named, scripts_of, tokens_of

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
_SPEAKS_FOR_ITSELF = 2
"""Small words that tell which language a text in Latin letters is in, where it names nothing."""
_PARTS = 2
"""Parts with a feeling that a text which names none has at least to be read in time: “In 10 Sekunden ist alles vorbei” is one statement."""
_CLOSE = 3
"""Difference of what speaks for two languages that a time, said in one of them, outweighs."""
_SAYING = ("very", "slightly", "not", "not after", "but", "then")
"""What says a feeling of somebody."""
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


@dataclass(frozen=True)
class NamedFeelings:
    """What a text in another language names.

    Args:
        language: The language's name.
        moments: What is felt, in order of time; what is denied is marked.
        emotions: What is named and not denied.
        is_short: Whether the text says little else.
        is_bare: Whether a word of degree or a denial says it of somebody, or hardly any word stands beside it.
        is_in_time: Whether the text says when, or in which order.
        notes: What the user should know about how times are read.
    """

    language: str
    moments: tuple[Moment, ...]
    emotions: frozenset[Emotion]
    is_short: bool
    is_bare: bool
    is_in_time: bool = False
    notes: tuple[str, ...] = ()


def named_feelings(text: str, words: Text, classify: Classify = lambda parts: []) -> NamedFeelings | None:
    """Find the feelings that a text in another language than English names.

    Args:
        text: As the user wrote it.
        words: The same, read by the rules of English.
        classify: Reads the parts of a text in time that name none; without it they stay empty.

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
    ranked = _ranked(text, guess)
    best = _best(text, ranked)
    named_in_english = sum(len(moment.readings) for moment in words.moments)
    if best is None:
        return None if named_in_english else _only_in_time(text, ranked, is_latin, classify)
    language, tokens, items = best.language, best.tokens, best.items
    if is_latin and guess is None and named_in_english and not any(t.text in language.small - _ENGLISH_TOO for t in tokens):
        return None
    parted = passage(text, language)
    moments = _moments(parted, classify)
    if not any(moment.readings for moment in moments):
        return None
    is_in_time = parted.is_ordered and not (named_in_english > len(_felt(items)) and any(t.startswith("@t") for t in words.tokens))
    emotions = frozenset(r.sense.name for moment in moments for r in moment.readings if not r.negated)
    is_short = len(tokens) <= (_SHORT_UNSPACED if language.is_unspaced else _SHORT)
    is_bare = len(tokens) <= _BARE or any(item.entry.role in _SAYING for item in items)
    return NamedFeelings(language.name, moments, emotions, is_short, is_bare, is_in_time, parted.notes)


class _Ranked(NamedTuple):
    """How much speaks for a language."""

    score: int
    small: int
    language: Language
    tokens: list[Token]
    items: list[Item]

    @property
    def names_something(self) -> bool:
        return bool(_felt(self.items))


def _felt(items: Sequence[Item]) -> list[Item]:
    return [item for item in items if item.entry.role in EMOTION_SPECS]


def _ranked(text: str, guess: str | None) -> list[_Ranked]:
    """The languages of a text's scripts."""
    ranked = []
    scripts = scripts_of(text)
    split: dict[tuple[bool, bool], list[Token]] = {}
    for name, section in all_sections().items():
        if not scripts & section.scripts:
            continue
        language = language_named(name)
        kind = (language.exact, language.is_unspaced)
        if kind not in split:
            split[kind] = tokens_of(text, language)
        items = list(find(split[kind], language))
        small = sum(token.text in language.small for token in split[kind])
        taken = sum(item.end - item.start for item in items)
        score = len(_felt(items)) + taken + small + 2 * (name == guess)
        ranked.append(_Ranked(score, small, language, split[kind], items))
    return ranked


def _best(text: str, ranked: Sequence[_Ranked]) -> _Ranked | None:
    """The language that most of a text's words speak for; None where that is one in which nothing is named."""
    named = [found for found in ranked if found.names_something]
    if not named:
        return None
    best = max(named, key=lambda found: found.score)  # the first of equals
    near = [found for found in named if found.score >= best.score - _CLOSE]
    if len(near) > 1 and any(sign.isdigit() for sign in text):  # "triste pendant 3 secondes" is French, "triste" alone anything
        best = max(near, key=lambda found: found.score + _CLOSE * len(_times(text, found.language)))
    taken = sum(item.end - item.start for item in best.items)
    return None if any(other.small > best.small + taken for other in ranked if not other.names_something) else best


def _times(text: str, language: Language) -> list[str]:
    times: list[str] = []
    tokens_of(text, language, times)
    return times


def _only_in_time(text: str, ranked: Sequence[_Ranked], is_latin: bool, classify: Classify) -> NamedFeelings | None:
    """A text that names no feeling and says what happens one after the other, or when."""
    best = max(ranked, key=lambda found: found.score, default=None)
    if best is None or (is_latin and best.small < _SPEAKS_FOR_ITSELF):
        return None
    parted = passage(text, best.language)
    moments = _moments(parted, classify) if parted.is_ordered else ()
    if sum(bool(moment.readings) for moment in moments) < _PARTS:
        return None
    return NamedFeelings(best.language.name, moments, frozenset(), is_short=False, is_bare=False, is_in_time=True, notes=parted.notes)


def _moments(parted: Passage, classify: Classify) -> tuple[Moment, ...]:
    """What is felt, in order of time."""

    def read(part: list[Item]) -> list[Reading]:
        return _readings(parted.text, parted.language, parted.tokens, parted.items, part)

    if not parted.is_parted:
        return (Moment(read(parted.items)),)
    return tuple(in_time(parted, read, classify, _JOINS))


def _readings(text: str, language: Language, tokens: list[Token], items: list[Item], part: list[Item]) -> list[Reading]:
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


def _is_name(text: str, tokens: list[Token], item: Item, language: Language) -> bool:
    """Whether a word is a part of a name: "Jalan Bahagia". German writes every noun so."""
    word = text[tokens[item.start].start : tokens[item.start].end]
    begins = item.start == 0 or not tokens[item.start - 1].text[0].isalnum()
    return word.istitle() and not begins and language.name != "German" and not text.istitle()


def _with_degree(tokens: list[Token], items: list[Item], item: Item) -> tuple[int, int, float]:
    """The first and last token of a feeling with its words of degree, and the degree."""
    first, last, degree = item.start, item.end, 1.0
    for other in items:
        gap = tokens[other.end : first] if other.end <= first else tokens[last : other.start]
        if other.entry.role not in ("very", "slightly") or len(gap) > _DEGREE_REACH or any(_parts(token.text) for token in gap):
            continue
        degree = max(degree, _VERY) if other.entry.role == "very" else min(degree, _SLIGHTLY)
        first, last = min(first, other.start), max(last, other.end)
    return first, last, degree


def _is_denied(tokens: list[Token], items: list[Item], item: Item) -> bool:
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
