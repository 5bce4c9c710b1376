"""The small words of a sentence and the parts of a face: ``tbd/assets/think/grammar.txt``, read.

Roles, whose rules `tbd.think.rules.parser` holds: *degree* (slightly), *not*, *yes* (cancels a denial: "cannot hide"), *stop* (ends
what was felt), *hold*
(fights back), *contain* (quietly), *fake* (forces), *inward*, *outward*, *behind*, *despite*, *break* (but), and of time
*then*, *end*, *first*, *before*, *after*, *from*, *to*, *become*, *slow*, *sudden*, *brief*, *fade*, *recover*.
"""

from functools import cache

from tbd.think.action_units import Pull
from tbd.think.rules.lexicon import ASSETS, Phrase, Sense, parse_pulls

LEFT, RIGHT, BOTH = frozenset(("left",)), frozenset(("right",)), frozenset(("both", "each", "two"))
ONE_SIDE = frozenset(("one", "single", "unilateral", "unilaterally", "asymmetric", "asymmetrical", "asymmetrically", "lopsided", "crooked"))


@cache
def _sections() -> dict[str, str]:
    """Head → body, lines joined; the body of "orders" keeps its lines."""
    sections: dict[str, list[str]] = {}
    head = ""
    for line in (ASSETS / "grammar.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            head = line.strip("[]")
        elif line and not line.startswith("#"):
            sections.setdefault(head, []).append(line)
    return {head: ("\n" if head == "orders" else " ").join(lines) for head, lines in sections.items()}


@cache
def grammar() -> tuple[Phrase, ...]:
    """Every small word and phrase with its role; a degree's value is its number, a part's and a movement's its name."""
    phrases = []
    for head, body in _sections().items():
        role, _, detail = head.partition(" ")
        value = float(detail) if role == "degree" else detail
        for phrase in body.split(",") if role != "orders" else ():
            words = tuple(phrase.replace("'", "").split())
            phrases.append(Phrase(tuple(word for word in words if word not in ("a", "the")) or words, role, value))
    return tuple(phrases)


@cache
def orders() -> dict[tuple[str, str], tuple[Pull, ...]]:
    """(part, how it moves) → muscles. The order of the words in a sentence does not matter: "brows knit", "knitted brows"."""
    table = {}
    for line in _sections()["orders"].splitlines():
        key, _, pulls = line.partition("=")
        part, movement = (word.strip() for word in key.split(","))
        table[part, movement] = parse_pulls(pulls)
    return table


def order(muscles: tuple[Pull, ...], name: str) -> Sense:
    """Make the sense of a movement that means nothing by itself.

    Args:
        muscles: Its action units.
        name: What it is called.

    Returns:
        The sense, without an emotion.
    """
    return Sense(name, "order", {"neutral": 1.0}, 0.0, muscles=muscles)
