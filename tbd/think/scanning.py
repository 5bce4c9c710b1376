"""What is found in a list of tokens: words that say something about a face, orders to its parts, and small words."""

from collections.abc import Iterator
from functools import cache

from tbd.think.grammar import grammar, order, orders
from tbd.think.lexicon import Found, Lexicon, Phrase, senses

BOUNDARIES = frozenset(".,;:!?…()[]")
"""What parts clauses."""


@cache
def cues() -> Lexicon:
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
def skippable() -> frozenset[str]:
    """Words of degree that may stand inside a phrase: "raises slightly her brows"."""
    words = frozenset(p.words[0] for p in grammar() if p.role == "degree" and len(p.words) == 1)
    return words | {"ever", "then", "just", "even", "quite", "firmly", "tightly"}


@cache
def vocabulary() -> frozenset[str]:
    """Every word that some table lists."""
    return frozenset().union(cues().words, *(lexicon.words for lexicon in _bodies()))


def _body_orders(tokens: list[str], taken: set[int]) -> Iterator[tuple[int, int, Phrase]]:
    """Pairs of a part and a movement in one clause, in either order: (start, end, phrase)."""
    parts_lexicon, moves_lexicon = _bodies()
    words = ["@" if i in taken else token for i, token in enumerate(tokens)]
    loose = skippable()  # "stretch the mouth wide": the verb counts, not the adjective
    parts = parts_lexicon.scan(words)
    moves = moves_lexicon.scan(["@" if word.endswith("ly") else word for word in words])  # "tightly" is how, not what
    for part in parts:
        options = [
            (abs(move.start - part.start) + 2 * (tokens[move.start] in loose), move)
            for move in moves
            if (part.phrase.value, move.phrase.value) in orders()
            and not (move.start < part.end and part.start < move.end)
            and 0 <= max(move.start - part.end, part.start - move.end) <= 4
            and not any(
                token in BOUNDARIES or token in ("but", "while") for token in tokens[min(part.start, move.start) : max(part.end, move.end)]
            )
        ]
        nearest = min(options, key=lambda option: option[0])[1] if options else None
        for _, move in options:
            joined = nearest is not None and move.start == nearest.end + 1 and tokens[nearest.end] == "and"  # "drawn up and together"
            if move is nearest or joined:
                name = f"{part.phrase.value} {move.phrase.value}"
                sense = order(orders()[part.phrase.value, move.phrase.value], name)
                yield min(part.start, move.start), max(part.end, move.end), Phrase((name,), "cue", sense)


def scan(tokens: list[str]) -> list[Found]:
    """All that is found, in reading order: cues, orders to parts of the face, small words."""
    found = cues().scan(tokens, skip=tuple(skippable()))
    said = [f for f in found if f.phrase.role == "cue"]
    both = {p.words[0] for p in grammar() if p.role == "move" and len(p.words) == 1}  # "tense": a feeling, or what a lid does
    doubtful = [f for f in said if len(f.phrase.words) == 1 and f.phrase.words[0] in both and f.phrase.value.kind == "feeling"]
    taken = {i for f in said if f not in doubtful for i in range(f.start, f.end)}
    orders = [Found(phrase, start, end) for start, end, phrase in _body_orders(tokens, taken)]
    within = {i for f in orders for i in range(f.start, f.end)}
    found = [f for f in found if not (f in doubtful and f.start in within)]
    kept = [f for f in found if f.phrase.role in ("cue", "degree", "not") or not set(range(f.start, f.end)) & within]
    units = [Found(Phrase((token,), "unit", token), i, i + 1) for i, token in enumerate(tokens) if token.startswith("@au=")]
    return sorted([*kept, *orders, *units], key=lambda f: (f.start, f.end))
