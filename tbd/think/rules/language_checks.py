"""What a planner that reads English doubts: words of other languages, and slips of the pen."""

import difflib
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

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
        if not near and token[-1] == token[-2] and any(sense.words == (token[:-1],) for sense in senses()):
            near = [token[:-1]]  # of words of three letters, one whose end is doubled alone: "sadd"
        if near:
            yield token, min(near, key=lambda word: (_slips_apart(token, word), -difflib.SequenceMatcher(None, token, word).ratio(), word))


_SAYING = frozenset((
    "am", "is", "are", "was", "were", "be", "been", "feel", "feels", "felt", "feeling", "look", "looks", "looked", "seem", "seems",
    "seemed", "so", "very", "too", "really", "quite", "slightly", "extremely", "utterly", "rather", "pretty", "more", "bit", "not", "im",
    "hes", "shes", "terribly", "absolutely", "completely", "totally", "still", "get", "got", "getting", "became", "become", "with", "of",
))  # fmt: skip
"""Words behind which a feeling is due."""
_SLIP_LENGTH, _LONG_SLIP = 6, 9
"""Letters from which a word with one slip, or with two, is near to one word alone."""
_PARTS = frozenset((",", ";", "→", "then"))
_LONG_TEXT = 16
"""Tokens from which a text is not a list of feelings."""


def misspelt(tokens: Sequence[str]) -> dict[int, str]:
    """Slips of the pen where a feeling is due: behind a word that says it of somebody, or in a text of up to three words.

    Of a text in parts ("smilling, then furios"), each part is looked at by itself.

    Args:
        tokens: The text's, in lower case.

    Returns:
        The place of each such word, and the known word that it must mean.

    Example:
        >>> misspelt("she is verry dissapointed".split()), misspelt("the starling sings".split())
        ({2: 'very', 3: 'disappointed'}, {})
        >>> misspelt("smilling , then furios".split())
        {0: 'smiling', 3: 'furious'}
    """
    edges = [i for i, token in enumerate(tokens) if token in _PARTS or token.startswith("@t")]
    parts = [(start + 1, end) for start, end in pairwise([-1, *edges, len(tokens)]) if end > start + 1]
    found = _misspelt(tokens)
    if len(parts) > 1 and len(tokens) <= _LONG_TEXT and not foreign_language(tokens):
        for start, end in parts:
            found |= {start + at: meant for at, meant in _misspelt(tokens[start:end], is_part=True).items()}
    return found


def _misspelt(tokens: Sequence[str], is_part: bool = False) -> dict[int, str]:
    words = [token for token in tokens if token.isalpha()]
    odd = [at for at, token in enumerate(tokens) if _is_odd(token)]
    if not odd or 2 * len(odd) > max(len(words), 2) or foreign_language(tokens):
        return {}
    meant_words = _feelings() + (_faces() if is_part else ())
    found: dict[int, str] = {}
    for at in odd:
        token = tokens[at]
        before = next((t for i, t in reversed(list(enumerate(tokens[:at]))) if i not in found), "")
        due = before in _SAYING or found.get(at - 1) in _SAYING or len(words) <= 3
        if not due or len(token) < _SLIP_LENGTH - token.startswith("ver"):
            continue
        reach = 2 if len(token) >= _LONG_SLIP else 1
        near = sorted(
            (_slips_apart(token, word), word) for word in meant_words if word[0] == token[0] and _slips_apart(token, word) <= reach
        )
        if near and (len(near) == 1 or near[0][0] < near[1][0] or forms(near[0][1]) & forms(near[1][1])):
            found[at] = near[0][1]
    return found


def _is_odd(token: str) -> bool:
    return (
        len(token) > 4 and token.isalpha() and not any(form in words for words in (_known(), _TIME, _ordinary()) for form in forms(token))
    )


@cache
def _feelings() -> tuple[str, ...]:
    """Single words for feelings of five letters or more with their participles, and "very"."""
    said = {
        p.words[0] for p in senses() if len(p.words) == 1 and p.value.kind == "feeling" and len(p.words[0]) > 4 and p.words[0].isalpha()
    }
    bases = {word for word in said if not word.endswith(("ed", "ing", "ful", "ness", "ment", "ion", "ous", "y", "ly", "ent", "ic"))}
    participles = {(word[:-1] if word.endswith("e") else word) + ending for word in bases for ending in ("ed", "ing")}
    return tuple(sorted(said | participles | {"very"}))


@cache
def _faces() -> tuple[str, ...]:
    """Forms of single words for what a face does: "smile", "smiles", "smiling"."""
    bases = {p.words[0] for p in senses() if len(p.words) == 1 and p.value.kind == "expression" and p.words[0].isalpha()}
    stems = {(word[:-1] if word.endswith("e") else word) for word in bases if len(word) >= 4}
    return tuple(sorted({*(word for word in bases if len(word) > 4), *(stem + ending for stem in stems for ending in ("es", "ing", "ed"))}))


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
