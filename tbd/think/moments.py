"""What a text says, moment by moment, and how tokens are cut into moments by words of time."""

from dataclasses import dataclass, field
from typing import Literal

from tbd.think.action_units import Side
from tbd.think.lexicon import Found, Sense, forms
from tbd.think.scanning import BOUNDARIES

Manner = Literal["felt", "contained", "held", "shown"]
"""felt: it shows; contained: felt in full, shown with restraint ("quietly furious"); held: hidden, and leaks ("hides her
anger"); shown: posed, not felt ("forces a smile")."""


_ENDS = frozenset(".!?…;")


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


class Splitter:
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
        starts = (i + 1 for i in range(at - 1, -1, -1) if self.tokens[i] in BOUNDARIES or self.tokens[i] in ("and", "with", "but"))
        return next(starts, 0)

    @property
    def current(self) -> Moment:
        return self.moments[-1][0]

    def cut(self, at: int) -> Moment:
        """Start a moment. A pace named just before belongs to the change: "slowly fades", "suddenly turns"."""
        before = self.current
        self.moments.append((Moment(), at))
        if any(f.phrase.role in ("slow", "sudden") and at - 3 <= f.start < at for f in self.found) and before.pace != "normal":
            self.current.pace, before.pace = before.pace, "normal"
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
        closes = end < len(self.tokens) and self.tokens[end] in BOUNDARIES
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
        stop = next((i for i in range(end, len(self.tokens)) if self.tokens[i] in BOUNDARIES), len(self.tokens))
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
