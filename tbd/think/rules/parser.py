"""What a sentence says: its moments in time, and in each what is felt, shown, held back, denied or ordered.

`read` is the only entrance. Tokens (`tbd.think.rules.tokenizer`) are searched (`tbd.think.rules.matcher`), times and quantities
are given to what they are said of (`tbd.think.rules.attachment`), the whole is cut into moments (`tbd.think.rules.segmenter`), and
each moment is read clause by clause.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from tbd.think.action_units import ACTION_UNITS, Side, describe_unknown
from tbd.think.emotions import EMOTION_SPECS
from tbd.think.rules.attachment import Bound, bind_quantities
from tbd.think.rules.grammar import BOTH, LEFT, ONE_SIDE, RIGHT, order
from tbd.think.rules.language_checks import misspelt
from tbd.think.rules.lexicon import Found, Phrase, forms, senses
from tbd.think.rules.matcher import BOUNDARIES, cues, scan, vocabulary
from tbd.think.rules.quotations import without_quotations
from tbd.think.rules.readings import beneath, compared, is_smile, settle
from tbd.think.rules.segmenter import Manner, Moment, Reading, Splitter
from tbd.think.rules.stance import stances, towards_me
from tbd.think.rules.tokenizer import Tokens, tokenize

_SUBJECTS = frozenset(("i", "he", "she", "they", "we"))
_SIZES = frozenset(
    ("small", "tiny", "big", "huge", "great", "wide", "thin", "low", "high", "light", "little", "pretty", "strong", "real", "minor")
)
"""Degrees that are adjectives of things as well."""
_GOES_ON = frozenset(("and", "but", "then", "while", "when", "with", "as", "at", "in", "of", "for"))
"""Words that no noun is."""
_SHOUT = 1.3
"""The degree of a word in capitals."""


@dataclass(frozen=True)
class Text:
    """A text, read."""

    moments: tuple[Moment, ...]
    tokens: tuple[str, ...]
    notes: tuple[str, ...]
    unread: tuple[str, ...] = ()
    """Numbers and words of time that say nothing of a face, as they stand in the text."""


@cache
def _cue_phrases() -> dict[str, Phrase]:
    return {" ".join(p.words): p for p in senses()}


def _marked_unit(token: str, notes: list[str]) -> Reading | None:
    """``@au=12,l,0.7`` as an order; what cannot be is noted and left out."""
    number, side_letter, level_text = token[4:].split(",")
    unit = ACTION_UNITS.get(int(number[:6]))
    if unit is None:
        notes.append(describe_unknown(int(number[:6])) + " It is left out.")
        return None
    level = None if level_text == "_" else float(level_text)
    if level is not None and level > 1:
        scaled = min(level / 5, 1.0)
        notes.append(f"An intensity lies between 0 and 1; AU{number} at {level:g} is read on FACS's five steps as {scaled:g}.")
        level = scaled
    sides: dict[str, Side] = {"l": "left", "r": "right", "_": unit.sides[0]}
    side = sides[side_letter]
    if side not in unit.sides:
        notes.append(f"AU{number} ({unit.name}) has no sides; both are moved.")
        side = unit.sides[0]
    sense = order(((unit.number, side, 0.7),), unit.name)
    return Reading(sense, f"AU{number}", level=level, side=side if side_letter != "_" else None)


_OF_A_PART = frozenset((
    "corner", "corners", "side", "half", "end", "of", "her", "his", "their", "my", "your", "its", "the", "mouth", "lips", "face", "lip",
))  # fmt: skip
"""Words that may stand between a side and what that side does."""
_SIDE_NAMES: dict[Side, frozenset[str]] = {"both": BOTH, "left": LEFT, "right": RIGHT}


def _side_near(tokens: list[str], start: int, end: int) -> Side | None:
    """The side that the words in and around tokens `start` to `end` name."""
    before: list[str] = []
    for token in reversed(tokens[:start]):
        near = len(before) < 2 or token in _OF_A_PART  # "the right corner of her mouth smiles"
        if not near or token in BOUNDARIES or token in ("and", "then", "but", "with") or token.startswith("@t"):
            break
        before += [token] if token not in _OF_A_PART or len(before) < 2 else []
    after: list[str] = []
    for token in tokens[end : end + 5]:
        if token in BOUNDARIES or token in ("and", "then", "but") or token.startswith("@t"):
            break
        after.append(token)
    for window in (tokens[start:end], before, after):
        for side, names in _SIDE_NAMES.items():
            if names.intersection(window):
                return side
    return "left" if ONE_SIDE.intersection(before + tokens[start:end] + after[-3:]) else None


@dataclass
class _State:
    """What has been said so far in a clause about what comes next."""

    negated: bool = False
    manner: Manner | None = None
    degree: float = 1.0
    degree_words: tuple[str, ...] = ()
    immune: bool = False
    despite: bool = False
    reveals: bool = False
    """After "behind her smile" comes what is hidden."""
    since: int | None = None
    """Where the words start that say how the next cue is meant."""


class _MomentReader:
    """Reads what was found between two tokens, clause by clause."""

    def __init__(self, text: Tokens, found: list[Found], quantities: Bound, start: int, end: int, notes: list[str]) -> None:
        self.tokens, self.shouted, self.notes, self.quantities = text.words, text.shouted, notes, quantities
        self.items = [f for f in found if start <= f.start < end]
        self.start, self.end = start, end
        self.readings: list[Reading] = []
        self.stances = stances(text.words, found)

    def read(self) -> list[Reading]:
        state, clause_from, at = _State(), 0, self.start
        for item in self.items:
            if self._is_new_clause(at, item, state):
                clause_from, state = len(self.readings), self._carried(state, at, item)
            self._take(item, state, clause_from)
            at = item.end
        tokens = self.tokens[self.start : self.end]
        return settle(beneath(compared(self.readings, tokens), tokens))

    def _is_new_clause(self, at: int, item: Found, state: _State) -> bool:
        between = self.tokens[at : item.start]
        gap = [token for token in between if token in BOUNDARIES]
        if item.phrase.role == "break":
            return True
        if self.readings and _SUBJECTS.intersection(between) and state.since is None:
            return True
        if state.negated and self.readings and self.readings[-1].negated and "in" in between:  # "no joy in her smile"
            return True
        if state.negated and "and" in between and self._is_verb_after_others(item):  # "not crying any more and smiles"
            return True
        if not gap:
            return False
        return not (gap == [","] and (state.negated or state.manner) and self._in_list(item))

    def _is_verb_after_others(self, item: Found) -> bool:
        """Whether a cue is a verb in the third person that follows a cue that is none: it has a subject of its own."""
        before = [f for f in self.items if f.phrase.role == "cue" and f.end <= item.start]
        ends = [self.tokens[f.start][-1] == "s" for f in (*before[-1:], item)]
        return item.phrase.role == "cue" and ends == [False, True] and self.tokens[item.start] not in ("tears", "less")

    def _in_list(self, item: Found) -> bool:
        """Whether a comma is one of a list's: "not sad, angry or afraid", "hiding fear, shame and anger"."""
        rest = self.tokens[item.end : item.end + 3]
        listed = item.phrase.role in ("cue", "degree") and self.tokens[item.start - 1] in (",", "or", "nor", "and")
        return (listed and bool({"or", "nor", "and", ","} & set(rest[:2]))) or self.tokens[item.start - 1] in ("or", "nor")

    @staticmethod
    def _carried(state: _State, at: int, item: Found) -> _State:
        """“a small, bitter smile”: a degree outlives the comma if nothing has used it."""
        keep = state.degree != 1.0 and item.phrase.role == "cue"
        return _State(degree=state.degree if keep else 1.0)

    def _take(self, item: Found, state: _State, clause_from: int) -> None:
        role = item.phrase.role
        if state.since is None and role in ("degree", "not", "hold", "contain", "fake", "inward"):
            state.since = item.start
        here = self.readings[clause_from:]
        if role in ("cue", "unit", "recover"):
            self._add(item, state)
        elif role == "degree":
            self._degree(item, state, clause_from)
        elif role == "not":
            if item.phrase.words == ("no", "more") and self.readings and not self._follows(item):  # "smiling no more"
                self.readings[-1] = replace(self.readings[-1], negated=True)
                return
            twice = state.negated and "that" in self.tokens[state.since or 0 : item.start]  # "cannot say that I am not afraid"
            state.negated, state.immune = not state.immune and not twice, False
        elif role == "yes":
            state.negated, state.manner, state.immune = False, None, True
        elif role == "hold":
            self._hold(item, state, clause_from)
        elif role in ("contain", "fake"):
            manner: Manner = "contained" if role == "contain" else "shown"
            if self._follows(item):
                state.manner = manner if state.manner is None else state.manner
            elif here:
                self._remanner(clause_from, manner)
        elif role in ("inward", "outward"):
            state.manner = "held" if role == "inward" else "shown"
            self._remanner(clause_from, state.manner)
        elif role == "behind":
            self._behind(item, state, clause_from)
        elif role == "despite":
            state.manner, state.despite = "held", not here

    def _follows(self, item: Found, within: int = 99) -> bool:
        """Whether a cue follows in the same clause, at most so many tokens away."""
        for f in self.items:
            if item.end <= f.start < item.end + within:
                gap = self.tokens[item.end : f.start]
                if set(gap) & BOUNDARIES or f.phrase.role == "break":
                    return False
                if f.phrase.role in ("cue", "unit"):
                    return True
        return False

    def _is_of_a_thing(self, item: Found) -> bool:
        """Whether a size is that of something else: "a small child cries", "smiles in a big room"."""
        if item.phrase.words[0] not in _SIZES or len(item.phrase.words) > 1 or self._adjective(item):
            return False
        after = next((f.start for f in self.items if f.start >= item.end and f.phrase.role in ("cue", "unit", "degree")), len(self.tokens))
        before = max((f.end for f in self.items if f.end <= item.start and f.phrase.role in ("cue", "unit")), default=-9)
        follows = self.tokens[item.end : item.end + 1]
        stands_alone = not follows or not follows[0].isalpha() or follows[0] in _GOES_ON
        return after > item.end and not (stands_alone or (before == item.start and self.tokens[item.start - 1] not in ("a", "the")))

    def _degree(self, item: Found, state: _State, clause_from: int) -> None:
        words = item.phrase.words
        if self._is_of_a_thing(item):
            return
        if self._follows(item) or self._adjective(item):
            state.degree = _joint_degree(state.degree, item.phrase.value)
            state.degree_words = words
            if words[0] == "not":
                state.negated = False
        elif self.readings:
            self.readings[-1] = replace(self.readings[-1], degree=item.phrase.value)

    def _adjective(self, item: Found) -> bool:
        """“a small, bitter smile”: a degree, a comma, and what it is a degree of."""
        starts = {f.start for f in self.items if f.phrase.role == "cue"}
        return self.tokens[item.end : item.end + 1] == [","] and item.end + 1 in starts

    def _hold(self, item: Found, state: _State, clause_from: int) -> None:
        if state.negated or state.immune:  # "does not hide", "cannot hide"
            state.negated, state.manner, state.immune = False, None, True
        elif self._follows(item):
            self._pose(clause_from)
            state.manner = "held"
        else:
            self._remanner(min(clause_from, max(0, len(self.readings) - 1)), "held")  # "amused, but tries to hide it"

    def _behind(self, item: Found, state: _State, clause_from: int) -> None:
        plain = item.phrase.words[0] in ("with", "by", "using")
        hidden = any(r.manner in ("held", "contained") for r in self.readings[clause_from:])
        if plain and not hidden:
            return
        if not plain and len(self.readings) > clause_from:
            self._remanner(clause_from, "held")
        if self._follows(item):
            state.manner, state.negated = "shown", False
            state.reveals = not plain and len(self.readings) == clause_from

    def _remanner(self, start: int, manner: Manner) -> None:
        self.readings[start:] = [replace(r, manner=manner) if r.manner == "felt" else r for r in self.readings[start:]]

    def _pose(self, start: int) -> None:
        """“Her smile hides …”: what stands before the verb is a mask."""
        self.readings[start:] = [replace(r, manner="shown") if is_smile(r) else r for r in self.readings[start:]]

    def _bare(self, item: Found, state: _State) -> Reading | None:
        """What a cue says by itself; None for a unit that does not exist."""
        near = state.since is not None and item.start - state.since <= 6
        words = " ".join(self.tokens[state.since if near else item.start : item.end])
        if item.phrase.role == "unit":
            return _marked_unit(item.phrase.value, self.notes)
        if item.phrase.role == "recover":
            return Reading(_cue_phrases()["neutral"].value, words)
        return Reading(item.phrase.value, words)

    def _add(self, item: Found, state: _State) -> None:
        reading = self._bare(item, state)
        if reading is None:
            return
        degree = state.degree
        inner = _inner_degree(self.tokens[item.start : item.end], item.phrase)
        degree = inner if degree == 1.0 and inner else degree
        if degree == 1.0 and self.shouted & set(range(item.start, item.end)):
            degree = _SHOUT
        reading, degree = self._measured(reading, degree, item)
        if state.despite and reading.sense.valence > 0:  # "despite everything he smiles"
            state.manner = None
        litotes = state.degree_words[:1] == ("not",) and reading.sense.valence > 0.2
        sided = reading.sense.kind != "feeling" or sum(w for e, w in reading.sense.mix.items() if EMOTION_SPECS[e].is_one_sided) >= 0.5
        side = reading.side or (_side_near(self.tokens, item.start, item.end) if sided else None)
        stance, negated = self.stances.get(item.start), state.negated or litotes
        if stance in ("demanded", "nobody's"):  # "told me not to cry": there was something to cry about
            negated = not negated
            stance = stance if negated else None
        manner = state.manner or "felt"
        negated = negated or stance is not None
        self.readings.append(replace(reading, degree=degree, manner=manner, negated=negated, side=side, stance=stance))
        state.degree, state.degree_words, state.since = 1.0, (), None
        if state.reveals:
            state.manner, state.reveals, state.since = "held", False, item.end
        elif state.manner == "shown" and reading.sense.mix.get("neutral", 0) > 0.6:  # "a mask of calm over rage"
            state.manner = "contained"

    def _measured(self, reading: Reading, degree: float, item: Found) -> tuple[Reading, float]:
        """The reading and its degree with what is said of them in figures."""
        for quantity in self.quantities.get(item.start, ()):
            if quantity.kind == "count":
                reading = replace(reading, count=max(1, round(quantity.value)))
            elif quantity.kind == "factor":
                degree = min(2.0, quantity.value)
            elif reading.sense.kind != "order" and quantity.value == 0:
                reading = Reading(_cue_phrases()["neutral"].value, f"{reading.words} {quantity.words}")
            else:
                reading, degree = replace(reading, level=quantity.value), 1.0
        bangs = next((i for i, token in enumerate(self.tokens[item.end :]) if token != "!"), len(self.tokens) - item.end)
        return reading, _SHOUT if bangs >= 2 and degree == 1.0 and reading.level is None else degree


