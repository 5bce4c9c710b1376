"""Words and what they say about a face: the tables under ``tbd/assets/think``, read, inflected and found in a text.

Feeling words follow the schemes named at the head of ``feelings.txt``: mixes over basic emotions as in the NRC Emotion
Lexicon (Mohammad & Turney 2013), degrees as on Plutchik's wheel (1980), places in Russell's circumplex (1980).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tbd.think.action_units import ACTION_UNITS, Pull, Side
from tbd.think.emotion_spec import EmotionSpec
from tbd.think.emotions import EMOTION_SPECS, EMOTIONS, Emotion

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "think"

EMOJI_BREAK = "¦"
"""Stands around the words of an emoji: a clause of its own that a time beside it still belongs to."""


Kind = Literal["feeling", "expression", "order"]
Duration = Literal["hold", "once", "repeat"]


@dataclass(frozen=True)
class Sense:
    """What a word says.

    Args:
        name: The first word of its group, for instance ``"annoy"``.
        kind: "feeling" (a state within), "expression" (what the face does and what it is taken for) or "order" (a
            muscle, gaze or head movement that means nothing by itself).
        mix: Weights over the emotions that sum to 1.
        strength: How strongly the bare word means it, 0..1.
        valence: -1 unpleasant .. 1 pleasant.
        arousal: -1 calm .. 1 excited.
        muscles: The units of an expression, or of a state that is no emotion of the table; empty: the prototypes of `mix`.
        time: "hold", "once" (a wink) or "repeat" (a nod).
        confidence: How sure it is, where no word says it and it was inferred from a situation.
        language: The name of the word's language, where it is not English.
    """

    name: str
    kind: Kind
    mix: dict[Emotion, float]
    strength: float
    valence: float = 0.0
    arousal: float = 0.0
    muscles: tuple[Pull, ...] = ()
    time: Duration = "hold"
    confidence: float | None = None
    language: str | None = None


class Phrase(NamedTuple):
    """A word or phrase to be found. `role` says what it does in a sentence, `value` what it brings along."""

    words: tuple[str, ...]
    role: str
    value: Any
    predicate_only: bool = False


class Found(NamedTuple):
    """A phrase at its place: tokens `start` to `end` (exclusive)."""

    phrase: Phrase
    start: int
    end: int


DETERMINERS = frozenset(
    ("a", "an", "the", "his", "her", "their", "my", "your", "its", "our", "this", "that", "these", "those", "some", "own", "of", "both",
     "one", "single", "two", "only", "all")
)  # fmt: skip
"""Words that may stand inside a phrase without being part of it ("bites her lip", "the corners of the mouth")."""
_KEEP = frozenset(("of", "one", "all", "both", "two", "single", "that", "this", "only"))
_SIDE_WORDS = frozenset(("left", "right"))

_IRREGULAR = {
    "wept": "weep", "shook": "shake", "shaken": "shake", "bit": "bite", "bitten": "bite", "held": "hold", "hid": "hide", "hidden":
    "hide", "fought": "fight", "broke": "break", "broken": "break", "rose": "rise", "risen": "rise", "drew": "draw", "drawn": "draw",
    "threw": "throw", "thrown": "throw", "wore": "wear", "kept": "keep", "fell": "fall", "fallen": "fall", "felt": "feel", "grew":
    "grow", "grown": "grow", "became": "become", "got": "get", "gave": "give", "given": "give", "went": "go", "gone": "go", "hung":
    "hang", "stuck": "stick", "lit": "light", "saw": "see", "seen": "see", "leant": "lean", "could": "can", "brows": "brow", "teeth":
    "tooth", "froze": "freeze", "frozen": "freeze", "lost": "lose", "burnt": "burn", "blew": "blow", "flew": "fly", "hurt": "hurt",
    "won": "win", "began": "begin", "begun": "begin", "swallowed": "swallow", "bore": "bear", "was": "be", "were": "be", "is": "be",
    "am": "be", "are": "be", "been": "be", "being": "be", "has": "have", "had": "have", "having": "have", "tried": "try", "put": "put",
    "ran": "run", "shed": "shed", "woke": "wake", "sank": "sink", "shrank": "shrink", "choked": "choke", "leapt": "leap", "made":
    "make", "overcame": "overcome", "said": "say",
}  # fmt: skip

_PLACES_ON_THE_FACE = frozenset(("upper", "lower", "inner", "outer"))
"""Comparatives by form alone: "her lower lip" is not low."""

_ENDINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ically", ("ic",)), ("ably", ("able",)), ("ibly", ("ible",)), ("ily", ("y",)), ("ly", ("", "le")), ("iness", ("y",)), ("ness", ("",)),
    ("ingly", ("", "e")), ("edly", ("", "e", "ed")), ("iedly", ("y",)), ("fully", ("ful",)), ("ment", ("",)), ("ation", ("", "e", "ate")),
    ("ion", ("", "e")), ("ance", ("", "e")), ("ies", ("y",)), ("ied", ("y",)), ("ier", ("y",)), ("iest", ("y",)), ("es", ("", "e")),
    ("s", ("",)), ("ing", ("", "e")), ("ying", ("ie", "y")), ("ed", ("", "e")), ("er", ("", "e")), ("est", ("", "e")),
)  # fmt: skip


@lru_cache(maxsize=4096)
def forms(word: str) -> frozenset[str]:
    """The word and every base that it may be an inflection of. Bases that are no words do no harm: no table lists them.

    Args:
        word: A word in lower case.

    Returns:
        The word and its possible bases.

    Example:
        >>> "happy" in forms("happily"), "grin" in forms("grinning"), "frustrate" in forms("frustration")
        (True, True, True)
    """
    found = {word, _IRREGULAR.get(word, word)}
    if word in _PLACES_ON_THE_FACE:
        return frozenset(found)
    if word.endswith("ions"):  # frustrations → frustration → frustrate
        found |= forms(word[:-1])
    for ending, replacements in _ENDINGS:
        if not word.endswith(ending) or len(word) - len(ending) < 2 or (ending == "s" and word.endswith(("ss", "us"))):
            continue
        base = word[: -len(ending)]
        found.update(base + replacement for replacement in replacements)
        if len(base) > 3 and base[-1] == base[-2]:  # grinning, sadder
            found.add(base[:-1])
    if word == "used":  # "told us to smile" is nothing that used to be
        found.discard("us")
    return frozenset(found)


class Lexicon:
    """Phrases, found in a list of tokens: at each place the longest.

    A single word is found in any inflection of it; within longer phrases both sides may be inflected.

    Args:
        phrases: What is to be found.

    Example:
        >>> lexicon = Lexicon([Phrase(("bite", "lip"), "cue", "AU32")])
        >>> [found.end for found in lexicon.scan("she bites her lower lip".split(), skip=("lower",))]
        [5]
    """

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._by_word: dict[str, list[Phrase]] = {}
        for phrase in phrases:
            for first in forms(phrase.words[0]) if len(phrase.words) > 1 else phrase.words:
                self._by_word.setdefault(first, []).append(phrase)
        for candidates in self._by_word.values():
            candidates.sort(key=lambda phrase: -len(phrase.words))
        self.words = frozenset(word for phrase in phrases for word in phrase.words)

    def lookup(self, word: str) -> list[Phrase]:
        """The phrases that are this word alone, in some inflection."""
        return [p for form in forms(word) for p in self._by_word.get(form, ()) if len(p.words) == 1]

    def scan(self, tokens: Sequence[str], skip: Sequence[str] = ()) -> list[Found]:
        """Find phrases in reading order that do not overlap.

        Args:
            tokens: The text's tokens.
            skip: Words that may stand inside a phrase.

        Returns:
            The phrases at their places; at each place the longest.
        """
        found, at = [], 0
        while at < len(tokens):
            best = max(self._matches(tokens, at, skip), key=lambda pair: pair[0], default=None)
            if best is None:
                at += 1
            else:
                found.append(best[1])
                at = best[1].end
        return found

    def _matches(self, tokens: Sequence[str], at: int, skip: Sequence[str]) -> Iterator[tuple[tuple, Found]]:
        """Each phrase that starts here with its rank: more words first, then more words taken as they stand."""
        for form in forms(tokens[at]):
            for phrase in self._by_word.get(form, ()):
                end = self._match(tokens, at, phrase.words, skip)
                if end and not (phrase.predicate_only and not _is_predicate(tokens, at, end)):
                    exact = sum(a == b for a, b in zip(tokens[at:end], phrase.words))
                    yield (len(phrase.words), exact, at - end), Found(phrase, at, end)

    @staticmethod
    def _match(tokens: Sequence[str], at: int, words: tuple[str, ...], skip: Sequence[str]) -> int | None:
        """Where the phrase ends, or None."""
        at += 1
        for word in words[1:]:
            skipped = 0
            while at < len(tokens) and not _same(word, tokens[at]):
                passable = tokens[at] in DETERMINERS or tokens[at] in _SIDE_WORDS or tokens[at] in skip
                if skipped == 4 or not passable:
                    return None
                at, skipped = at + 1, skipped + 1
            if at == len(tokens):
                return None
            at += 1
        return at


def _same(word: str, token: str) -> bool:
    """Whether a word of a phrase and a token are forms of one word. A doer is not a deed: "lip corner puller", "pulled"."""
    return word in forms(token) or (not word.endswith("er") and not forms(word).isdisjoint(forms(token)))


_COPULAS = frozenset(("be", "feel", "look", "seem", "sound", "become", "get", "grow", "appear", "turn", "act", "remain", "stay", "go"))
_PERSONS = frozenset((
    "i", "he", "she", "they", "we", "you", "who", "one", "everyone", "somebody", "someone", "man", "woman", "girl", "boy",
    "child", "kid", "person", "speaker", "actor", "actress", "mother", "father", "mom", "dad", "face", "eyes", "expression",
    "voice", "people", "friend", "brother", "sister", "him", "her", "me", "them", "self", "guy", "lady",
))  # fmt: skip


_WEARER_WORDS = (
    "look looks mood smile tone gaze glare frown grin stare men women boys girls faces temper mouth laugh sigh soul heart features way "
    "manner nod tears words children teenager baby grandmother customer player fan teacher boss spirit spirits thoughts air glance couple "
    "lover old young"
)
_PRONOUNS = frozenset(("eyes", "i", "he", "she", "they", "we", "you", "who", "one", "her", "him", "me", "them"))
_WEARERS = (_PERSONS - _PRONOUNS) | frozenset(_WEARER_WORDS.split())
"""Whose adjectives tell of a feeling; those of a thing do not."""
_BEFORE_ADJECTIVES = frozenset(("very", "so", "too", "how", "deeply", "really", "slightly", "utterly", "fairly", "quite"))


_GOES_ON_WORDS = (
    "and or but then now today again still inside so as because when while if about with for of to in on by after before until "
    "since though here enough too that she he they i we you him her them it me us yet at from over all is was are not than towards "
    "through despite rather instead yet right also just only always never maybe perhaps anymore any more either beyond like alone "
    "together later soon tonight today sometimes or nor whenever where who what"
)
_GOES_ON = frozenset(_GOES_ON_WORDS.split())
"""Words that may follow an adjective that stands by itself ("she is blue and …")."""
_NOUNS = frozenset(("interest", "concern", "doubt", "wonder", "stress"))
_TAKE_OBJECTS = frozenset(("suspect", "intrigue", "bewilder", "stun", "amaze", "question", "bother", "interest", "please", "concern"))
_SPATIAL = frozenset(("down", "low", "moved", "put", "let", "cross"))


def _is_predicate(tokens: Sequence[str], at: int, end: int) -> bool:
    """Whether someone is, feels or looks so: for words that mean something else elsewhere ("blue paint", "cross the road")."""
    if end == at + 1 and _is_of_a_thing(tokens, at):
        return False
    if _stands_alone(tokens[:at], tokens[end:]):
        return True
    before = tokens[max(0, at - 4) : at]
    if before and before[-1] in ("with", "to", "into", "from"):  # "leans in with interest"
        return True
    verbs = [word for word in before if forms(word) & _COPULAS]
    if not verbs:
        return len(tokens) <= 4 or (bool(before) and before[-1] in _BEFORE_ADJECTIVES)
    personal = any(token in _PERSONS for token in tokens[:at]) or at <= 2
    return personal or not all("be" in forms(verb) for verb in verbs)


def _stands_alone(before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether a word is a clause of its own: "sad, then blue"."""
    opens = not before or not before[-1].isalpha() or before[-1] == "then"
    return opens and (not after or not after[0].isalpha() or after[0] == "then")


