"""Which words a time or a quantity is said of: those on the side where fewer words of parting stand between."""

from collections.abc import Sequence
from typing import Literal

from tbd.think.rules.lexicon import Found
from tbd.think.rules.matcher import PARTING
from tbd.think.rules.quantities import Leans, Quantity

Side = Literal["back", "forward"]
FAR = 9.0
"""Further than anything that parts two words of a text."""
CUES = frozenset(("cue", "unit", "recover"))
"""Roles of what shows on a face."""


def parting(tokens: Sequence[str], start: int, end: int) -> float:
    """Measure how strongly tokens separate what stands on their two sides.

    Args:
        tokens: The text's tokens.
        start: Index of the first token between the two.
        end: Index after the last.

    Returns:
        0 where nothing separates them, up to 3 for a full stop.
    """
    return max((PARTING.get(token, 0.0) for token in tokens[start:end]), default=0.0)


class Binder:
    """Finds, for each mark of a text, the side and the cue that it belongs to.

    Args:
        tokens: The text's.
        found: What was found in them.
        kind: The first letters of the marks: ``"@t"`` or ``"@q"``.
    """

    def __init__(self, tokens: Sequence[str], found: Sequence[Found], kind: str) -> None:
        self._tokens = tokens
        self._cues = [f for f in found if f.phrase.role in CUES]
        marks = [i for i, token in enumerate(tokens) if token.startswith(kind)]
        self.leads = bool(marks and self._cues and marks[0] < self._cues[0].start)
        """Whether the text's first mark stands before what it says of a face: "[0-2s] joy [2-4s] fear"."""
        self._ends = bool(marks and self._cues and marks[-1] > self._cues[-1].start)

    def sides(self, at: int) -> dict[Side, tuple[float, Found]]:
        """What lies on each side of a mark: how far, and the nearest cue."""
        before = next((f for f in reversed(self._cues) if f.end <= at), None)
        after = next((f for f in self._cues if f.start > at), None)
        found: dict[Side, tuple[float, Found]] = {}
        if before is not None:
            found["back"] = (parting(self._tokens, before.end, at), before)
        if after is not None:
            found["forward"] = (parting(self._tokens, at + 1, after.start), after)
        return found

    def bind(self, at: int, leans: Leans = "either") -> tuple[Side, Found] | None:
        """Find the side of a mark, and the cue there.

        Args:
            at: Index of the mark.
            leans: The likelier side where both are equally near.

        Returns:
            Side and cue, or None where there is none on either side.
        """
        sides = self.sides(at)
        if not sides:
            return None
        back, forward = (sides[side][0] if side in sides else FAR for side in ("back", "forward"))
        tie: Side = leans if leans != "either" else "back" if self._ends and not self.leads else "forward"
        side: Side = "back" if back < forward else "forward" if forward < back else tie
        return side, sides[side][1]


Bound = dict[int, list[Quantity]]
"""The first token of a cue → what is said of it in figures."""


def bind_quantities(tokens: Sequence[str], found: Sequence[Found], quantities: Sequence[Quantity]) -> tuple[Bound, list[Quantity]]:
    """Give each quantity to its cue.

    Args:
        tokens: The text's.
        found: What was found in them.
        quantities: What the marks ``@q…`` stand for.

    Returns:
        The quantities by the first token of their cue, and those that are said of nothing.
    """
    binder = Binder(tokens, found, "@q")
    cues = [f for f in found if f.phrase.role in CUES]
    bound: Bound = {}
    unbound = []
    for group in _groups(tokens):
        own = [quantities[int(tokens[i][2:])] for i in group]
        place = binder.bind(group[0] if len(group) == 1 else group[-1], own[0].leans)
        if place is None:
            unbound += own
            continue
        side, cue = place
        at = cues.index(cue)
        chosen = cues[at : at + len(own)] if side == "forward" else cues[max(0, at + 1 - len(own)) : at + 1]
        if len(own) == 1 and own[0].kind == "level" and len(quantities) == 1:
            chosen = _joined(tokens, cues, at)
        for i, quantity in enumerate(own):
            for each in chosen if len(own) == 1 else chosen[i : i + 1]:
                bound.setdefault(each.start, []).append(quantity)
            unbound += [quantity] if i >= len(chosen) else []
    return bound, unbound


def _groups(tokens: Sequence[str]) -> list[list[int]]:
    """Marks that stand side by side, as in "70:30 happy and sad", go together."""
    groups: list[list[int]] = []
    for i, token in enumerate(tokens):
        if token.startswith("@q"):
            if groups and groups[-1][-1] == i - 1:
                groups[-1].append(i)
            else:
                groups.append([i])
    return groups


def _joined(tokens: Sequence[str], cues: list[Found], at: int) -> list[Found]:
    """The cue and those that "and" alone joins it to."""
    first = last = at
    while first > 0 and tokens[cues[first - 1].end : cues[first].start] in (["and"], ["or"]):
        first -= 1
    while last + 1 < len(cues) and tokens[cues[last].end : cues[last + 1].start] in (["and"], ["or"]):
        last += 1
    return cues[first : last + 1]
