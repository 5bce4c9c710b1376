"""What a text says, moment by moment, and how tokens are cut into moments by words of time."""

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from tbd.think.action_units import ANTAGONISTS, Side
from tbd.think.rules.attachment import CUES, Binder
from tbd.think.rules.lexicon import Found, Sense, forms
from tbd.think.rules.matcher import BOUNDARIES, NEXT, PARTING
from tbd.think.rules.stance import Stance
from tbd.think.rules.time_points import Instant
from tbd.think.rules.time_spans import When

Manner = Literal["felt", "contained", "held", "shown"]
"""felt: it shows; contained: felt in full, shown with restraint ("quietly furious"); held: hidden, and leaks ("hides her
anger"); shown: posed, not felt ("forces a smile")."""


_ENDS = frozenset(".!?…;")


_CEASING = frozenset(("to", "be", "being", "feeling", "looking", "the", "her", "his", "their", "so"))
"""Words between a verb of ceasing and what ceases."""


@dataclass(frozen=True)
class Reading:
    """One thing that a sentence says about a face."""

    sense: Sense
    words: str
    manner: Manner = "felt"
    degree: float = 1.0
    side: Side | None = None
    negated: bool = False
    stance: Stance | None = None
    """Why it is not so, where more than a denial says it; it is negated then."""
    level: float | None = None
    """The intensity that was asked for in figures ("AU4 at 0.7", "70 % happy")."""
    count: int | None = None
    """How often a movement is made ("blinks twice")."""


@dataclass
class Moment:
    """A stretch of time that has one face. Times are in seconds, None where the text does not say."""

    readings: list[Reading] = field(default_factory=list)
    start: Instant | None = None
    end: Instant | None = None
    length: Instant | None = None
    pace: Literal["normal", "slow", "sudden"] = "normal"
    brief: bool = False
    late: bool = False
    """At the end of the whole."""
    early: bool = False
    """At the beginning of the whole alone."""
    delay: Instant | None = None
    """How long after the moment before."""
    every: float | None = None
    """Seconds from one occurrence of a short movement to the next."""
    rise: Instant | None = None
    """How long it takes to come."""
    fill: bool = False
    """All that no other moment covers."""
    again: bool = False
    """What the moment before showed, at another time."""
    also: list[When] = field(default_factory=list)
    """More times of the same: "in the first and the last second"."""

    @property
    def is_timed(self) -> bool:
        """Whether the text says how long it lasts or when it ends."""
        return self.length is not None or self.end is not None


def _ending(word: str) -> str:
    """The kind of a word by its ending: only words of a kind are joined by "and"."""
    return "ing" if word.endswith("ing") else "s" if word.endswith("s") and not word.endswith("ss") else ""


