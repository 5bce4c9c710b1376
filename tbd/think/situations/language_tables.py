"""The tables of words in other languages: ``assets/think/feelings_by_language.txt`` and ``times_by_language.txt``, read and looked up."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import NamedTuple

from tbd.think.rules.lexicon import ASSETS, WORD_STRENGTH

_ENDING = 6
"""Letters that may follow a stem."""
UNSPACED = ("Chinese", "Japanese", "Thai")
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u0655\u093c\u09bc]")
"""Accents, points and nuktas, which writers leave out."""
_LETTERS = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "ي": "ی", "ى": "ی", "ك": "ک", "’": "'", "ʼ": "'", "\u200c": " "}
)
_SIGN = r"[\w\u0300-\u036f\u0591-\u05c7\u0900-\u0963\u0966-\u0dff]"
_PLACE, _PLACE_ON = "\ue000", "\ue001"
"""What stands in a text for a time that was found in it: as long as the time, so that places stay."""
_TOKENS = re.compile(rf"{_PLACE}{_PLACE_ON}*|{_SIGN}+|[.,;:!?…。、，！？；।؟،؛\n]")
_SIGNS = re.compile(rf"{_PLACE}{_PLACE_ON}*|\S")
_KANA = re.compile("[\u3040-\u30ff]")
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_EVERYWHERE = "*"
"""Name of the section that holds for all languages."""
_DIGITS, _CLOCK = r"(?:(?<!\S)[-−])?\d+(?:[.,:]\d+)?", r"(\d+:\d\d)(?![\d:])"
_SHARE = "%"
"""Stands where a second does: a share of the whole."""


@dataclass
class Entry:
    """What a phrase does: "very", "not", "then" …, an emotion with its strength, or an English phrase of time."""

    role: str
    strength: float = WORD_STRENGTH


@dataclass
class Language:
    """A language's words; see the tables for what they do."""

    name: str
    exact: bool = False
    words: dict[str, Entry] = field(default_factory=dict)
    stems: dict[str, Entry] = field(default_factory=dict)
    small: set[str] = field(default_factory=set)
    prefixes: tuple[str, ...] = ()
    longest: int = 1
    seconds: list[str] = field(default_factory=list)
    numbers: dict[str, str] = field(default_factory=dict)
    spans: list[tuple[str, str]] = field(default_factory=list)
    """An English phrase with numbers, and a pattern for it."""

    @property
    def is_unspaced(self) -> bool:
        """Whether its script has no blanks."""
        return self.name in UNSPACED

    def look_up(self, phrase: str) -> Entry | None:
        """Look a phrase up.

        Args:
            phrase: Without case and accents.

        Returns:
            Its entry, or that of the longest stem that it begins with.
        """
        entry = self.words.get(phrase)
        if entry is None and self.stems:
            shortest = max(2, len(phrase) - _ENDING * (2 if phrase > "\u1100" else 1))  # a Korean syllable is up to three letters
            last_word = phrase.rfind(" ") + 1
            ends = range(len(phrase), max(shortest, last_word + 1) - 1, -1)
            entry = next((self.stems[phrase[:k]] for k in ends if phrase[:k] in self.stems), None)
        return entry

    def look_up_joined(self, phrase: str) -> Entry | None:
        """Look a phrase up that may have a prefix.

        Args:
            phrase: Without case and accents.

        Returns:
            Its entry; one of all languages where this one has none.
        """
        joined = (phrase[len(p) :] for p in self.prefixes if phrase.startswith(p))
        own = self.look_up(phrase) or next((entry for rest in joined if (entry := self.look_up(rest)) is not None), None)
        return own or language_named(_EVERYWHERE).words.get(phrase)

    @cached_property
    def patterns(self) -> tuple[tuple[re.Pattern, str], ...]:
        """Patterns of times with a number, and the English phrase of each; the longest phrases first, as tables list them."""
        return tuple((self._pattern(pattern), english) for english, pattern in (*language_named(_EVERYWHERE).spans, *self.spans))

    def _pattern(self, written: str) -> re.Pattern:
        gap, some = (r"\s*", r"\s*") if self.is_unspaced else (r"\s+", r"\s*")
        units = (*self.seconds, *language_named(_EVERYWHERE).seconds, _SHARE)
        forms = [re.escape(unit.rstrip("*")) + (f"{_SIGN}*" if unit.endswith("*") else "") for unit in units]
        second = "(?:" + "|".join(sorted(forms, key=len, reverse=True)) + ")" + ("(?![a-z])" if self.is_unspaced else f"(?!{_SIGN})")
        words = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in sorted(self.numbers, key=len, reverse=True))
        number = f"({_DIGITS}" + (f"|{words})" if words else ")")
        expression = re.sub(r"\((?!\?)", "(?:", written.replace(r"\(", "\0")).replace("\0", r"\(")
        timed = rf"(?:{number}\.?{some}-?{some}{second}|{_CLOCK})"  # a clock needs no unit
        expression = re.sub(r"#(?:\\\.\?)?\s*@", "\0", expression).replace(" ?", some).replace(" ", gap)
        expression = expression.replace("\0", timed).replace("#", number).replace("@", second)
        if self.is_unspaced or written.startswith("["):
            return re.compile(expression)
        return re.compile(f"(?<!{_SIGN}){expression}(?!{_SIGN})")


class Item(NamedTuple):
    """An entry at its place: tokens `start` to `end` (exclusive)."""

    entry: Entry
    start: int
    end: int


