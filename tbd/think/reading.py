"""What a sentence says: its moments in time, and in each what is felt, shown, held back, denied or ordered.

`read` is the only entrance. It cuts the text into moments (`_Splitter`), then reads each moment clause by clause
(`_Clause`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal

from tbd.think.action_units import ACTION_UNITS, Side, describe_unknown
from tbd.think.grammar import BOTH, LEFT, ONE_SIDE, RIGHT, grammar, order, orders
from tbd.think.lexicon import Found, Lexicon, Phrase, Sense, forms, senses
from tbd.think.tokens import Span, spans

Manner = Literal["felt", "contained", "held", "shown"]
"""felt: it shows; contained: felt in full, shown with restraint ("quietly furious"); held: hidden, and leaks ("hides her
anger"); shown: posed, not felt ("forces a smile")."""

_BOUNDARIES = frozenset(".,;:!?…()[]")
_ENDS = frozenset(".!?…;")
_SUBJECTS = frozenset(("i", "he", "she", "they", "we"))
_SHOUT = 1.3
"""The degree of a word in capitals."""


@dataclass(frozen=True)
class Reading:
    """One thing that a sentence says about a face."""

    sense: Sense
    words: str
    manner: Manner = "felt"
    degree: float = 1.0
    side: Side | None = None
    negated: bool = False
    level: float | None = None
    """The intensity that was asked for in figures ("AU4 at 0.7")."""


@dataclass
class Moment:
    """A stretch of time that has one face. Times are in seconds, None where the text does not say."""

    readings: list[Reading] = field(default_factory=list)
    start: float | None = None
    end: float | None = None
    length: float | None = None
    pace: Literal["normal", "slow", "sudden"] = "normal"
    brief: bool = False
    late: bool = False
    """At the end of the whole."""
    delay: float | None = None
    """Seconds after the moment before."""
    from_end: float | None = None
    """Seconds before the end of the whole."""
    halfway: bool = False


@dataclass(frozen=True)
class Text:
    """A text, read."""

    moments: tuple[Moment, ...]
    tokens: tuple[str, ...]
    notes: tuple[str, ...]


@cache
def _cues() -> Lexicon:
    """What words say, and the small words between them."""
    said = {phrase.words for phrase in senses()}
    small = {p.words: p for p in grammar() if p.role not in ("part", "move") and p.words not in said}
    return Lexicon([*small.values(), *senses()])


@cache
def _bodies() -> tuple[Lexicon, Lexicon]:
    """Parts of the face, and how they move."""
    phrases = grammar()
    return Lexicon([p for p in phrases if p.role == "part"]), Lexicon([p for p in phrases if p.role == "move"])


@cache
def _skippable() -> frozenset[str]:
    """Words of degree that may stand inside a phrase: "raises slightly her brows"."""
    words = frozenset(p.words[0] for p in grammar() if p.role == "degree" and len(p.words) == 1)
    return words | {"ever", "then", "just", "even", "quite", "firmly", "tightly"}


@cache
def vocabulary() -> frozenset[str]:
    """Every word that some table lists."""
    return frozenset().union(_cues().words, *(lexicon.words for lexicon in _bodies()))


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
    side: Side = {"l": "left", "r": "right", "_": unit.sides[0]}[side_letter]
    if side not in unit.sides:
        notes.append(f"AU{number} ({unit.name}) has no sides; both are moved.")
        side = unit.sides[0]
    sense = order(((unit.number, side, 0.7),), unit.name)
    return Reading(sense, f"AU{number}", level=level, side=side if side_letter != "_" else None)


def _body_orders(tokens: list[str], taken: set[int]) -> Iterator[tuple[int, int, Phrase]]:
    """Pairs of a part and a movement in one clause, in either order: (start, end, phrase)."""
    parts_lexicon, moves_lexicon = _bodies()
    words = ["@" if i in taken else token for i, token in enumerate(tokens)]
    parts = parts_lexicon.scan(words)
    moves = moves_lexicon.scan(["@" if word.endswith("ly") else word for word in words])  # "tightly" is how, not what
    for part in parts:
        options = [
            (abs(move.start - part.start), move)
            for move in moves
            if (part.phrase.value, move.phrase.value) in orders()
            and not (move.start < part.end and part.start < move.end)
            and 0 <= max(move.start - part.end, part.start - move.end) <= 4
            and not any(
                token in _BOUNDARIES or token in ("but", "while") for token in tokens[min(part.start, move.start) : max(part.end, move.end)]
            )
        ]
        nearest = min(options, key=lambda option: option[0])[1] if options else None
        for _, move in options:
            joined = nearest is not None and move.start == nearest.end + 1 and tokens[nearest.end] == "and"  # "drawn up and together"
            if move is nearest or joined:
                name = f"{part.phrase.value} {move.phrase.value}"
                sense = order(orders()[part.phrase.value, move.phrase.value], name)
                yield min(part.start, move.start), max(part.end, move.end), Phrase((name,), "cue", sense)


def _scan(tokens: list[str]) -> list[Found]:
    """All that is found, in reading order: cues, orders to parts of the face, small words."""
    found = _cues().scan(tokens, skip=tuple(_skippable()))
    cues = [f for f in found if f.phrase.role == "cue"]
    taken = {i for f in cues for i in range(f.start, f.end)}
    orders = [Found(phrase, start, end) for start, end, phrase in _body_orders(tokens, taken)]
    within = {i for f in orders for i in range(f.start, f.end)}
    kept = [f for f in found if f.phrase.role in ("cue", "degree", "not") or not set(range(f.start, f.end)) & within]
    units = [Found(Phrase((token,), "unit", token), i, i + 1) for i, token in enumerate(tokens) if token.startswith("@au=")]
    return sorted([*kept, *orders, *units], key=lambda f: (f.start, f.end))


class _Splitter:
    """Cuts tokens into moments: lists of the indices of what was found, with what is said about their time."""

    def __init__(self, tokens: list[str], found: list[Found]) -> None:
        self.tokens, self.found = tokens, found
        self.moments: list[tuple[Moment, int]] = [(Moment(), 0)]  # with the token that each starts at
        self.earlier: set[int] = set()  # moments that happen before the one ahead of them
        self.swap_at: int | None = None  # a leading "before X, Y": the token where Y starts
        self.from_seen = False

    def cues(self, start: int, end: int) -> bool:
        return any(f.phrase.role in ("cue", "unit", "recover") and start <= f.start < end for f in self.found)

    def sentence_end(self, at: int) -> int:
        return next((i for i in range(at, len(self.tokens)) if self.tokens[i] in _ENDS), len(self.tokens))

    def clause_start(self, at: int) -> int:
        starts = (i + 1 for i in range(at - 1, -1, -1) if self.tokens[i] in _BOUNDARIES or self.tokens[i] in ("and", "with", "but"))
        return next(starts, 0)

    @property
    def current(self) -> Moment:
        return self.moments[-1][0]

    def cut(self, at: int) -> Moment:
        self.moments.append((Moment(), at))
        return self.current

    def run(self) -> list[tuple[Moment, int, int]]:
        """(moment, first token, last token + 1), in order of time."""
        events = [(f.start, f.phrase.role, f.end) for f in self.found]
        events += [(i, "mark", i + 1) for i, t in enumerate(self.tokens) if t[0] == "@" and not t.startswith("@au")]
        events += [(i, "then", i + 1) for i, t in enumerate(self.tokens) if t in ("→", "->", "=>")]
        events += [(i, "comma", i + 1) for i, t in enumerate(self.tokens) if t == ","]
        for at, role, end in sorted(events):
            handler = getattr(self, f"_{role}", None)
            if handler:
                handler(at, end)
        bounds = [start for _, start in self.moments[1:]] + [len(self.tokens)]
        parts = [(moment, start, end) for (moment, start), end in zip(self.moments, bounds)]
        for index in sorted(self.earlier):
            parts[index - 1], parts[index] = parts[index], parts[index - 1]
        return parts

    def _place(self, at: int, end: int) -> Moment:
        """The moment that words of time at `at` speak of: what follows, or the clause that they end."""
        before = self.cues(self.moments[-1][1], at)
        stop = next((f.start for f in self.found if f.start >= end and f.phrase.role in ("then", "end")), len(self.tokens))
        if before and self.cues(end, min(stop, self.sentence_end(end))) and not self._trails(at, end):
            return self.cut(at)
        clause = self.clause_start(at)
        if before and clause > self.moments[-1][1] and self.cues(self.moments[-1][1], clause) and self.cues(clause, at):
            return self.cut(clause)
        return self.current

    def _trails(self, at: int, end: int) -> bool:
        """Whether words of time close their clause: "smiles at the end, having cried"."""
        closes = end < len(self.tokens) and self.tokens[end] in _BOUNDARIES
        return closes and self.cues(self.clause_start(at), at)

    def _then(self, at: int, end: int) -> None:
        before = self.cues(self.moments[-1][1], at) or self.current.length is not None  # "for a second nothing, then …"
        if before and self.cues(end, self.sentence_end(end)):
            self.cut(at)

    def _end(self, at: int, end: int) -> None:
        self._place(at, end).late = True

    def _mark(self, at: int, end: int) -> None:
        kind, _, number = self.tokens[at][1:].partition("=")
        value = float(number)
        if kind in ("for", "first"):
            self.current.length = value
        elif kind == "until":
            self.current.end = value
            if self.cues(self.moments[-1][1], at) and self.cues(end, self.sentence_end(end)):
                self.cut(end)
        else:
            moment = self._place(at, end)
            name = {"at": "start", "after": "delay", "last": "from_end", "half": "halfway"}[kind]
            setattr(moment, name, True if kind == "half" else value)

    def _before(self, at: int, end: int) -> None:
        if not self.cues(end, self.sentence_end(end)):
            return
        if self.cues(self.moments[-1][1], at):
            self.cut(at)
        else:
            self._await_comma(end, swap=True)

    def _after(self, at: int, end: int) -> None:
        stop = next((i for i in range(end, len(self.tokens)) if self.tokens[i] in _BOUNDARIES), len(self.tokens))
        if not self.cues(end, stop):
            return
        if self.cues(self.moments[-1][1], at):
            self.cut(at)
            self.earlier.add(len(self.moments) - 1)
        else:
            self._await_comma(end, swap=False)

    def _await_comma(self, end: int, swap: bool) -> None:
        comma = next((i for i in range(end, len(self.tokens)) if self.tokens[i] == ","), None)
        if comma is not None and self.cues(end, comma) and self.cues(comma, self.sentence_end(comma)):
            self.swap_at = comma
            if swap:
                self.earlier.add(len(self.moments))

    def _comma(self, at: int, end: int) -> None:
        if at == self.swap_at:
            self.cut(end)

    def _from(self, at: int, end: int) -> None:
        self.from_seen = self.cues(end, self.sentence_end(end))

    def _to(self, at: int, end: int) -> None:
        if self.from_seen and self.cues(self.moments[-1][1], at) and self.cues(end, min(end + 4, self.sentence_end(end))):
            self.cut(at)

    def _become(self, at: int, end: int) -> None:
        if not self.cues(end, min(end + 4, self.sentence_end(end))):
            return
        if self.cues(self.moments[-1][1], at):
            self.cut(at)
        elif self.current.pace == "normal" and {"become", "grow"} & set(forms(self.tokens[at])):
            self.current.pace = "slow"

    def _paced(self, at: int, end: int) -> Moment:
        """The moment that an adverb of pace speaks of; a clause of its own that follows another is a new moment."""
        clause = self.clause_start(at)
        starts_clause = not self.cues(clause, at)
        if self.cues(self.moments[-1][1], clause) and starts_clause and self.cues(end, self.sentence_end(end)):
            return self.cut(clause)
        return self.current

    def _slow(self, at: int, end: int) -> None:
        self._paced(at, end).pace = "slow"

    def _sudden(self, at: int, end: int) -> None:
        self._paced(at, end).pace = "sudden"

    def _brief(self, at: int, end: int) -> None:
        self._paced(at, end).brief = True

    def _fade(self, at: int, end: int) -> None:
        if self.cues(max(self.moments[-1][1], at - 3), at):
            self.cut(end)

    def _recover(self, at: int, end: int) -> None:
        if self.cues(self.moments[-1][1], at):
            self.cut(at)


def _side_near(tokens: list[str], start: int, end: int) -> Side | None:
    """The side that the words in and around tokens `start` to `end` name."""
    before = tokens[max(0, start - 2) : start]
    after = []
    for token in tokens[end : end + 5]:
        if token in _BOUNDARIES or token in ("and", "then", "but"):
            break
        after.append(token)
    for window in (tokens[start:end], before, after):
        for side, names in (("both", BOTH), ("left", LEFT), ("right", RIGHT)):
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

    def __init__(self, span: Span, found: list[Found], start: int, end: int, notes: list[str]) -> None:
        self.tokens, self.shouted, self.notes = span.tokens, span.shouted, notes
        self.items = [f for f in found if start <= f.start < end]
        self.start, self.end = start, end
        self.readings: list[Reading] = []

    def read(self) -> list[Reading]:
        state, clause_from, at = _State(), 0, self.start
        for item in self.items:
            if self._is_new_clause(at, item, state):
                clause_from, state = len(self.readings), self._carried(state, at, item)
            self._take(item, state, clause_from)
            at = item.end
        return _settle(self.readings)

    def _is_new_clause(self, at: int, item: Found, state: _State) -> bool:
        between = self.tokens[at : item.start]
        gap = [token for token in between if token in _BOUNDARIES]
        if item.phrase.role == "break":
            return True
        if self.readings and _SUBJECTS.intersection(between) and state.since is None:
            return True
        if state.negated and self.readings and self.readings[-1].negated and "in" in between:  # "no joy in her smile"
            return True
        if not gap:
            return False
        return not (gap == [","] and (state.negated or state.manner) and self._in_list(item))

    def _in_list(self, item: Found) -> bool:
        """Whether a comma is one of a list's: "not sad, angry or afraid", "hiding fear, shame and anger"."""
        rest = self.tokens[item.end : item.end + 3]
        listed = item.phrase.role in ("cue", "degree") and self.tokens[item.start - 1] in (",", "or", "nor", "and")
        return (listed and bool({"or", "nor", "and", ","} & set(rest[:2]))) or self.tokens[item.start - 1] in ("or", "nor")

    @staticmethod
    def _carried(state: _State, at: int, item: Found) -> _State:
        """"a small, bitter smile": a degree outlives the comma if nothing has used it."""
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
            stops = {"stop", "cease"} & forms(self.tokens[item.start])
            if not stops or self._follows(item, within=2):
                state.negated, state.immune = not state.immune, False
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
            state.manner, state.despite = "held", True

    def _follows(self, item: Found, within: int = 99) -> bool:
        """Whether a cue follows in the same clause, at most so many tokens away."""
        for f in self.items:
            if item.end <= f.start < item.end + within:
                gap = self.tokens[item.end : f.start]
                if set(gap) & _BOUNDARIES or f.phrase.role == "break":
                    return False
                if f.phrase.role in ("cue", "unit"):
                    return True
        return False

    def _degree(self, item: Found, state: _State, clause_from: int) -> None:
        words = item.phrase.words
        if self._follows(item):
            state.degree = min(state.degree, item.phrase.value) if state.degree < 1 else item.phrase.value
            state.degree_words = words
            if words[0] == "not":
                state.negated = False
        elif self.readings:
            self.readings[-1] = replace(self.readings[-1], degree=item.phrase.value)

    def _hold(self, item: Found, state: _State, clause_from: int) -> None:
        if state.negated or state.immune:  # "does not hide", "cannot hide"
            state.negated, state.manner, state.immune = False, None, True
        elif self._follows(item):
            self._pose(clause_from)
            state.manner = "held"
        else:
            self._remanner(clause_from, "held")

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
        """"Her smile hides …": what stands before the verb is a mask."""
        self.readings[start:] = [replace(r, manner="shown") if _is_smile(r) else r for r in self.readings[start:]]

    def _add(self, item: Found, state: _State) -> None:
        near = state.since is not None and item.start - state.since <= 6
        words = " ".join(self.tokens[state.since if near else item.start : item.end])
        if item.phrase.role == "unit":
            reading = _marked_unit(item.phrase.value, self.notes)
            if reading is None:
                return
        elif item.phrase.role == "recover":
            reading = Reading(_cue_phrases()["neutral"].value, words)
        else:
            reading = Reading(item.phrase.value, words)
        degree = state.degree
        inner = _inner_degree(self.tokens[item.start : item.end], item.phrase)
        degree = inner if degree == 1.0 and inner else degree
        if degree == 1.0 and self.shouted & set(range(item.start, item.end)):
            degree = _SHOUT
        if state.despite and reading.sense.valence > 0:  # "despite everything he smiles"
            state.manner = None
        litotes = state.degree_words[:1] == ("not",) and reading.sense.valence > 0.2
        sided = reading.sense.kind != "feeling" or reading.sense.mix.get("contempt", 0) >= 0.5
        side = reading.side or (_side_near(self.tokens, item.start, item.end) if sided else None)
        self.readings.append(
            replace(reading, degree=degree, manner=state.manner or "felt", negated=state.negated or litotes, side=side)
        )
        if state.reveals:
            state.manner, state.reveals = "held", False
        elif state.manner == "shown" and reading.sense.mix.get("neutral", 0) > 0.6:  # "a mask of calm over rage"
            state.manner = "contained"
        state.degree, state.degree_words, state.since = 1.0, (), None


def _inner_degree(tokens: list[str], phrase: Phrase) -> float | None:
    """The degree inside a phrase: "raises slightly her brows"."""
    extra = [token for token in tokens if not any(token in forms(word) or word in forms(token) for word in phrase.words)]
    for token in extra:
        for small in _cues().lookup(token):
            if small.role == "degree":
                return small.value
    return None


def _is_smile(reading: Reading) -> bool:
    sense = reading.sense
    return not reading.negated and sense.mix.get("happy", 0) >= 0.5


def _settle(readings: list[Reading]) -> list[Reading]:
    """A smile beside a hidden pain, or without joy, is a mask, wherever the sentence puts it."""
    hidden = any(r.manner == "held" and r.sense.valence < 0 and not r.negated for r in readings)
    hidden |= any(r.negated and r.sense.kind == "feeling" and r.sense.mix.get("happy", 0) >= 0.5 for r in readings)
    return [replace(r, manner="shown") if hidden and r.manner == "felt" and _is_smile(r) else r for r in readings]


def _read_span(span: Span, notes: list[str]) -> list[Moment]:
    found = _scan(span.tokens)
    moments = []
    for moment, start, end in _Splitter(span.tokens, found).run():
        moment.readings = _MomentReader(span, found, start, end, notes).read()
        moments.append(moment)
    if span.start is not None or span.end is not None:
        moments[0].start = span.start
        moments[-1].end = span.end
    return moments


def read(text: str) -> Text:
    """Read a text; what cannot be used is said in `notes`."""
    notes: list[str] = []
    pieces = spans(text, vocabulary())
    moments = [moment for piece in pieces for moment in _read_span(piece, notes)]
    tokens = tuple(token for piece in pieces for token in piece.tokens)
    return Text(tuple(moments), tokens, tuple(dict.fromkeys(notes)))