def _is_of_a_thing(tokens: Sequence[str], at: int) -> bool:
    """Whether a word says something of the thing behind it: "blue hair", "a gutted fish", "down the stairs", "moved the chair"."""
    after = [token for token in tokens[at + 1 : at + 4] if token[0] != "@"]
    if not after or not after[0].isalpha() or tokens[at].endswith("ly"):
        return False
    if after[0] in ("the", "a", "an", "his", "her", "their", "my", "this", "that"):
        return not forms(tokens[at]) & _TAKE_OBJECTS and len(after) > 1
    if after[0] in ("to", "on", "at", "in", "into", "onto", "from", "towards"):
        return tokens[at] in _SPATIAL and not any(forms(token) & {"feel"} for token in tokens[:at])
    if after[0] in _GOES_ON or after[0].endswith("ly") or forms(tokens[at]) & _NOUNS:
        return False
    return not any(token in _WEARERS for token in after[:2])


def _parse_mix(text: str) -> dict[Emotion, float]:
    parts = text.split()
    mix = dict(zip(parts[::2], map(float, parts[1::2])))
    if not set(mix) <= set(EMOTIONS) or abs(sum(mix.values()) - 1) > 1e-6:
        raise ValueError(f"no mix of emotions that sums to 1: {text!r}")
    return mix


