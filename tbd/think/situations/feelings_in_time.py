"""What is felt one after the other, or at a time, in languages other than English: “d'abord triste, puis en colère”.

The table ``assets/think/times_by_language.txt`` says what a phrase means in English; `tbd.think.rules.time_spans` reads that, and
`tbd.think.rules.segmenter` parts the text as it parts an English one. A part that names nothing is read as a situation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tbd.think.emotions import EMOTION_SPECS
from tbd.think.rules.lexicon import Found, Phrase
from tbd.think.rules.segmenter import Moment, Reading, Splitter
from tbd.think.rules.time_spans import When, mark_times
from tbd.think.situations.classifier import Situation, is_unspaced
from tbd.think.situations.inference import FILLS, reading_of
from tbd.think.situations.language_tables import Item, Language, Token, find, tokens_of

Classify = Callable[[Sequence[str]], list[Situation]]
"""Says what sentences are mostly met with."""
_AROUND = frozenset(("very", "slightly", "not", "not after", "but", "first", "then"))
"""What a table's phrases do, beside naming feelings and times."""
_AT_THE_END = "at the end"
_COMMAS, _STOPS = frozenset(",、،"), frozenset(".!?…。；;।؟؛\n")
_EDGES = frozenset((",", ".", ":", "→"))
_SHORTEST = 6
"""Letters of a part that tells of something; a sign of a script without blanks counts for two."""


@dataclass(frozen=True)
class Passage:
    """A text with its words of order and time.

    Args:
        text: As the user wrote it.
        language: The one that it is in.
        tokens: Its words; a time with a number is one token.
        items: What of the language's table stands in it.
        times: The token that each time starts at, and what it says.
        ends: Tokens at which "at the end" is said.
        is_ordered: Whether it says more of time than "then".
        notes: What the user should know about how times are read.
    """

    text: str
    language: Language
    tokens: list[Token]
    items: list[Item]
    times: dict[int, When]
    ends: list[Item]
    is_ordered: bool
    notes: tuple[str, ...] = ()

    @property
    def is_parted(self) -> bool:
        """Whether it says anything of order or time."""
        return self.is_ordered or any(item.entry.role == "then" for item in self.items)

    def written(self, start: int, end: int) -> str:
        """Tokens `start` to `end` (exclusive), as they were written."""
        return " ".join(self.text[self.tokens[start].start : self.tokens[end - 1].end].split())


def passage(text: str, language: Language) -> Passage:
    """Find what a text says of order and time.

    Args:
        text: As the user wrote it.
        language: The one that it is in.

    Returns:
        The text, taken apart.
    """
    phrases: list[str] = []
    tokens = tokens_of(text, language, phrases)
    items = list(find(tokens, language))
    said = {i: phrase for i, phrase in zip((i for i, token in enumerate(tokens) if token.is_time), phrases)}
    said |= {item.start: item.entry.role for item in items if item.entry.role not in _AROUND and item.entry.role not in EMOTION_SPECS}
    ends = [item for item in items if item.entry.role == _AT_THE_END]
    notes: list[str] = []
    times = {i: when for i, phrase in sorted(said.items()) if (when := english(phrase, notes)) is not None}
    roles = [item.entry.role for item in items]
    if len(times) + len(ends) + roles.count("then") > 1:  # "at the start" lasts until what comes then
        times = {i: replace(when, early=False) for i, when in times.items()}
    is_ordered = bool(times or ends) or {"first", "then"} <= set(roles)
    return Passage(text, language, tokens, items, times, ends, is_ordered, tuple(dict.fromkeys(notes)))


def english(phrase: str, notes: list[str]) -> When | None:
    """Read an English phrase of time.

    Args:
        phrase: "from 3 seconds on".
        notes: What the user should know about how it is read; added to.

    Returns:
        What it says; None where it says no time.
    """
    found: list[When] = []
    mark_times(phrase.replace(" seconds", "") if ":" in phrase else phrase, found, notes)
    return found[0] if found else None


def in_time(passage: Passage, read: Callable[[list[Item]], list[Reading]], classify: Classify, joins: frozenset[str]) -> list[Moment]:
    """Part a text by its words of order and time.

    Args:
        passage: The text.
        read: Reads the feelings among some items.
        classify: Reads the parts that name none.
        joins: Words that join clauses.

    Returns:
        What is felt, in order of time.
    """
    words = _words(passage, joins)
    named = [item for item in passage.items if item.entry.role in EMOTION_SPECS and read([item])]
    cues = [Found(Phrase((item.entry.role,), "cue", None), item.start, item.end) for item in named]
    inferred = _inferred(passage, words, cues, classify)
    cues += [Found(Phrase(("inferred",), "cue", None), start, end) for start, (end, _) in inferred.items()]
    cues += [Found(Phrase(("end",), "end", None), item.start, item.end) for item in passage.ends]
    splitter = Splitter(words, sorted(cues, key=lambda found: found.start), list(passage.times.values()))
    moments: list[Moment] = []
    for moment, start, end in splitter.run():
        moment.readings = read([item for item in named if start <= item.start < end])
        moment.readings += [reading for at, (_, reading) in inferred.items() if start <= at < end]
        if moment.again and moments:
            moment.readings = moments[-1].readings
        moments += [moment, *Splitter.repeated(moment)]
    return moments


def _words(passage: Passage, joins: frozenset[str]) -> list[str]:
    """The tokens as the segmenter of English reads them: what parts, joins and times; the rest says nothing to it."""
    words = []
    for token in passage.tokens:
        sign = token.text
        words.append("and" if sign in joins else "," if sign in _COMMAS else "." if sign in _STOPS else ":" if sign == ":" else "_")
    for item in passage.items:
        if item.entry.role == "then":
            words[item.start] = "→"
    for number, at in enumerate(passage.times):
        words[at] = f"@t{number}"
    return words


def _inferred(passage: Passage, words: list[str], cues: list[Found], classify: Classify) -> dict[int, tuple[int, Reading]]:
    """First token → the end of a part that names nothing, and what it is met with."""
    taken = {i for item in passage.items if item.entry.role not in EMOTION_SPECS for i in range(item.start, item.end)} | set(passage.times)
    edges = [i for i, word in enumerate(words) if word in _EDGES or word.startswith("@t") or i in {end.start for end in passage.ends}]
    parts = []
    for before, end in pairwise([-1, *edges, len(words)]):
        rest = [i for i in range(before + 1, end) if i not in taken]
        if not rest or any(before < cue.start < end for cue in cues):
            continue
        length = sum(len(sign) if is_unspaced(sign) is False else 2 for sign in (passage.tokens[i].text for i in rest))
        if length >= _SHORTEST:
            parts.append((rest[0], rest[-1] + 1))
    found = {}
    situations = classify([passage.written(*part) for part in parts]) if parts else []
    for (start, end), situation in zip(parts, situations):
        if situation.leading != "neutral" and situation.confidence >= FILLS:
            found[start] = (end, reading_of(situation, passage.written(start, end)))
    return found