class Token(NamedTuple):
    """A word, or a sign of a script without blanks, without case and accents, and where it stands in the text."""

    text: str
    start: int
    end: int

    @property
    def is_time(self) -> bool:
        """Whether it stands for a time that was found."""
        return self.text.startswith(_PLACE)


class _Section(NamedTuple):
    exact: bool
    lines: list[str]
    scripts: set[str]


@cache
def all_sections() -> dict[str, _Section]:
    """Read the tables.

    Returns:
        Each language's lines.
    """
    found: dict[str, _Section] = {}
    for table in ("feelings", "times"):
        for line in (ASSETS / f"{table}_by_language.txt").read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                name, _, option = line.strip("[]").partition(" | ")
                section = found.setdefault(name, _Section(option == "exact", [], set()))
            elif line and not line.startswith("#"):
                section.lines.append(line)
                if line.startswith("angry"):
                    section.scripts.update(scripts_of(line.partition(":")[2]))
    return found


@cache
def language_named(name: str) -> Language:
    """Read a language's words, when a text first has its script.

    Args:
        name: The section's.

    Returns:
        The words.
    """
    made = Language(name, exact=all_sections()[name].exact)
    for line in all_sections()[name].lines:
        _add(made, *line.split(":", 1))
    return made


def scripts_of(text: str) -> set[str]:
    """Name the scripts of a text.

    Args:
        text: In any language.

    Returns:
        The first words of its letters' Unicode names: "LATIN", "CJK" ….
    """
    return {unicodedata.name(sign, "").partition(" ")[0] for sign in set(text) if sign.isalpha()}


def _add(language: Language, key: str, listed: str) -> None:
    phrases = [phrase.strip() for phrase in listed.split(",")]
    if not language.exact:
        phrases += [spelt for phrase in phrases if (spelt := phrase.translate(_SPELT_OUT)) != phrase]
    if "#" in key:
        language.spans += [(key, fold(phrase, language)[0]) for phrase in phrases]
        return
    if key == "numbers":
        language.numbers |= {fold(word, language)[0]: value for word, _, value in (phrase.rpartition(" ") for phrase in phrases)}
        return
    if key == "second":
        language.seconds += [fold(phrase, language)[0] for phrase in phrases]
        return
    folded = [(" ".join(token.text for token in tokens_of(phrase.rstrip("*"), language)), phrase.endswith("*")) for phrase in phrases]
    if language.is_unspaced:
        folded = [(phrase.replace(" ", ""), stem) for phrase, stem in folded]
    if key == "small":
        language.small |= {word for phrase, _ in folded for word in phrase.split()}
    elif key == "prefixes":
        language.prefixes = tuple(phrase for phrase, _ in folded)
    else:
        role, _, strength = key.rpartition(" ") if key[-1].isdigit() else (key, "", "")
        entry = Entry(role, float(strength or WORD_STRENGTH))
        for phrase, stem in folded:
            (language.stems if stem else language.words).setdefault(phrase, entry)
            language.longest = max(language.longest, len(phrase) if language.is_unspaced else phrase.count(" ") + 1)


def fold(text: str, language: Language) -> tuple[str, list[int]]:
    """Take case and accents off a text.

    Args:
        text: As the user wrote it.
        language: Says whether accents matter.

    Returns:
        The text, and where each of its signs stands in the text as written.
    """
    letters: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        plain = unicodedata.normalize("NFKD", sign.casefold().translate(_LETTERS))
        plain = plain if language.exact else _MARKS.sub("", plain)
        letters += plain
        places += [place] * len(plain)
    return "".join(letters), places


def tokens_of(text: str, language: Language, times: list[str] | None = None) -> list[Token]:
    """Take a text apart.

    Args:
        text: As the user wrote it.
        language: Whose words are looked for.
        times: What is said with a number of seconds is added, as the English phrase, and becomes a token of its own; None: not looked for.

    Returns:
        The tokens.
    """
    folded, places = fold(text, language)
    if times is not None:
        found: dict[int, str] = {}
        for pattern, english in language.patterns:
            folded = pattern.sub(partial(_replaced, english=english, language=language, found=found), folded)
        times += [found[at] for at in sorted(found)]
    matches = (_SIGNS if language.is_unspaced else _TOKENS).finditer(folded)
    return [Token(match[0], places[match.start()], places[match.end() - 1] + 1) for match in matches]


def _replaced(match: re.Match, english: str, language: Language, found: dict[int, str]) -> str:
    """Signs in the place of a time, of which the English phrase is kept by its place."""
    english = english.replace(" seconds", " %") if _SHARE in match[0] else english
    for number in (group for group in match.groups() if group is not None):
        english = english.replace("#", language.numbers.get(number, number.replace(",", ".")), 1)
    found[match.start()] = english
    return _PLACE + _PLACE_ON * (len(match[0]) - 1)


def find(tokens: Sequence[Token], language: Language) -> Iterator[Item]:
    """Find a language's phrases: at each place the longest.

    Args:
        tokens: A text's.
        language: Whose phrases.

    Yields:
        What is found, in order.
    """
    if language.name == "Chinese" and any(_KANA.match(token.text) for token in tokens):
        return
    at, blank = 0, "" if language.is_unspaced else " "
    while at < len(tokens):
        for size in range(min(language.longest, len(tokens) - at), 0, -1):
            entry = language.look_up_joined(blank.join(token.text for token in tokens[at : at + size]))
            if entry is not None:
                yield Item(entry, at, at + size)
                at += size - 1
                break
        at += 1