_SIDES: dict[str, Side] = {"L": "left", "R": "right", "": "both"}


def parse_pulls(text: str) -> tuple[Pull, ...]:
    """``"4 .5, 12L .6"`` → ``((4, "both", 0.5), (12, "left", 0.6))``."""
    pulls: list[Pull] = []
    for item in filter(None, map(str.strip, text.split(","))):
        match = re.fullmatch(r"(\d+)([LR]?) ([\d.]+)", item)
        if match is None or int(match[1]) not in ACTION_UNITS:
            raise ValueError(f"no action unit: {item!r}")
        pulls.append((int(match[1]), _SIDES[match[2]], float(match[3])))
    return tuple(pulls)


def _groups(name: str) -> Iterator[tuple[list[str], list[str]]]:
    """(fields of the bracket, phrases) of each group of a table."""
    head: list[str] = []
    body: list[str] = []
    for line in (ASSETS / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            if head:
                yield head, body
            head, body = [field.strip() for field in line.strip("[]").split("|")], []
        elif line and not line.startswith("#"):
            body += [phrase.strip() for phrase in line.split(",") if phrase.strip()]
    if head:
        yield head, body


def _feelings() -> Iterator[tuple[str, Sense]]:
    for head, body in _groups("feelings.txt"):
        mix, strength, place, muscles = head + [""] * (4 - len(head))
        valence, arousal = map(float, place.split())
        sense = Sense(body[0], "feeling", _parse_mix(mix), float(strength), valence, arousal, parse_pulls(muscles))
        yield from ((phrase, sense) for phrase in body)


def place(mix: dict[Emotion, float]) -> tuple[float, float]:
    """Valence and arousal of a mix: the weighted mean of its emotions' places in the circumplex."""
    specs = [(weight, EMOTION_SPECS[emotion]) for emotion, weight in mix.items()]
    return sum(weight * spec.valence for weight, spec in specs), sum(weight * spec.arousal for weight, spec in specs)


_DURATIONS: dict[str, Duration] = {"hold": "hold", "once": "once", "repeat": "repeat"}


def _expressions() -> Iterator[tuple[str, Sense]]:
    for head, body in _groups("expressions.txt"):
        mix_text, strength, muscles, time = head + ["hold"] * (4 - len(head))
        mix = _parse_mix(mix_text)
        kind: Kind = "order" if mix.get("neutral", 0) >= 0.6 else "expression"
        sense = Sense(body[0], kind, mix, float(strength), *place(mix), parse_pulls(muscles), _DURATIONS[time])
        yield from ((phrase, sense) for phrase in body)


def _unit_names() -> Iterator[tuple[str, Sense]]:
    """FACS's names of the units, for those who know them."""
    for unit in ACTION_UNITS.values():
        pulls = ((unit.number, unit.sides[0], 0.7),)
        yield unit.name.lower(), Sense(unit.name, "order", {"neutral": 1.0}, 0.0, muscles=pulls)


@cache
def senses() -> tuple[Phrase, ...]:
    """Every phrase that says something about a face; where two tables list the same phrase, the expression wins."""
    table: dict[tuple[str, ...], Phrase] = {}
    for phrase, sense in (*_unit_names(), *_feelings(), *_expressions()):
        words = tuple(phrase.rstrip("?").replace("'", "").split())
        content = tuple(word for word in words if word not in DETERMINERS or word in _KEEP) or words
        content = tuple(word for word in content if word not in ("a", "of", "the")) or words
        table[content] = Phrase(content, "cue", sense, phrase.endswith("?"))
    alike: dict[str, list[tuple[str, ...]]] = {}  # any form of a phrase's first word → the phrases
    for key in table:
        for form in forms(key[0]):
            alike.setdefault(form, []).append(key)
    for spec in EMOTION_SPECS.values():
        _name_emotion(spec, table, alike)
    return tuple(table.values())


WORD_STRENGTH = 0.65
"""Intensity that the bare name of an emotion means, as in ``feelings.txt``."""


def _name_emotion(spec: EmotionSpec, table: dict[tuple[str, ...], Phrase], alike: dict[str, list[tuple[str, ...]]]) -> None:
    """Add the words of an emotion's own row. Phrases that mean at least a part of it stay; others of the same words give way."""
    sense = Sense(spec.name, "feeling", {spec.name: 1.0}, WORD_STRENGTH, spec.valence, spec.arousal)
    for name in dict.fromkeys((spec.name, spec.noun, spec.adjective, *spec.words)):
        words = tuple(name.split())
        near = dict.fromkeys(key for form in forms(words[0]) for key in alike.get(form, ()))
        same = [key for key in near if len(key) == len(words) and all(not forms(a).isdisjoint(forms(b)) for a, b in zip(key, words))]
        if not any(spec.name in table[key].value.mix for key in same):
            table |= {key: Phrase(key, "cue", sense) for key in (*same, words)}
            for form in forms(words[0]):
                alike.setdefault(form, []).append(words)


@cache
def emoji() -> dict[str, str]:
    """Emoji → the words that it says."""
    table: dict[str, str] = {}
    for line in (ASSETS / "emoji.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            signs, _, words = line.rpartition(" : ")
            table |= dict.fromkeys(signs.split(), words)
    return table
