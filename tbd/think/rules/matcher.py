"""What is found in a list of tokens: words that say something about a face, orders to its parts, and small words."""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise, takewhile

from tbd.think.rules.grammar import grammar, order, orders
from tbd.think.rules.lexicon import EMOJI_BREAK, Found, Lexicon, Phrase, forms, senses

PARTING: dict[str, float] = {
    ".": 3, "!": 3, "?": 3, "…": 3, ";": 3, "→": 3, "then": 2, "afterwards": 2, "but": 1.5, "before": 1.5, "after": 1.5, ",": 1, "and": 1,
    "or": 1, "while": 1, ":": 0.5, "(": 0.25, ")": 0.25, "[": 0.25, "]": 0.25,
}  # fmt: skip
"""How strongly a token parts what stands before it from what stands after it."""
BOUNDARIES = frozenset(".,;:!?…()[]→") | {EMOJI_BREAK}
"""What parts clauses."""


NEXT = "@next"
"""The name of a cue that leaves out what went before: "looks left, then [looks] right"."""

_DIRECTIONS: dict[frozenset[int], dict[str, int]] = {
    frozenset((61, 62, 63, 64)): {"left": 61, "right": 62, "up": 63, "down": 64, "upward": 63, "downward": 64},
    frozenset((51, 52, 53, 54)): {"left": 51, "right": 52, "up": 53, "down": 54},
    frozenset((55, 56)): {"left": 55, "right": 56},
    frozenset((57, 58)): {"forward": 57, "back": 58, "backward": 58, "forwards": 57, "backwards": 58},
}
"""Units of one kind of movement → the units of its directions."""
_GAZE, _HEAD = frozenset((61, 62, 63, 64)), frozenset((51, 52, 53, 54))
_SUBJECTS = {"gaze": _GAZE, "eyes": _GAZE, "eye": _GAZE, "head": _HEAD, "chin": _HEAD}
_GOING = frozenset(
    [
        "go",
        "move",
        "drift",
        "travel",
        "shift",
        "wander",
        "turn",
        "point",
        "dart",
        "sweep",
        "flick",
        "be",
        "slide",
        "then",
        "slowly",
        "quickly",
        "suddenly",
    ]
)
_BETWEEN = frozenset(
    [
        "then",
        "and",
        "to",
        "the",
        "again",
        "next",
        "finally",
        "her",
        "his",
        "their",
        "side",
        "one",
        "after",
        "that",
        "afterwards",
        "or",
        "now",
        "quickly",
        "slowly",
        "suddenly",
        "back",
        ",",
    ]
)
"""Words that may stand between a movement and its next direction."""


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
    return words | {"ever", "then", "just", "even", "quite", "firmly", "tightly", "nearly", "almost", "practically", "literally", "simply"}


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
    found = cues().scan(_apart(tokens), skip=tuple(skippable()))
    found += [*_kept_to_oneself(tokens, found), *_blinked_away(tokens, found)]
    said = [f for f in found if f.phrase.role == "cue"]
    both = {p.words[0] for p in grammar() if p.role == "move" and len(p.words) == 1}  # "tense": a feeling, or what a lid does
    doubtful = [f for f in said if len(f.phrase.words) == 1 and f.phrase.words[0] in both and f.phrase.value.kind == "feeling"]
    taken = {i for f in said if f not in doubtful for i in range(f.start, f.end)}
    orders = [Found(phrase, start, end) for start, end, phrase in _body_orders(tokens, taken)]
    within = {i for f in orders for i in range(f.start, f.end)}
    found = [f for f in found if not (f in doubtful and f.start in within)]
    kept = [f for f in found if f.phrase.role in ("cue", "degree", "not") or not set(range(f.start, f.end)) & within]
    kept += orders
    kept = _with_next(tokens, kept)
    units = [Found(Phrase((token,), "unit", token), i, i + 1) for i, token in enumerate(tokens) if token.startswith("@au=")]
    return sorted([*kept, *units], key=lambda f: (f.start, f.end))


def _kept_to_oneself(tokens: list[str], found: list[Found]) -> Iterator[Found]:
    """“Keeps his fear to himself”: the verb hides what stands between."""
    taken = {i for f in found for i in range(f.start, f.end)}
    for at, token in enumerate(tokens):
        clause = list(takewhile(lambda word: word not in BOUNDARIES, tokens[at + 1 : at + 9]))
        goes_on = clause[:1] and clause[0].endswith("ing")  # "keeps smiling to herself"
        if at not in taken and "keep" in forms(token) and not goes_on and ("to", "self") in pairwise(clause):
            yield Found(Phrase(("keep", "to", "self"), "hold", None), at, at + 1)


def _blinked_away(tokens: list[str], found: list[Found]) -> Iterator[Found]:
    """“Blinks away his tears” hides them, and is seen."""
    blink = next(p for p in senses() if p.words == ("blink",))
    for f in found:
        if f.phrase.role == "hold" and "blink" in f.phrase.words:
            yield Found(blink, f.start, f.start + 1)