def _inner_degree(tokens: list[str], phrase: Phrase) -> float | None:
    """The degree inside a phrase: "raises slightly her brows"."""
    extra = [token for token in tokens if not any(token in forms(word) or word in forms(token) for word in phrase.words)]
    for token in extra:
        for small in cues().lookup(token):
            if small.role == "degree":
                return small.value
    return None


def _joint_degree(first: float, second: float) -> float:
    """“Very very” is more than "very", "a tiny bit" as little as "tiny"; otherwise the second counts."""
    if first < 1:
        return min(first, second)
    return second + 0.5 * (2 - second) * (first - 1) if first > 1 < second else second


def _correct(words: list[str]) -> list[str]:
    """Read slips of the pen as what they mean where a feeling is due; notes say so."""
    notes = []
    for at, meant in misspelt(words).items():
        notes.append(f"“{words[at]}” is read as “{meant}”.")
        words[at] = meant
    return notes


def _found_in(text: str) -> tuple[Tokens, list[Found], list[str]]:
    """The tokens of a text, what is found in them, and notes."""
    tokens = tokenize(text, vocabulary())
    notes = [*tokens.notes, *_correct(tokens.words)]
    return tokens, scan(tokens.words), notes


def _of_today(moments: list[Moment]) -> list[Moment]:
    """The moments without those of the past, where the text also tells of now."""
    kept = [m for m in moments if m.is_timed or not m.readings or any(r.stance != "past" for r in m.readings)]
    return kept if any(moment.readings for moment in kept) else moments


