"""The five families of sentences, with what each must lead to.

- *named feelings*: ``tests/think/sentences.txt`` (units alone), ``named.txt`` and ``named_fresh.txt``, by which the rules were made
  and mended, and ``named_held_out.txt``, which was written before all but the very last mending and says how many were whole then;
  ``stance.txt`` and ``stance_held_out.txt``, feelings that are named and are not so, are judged where they are asked for by name
  alone (`tests.think.rules.test_stance`), so that the stored plans of a language model stay those of this benchmark's sentences;
- *situations*, *other languages*, *factual*: ``benchmarks/situations/*.tsv``; none of these was trained on;
- *timed*: ``tests/think/measured.txt``, with which the rules were made.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.situations.data import rows
from benchmarks.situations.evaluate import LATER
from tests.think.sentences import measured, sentences

FOLDER = Path(__file__).parent
FAMILIES = ("named feelings", "situations", "other languages", "timed", "factual")
TIMED_SECONDS = 6.0
"""Length of the plans whose timing counts."""
Alternatives = tuple[str, ...]


class Item(NamedTuple):
    """A sentence.

    Args:
        family: One of `FAMILIES`.
        source: The file that it stands in.
        text: The sentence.
        leading: Emotions of which one must lead; empty where that is not judged.
        expected: Units that must show; of alternatives one.
        forbidden: Units that must not.
        checks: What else must hold, as ``tests/think/measured.txt`` writes it.
    """

    family: str
    source: str
    text: str
    leading: Alternatives = ()
    expected: tuple[Alternatives, ...] = ()
    forbidden: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()

    @property
    def is_timed(self) -> bool:
        """Whether its plan has a length."""
        return self.family == "timed" or any(check[0].isdigit() for check in self.checks)


SEEN = ("sentences", "named", "named_fresh", "named_held_out", "stance", "measured")
"""Files by which the rules were made or mended."""


def items(sources: Iterable[str] | None = None) -> list[Item]:
    """All sentences, or those of some files (by their names without an ending)."""
    found = [*_units(), *_named("named"), *_named("named_fresh"), *_named("named_held_out"), *_situations(), *_timed()]
    if sources is not None:
        found += [*_named("stance"), *_named("stance_held_out")]
    return [item for item in found if sources is None or item.source in sources]


def spread(found: list[Item], count: int) -> list[Item]:
    """`count` of each family, evenly over its sentences that say what leads or when; one of each family after the other.

    Args:
        found: All sentences.
        count: How many of each family; fewer where it has fewer.

    Returns:
        The chosen ones; the first n of them are as balanced as can be.
    """
    chosen = []
    for family in FAMILIES:
        own = [item for item in found if item.family == family and (item.leading or family == "timed")]
        step = max(1, len(own) // count)
        chosen += [list(enumerate(own[step // 2 :: step]))[:count]]
    return [item for _, item in sorted((pair for part in chosen for pair in part), key=lambda pair: pair[0])]


def _units() -> Iterator[Item]:
    for line in sentences():
        expected = tuple((unit,) for unit in sorted(line.expected))
        yield Item("named feelings", "sentences", line.text, (), expected, tuple(sorted(line.forbidden)))


def _named(name: str) -> Iterator[Item]:
    path = FOLDER / f"{name}.txt"
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        if line and line[0] not in "#[":
            text, leading, expected, forbidden = (field.strip() for field in line.split("|"))
            checks = tuple(leading.split()) if ":" in leading else ()
            units = tuple(tuple(unit.split("/")) for unit in expected.split())
            yield Item(
                "named feelings",
                name,
                text,
                () if checks or not leading else tuple(leading.split("/")),
                units,
                tuple(forbidden.split()),
                checks,
            )


def _situations() -> Iterator[Item]:
    for name in ("test", *LATER):
        for row in rows(name):
            family = "factual" if row.is_factual else "situations" if row.language == "en" else "other languages"
            yield Item(family, name, row.text, tuple(row.felt))


def _timed() -> Iterator[Item]:
    for line in measured():
        yield Item("timed", "measured", line.text, checks=tuple(line.checks))