def _apart(tokens: list[str]) -> list[str]:
    """The same without the "and" of "stops crying and smiles", which joins nothing that is at once."""
    ceased = {i + 2 for i, token in enumerate(tokens) if forms(token) & {"stop", "cease", "quit"}}
    return ["@and" if token == "and" and i in ceased else token for i, token in enumerate(tokens)]


def _with_next(tokens: list[str], found: list[Found]) -> list[Found]:
    """The same with what a sentence leaves out: "looks left, then right", "raises the left brow and then the right one"."""
    found = sorted(found, key=lambda f: (f.start, f.end))
    moving = [f for f in found if f.phrase.role == "cue" and f.phrase.value.muscles]
    parts, moves = ({f.start: f for f in lexicon.scan(tokens)} for lexicon in _bodies())
    for at in range(len(tokens)):
        before = next((f for f in reversed(moving) if f.end <= at), None)
        inside = any(f.start <= at < f.end and f.phrase.role in ("cue", "unit") and f in moving for f in found)
        if not inside and (subject := _subject_direction(tokens, at)) is not None:
            found = [f for f in found if not (f.start < subject.end and subject.start < f.end)] + [subject]
            moving = sorted([*moving, subject], key=lambda f: f.start)
            continue
        if before is None or inside or any(PARTING.get(word, 0) >= 3 for word in tokens[before.end : at]):
            continue
        next_one = _direction(tokens, before, at) or _other_part(tokens, before, at, parts) or _next_move(tokens, before, at, parts, moves)
        if next_one is not None:
            found = [f for f in found if not (f.start < next_one.end and next_one.start < f.end)] + [next_one]
            moving = sorted([*moving, next_one], key=lambda f: f.start)
    return found


def _subject_direction(tokens: list[str], at: int) -> Found | None:
    """“Her gaze goes down”: a direction behind what moves there."""
    for start in range(max(0, at - 3), at):
        domain = _SUBJECTS.get(tokens[start])
        between = tokens[start + 1 : at]
        if domain is not None and all(forms(word) & _GOING for word in between) and tokens[at] in _DIRECTIONS[domain]:
            unit = _DIRECTIONS[domain][tokens[at]]
            name = f"{tokens[start]} {tokens[at]}"
            return Found(Phrase((name,), "cue", order(((unit, "both", 0.7),), name)), start, at + 1)
    return None


def _direction(tokens: list[str], before: Found, at: int) -> Found | None:
    """A direction alone, with nothing but small words and marks between it and a movement that has directions."""
    between = tokens[before.end : at]
    if not between or not all(word in _BETWEEN or word[0] == "@" for word in between) or (tokens[at] == "back" and "looks" in between):
        return None
    units = {unit for unit, _, _ in before.phrase.value.muscles}
    for domain, directions in _DIRECTIONS.items():
        if units & domain and tokens[at] in directions:
            level = max(level for unit, _, level in before.phrase.value.muscles if unit in domain)
            return Found(Phrase((NEXT,), "cue", order(((directions[tokens[at]], "both", level),), f"and then {tokens[at]}")), at, at + 1)
    return None


def _next_move(tokens: list[str], before: Found, at: int, parts: dict[int, Found], moves: dict[int, Found]) -> Found | None:
    """What the same part does next: "eyes closed, then open", "opens her mouth, then closes it"."""
    between = [word for word in tokens[before.end : at] if word[0] != "@"]
    if at not in moves or "then" not in between or not set(between) <= _BETWEEN:
        return None
    near = [part for part in parts.values() if before.start - 4 <= part.start and part.end <= before.end + 1]
    move = moves[at]
    part = next((part for part in reversed(near) if (part.phrase.value, move.phrase.value) in orders()), None)
    if part is None or any(at <= start <= move.end + 2 for start in parts):  # "then opens her mouth" names its own
        return None
    muscles = orders()[part.phrase.value, move.phrase.value]
    end = move.end + (tokens[move.end : move.end + 1] in (["it"], ["them"]))
    return Found(Phrase((NEXT,), "cue", order(muscles, f"and then {tokens[at]}")), at, end)


def _other_part(tokens: list[str], before: Found, at: int, parts: dict[int, Found]) -> Found | None:
    """The same movement on the other side: "… and the right eyebrow", "… then the right one"."""
    between = [word for word in tokens[before.end : at] if word[0] != "@"]
    between = between[1:] if between[:1] in (["left"], ["right"]) else between
    if tokens[at] not in ("left", "right", "other") or not set(between) <= _BETWEEN or not {"and", "then", ","} & set(between):
        return None
    sided = [side for side in ("left", "right") if side in tokens[max(0, before.start - 2) : before.end + 2]]
    if not sided or (before.phrase.value.kind != "order" and before.phrase.value.time == "hold" and len(before.phrase.value.muscles) > 2):
        return None
    if tokens[at] == "other":
        tokens[at] = "right" if sided[0] == "left" else "left"
    end = parts[at + 1].end if at + 1 in parts else at + 2 if tokens[at + 1 : at + 2] == ["one"] else at + 1
    return Found(Phrase((NEXT,), "cue", before.phrase.value), at, end)