def read(text: str, infer: Callable[[Tokens, list[Found]], list[Found]] | None = None) -> Text:
    """Read a text; what cannot be used is said in `notes`.

    Args:
        text: As the user wrote it.
        infer: Adds to what the tables find in the tokens what they do not know, and takes away what it stands for.

    Returns:
        What the text says.
    """
    tokens, found, notes = _found_in(text)
    if (how := without_quotations(text)) is not None:
        outside = _found_in(how)
        if any(f.phrase.role == "cue" for f in outside[1]):  # how it is said counts, not what
            tokens, found, notes = outside
    found = towards_me(tokens.words, found)
    if infer is not None:
        found = infer(tokens, found)
    quantities, idle = bind_quantities(tokens.words, found, tokens.quantities)
    splitter = Splitter(tokens.words, found, tokens.times)
    moments: list[Moment] = []
    for moment, start, end in splitter.run():
        moment.readings = _MomentReader(tokens, splitter.found, quantities, start, end, notes).read()
        if moment.again and moments:
            moment.readings = moments[-1].readings
        moments += [moment, *Splitter.repeated(moment)]
    moments = _of_today(moments)
    unread = [*(when.words for when in splitter.unbound), *(quantity.words for quantity in idle), *tokens.unread]
    return Text(tuple(moments), tuple(tokens.words), tuple(dict.fromkeys(notes)), tuple(dict.fromkeys(unread)))
