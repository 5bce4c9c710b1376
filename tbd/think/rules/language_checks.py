"""What a planner that reads English doubts: words of other languages, and slips of the pen."""

import difflib
from collections.abc import Iterator, Sequence
from functools import cache

from tbd.think.rules.grammar import grammar
from tbd.think.rules.lexicon import ASSETS, forms, senses
from tbd.think.rules.matcher import vocabulary

_ENGLISH_WORDS = (
    "the a an is are was were i you he she it they we and but or not with of to in into his her their my your very then so at on for from "
    "as be am who that this there no when while by has had him them me after before until first now only more"
)
_TIME_WORDS = (
    "second seconds minute minutes frame frames until between then after before halfway percent twice times first last every beginning "
    "quarter third half start middle intensity level left right"
)
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
"""Function words, enough to tell that a sentence is English."""
_TIME = frozenset(_TIME_WORDS.split())


@cache
def _languages() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Language → its small words and its words for feelings."""
    table: dict[str, list[str]] = {}
    head = ""
    for line in (ASSETS / "languages.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            head = line.strip("[]")
        elif line and not line.startswith("#"):
            table.setdefault(head, []).extend(word.strip() for word in line.split(",") if word.strip())
    names = [name for name in table if not name.endswith(" feelings")]
    return {name: (frozenset(table[name]) - _ENGLISH, frozenset(table[f"{name} feelings"]) - _known()) for name in names}


@cache
def _known() -> frozenset[str]:
    return vocabulary() | _ENGLISH


def foreign_language(tokens: Sequence[str]) -> str | None:
    """The language of a text that is not English.

    Args:
        tokens: The text's, in lower case.

    Returns:
        The language's name, or None for English and for what cannot be recognized.

    Example:
        >>> foreign_language("je suis content".split()), foreign_language(["traurig"]), foreign_language(["happy"])
        ('French', 'German', None)
    """
    words = [token for token in tokens if token.isalpha()]
    english = sum(word in _ENGLISH for word in words) + (len(words) > 12)
    best, name = 0.0, None
    for language, (small, feelings) in _languages().items():
        score = sum(word in small for word in words) + 2 * sum(word in feelings for word in words)
        if score > best:
            best, name = score, language
    return name if best >= 2 and best > english else None


@cache
def _ordinary() -> frozenset[str]:
    """Plain English words, which are no slips of the pen: those of the sentences that the synthetic voices speak, and more."""
    text = (ASSETS.parent / "sentences" / "en.txt").read_text(encoding="utf-8") + (ASSETS / "ordinary.txt").read_text(encoding="utf-8")
    return frozenset("".join(sign if sign.isalpha() else " " for sign in text.lower()).split())


def is_plain_english(tokens: Sequence[str]) -> bool:
    """Return whether most words of a text are English ones that a table lists.

    Args:
        tokens: The text's, in lower case.

    Returns:
        Whether at least half are, or there are no words.

    Example:
        >>> is_plain_english("they laughed when i fell".split()), is_plain_english("mon chat a disparu hier".split())
        (True, False)
    """
    words = [token for token in tokens if token.isalpha()]
    return 2 * sum(bool(forms(word) & (_known() | _TIME | _ordinary())) for word in words) >= len(words)


@cache
def _spellings() -> tuple[str, ...]:
    """Words that a slip may have been meant for: those that say something by themselves."""
    said = {p.words[0] for p in (*senses(), *grammar()) if len(p.words) == 1}
    inflected = {word for word in vocabulary() if forms(word) & said and len(word) > 5}
    return tuple(sorted(word for word in said | inflected | _TIME if len(word) >= 4 and word.isalpha()))


def slips(tokens: Sequence[str], generous: bool = False) -> Iterator[tuple[str, str]]:
    """Unknown words that are nearly known ones: (as written, as meant).

    Args:
        tokens: The text's, in lower case.
        generous: Allow a second slip in a long word.

    Yields:
        A word as it is written, and the known word that it may mean.

    Example:
        >>> list(slips("hapy and then angrry for two secnds".split()))
        [('hapy', 'happy'), ('angrry', 'angry'), ('secnds', 'seconds')]
    """
    # a word of three letters is near too many others
    odd = (t for t in dict.fromkeys(tokens[:80]) if len(t) > 3 and t.isalpha() and not forms(t) & (_known() | _TIME | _ordinary()))
    for token in odd:
        near = [word for word in _spellings() if word[0] == token[0] and _slips_apart(token, word) <= 1 + (generous and len(token) >= 7)]
        if near:
            yield token, min(near, key=lambda word: (_slips_apart(token, word), -difflib.SequenceMatcher(None, token, word).ratio(), word))


def _slips_apart(written: str, meant: str) -> int:
    """How many letters are missing, too many, wrong or swapped (optimal string alignment); 9 where that is clearly many."""
    if abs(len(written) - len(meant)) > 2:
        return 9
    rows = [list(range(len(meant) + 1))]
    for i, a in enumerate(written, 1):
        row = [i]
        for j, b in enumerate(meant, 1):
            cost = min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == meant[j - 2] and written[i - 2] == b:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]