class Splitter:
    """Cuts tokens into moments: lists of the indices of what was found, with what is said about their time.

    Args:
        tokens: The text's.
        found: What was found in them; a verb of ceasing that denies becomes a "not".
        times: What the marks ``@t…`` stand for.
    """

    def __init__(self, tokens: list[str], found: list[Found], times: list[When]) -> None:
        self.tokens, self.found, self.times = tokens, found, times
        self.binder = Binder(tokens, found, "@t")
        self.unbound: list[When] = []
        """Times that are said of nothing."""
        self._closed: tuple[Moment, int] | None = None  # a moment whose time stands behind it, and where it ends
        self._opened: tuple[Moment, int] | None = None  # a moment whose time stands before it
        self.moments: list[tuple[Moment, int]] = [(Moment(), 0)]  # with the token that each starts at
        self.earlier: set[int] = set()  # moments that happen before the one ahead of them
        self.swap_at: int | None = None  # a leading "before X, Y": the token where Y starts
        self.from_seen = False

    def cues(self, start: int, end: int) -> bool:
        """Find out whether anything between two tokens shows on a face.

        Args:
            start: Index of the first token.
            end: Index after the last.

        Returns:
            Whether a cue starts there.
        """
        return any(f.phrase.role in CUES and start <= f.start < end for f in self.found)

    def sentence_end(self, at: int) -> int:
        """Return the index of the token that ends the sentence at `at`, or the number of tokens."""
        return next((i for i in range(at, len(self.tokens)) if self.tokens[i] in _ENDS), len(self.tokens))

    def clause_start(self, at: int) -> int:
        """Return the index of the first token of the clause at `at`."""
        starts = (i + 1 for i in range(at - 1, -1, -1) if self.tokens[i] in BOUNDARIES or self.tokens[i] in ("and", "with", "but"))
        return next(starts, 0)

    @property
    def current(self) -> Moment:
        """The moment that is being read."""
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
        events += [(f.start, "a_cue", f.end) for f in self.found if f.phrase.role in CUES]
        events += [(i, "mark", i + 1) for i, t in enumerate(self.tokens) if t.startswith("@t")]
        events += [(i, "then", i + 1) for i, t in enumerate(self.tokens) if t == "→"]
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
        before = self.cues(self.moments[-1][1], at) or self.current.is_timed  # "for a second nothing, then …"
        if before and self.cues(end, self.sentence_end(end)):
            self.cut(at)

    def _end(self, at: int, end: int) -> None:
        self._place(at, end).late = True

    def _mark(self, at: int, end: int) -> None:
        when = self.times[int(self.tokens[at][2:])]
        if when.wait:
            self._wait(when, at, end)
            return
        if when.bare and self._points():
            when = replace(when, start=when.length, length=None)
        bound = self.binder.bind(at, when.leans)
        if bound is None:
            self.unbound.append(when)
        elif when.start is None and when.end is None and (when.every or when.rise):  # how it comes, not when
            self._time(self.current, when)
        elif bound[0] == "back":
            self._time(self._closing(at, when), when)
        else:
            if self.cues(self.moments[-1][1], at):
                self.cut(at)
            elif when.start is not None and self.current.start is not None:
                self.current.also.append(when)
                return
            self._opened = (self.current, at)
            self._time(self.current, when)

    def _points(self) -> bool:
        """Whether bare seconds are points of time: ahead of their words and growing, from 0 on or from "at …" ("0 s happy, 2 s sad")."""
        times = [self.times[int(token[2:])] for token in self.tokens if token.startswith("@t")]
        led = times[0].words.startswith("at ")
        listed = [when for when in times if when.bare or (led and when.words.startswith("at "))]
        points = [when.length or when.start for when in listed]
        seconds = [point.seconds for point in points if point is not None and not point.share]
        starts = led or (bool(seconds) and (seconds[0] == 0 or listed[0].words.startswith("(")))
        return len(seconds) > 1 and starts and seconds == sorted(set(seconds)) and self.binder.leads

    def _wait(self, when: When, at: int, end: int) -> None:
        """A stretch in which nothing shows: a moment of its own."""
        if self.cues(self.moments[-1][1], at):
            self.cut(at)
        self.current.length = when.length
        self._closed = (self.current, end)

    def _closing(self, at: int, when: When) -> Moment:
        """The moment that a time behind its words closes: those words alone."""
        if self._closed is not None and self._closed[0] is self.current and when.start is not None and self.current.start is not None:
            self.cut(self._closed[1]).again = True  # "at 1 s and at 3 s"
        start = self._chunk(at)
        if self.cues(self.moments[-1][1], start):
            self.cut(start)
        self._closed = (self.current, at + 1)
        return self.current

    def _chunk(self, at: int) -> int:
        """Where the words start that a time at `at` is said of: "calm, and [happy or excited until two seconds]"."""
        cues = [f for f in self.found if f.phrase.role in CUES and self.moments[-1][1] <= f.start and f.end <= at]
        joined = False
        for before, cue in reversed(list(pairwise(cues))):
            gap = [i for i in range(before.end, cue.start) if PARTING.get(self.tokens[i], 0) >= 1]
            words = [self.tokens[i] for i in gap]
            alike = _ending(self.tokens[before.end - 1]) == _ending(self.tokens[cue.end - 1])
            if words and not (alike and (words in (["and"], ["or"]) or (words == [","] and joined))):
                return gap[-1] + 1
            joined |= bool(words)
        return self.moments[-1][1]

    @staticmethod
    def _time(moment: Moment, when: When) -> None:
        for name in ("start", "end", "length", "delay", "every", "rise"):
            if getattr(when, name) is not None:
                setattr(moment, name, getattr(when, name))
        moment.fill |= when.fill
        moment.early |= when.early

    @classmethod
    def repeated(cls, moment: Moment) -> list[Moment]:
        """The moment at each of its other times."""
        again = []
        for when in moment.also:
            again.append(Moment(list(moment.readings)))
            cls._time(again[-1], when)
        return again

    def _a_cue(self, at: int, end: int) -> None:
        """A cue behind a time that closed its moment, or a sentence behind one that ended, starts another."""
        if self._closed is not None and self._closed[0] is self.current and at >= self._closed[1]:
            between = [token for token in self.tokens[self._closed[1] : at] if token != ","]
            if between[:1] not in (["with"], ["while"], ["as"], ["showing"], ["without"]):
                self.cut(self._closed[1])
        elif self._opened is not None and self._opened[0] is self.current and self.current.is_timed:
            ends = [i for i in range(self._opened[1], at) if self.tokens[i] in _ENDS and self.cues(self._opened[1], i)]
            if ends and not any(token.startswith("@t") for token in self.tokens[at:]):
                self.cut(ends[-1] + 1)
        cue = next(f for f in self.found if f.start == at and f.phrase.role in CUES)
        if cue.phrase.words[0] == NEXT and self._opposes(cue):
            self.cut(at)

    def _opposes(self, cue: Found) -> bool:
        """Whether the current moment already has a movement against this one: "looks left, right"."""
        here = [f for f in self.found if f.phrase.role == "cue" and self.moments[-1][1] <= f.start < cue.start]
        units = {unit for f in here for unit, _, _ in f.phrase.value.muscles}
        own = {unit for unit, _, _ in cue.phrase.value.muscles}
        return any((a in own and b in units) or (b in own and a in units) for a, b in ANTAGONISTS)

    def _stop(self, at: int, end: int) -> None:
        """“Stops crying and smiles”: until then she cried."""
        index = next(i for i, f in enumerate(self.found) if f.start == at and f.phrase.role == "stop")
        ceasing = next((f for f in self.found if f.start >= end and f.phrase.role in CUES), None)
        if ceasing is None or not set(self.tokens[end : ceasing.start]) <= _CEASING:
            return
        if self.cues(self.moments[0][1], at):  # it is denied, as what went before ends
            self.found[index] = self.found[index]._replace(phrase=self.found[index].phrase._replace(role="not"))
            if self.cues(self.moments[-1][1], at):
                self.cut(at)
            return
        self.current.end, self.current.start = self.current.start, None
        self.cut(ceasing.end)

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
